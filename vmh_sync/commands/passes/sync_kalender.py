"""``vmh-sync sync kalender``: a calendar pass in the foreground, through the same Dagster job as everywhere."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from vmh_sync.commands.screens.options import Allow, AsJson, DryRun, Save, ShowValues
from vmh_sync.commands.screens.output import RECORDS_FAILED, fail_pass, print_dry_summary, print_json, print_summary
from vmh_sync.commands.screens.screen import print_rows, screen, sentences

if TYPE_CHECKING:
    from vmh_sync.kalender.batch import CalendarBatch
    from vmh_sync.kalender.calendars import Calendars


def kalender(
    kuerzel: Annotated[list[str] | None, typer.Option("--kuerzel", help="Kürzel; mehrfach möglich.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Alle Mitarbeiter, am längsten wartende zuerst.")] = False,
    dry_run: DryRun = False,
    anonymized: Annotated[bool, typer.Option("--anonymized", help="Ohne Inhalte: nur „Termin“ und Zeiten.")] = False,
    show_values: ShowValues = False,
    allow_mass_change: Allow = False,
    save: Save = False,
    as_json: AsJson = False,
) -> None:
    """Termine ↔ Google-Kalender der Mitarbeiter."""
    if bool(kuerzel) == every:
        raise typer.BadParameter("Bitte genau eines angeben: --kuerzel oder --all.")
    if save and not dry_run:
        raise typer.BadParameter("--save speichert den Plan eines Probelaufs: bitte mit --dry-run.")
    from vmh_sync.kalender.calendars import Calendars

    config = Calendars(
        kuerzel=list(kuerzel or ()),
        full_content=False if anonymized else None,
        dry_run=dry_run,
        show_values=show_values,
        allow_mass_change=allow_mass_change,
    )
    batch = run_calendars(config, as_json=as_json)
    _show(batch, saved=_saved(batch, config) if save else None, as_json=as_json)


def _saved(batch: "CalendarBatch", config: "Calendars") -> str | None:
    """Store what a dry run has shown, to be applied exactly; returns the plan's id, None when nothing is to be done."""
    from vmh_sync.clock import SystemClock
    from vmh_sync.engine.passes.opening import open_database
    from vmh_sync.kalender.state.frozen_plan import save_calendar_plan
    from vmh_sync.settings import VmhSettings, load

    with open_database(load(VmhSettings)) as store:
        plans = [work.plan for work in batch.works if work.plan is not None]
        plan = save_calendar_plan(store, SystemClock(), plans, why="Probelauf", full_content=config.full_content)
    return plan.id if plan is not None else None


def run_calendars(config: "Calendars", *, as_json: bool = False) -> "CalendarBatch":
    """Run one calendar pass; ends the process when the pass itself failed."""
    import dagster as dg

    from vmh_sync.commands.passes.calendar_progress import shown_progress
    from vmh_sync.commands.passes.instance import open_for_runs, run_job
    from vmh_sync.commands.screens.service_errors import HOUSE_TROUBLE, in_words
    from vmh_sync.commands.screens.unreachable import explained_run
    from vmh_sync.kalender.context import CalendarSettings
    from vmh_sync.kalender.pipeline import sync_kalender
    from vmh_sync.kalender.resources import CALENDAR_RESOURCES
    from vmh_sync.orchestration.run_tags import SILENT_CONSOLE
    from vmh_sync.services.valkey import ensure_redis
    from vmh_sync.store import upgrade

    house = CalendarSettings.read().house
    try:
        upgrade(house.database)
        ensure_redis(house.home, house.redis_url)
        with open_for_runs(house) as instance, shown_progress(quiet=as_json):
            asked = config.run_config() | {"loggers": SILENT_CONSOLE}
            result = run_job(instance, sync_kalender, asked, CALENDAR_RESOURCES)
    except dg.Failure as failure:
        fail_pass(explained_run(failure, failure.description), as_json=as_json)
    except HOUSE_TROUBLE as trouble:
        fail_pass(in_words(trouble), as_json=as_json)
    batch: CalendarBatch = result.output_for_node("write_calendars")
    return batch


