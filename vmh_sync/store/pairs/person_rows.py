"""All rows of our database about one person: to count them, to read what they say, and to delete them."""

import json
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, delete, func, or_, select

from vmh_sync.store.link_notes import LinkNotes
from vmh_sync.store.models import (
    CalendarPairRow,
    ChangeRow,
    CursorRow,
    InboxRow,
    IntentRow,
    KommunikationStateRow,
    LinkRow,
    ManualTaskRow,
    SyncRecordRow,
    ValueLossRow,
)
from vmh_sync.store.repository import Repository, chunks, table_of

ERASED: Literal["erased"] = "erased"
"""Kind of the audit row that says that a person was erased; it stays."""
PARTY = "beteiligte"
_LIVES = ("active", "deleted_in_advoware")
"""States of the link of a record that stands in EspoCRM."""


@dataclass(frozen=True, slots=True)
class PersonIds:
    """Under which names a person's rows stand: the EspoCRM ids of the party and its children, and the number."""

    espo_ids: frozenset[str]
    betnr: int | None = None


class PersonRows(Repository):
    """Rows about one person in all tables that name records."""

    def ids_of(self, espo_id: str, betnr: int | None) -> PersonIds:
        """Return all ids under which rows about this party and its children stand, dead links included.

        A record that once had the number, and is linked to another one now, is somebody else.
        """
        numbers = {betnr} if betnr is not None else set(self._numbers(espo_id))
        ids = set[str]()
        for model in (LinkRow, ChangeRow, ManualTaskRow, IntentRow):
            found = select(model.espo_id).where(model.betnr.in_(numbers)).distinct()
            ids |= {str(one) for one in self._connection.scalars(found) if one}
        return PersonIds(
            frozenset(ids - set(self._linked_elsewhere(ids, numbers)) | {espo_id}), min(numbers, default=None)
        )

    def counts(self, person: PersonIds) -> dict[str, int]:
        """Return how many rows there are in each table that has any."""
        found = {}
        for name, table, condition in _places(person):
            number = self._connection.execute(select(func.count()).select_from(table).where(condition)).scalar_one()
            if number:
                found[name] = number
        return found

    def rows(self, person: PersonIds) -> dict[str, list[dict[str, Any]]]:
        """Return the rows themselves, by table, with all that they say."""
        found = {}
        for name, table, condition in _places(person):
            rows = self._connection.execute(select(table).where(condition)).mappings()
            found[name] = [
                {column: value.to_json() if isinstance(value, LinkNotes) else value for column, value in row.items()}
                for row in rows
            ]
        return found

    def texts(self, person: PersonIds) -> Iterator[str]:
        """Yield every text that a column of these rows holds, also within JSON."""
        yield from leaves(self.rows(person))

    def run_ids(self, person: PersonIds) -> set[str]:
        """Return the runs that changed something about the person."""
        statement = select(ChangeRow.run_id).where(_whose(ChangeRow, person)).distinct()
        return {run_id for run_id in self._connection.scalars(statement) if run_id}

    def last_change(self, person: PersonIds) -> Any:
        """Return when anything about the person was changed last by what we know; ``None`` without any."""
        changed = self._connection.scalar(select(func.max(ChangeRow.at)).where(*_conditions_of_changes(person)))
        edited = self._connection.scalar(select(func.max(LinkRow.espo_modified_at)).where(_whose(LinkRow, person)))
        return max((moment for moment in (changed, edited) if moment is not None), default=None)

    def espo_tasks(self, person: PersonIds) -> list[str]:
        """Return the ids of the tasks in EspoCRM that tell of the person."""
        statement = select(ManualTaskRow.espo_task_id).where(_whose(ManualTaskRow, person)).order_by(ManualTaskRow.id)
        return [task for task in self._connection.scalars(statement) if task]

    def cursors_naming(self, marks: frozenset[str]) -> dict[str, Any]:
        """Return cursors (plans, books of alerts, …) whose name or value holds one of these texts."""
        rows = self._connection.execute(select(CursorRow.name, CursorRow.value))
        return {
            row.name: row.value
            for row in rows
            if any(mark in row.name or mark in json.dumps(row.value, ensure_ascii=False) for mark in marks)
        }

    def appointments_naming(self, marks: frozenset[str]) -> int:
        """Count living appointments in whose text one of these stands."""
        rows = self._connection.execute(select(CalendarPairRow.base, CalendarPairRow.guarded))
        texts = (json.dumps([*row], ensure_ascii=False) for row in rows)
        return sum(any(mark in text for mark in marks) for text in texts)

    def delete(self, person: PersonIds) -> dict[str, int]:
        """Delete the rows; returns how many of each table."""
        found = {}
        for name, table, condition in _places(person):
            if number := self._connection.execute(delete(table).where(condition)).rowcount:
                found[name] = number
        return found

    def _linked_elsewhere(self, ids: Iterable[str], numbers: Set[int]) -> Iterator[str]:
        for some in chunks(ids):
            statement = select(LinkRow.espo_id).where(
                LinkRow.espo_id.in_(some), LinkRow.state.in_(_LIVES), LinkRow.betnr.not_in(numbers)
            )
            yield from self._connection.scalars(statement)

    def _numbers(self, espo_id: str) -> Iterator[int]:
        for model in (LinkRow, ManualTaskRow, IntentRow, ChangeRow):
            statement = select(model.betnr).where(model.entity == PARTY, model.espo_id == espo_id).distinct()
            yield from (number for number in self._connection.scalars(statement) if number is not None)


def leaves(value: Any) -> Iterator[str]:
    """Yield every text inside a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield str(name)
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)


def _places(person: PersonIds) -> Iterator[tuple[str, Any, ColumnElement[bool]]]:
    imported = f"import:{person.betnr}"
    yield "links", table_of(LinkRow), _whose(LinkRow, person)
    yield "kommunikation_states", table_of(KommunikationStateRow), _whose(KommunikationStateRow, person)
    yield "value_losses", table_of(ValueLossRow), ValueLossRow.record.in_(_names(person))
    yield "sync_records", table_of(SyncRecordRow), SyncRecordRow.espo_id.in_(person.espo_ids)
    yield "intents", table_of(IntentRow), or_(_whose(IntentRow, person), IntentRow.espo_id == imported)
    yield "changes", table_of(ChangeRow), _and_all(_conditions_of_changes(person))
    yield "manual_tasks", table_of(ManualTaskRow), _whose(ManualTaskRow, person)
    yield "inbox", table_of(InboxRow), InboxRow.espo_id.in_(person.espo_ids)


def _names(person: PersonIds) -> frozenset[str]:
    return person.espo_ids if person.betnr is None else person.espo_ids | {str(person.betnr)}


def _conditions_of_changes(person: PersonIds) -> tuple[ColumnElement[bool], ...]:
    return (_whose(ChangeRow, person), ChangeRow.kind != ERASED)


def _and_all(conditions: tuple[ColumnElement[bool], ...]) -> ColumnElement[bool]:
    first, *rest = conditions
    for one in rest:
        first = first & one
    return first


def _whose(model: Any, person: PersonIds) -> ColumnElement[bool]:
    by_id: ColumnElement[bool] = model.espo_id.in_(person.espo_ids)
    return by_id if person.betnr is None else or_(by_id, model.betnr == person.betnr)
