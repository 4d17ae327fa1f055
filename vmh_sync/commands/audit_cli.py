"""``vmh-sync audit``: what was changed, taking changes back, and whether everything is in order."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vmh_sync.commands.audit_kalender import kalender_app
from vmh_sync.commands.output import RECORDS_FAILED, fail, print_json

if TYPE_CHECKING:
    from vmh_sync.runtime.undo import Undo

audit_app = typer.Typer(help="Was geändert wurde und ob alles stimmt.", no_args_is_help=True)
audit_app.add_typer(kalender_app, name="kalender")

Values = Annotated[bool, typer.Option("--values", help="Auch die Werte zeigen (personenbezogene Daten).")]
AsJson = Annotated[bool, typer.Option("--json", help="Genau ein JSON-Objekt ausgeben.")]

_HEADINGS = {
    "id": "Nr.",
    "at": "Zeit (UTC)",
    "entity": "Art",
    "field": "Feld",
    "kind": "Was",
    "side_written": "Geschrieben in",
    "reason": "Grund",
    "undone_by": "Rückgängig durch",
    "old": "Alt",
    "new": "Neu",
    "losing_value": "Unterlegen",
}


@audit_app.command("show")
def show(
    record: Annotated[str, typer.Argument(metavar="ID", help="EspoCRM-ID oder betnr.")],
    values: Values = False,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Höchstens so viele Einträge.")] = None,
    as_json: AsJson = False,
) -> None:
    """Was an einem Datensatz geändert wurde, das Neueste zuerst."""
    from vmh_sync.commands.audit import change_row, changes_of

    rows = [change_row(change, values=values) for change in changes_of(record, limit)]
    if as_json:
        print_json({"id": record, "changes": rows})
        return
    console = Console()
    if not rows:
        console.print(f"Zu {record} steht nichts im Protokoll.", markup=False)
        return
    shown = [name for name in _HEADINGS if name in rows[0]]
    table = Table()
    for name in shown:
        table.add_column(_HEADINGS[name])
    for row in rows:
        # As Text: what stands in a field must not be taken for markup.
        table.add_row(*(Text("" if row[name] is None else str(row[name])) for name in shown))
    console.print(table)


@audit_app.command("undo")
def undo(
    change: Annotated[int, typer.Argument(metavar="CHANGE", help="Nummer der Änderung aus `audit show`.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Nur prüfen und zeigen, was geschähe.")] = False,
    values: Values = False,
    as_json: AsJson = False,
) -> None:
    """Stellt den früheren Wert in EspoCRM wieder her (Stammdaten, Kommunikation, Adressen) und gleicht ab."""
    from vmh_sync.commands.audit import run_undo
    from vmh_sync.commands.sync import PassFailed

    try:
        done, summary = run_undo(change, dry_run=dry_run)
    except PassFailed as problem:
        if as_json:
            print_json({"error": str(problem)})
        fail(str(problem))
    failed = summary is not None and bool(summary.failures)
    if as_json:
        print_json(
            _undo_row(done, values=values) | {"dry_run": dry_run, "sync": summary.to_json() if summary else None}
        )
    else:
        _tell(done, values=values, dry_run=dry_run, failed=failed)
    sys.exit(RECORDS_FAILED if failed else 0)


def _undo_row(done: "Undo", *, values: bool) -> dict[str, object]:
    row: dict[str, object] = {"undo_of": done.change_id, "id": done.espo_id, "field": done.field}
    return row | ({"old": done.old, "new": done.new} if values else {})


def _tell(done: "Undo", *, values: bool, dry_run: bool, failed: bool) -> None:
    console = Console(soft_wrap=True, highlight=False)
    what = f"„{done.label}“ {done.record}"
    if dry_run:
        console.print(f"Würde {what} zurücksetzen; es wurde nichts geschrieben.", markup=False)
    elif failed:
        console.print(
            f"{what} ist in EspoCRM zurückgesetzt; der Abgleich ist fehlgeschlagen und wird wiederholt.", markup=False
        )
    else:
        console.print(f"{what} ist auf beiden Seiten zurückgesetzt.", markup=False)
    if values:
        console.print(f"  {done.old!r} → {done.new!r}", markup=False)
