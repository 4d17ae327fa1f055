"""``vmh-sync audit``: what was changed, taking changes back, and whether everything is in order."""

import sys
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from vmh_sync.commands.audits.audit_kalender import kalender_app
from vmh_sync.commands.audits.doubtful_cli import decide, doubtful
from vmh_sync.commands.screens.options import AsJson, Values
from vmh_sync.commands.screens.output import RECORDS_FAILED, fail, print_json
from vmh_sync.commands.screens.screen import sentences

if TYPE_CHECKING:
    from vmh_sync.engine.writing.undo import Undo

audit_app = typer.Typer(help="Was geändert wurde und ob alles stimmt.", no_args_is_help=True)
kalender_app.command("doubtful")(doubtful)
kalender_app.command("decide")(decide)
audit_app.add_typer(kalender_app, name="kalender")


_RECORD = "EspoCRM-ID, betnr oder Name eines Beteiligten; bei Terminen Kürzel, frNr, ID des Ereignisses oder Titel."


@audit_app.command("show")
def show(
    record: Annotated[str | None, typer.Argument(metavar="[WAS]", help=_RECORD)] = None,
    since: Annotated[str | None, typer.Option("--since", help="Ab wann: 27.11.2026, gestern, 24h, 7d …")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Bis vor wann, wie --since.")] = None,
    field: Annotated[str | None, typer.Option("--field", help="Nur dieses Feld, zum Beispiel name oder email.")] = None,
    run: Annotated[str | None, typer.Option("--run", help="Nur dieser Lauf (Anfang der Nummer genügt).")] = None,
    values: Values = False,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Höchstens so viele Einträge.")] = None,
    as_json: AsJson = False,
) -> None:
    """Was geändert wurde, das Neueste zuerst; vorn die Nummer für `audit undo`."""
    from vmh_sync.commands.audits.audit import AuditOrder, is_known, print_changes, query_of, the_changes
    from vmh_sync.commands.audits.telling_changes import change_row

    order = AuditOrder(record, since, until, field, run, limit)
    if not order.restricted:
        raise typer.BadParameter("Bitte sagen, was: einen Datensatz, --since, --field oder --run.")
    rows = [change_row(change, values=values) for change in the_changes(query_of(order))]
    unknown = record is not None and not rows and not is_known(record)
    if as_json:
        print_json({"id": record, "changes": rows})
    elif not unknown:
        print_changes(order, rows)
    if unknown:
        fail(f"Zu „{record}“ steht nichts im Protokoll, und verknüpft ist es auch nicht.")


@audit_app.command("undo")
def undo(
    change: Annotated[
        int | None, typer.Argument(metavar="[CHANGE]", help="Nummer der Änderung aus `audit show`.")
    ] = None,
    record: Annotated[
        str | None, typer.Option("--record", help="Alles an diesem Datensatz (ID, betnr, Name; frNr, Titel).")
    ] = None,
    run: Annotated[str | None, typer.Option("--run", help="Alles, was dieser Lauf geändert hat.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Alles ab diesem Zeitpunkt.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Alles bis vor diesem Zeitpunkt.")] = None,
    field: Annotated[str | None, typer.Option("--field", help="Nur dieses Feld.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Nur prüfen und zeigen, was geschähe.")] = False,
    values: Values = False,
    as_json: AsJson = False,
) -> None:
    """Stellt wieder her, was vorher dort stand, und gleicht ab; was sich seitdem bewegt hat, bleibt."""
    several = any((record, run, since, until))
    if (change is None) != several or (field is not None and not several):
        raise typer.BadParameter("Bitte eine Nummer angeben, oder --record, --run, --since (auch zusammen).")
    if change is not None:
        _undo_one(change, dry_run=dry_run, values=values, as_json=as_json)
    from vmh_sync.commands.audits.audit import AuditOrder, query_of, whole_records
    from vmh_sync.commands.audits.undo import MOST_CHANGES, tell, undo_all
    from vmh_sync.commands.passes.sync_order import PassFailed

    order = AuditOrder(record, since, until, field, run, MOST_CHANGES)
    try:
        report = undo_all(whole_records(query_of(order)), dry_run=dry_run)
    except PassFailed as problem:
        _refused(str(problem), as_json=as_json)
    if as_json:
        print_json(report.to_json(values=values, dry_run=dry_run))
    else:
        tell(report, values=values, dry_run=dry_run)
    sys.exit(RECORDS_FAILED if report.failed else 0)


def _undo_one(change: int, *, dry_run: bool, values: bool, as_json: bool) -> NoReturn:
    from vmh_sync.commands.audits.undo import undo_one, undo_row
    from vmh_sync.commands.passes.sync_order import PassFailed

    try:
        done, summary = undo_one(change, dry_run=dry_run)
    except PassFailed as problem:
        _refused(str(problem), as_json=as_json)
    failed = summary is not None and bool(summary.failures)
    if as_json:
        print_json(undo_row(done, values=values) | {"dry_run": dry_run, "sync": summary.to_json() if summary else None})
    else:
        _tell(done, values=values, dry_run=dry_run, failed=failed)
    sys.exit(RECORDS_FAILED if failed else 0)


def _refused(why: str, *, as_json: bool) -> NoReturn:
    if as_json:
        print_json({"error": why})
    fail(why)


def _tell(done: "Undo", *, values: bool, dry_run: bool, failed: bool) -> None:
    from vmh_sync.commands.audits.undo import STILL_APART, apart

    console = sentences()
    if dry_run:
        console.print(f"{done.subject} würde {done.became}; es wurde nichts geschrieben.")
    elif failed:
        console.print(
            f"{done.subject} ist in {done.written} {done.became}; der Abgleich danach ist fehlgeschlagen und wird "
            "wiederholt."
        )
    elif apart([done]):
        console.print(f"{done.subject} ist in {done.written} {done.became}; {STILL_APART}")
    else:
        console.print(f"{done.subject} ist auf beiden Seiten {done.became}.")
    if values:
        console.print(f"  {done.old!r} → {done.new!r}")
