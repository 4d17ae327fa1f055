"""``vmh-sync sync``: the command line of the passes in the foreground."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from vmh_sync.commands.passes.sync_kalender import kalender
from vmh_sync.commands.screens.options import Allow, AsJson, DryRun, Save, ShowValues
from vmh_sync.commands.screens.output import (
    RECORDS_FAILED,
    fail,
    fail_pass,
    print_dry_summary,
    print_json,
    print_plan,
    print_skipped,
    print_summary,
)
from vmh_sync.entities import ADRESSEN, BANKVERBINDUNGEN, BETEILIGTE, UnusableEntity, with_records

if TYPE_CHECKING:
    from vmh_sync.commands.passes.sync_order import SyncOrder


sync_app = typer.Typer(help="Ein Abgleich im Vordergrund.", no_args_is_help=True)
sync_app.command("kalender")(kalender)

Ids = Annotated[list[str] | None, typer.Option("--id", help="EspoCRM-ID; mehrfach möglich.")]
Dirty = Annotated[bool, typer.Option("--dirty", help="Als geändert oder neu gemeldete.")]
Failed = Annotated[bool, typer.Option("--failed", help="Fehlerhafte; Wartezeiten werden nicht beachtet.")]
All = Annotated[bool, typer.Option("--all", help="Alle verknüpften, alle geänderten und neuen.")]
Since = Annotated[str | None, typer.Option("--since", help="Was seit diesem Zeitpunkt geändert wurde.")]
Until = Annotated[str | None, typer.Option("--until", help="Mit --since: bis vor diesen Zeitpunkt.")]


def _add(entity: str, about: str) -> None:
    """Add the command ``sync ENTITY``; all of them take the same options."""

    def sync(
        ids: Ids = None,
        dirty: Dirty = False,
        failed: Failed = False,
        every: All = False,
        since: Since = None,
        until: Until = None,
        dry_run: DryRun = False,
        show_values: ShowValues = False,
        save: Save = False,
        allow_mass_change: Allow = False,
        as_json: AsJson = False,
    ) -> None:
        span = _span(since, until)
        order = _order(
            ids, dirty=dirty, failed=failed, every=every, span=span, dry_run=dry_run, show_values=show_values
        )
        if save and not dry_run:
            raise typer.BadParameter("--save speichert den Plan eines Probelaufs: bitte mit --dry-run.")
        _run(entity, order, save=save, allow_mass_change=allow_mass_change, as_json=as_json)

    sync_app.command(entity, help=about)(sync)


_add(BETEILIGTE.name, "Beteiligte mit Kommunikation, Adressen und Bankverbindungen.")
_add("kommunikation", "Nur Telefon und E-Mail verknüpfter Beteiligter; alles andere bleibt unberührt.")
for _part in (ADRESSEN, BANKVERBINDUNGEN):
    _add(_part.name, f"Nur {_part.label}; alles andere der Beteiligten bleibt unberührt.")


def add_own_entities() -> None:
    """Add a command for each entity of the firm's own (``VMH_ENTITIES``); ends the process when one is unusable."""
    from vmh_sync.settings import SettingsError, VmhSettings, load

    try:
        packages = load(VmhSettings).entities
    except SettingsError:
        return  # the command itself says it
    if not packages:
        return
    from vmh_sync.entities import add_packages

    try:
        add_packages(packages)
    except UnusableEntity as problem:
        fail(str(problem))
    for entity in with_records():
        if entity.room:
            _add(entity.name, f"{entity.label} (eigener Bereich).")


def _span(since: str | None, until: str | None) -> str | None:
    """Return the selection of what was changed in a span, in the firm's time; ``None`` when none was given."""
    from vmh_sync.clock import SystemClock
    from vmh_sync.commands.screens.moments import moment
    from vmh_sync.engine.selecting.span import Span

    if since is None:
        if until is not None:
            raise typer.BadParameter("--until geht nur mit --since.")
        return None
    now = SystemClock().now()
    return Span(moment(since, now), moment(until, now) if until is not None else None).name


def _order(
    ids: list[str] | None,
    *,
    dirty: bool,
    failed: bool,
    every: bool,
    span: str | None,
    dry_run: bool,
    show_values: bool,
) -> "SyncOrder":
    from vmh_sync.commands.passes.sync_order import SyncOrder

    named = (("dirty", dirty), ("failed", failed), ("all", every), (span or "", bool(span)))
    chosen = [name for name, wanted in named if wanted]
    if bool(ids) + len(chosen) != 1:
        raise typer.BadParameter("Bitte genau eines angeben: --id, --dirty, --failed, --all oder --since.")
    return SyncOrder(tuple(ids or ()), chosen[0] if chosen else None, dry_run=dry_run, show_values=show_values)


def _run(entity: str, order: "SyncOrder", *, save: bool, allow_mass_change: bool, as_json: bool) -> None:
    from dataclasses import replace

    from vmh_sync.commands.passes.pass_progress import shown_pass
    from vmh_sync.commands.passes.sync import run_sync, save_shown
    from vmh_sync.commands.passes.sync_order import PassFailed
    from vmh_sync.commands.passes.targets import target
    from vmh_sync.commands.screens.service_errors import HOUSE_TROUBLE, in_words
    from vmh_sync.commands.screens.unreachable import explained_failures
    from vmh_sync.sync.reporting.plan_rows import plan_rows

    order = replace(order, allow_mass_change=allow_mass_change)
    try:
        with shown_pass(entity, quiet=as_json) as progress:
            summary, shown = run_sync(target(entity), order, progress=progress)
    except PassFailed as problem:
        fail_pass(str(problem), as_json=as_json)
    except HOUSE_TROUBLE as trouble:
        fail_pass(in_words(trouble), as_json=as_json)
    saved = save_shown(entity, shown) if save else None
    if as_json:
        extra: dict[str, object] = {"plan": plan_rows(shown, show_values=order.show_values)} if order.dry_run else {}
        extra |= {"saved": saved} if save else {}
        extra |= {"skipped_because": summary.skipped} if summary.skipped else {}
        print_json(summary.to_json() | extra)
    else:
        if order.dry_run:
            print_plan(shown, show_values=order.show_values)
            print_dry_summary(entity, summary, sum(bool(plan_rows([one], show_values=False)) for one in shown))
            if saved is not None:
                typer.echo(f"Gespeichert: vmh-sync plan show {saved}, vmh-sync plan apply {saved} (gilt einen Tag).")
        else:
            print_summary(entity, summary)
        print_skipped(summary)
        for cause in explained_failures(failure["error"] for failure in summary.failures):
            typer.echo(f"  {cause}")
    sys.exit(RECORDS_FAILED if summary.failures else 0)
