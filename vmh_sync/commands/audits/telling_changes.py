"""Rows of the audit log: as plain data for programs, and in a German line for people."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from rich.table import Table
from rich.text import Text

from vmh_sync.commands.screens.output import firm_time
from vmh_sync.store.history.audit import Change
from vmh_sync.sync.reporting.words_de import CHANGES, SIDES, reason_in_words, word

_VALUES = {"old": "alt", "new": "neu", "losing_value": "unterlegen"}
_EMPTY = "(leer)"


def change_row(change: Change, *, values: bool) -> dict[str, object]:
    """Return a change as plain data; what stood in the field only when ``values`` were asked for."""
    row: dict[str, object] = {
        "id": change.id,
        "at": change.at.isoformat() if change.at else None,
        "entity": change.entity,
        "espo_id": change.espo_id,
        "betnr": change.betnr,
        "advoware_id": change.advoware_id,
        "field": change.field,
        "kind": change.kind,
        "side_written": change.side_written,
        "losing_side": change.losing_side,
        "reason": change.reason,
        "run_id": change.run_id,
        "undo_of": change.undo_of,
        "undone_by": change.undone_by,
    }
    if values:
        row |= {"old": change.old, "new": change.new, "losing_value": change.losing_value}
    return row


def told_in_one_line(row: Mapping[str, object], *, record: bool = False, run: bool = False) -> Iterator[str]:
    """Tell a change in one line, and what stood in the field below it, if the row holds it.

    ``record``: name the record too, for lists over several; ``run``: name Dagster's run.
    """
    at = firm_time(datetime.fromisoformat(str(row["at"])))
    whose = f"{row['espo_id'] or ''} " if record else ""
    line = f"{row['id']:>6}  {at}  {row['entity']} {whose}{row['field'] or ''}".rstrip()
    line += f": {word(CHANGES, row['kind'])}"
    if row["side_written"] is not None:
        line += f" in {word(SIDES, row['side_written'])}"
    line += f" (von Nr. {row['undo_of']})" if row["undo_of"] is not None else f" ({reason_in_words(row['reason'])})"
    if row["undone_by"] is not None:
        line += f"; zurückgenommen mit Nr. {row['undone_by']}"
    if run and row["run_id"]:
        line += f" [Lauf {str(row['run_id'])[:8]}]"
    yield line
    for name, said in _VALUES.items():
        if row.get(name) is not None:
            yield f"{'':8}{said}: {_told(row, name)}"
        elif name in row and row["field"] and name != "losing_value":
            yield f"{'':8}{said}: {_EMPTY}"


def _told(row: Mapping[str, object], name: str) -> object:
    """Return a value as it is shown: a text as it was typed, what else an appointment says in words."""
    value, field = row[name], str(row["field"] or "")
    if row["entity"] != "kalender" or (isinstance(value, str) and field not in ("start", "end")):
        return value
    from vmh_sync.kalender.telling.notice_texts import as_logged

    return as_logged(field, value)


def changes_table(rows: Sequence[Mapping[str, object]]) -> Table:
    """Return rows of the audit log as a table; columns that say nothing are left out."""
    cells = [_cells(row) for row in rows]
    names = [name for name in cells[0] if any(row[name] for row in cells)]
    table = Table()
    for name in names:
        table.add_column(name, no_wrap=name in ("Nr.", "Zeit"))
    for row in cells:
        # As Text: what stands in a field must not be taken for markup.
        table.add_row(*(Text(row[name]) for name in names))
    return table


def _cells(row: Mapping[str, object]) -> dict[str, str]:
    reason = f"nimmt Nr. {row['undo_of']} zurück" if row["undo_of"] is not None else reason_in_words(row["reason"])
    if row["undone_by"] is not None:
        reason += f"; zurückgenommen mit Nr. {row['undone_by']}"
    values = [f"{said}: {_told(row, name)}" for name, said in _VALUES.items() if row.get(name) is not None]
    return {
        "Nr.": str(row["id"]),
        "Zeit": firm_time(datetime.fromisoformat(str(row["at"]))),
        "Datensatz": f"{row['entity']} {row['espo_id'] or ''}".rstrip(),
        "betnr": str(row["betnr"] or ""),
        "Feld": str(row["field"] or ""),
        "Was": word(CHANGES, row["kind"]),
        "Seite": word(SIDES, row["side_written"]),
        "Grund": reason,
        "Lauf": str(row["run_id"] or "")[:8],
        "Werte": "\n".join(values),
    }
