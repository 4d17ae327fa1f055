"""Manual tasks: one that is not closed per record, kind and set of fields (sync-semantics.md 8)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row, and_, bindparam, func, select, text, update

from vmh_sync.store.database.columns import JsonObject
from vmh_sync.store.database.prepared import Prepared
from vmh_sync.store.errors import StaleRow
from vmh_sync.store.models import ManualTaskRow
from vmh_sync.store.repository import ByKeys, Repository, chunks, columns_of, spelt, table_of

UNTOLD = "_untold"
"""Marks details that the Task in EspoCRM does not tell yet."""
TaskState = Literal["pending", "open", "answered", "closed"]
_WAITING = ("pending", "open")

_TABLE = table_of(ManualTaskRow)
_COLUMNS = columns_of(ManualTaskRow)
# Built once: to build a statement costs more than to carry it out.
_NOT_CLOSED = (
    select(*_COLUMNS)
    .where(_TABLE.c.entity == bindparam("entity"), _TABLE.c.state != spelt("closed"))
    .order_by(_TABLE.c.id)
)
_OPEN = Prepared(_NOT_CLOSED)
_OPEN_OF = ByKeys(_NOT_CLOSED, _TABLE.c.espo_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualTask:
    """One task for a person.

    ``pending``: decided, but the EspoCRM Task may not exist yet; ``open``: it exists as ``espo_task_id``;
    ``answered``: a person closed it there and its reason still stands; ``closed``: reality matches, or another one
    replaced it. ``fingerprint`` identifies the situation that was reported, ``fields`` are sorted.
    """

    id: int
    entity: str
    espo_id: str
    betnr: int | None
    kind: str
    fields: tuple[str, ...]
    fingerprint: str
    espo_task_id: str | None
    state: TaskState
    details: JsonObject = field(repr=False)
    created_at: datetime
    opened_at: datetime | None
    closed_at: datetime | None

    @property
    def is_untold(self) -> bool:
        """Whether people cannot read yet in EspoCRM what it says now."""
        return self.espo_task_id is None or UNTOLD in self.details

    @property
    def situation(self) -> JsonObject:
        """What it has to tell: its details without our mark."""
        return {name: value for name, value in self.details.items() if name != UNTOLD}


class Tasks(Repository):
    """Reads and writes manual tasks."""

    def get(self, task_id: int) -> ManualTask | None:
        """Return one task in any state."""
        row = self._connection.execute(select(*_COLUMNS).where(ManualTaskRow.id == task_id)).one_or_none()
        return _task(row) if row is not None else None

    def find_open(self, entity: str, espo_id: str, kind: str, fields: Iterable[str]) -> ManualTask | None:
        """Return the task that is not closed for exactly this record, kind and set of fields."""
        statement = select(*_COLUMNS).where(
            ManualTaskRow.entity == entity,
            ManualTaskRow.espo_id == espo_id,
            ManualTaskRow.kind == kind,
            ManualTaskRow.fields_key == _fields_key(fields),
            ManualTaskRow.state != "closed",
        )
        row = self._connection.execute(statement).one_or_none()
        return _task(row) if row is not None else None

    def open_for_many(self, entity: str, espo_ids: Iterable[str]) -> dict[str, list[ManualTask]]:
        """Return the tasks that are not closed (pending or open) per record; records without any are left out."""
        found: dict[str, list[ManualTask]] = {}
        for chunk in chunks(dict.fromkeys(espo_ids)):
            for row in _OPEN_OF.rows(self._connection, chunk, {"entity": entity}):
                found.setdefault(row.espo_id, []).append(_task(row))
        return found

    def not_closed(self, entity: str) -> list[ManualTask]:
        """Return all tasks of an entity that are not closed, the oldest first."""
        return [_task(row) for row in _OPEN.rows(self._connection, {"entity": entity})]

    def waiting(self, entity: str) -> list[ManualTask]:
        """Return the tasks of an entity that wait for a person, the oldest first."""
        return [task for task in self.not_closed(entity) if task.state in _WAITING]

    def count_open(self, entity: str) -> int:
        """Count the tasks of an entity that wait for a person."""
        statement = select(func.count()).select_from(ManualTaskRow)
        return self._connection.execute(
            statement.where(ManualTaskRow.entity == entity, ManualTaskRow.state.in_(_WAITING))
        ).scalar_one()

    def ensure(
        self,
        *,
        entity: str,
        espo_id: str,
        kind: str,
        fields: Iterable[str],
        fingerprint: str,
        details: JsonObject,
        betnr: int | None = None,
    ) -> tuple[ManualTask, bool]:
        """Return the living task for this record, kind and fields, and whether it was created just now.

        An existing task is returned as it is, also with another fingerprint: see :meth:`refresh`.
        """
        fields = tuple(fields)
        statement = (
            self._insert(_TABLE)
            .values(
                entity=entity,
                espo_id=espo_id,
                betnr=betnr,
                kind=kind,
                fields_key=_fields_key(fields),
                fingerprint=fingerprint,
                state="pending",
                details=details,
                created_at=self._now(),
            )
            .on_conflict_do_nothing(
                index_elements=["entity", "espo_id", "kind", "fields_key"], index_where=text("state <> 'closed'")
            )
            .returning(_TABLE.c.id)
        )
        created = self._connection.execute(statement).scalar_one_or_none() is not None
        task = self.find_open(entity, espo_id, kind, fields)
        if task is None:
            raise StaleRow(f"{entity} {espo_id}: the task {kind} was closed by somebody else just now")
        return task, created

    def refresh(self, task_id: int, fingerprint: str, details: JsonObject) -> None:
        """Note that a living task now stands for another situation. Raises StaleRow if it is closed."""
        self._change(task_id, {"fingerprint": fingerprint, "details": details})

    def note_untold(self, task_id: int, details: JsonObject) -> None:
        """Note another situation that the living task has to tell, until :meth:`refresh`. Raises StaleRow if closed."""
        self._change(task_id, {"details": {**details, UNTOLD: True}})

    def attach_espo_id(self, task_id: int, espo_task_id: str) -> None:
        """Note the EspoCRM Task: the task is open now. Raises StaleRow if it is closed."""
        self._change(task_id, {"espo_task_id": espo_task_id, "state": "open", "opened_at": self._now()})

    def set_state(self, task_id: int, state: TaskState) -> None:
        """Note that a person closed its Task, or opened it again."""
        statement = update(_TABLE).where(_TABLE.c.id == task_id, _TABLE.c.state != "closed")
        self._connection.execute(statement.values(state=state))

    def close(self, task_id: int) -> bool:
        """Close a task. Returns False if it was closed before."""
        statement = (
            update(_TABLE)
            .where(_TABLE.c.id == task_id, _TABLE.c.state != "closed")
            .values(state="closed", closed_at=self._now())
        )
        return self._connection.execute(statement).rowcount > 0

    def purge(self, before: datetime, limit: int | None = None) -> int:
        """Delete at most ``limit`` tasks closed before ``before`` (retention); the others stay. Returns how many."""
        return self._delete(_TABLE, and_(_TABLE.c.state == "closed", _TABLE.c.closed_at < before), limit)

    def _change(self, task_id: int, values: dict[str, Any]) -> None:
        statement = update(_TABLE).where(_TABLE.c.id == task_id, _TABLE.c.state != "closed").values(values)
        if self._connection.execute(statement).rowcount == 0:
            raise StaleRow(f"task {task_id} is closed or does not exist")


def _fields_key(fields: Iterable[str]) -> str:
    return ",".join(sorted(set(fields)))


def _task(row: Row[Any]) -> ManualTask:
    values = row._asdict()
    key = values.pop("fields_key")
    return ManualTask(**values, fields=tuple(key.split(",")) if key else ())
