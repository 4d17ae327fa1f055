"""A row of a plan (:mod:`vmh_sync.sync.reporting.plan_rows`) as people read it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from vmh_sync.sync.reporting.words_de import ACTIONS, CALENDAR_ACTIONS, SIDES, TASKS, reason_in_words, word


class Planned(NamedTuple):
    """Where something is to be done, what and why, and in which fields; with their values where the row has them."""

    where: str
    what: str
    why: str
    fields: str


HEADINGS = ("Datensatz", "Ziel", "Was", "Grund", "Felder")


def in_words(row: Mapping[str, Any]) -> Planned:
    """Return a row in German."""
    changes = row.get("changes")
    fields = ", ".join(map(str, row.get("fields", ())) if changes is None else map(_change, changes))
    if row.get("kind") is not None:
        return Planned("Aufgabe in EspoCRM", word(TASKS, row["kind"]), "", fields)
    where = f"{word(SIDES, row['side'])} {row['entity']} {row['key'] or '(neu)'}"
    return Planned(where, word(ACTIONS | CALENDAR_ACTIONS, row["action"]), reason_in_words(row["reason"]), fields)


def shown(value: object) -> str:
    """Return a value as it stands in a plan."""
    return "(leer)" if value in (None, "", [], ()) else str(value)


def _change(change: Mapping[str, object]) -> str:
    return f"{change['field']}: {shown(change['old'])} → {shown(change['new'])}"
