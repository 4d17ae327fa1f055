"""``vmh-sync audit``: what was changed, taking changes back, and whether everything is in order."""

import sys
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from vmh_sync.commands.audit_kalender import kalender_app
from vmh_sync.commands.doubtful_cli import decide, doubtful
from vmh_sync.commands.labels_de import CHANGES, REASONS, SIDES, word
from vmh_sync.commands.output import RECORDS_FAILED, fail, firm_time, print_json

if TYPE_CHECKING:
    from vmh_sync.engine.undo import Undo

audit_app = typer.Typer(help="Was geändert wurde und ob alles stimmt.", no_args_is_help=True)
kalender_app.command("doubtful")(doubtful)
kalender_app.command("decide")(decide)
audit_app.add_typer(kalender_app, name="kalender")

Values = Annotated[bool, typer.Option("--values", help="Auch die Werte zeigen (personenbezogene Daten).")]
AsJson = Annotated[bool, typer.Option("--json", help="Genau ein JSON-Objekt ausgeben.")]

_VALUES = {"old": "alt", "new": "neu", "losing_value": "unterlegen"}
_EMPTY = "(leer)"


@audit_app.command("show")
def show(
    record: Annotated[str, typer.Argument(metavar="ID", help="EspoCRM-ID oder betnr.")],
    values: Values = False,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Höchstens so viele Einträge.")] = None,
    as_json: AsJson = False,
) -> None:
    """Was an einem Datensatz geändert wurde, das Neueste zuerst; vorn die Nummer für `audit undo`."""
    from vmh_sync.commands.audit import change_row, changes_of

    rows = [change_row(change, values=values) for change in changes_of(record, limit)]
    if as_json:
        print_json({"id": record, "changes": rows})
        return
    console = Console(soft_wrap=True, highlight=False)
    if not rows:
        console.print(f"Zu {record} steht nichts im Protokoll.", markup=False)
    for row in rows:
        for line in _lines(row):
            console.print(line, markup=False)


def _lines(row: dict[str, object]) -> Iterator[str]:
    """Tell a change in one line, and what stood in the field below it, if the row holds it."""
    at = firm_time(datetime.fromisoformat(str(row["at"])))
    line = f"{row['id']:>6}  {at}  {row['entity']} {row['field'] or ''}".rstrip()
    line += f": {word(CHANGES, row['kind'])}"
    if row["side_written"] is not None:
        line += f" in {word(SIDES, row['side_written'])}"
    line += f" (von Nr. {row['undo_of']})" if row["undo_of"] is not None else f" ({word(REASONS, row['reason'])})"
    if row["undone_by"] is not None:
        line += f"; zurückgenommen mit Nr. {row['undone_by']}"
    yield line
    for name, said in _VALUES.items():
        if row.get(name) is not None:
            yield f"{'':8}{said}: {row[name]}"
        elif name in row and row["field"] and name != "losing_value":
            yield f"{'':8}{said}: {_EMPTY}"


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