def _show(batch: "CalendarBatch", *, as_json: bool, saved: str | None = None) -> None:
    from vmh_sync.kalender.employee.doubtful_pairs import doubtful_pairs
    from vmh_sync.sync.reporting.outcome import PassSummary, Result

    summary = PassSummary().add(batch.outcomes)
    if as_json:
        doubtful = [one.to_json() for one in doubtful_pairs(batch.works, show_values=batch.show_values)]
        more: dict[str, object] = {"doubtful": doubtful} if doubtful else {}
        if batch.how.dry_run:
            more["plan"] = batch.rows()
        if batch.new_calendars:
            more["new_calendars"] = batch.new_calendars
        if saved is not None:
            more["saved"] = saved
        told = {"lost": batch.lost, "waiting": batch.waiting, "tasks": batch.tasks, "deadlines": batch.deadlines}
        print_json(summary.to_json() | told | more)
    else:
        if batch.how.dry_run:
            _print_plan(batch)
            print_dry_summary("kalender", summary, summary.results[Result.SYNCED])
            if saved is not None:
                typer.echo(f"Gespeichert: vmh-sync plan show {saved}, vmh-sync plan apply {saved} (gilt einen Tag).")
        else:
            print_summary("kalender", summary)
        _print_notes(batch)
    sys.exit(RECORDS_FAILED if summary.failures else 0)


def _print_notes(batch: "CalendarBatch") -> None:
    """Say what is no failure and yet to be known: what was put off, and what Advoware cannot hold."""
    from vmh_sync.kalender.audits.not_representable import REMEDY, newly_hindered
    from vmh_sync.kalender.employee.doubtful_pairs import REMEDY as DECIDE
    from vmh_sync.kalender.employee.doubtful_pairs import doubtful_pairs
    from vmh_sync.kalender.telling.notice_texts import amount
    from vmh_sync.sync.reporting.outcome import Result

    console = sentences()
    waiting = {str(row["audit"]) for row in batch.waiting}
    for outcome in batch.outcomes:
        if outcome.result is Result.SKIPPED and outcome.error and outcome.id not in waiting:
            whose = "" if outcome.error.startswith("Kalender ") else f"{outcome.id}: "
            console.print(f"  {whose}{outcome.error}")
    if batch.waiting:
        count = len(batch.waiting)
        console.print(
            f"  {count} {'Termin wartet' if count == 1 else 'Termine warten'} in Google, bis Advoware beschrieben "
            "werden darf (ADVOWARE_WRITE_PROTECTION, CALENDAR_SYNC_WRITE_ALLOWED)."
        )
        for row in batch.waiting:
            number = f"frNr {row['frNr']}, " if row["frNr"] is not None else ""
            console.print(f"    {row['kuerzel']}: {number}Ereignis {row['event']}: {row['reason']}")
    for name, count in batch.deadlines.items() if batch.how.dry_run else ():
        caught = amount(count, "Termin", "Termine")
        console.print(f"  Fristen, Regel „{name}“: trifft {caught}.")
    for line in (*batch.lost_lines, *batch.undelivered, *batch.foreseen):
        console.print(f"  {line}")
    if doubtful_pairs(batch.works):
        console.print(f"  {DECIDE}")
    found = newly_hindered(batch.works)
    for one in found:
        console.print(f"  {one.line()}")
    if found:
        console.print(f"  {REMEDY}")


def _print_plan(batch: "CalendarBatch") -> None:
    from vmh_sync.kalender.batch import PLAN_HEADINGS, planned_in_words
    from vmh_sync.sync.reporting.outcome import nothing_planned

    console = screen()
    rows = batch.rows()
    if not rows:
        console.print(nothing_planned(batch.outcomes))
        return
    print_rows(console, "Plan (es wurde nichts geschrieben)", PLAN_HEADINGS, list(map(planned_in_words, rows)))
