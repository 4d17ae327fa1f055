"""The inbox: which records have to be synced next (http-endpoints.md 1, dagster.md 3).

A row waits, is claimed by one worker for a time, and is deleted when the worker acknowledges it. A worker that dies
does nothing: its claim expires and the row waits again.

Rows wait in two lanes: what somebody edited or asked for (live), and what large selections have left or what came in
crowds (bulk). A live row is claimed before any bulk row, also while a bulk run has claimed its record: the record's
lease decides who writes.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    literal_column,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.exc import IntegrityError

from vmh_sync.store.database.prepared import Prepared
from vmh_sync.store.errors import StoreUnavailable
from vmh_sync.store.models import InboxRow
from vmh_sync.store.repository import Repository, chunks, table_of

InboxAction = Literal["create", "update", "delete", "dirty", "advoware", "manual"]

Event = tuple[str, InboxAction]
"""A record's id, and what happened to it."""

_TABLE = table_of(InboxRow)
_RELEASE_TRIES = 5
_LONGEST_CLAIM = timedelta(hours=1)
"""No claim and no putting off lasts longer: one that ends later was made while the clock was wrong, and has ended."""
_NOBODY = "put off"
"""Stands in the place of a worker while an item is put off."""


class Lane(IntEnum):
    """What is claimed first."""

    LIVE = 0
    BULK = 1


