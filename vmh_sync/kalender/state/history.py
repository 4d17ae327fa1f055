"""Finds which appointments of the audit log a person means: by Kürzel, frNr, event id or title."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from vmh_sync.kalender.state.pair_rows import ENTITY, record_id
from vmh_sync.store.calendars.calendar import CalendarPair
from vmh_sync.store.history.audit import AuditQuery
from vmh_sync.store.store import Transaction

_NUMBER = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Meant:
    """The names of single appointments in the audit log (``SB/4711``), or the Kürzel of whom all are meant."""

    names: tuple[str, ...] = ()
    kuerzel: str | None = None


def appointments_meant(tx: Transaction, asked: str) -> Meant:
    """Return what ``asked`` means, nothing if it is no word for appointments.

    Titles are looked for (in any case, also parts) only when it is neither a Kürzel nor a number nor an event's id.
    """
    asked = asked.strip()
    if not asked:
        return Meant()
    for state in tx.calendar_states.all():
        if state.kuerzel.upper() == asked.upper():
            return Meant(kuerzel=state.kuerzel)
    names = set(_by_key(tx, asked)) or (set() if _NUMBER.fullmatch(asked) else _titled(tx, asked.casefold()))
    return Meant(tuple(sorted(names)))


def _by_key(tx: Transaction, asked: str) -> Iterator[str]:
    if _NUMBER.fullmatch(asked):
        yield from (row.espo_id for row in tx.audit.find(AuditQuery(entity=ENTITY, advoware_id=asked)) if row.espo_id)
    pairs = tx.calendar_pairs.ever_with_event(asked)
    yield from (name for pair in pairs if (name := _name(pair)))
    for state in tx.calendar_states.all():
        name = record_id(state.kuerzel, None, asked)
        if tx.audit.find(AuditQuery(espo_ids=(name,), limit=1)):
            yield name


def _titled(tx: Transaction, title: str) -> set[str]:
    names = {name for pair in tx.calendar_pairs.ever() if title in _title(pair) and (name := _name(pair))}
    for change in tx.audit.find(AuditQuery(entity=ENTITY, field="text")):
        values = (change.old, change.new, change.losing_value)
        if change.espo_id and any(title in str(value or "").casefold() for value in values):
            names.add(change.espo_id)
    return names


def _name(pair: CalendarPair) -> str | None:
    return record_id(pair.kuerzel, pair.frnr, pair.event_id) if pair.frnr is not None else None


def _title(pair: CalendarPair) -> str:
    return "\n".join(_texts(pair)).casefold()


def _texts(pair: CalendarPair) -> Iterator[str]:
    for side in ("advoware", "google"):
        form = pair.base.get(side)
        if isinstance(form, dict):
            yield str(form.get("text") or "")