# In words, and their lists as one JSON text: SQLAlchemy spells a list out anew for each statement, which took three
# times as long as all the rest of a delivery of fifty.
_LISTS = {
    # Not "->>", which SQLite knows since 3.38 only.
    "sqlite": ("json_extract(value, '$[{}]')", "json_each(:listed)", "json_each(:listed)", ""),
    "postgresql": (
        "value->>{}",
        "json_array_elements(CAST(:listed AS json))",
        "json_array_elements_text(CAST(:listed AS json))",
        "FOR UPDATE SKIP LOCKED",
    ),
}
_ADD = {
    dialect: Prepared(
        text(f"""
INSERT INTO inbox (entity, espo_id, action, source, received_at, attempts, lane)
SELECT :entity, {part.format(0)}, {part.format(1)}, {part.format(2)}, :now, 0, CAST({part.format(3)} AS INTEGER)
FROM {rows} WHERE true
ON CONFLICT (entity, espo_id, action) WHERE claimed_by IS NULL DO NOTHING RETURNING espo_id, action""")  # noqa: S608
        .bindparams(bindparam("now", type_=_TABLE.c.received_at.type))
        .columns(_TABLE.c.espo_id, _TABLE.c.action)
    )
    for dialect, (part, rows, _, _) in _LISTS.items()
}
_HURRY = {
    # The lane plus zero: a plain column would lead SQLite to the lane's index, every row of it.
    dialect: Prepared(
        text(f"""
UPDATE inbox SET lane = 0, source = :source WHERE id IN (
SELECT id FROM inbox WHERE entity = :entity AND espo_id IN (SELECT value FROM {texts})
AND lane + 0 = 1 AND claimed_by IS NULL {free})""")  # noqa: S608
    )
    for dialect, (_, _, texts, free) in _LISTS.items()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxEvent:
    """One reason to sync a record: ``source`` says who reported it (for example ``webhook``)."""

    espo_id: str
    action: InboxAction
    source: str
    lane: Lane = Lane.LIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxItem:
    """A stored event. ``id`` counts up in the order of arrival, ``attempts`` counts the claims."""

    id: int
    entity: str
    espo_id: str
    action: InboxAction
    source: str
    received_at: datetime
    claimed_by: str | None
    claimed_until: datetime | None
    attempts: int
    lane: int = Lane.LIVE


class Inbox(Repository):
    """Reads and writes the inbox."""

    def add(self, entity: str, events: Iterable[InboxEvent]) -> set[Event]:
        """Store events and return which are new.

        An event whose record and action already wait for a worker is not stored twice. One that a worker has claimed
        does not count as waiting: what arrives during a sync causes one more. A live event takes what waits of its
        record in the bulk lane with it.
        """
        # In a fixed order, so that two writers with the same records never wait for each other crosswise.
        rows = sorted((event.espo_id, event.action, event.source, int(event.lane)) for event in events)
        values = {"entity": entity, "listed": json.dumps(rows), "now": self._now()}
        added = _ADD[self._connection.dialect.name].rows(self._connection, values)
        for source in sorted({source for _, _, source, lane in rows if lane == Lane.LIVE}):
            self.hurry(entity, {one for one, _, told, lane in rows if (told, lane) == (source, Lane.LIVE)}, source)
        return {(row.espo_id, row.action) for row in added}

    def hurry(self, entity: str, espo_ids: Iterable[str], source: str) -> None:
        """Move what waits of these records from the bulk lane into the live one, as reported by ``source``.

        So it gives way again with the crowd of that source. What somebody else moves or claims just now is left to him.
        """
        values = {"entity": entity, "listed": json.dumps(sorted(espo_ids)), "source": source}
        _HURRY[self._connection.dialect.name].changed(self._connection, values)

    def give_way(self, entity: str, typed: Sequence[str] = ()) -> None:
        """Move what waits in the live lane into the bulk lane: more than one run of edits takes was not typed.

        What has come from the sources ``typed`` stays, and so does what another worker is claiming just now: it waits
        for what we have claimed in turn.
        """
        left = (
            select(_TABLE.c.id)
            .where(
                _TABLE.c.entity == entity,
                _TABLE.c.lane == Lane.LIVE,
                _TABLE.c.claimed_by.is_(None),
                _TABLE.c.source.not_in(typed),
            )
            .with_for_update(skip_locked=True)
        )
        self._connection.execute(update(_TABLE).where(_TABLE.c.id.in_(left)).values(lane=Lane.BULK))

    def claim(
        self, entity: str, worker: str, limit: int, now: datetime, lease_seconds: float, lane: Lane | None = None
    ) -> list[InboxItem]:
        """Hand up to ``limit`` waiting items to ``worker``, the oldest first, until ``now + lease_seconds``.

        Of one ``lane``, or of both, live ones first. Items whose claim has expired wait again. Items of a record that
        some worker is still busy with stay where they are until that worker is done; a live one waits for live work
        only. No item is handed to two workers. ``worker`` must be unique per run.
        """
        ids = [row.id for row in _NEXT.rows(self._connection, entity, now, lane, most=limit)]
        items = []
        for chunk in chunks(ids):
            statement = (
                update(_TABLE)
                .where(_TABLE.c.id.in_(chunk))
                .values(
                    claimed_by=worker,
                    claimed_until=now + timedelta(seconds=lease_seconds),
                    attempts=_TABLE.c.attempts + 1,
                )
                .returning(*_TABLE.c)
            )
            items += [InboxItem(**row._asdict()) for row in self._connection.execute(statement)]
        return sorted(items, key=lambda item: (item.lane, item.id))

    def extend(self, worker: str, now: datetime, lease_seconds: float) -> int:
        """Prolong all claims of a worker that is still at work. Returns how many it still holds."""
        statement = (
            update(_TABLE)
            .where(_TABLE.c.claimed_by == worker)
            .values(claimed_until=now + timedelta(seconds=lease_seconds))
        )
        return self._connection.execute(statement).rowcount

    def acknowledge(self, ids: Iterable[int], worker: str) -> int:
        """Delete items that ``worker`` has finished. Returns how many it still held."""
        done = 0
        for chunk in chunks(ids):
            statement = delete(_TABLE).where(_TABLE.c.id.in_(chunk), _TABLE.c.claimed_by == worker)
            done += self._connection.execute(statement).rowcount
        return done

    def release(self, ids: Iterable[int], worker: str) -> None:
        """Give claimed items back, so that they wait again. Items that ``worker`` no longer holds stay as they are."""
        for chunk in chunks(ids):
            self._release(chunk, worker)

    def put_off(self, ids: Iterable[int], worker: str, until: datetime) -> None:
        """Let items that ``worker`` holds wait until a moment, when any worker may claim them."""
        for chunk in chunks(ids):
            statement = update(_TABLE).where(_TABLE.c.id.in_(chunk), _TABLE.c.claimed_by == worker)
            self._connection.execute(statement.values(claimed_by=_NOBODY, claimed_until=until))

    def workers(self) -> dict[str, int]:
        """Return who holds claims, expired or not, and how many."""
        return {row.claimed_by: row.number for row in _WORKERS.rows(self._connection, {"nobody": _NOBODY})}

    def release_worker(self, worker: str) -> None:
        """Give back everything that ``worker`` holds: for one that is known to be dead, before its claims expire."""
        self.release(self._connection.scalars(select(InboxRow.id).where(InboxRow.claimed_by == worker)).all(), worker)

    def pending_count(self, entity: str, now: datetime) -> int:
        """Count the items that a worker could claim now."""
        number: int = _MARK.rows(self._connection, entity, now, None)[0].number
        return number

    def claimed_count(self, entity: str) -> int:
        """Count the items that some worker has claimed."""
        statement = select(func.count()).select_from(InboxRow)
        claimed = (InboxRow.claimed_by.is_not(None), InboxRow.claimed_by != _NOBODY)
        return self._connection.execute(statement.where(InboxRow.entity == entity, *claimed)).scalar_one()

    def overdue_claims(self, before: datetime) -> int:
        """Count the claims that ended before a moment and were neither answered nor taken over."""
        statement = select(func.count()).select_from(InboxRow)
        gone = (InboxRow.claimed_by.is_not(None), InboxRow.claimed_by != _NOBODY, InboxRow.claimed_until < before)
        return self._connection.execute(statement.where(*gone)).scalar_one()

    def launch_mark(self, entity: str, now: datetime, lane: Lane | None = None) -> str | None:
        """Return a text that stands for what waits now (in one lane, or both), None if nothing does.

        It changes when something arrives, when something is claimed or done, and when something comes back from a run
        that could not do it: while it stays the same, no run has got any further.
        """
        number, newest, attempts = _MARK.rows(self._connection, entity, now, lane)[0]
        return f"{number}-{newest}-{attempts}" if number else None

    def oldest_pending(self, entity: str, now: datetime, lane: Lane | None = None) -> datetime | None:
        """Return when the item arrived that a worker would claim first, of both lanes the older one; None if none.

        One from the future arrived before the clock was set back: it does not hide how long those after it wait.
        """
        lanes = Lane if lane is None else (lane,)
        firsts = [row.received_at for one in lanes for row in _FIRST.rows(self._connection, entity, now, one)]
        if any(first > now for first in firsts):
            oldest: datetime | None = _EARLIEST.rows(self._connection, entity, now, lane)[0].received_at
            return oldest
        return min(firsts, default=None)

    def waiting_ids(self, entity: str, espo_ids: Iterable[str], lane: Lane | None = None) -> set[str]:
        """Return which of these records have an item in the inbox (in one lane, or either), claimed or not."""
        found: set[str] = set()
        of_lane = InboxRow.lane + 0 == lane if lane is not None else true()  # plus zero: as above
        for chunk in chunks(dict.fromkeys(espo_ids)):
            wanted = (InboxRow.entity == entity, InboxRow.espo_id.in_(chunk), of_lane)
            statement = select(InboxRow.espo_id).where(*wanted)
            found.update(self._connection.scalars(statement))
        return found

    def _release(self, ids: Sequence[int], worker: str) -> None:
        for _ in range(_RELEASE_TRIES):
            try:
                with self._connection.begin_nested():
                    self._drop_superseded(ids, worker)
                    self._connection.execute(
                        update(_TABLE)
                        .where(_TABLE.c.id.in_(ids), _TABLE.c.claimed_by == worker)
                        .values(claimed_by=None, claimed_until=None)
                    )
                return
            except IntegrityError:
                continue  # the same event arrived between the two statements and waits now
        raise StoreUnavailable("inbox: items could not be given back, new ones kept arriving")

    def _drop_superseded(self, ids: Sequence[int], worker: str) -> None:
        # Once given back, one row per record and action is enough: the one that waits, else the first of our own.
        other = _TABLE.alias("other")
        twin = exists().where(
            _same_event(other),
            or_(other.c.claimed_by.is_(None), and_(other.c.claimed_by == worker, other.c.id < _TABLE.c.id)),
        )
        self._connection.execute(delete(_TABLE).where(_TABLE.c.id.in_(ids), _TABLE.c.claimed_by == worker, twin))


def _same_event(other: Any) -> ColumnElement[bool]:
    return and_(
        other.c.entity == _TABLE.c.entity,
        other.c.espo_id == _TABLE.c.espo_id,
        other.c.action == _TABLE.c.action,
    )


def _claimable() -> ColumnElement[bool]:
    """Return the condition that a worker could claim an item ``now``; no claim that ends after ``latest`` counts."""
    busy = _TABLE.alias("busy")
    now: Any = bindparam("now")
    latest: Any = bindparam("latest")
    in_work = exists().where(
        busy.c.entity == _TABLE.c.entity,
        busy.c.espo_id == _TABLE.c.espo_id,
        # A plain column would lead SQLite to the lane's index: every row of it.
        busy.c.lane + literal_column("0") <= _TABLE.c.lane,
        busy.c.claimed_by.is_not(None),
        busy.c.claimed_until >= now,
        busy.c.claimed_until <= latest,
    )
    over = or_(_TABLE.c.claimed_until < now, _TABLE.c.claimed_until > latest)
    return and_(or_(_TABLE.c.claimed_by.is_(None), over), ~in_work)


class _Waiting:
    """A statement about what could be claimed now, in one lane or both. Built once: each sensor asks at each tick."""

    def __init__(self, statement: "Select[Any]") -> None:
        both = statement.where(_TABLE.c.entity == bindparam("entity"), _claimable())
        self._of_both = Prepared(both)
        self._of_one = Prepared(both.where(_TABLE.c.lane == bindparam("lane")))

    def rows(self, connection: Connection, entity: str, now: datetime, lane: Lane | None, **more: int) -> Sequence[Any]:
        values = {"entity": entity, "now": now, "latest": now + _LONGEST_CLAIM, **more}
        if lane is None:
            return self._of_both.rows(connection, values)
        return self._of_one.rows(connection, {**values, "lane": lane})


_NEXT = _Waiting(
    select(_TABLE.c.id)
    .order_by(_TABLE.c.lane, _TABLE.c.id)
    .limit(bindparam("most", type_=Integer))
    .offset(literal_column("0"))  # SQLAlchemy would make it a parameter of SQLite's
    .with_for_update(skip_locked=True, of=_TABLE)
)
_MARK = _Waiting(
    select(
        func.count().label("number"), func.max(_TABLE.c.id).label("newest"), func.sum(_TABLE.c.attempts).label("tries")
    )
)
_FIRST = _Waiting(
    select(_TABLE.c.received_at).order_by(_TABLE.c.id).limit(literal_column("1")).offset(literal_column("0"))
)
_EARLIEST = _Waiting(select(func.min(_TABLE.c.received_at).label("received_at")))
_WORKERS = Prepared(
    select(_TABLE.c.claimed_by, func.count().label("number"))
    .where(_TABLE.c.claimed_by.is_not(None), _TABLE.c.claimed_by != bindparam("nobody"))
    .group_by(_TABLE.c.claimed_by)
)
