"""One look at EspoCRM: one cheap list an entity, and what nobody has synced yet goes into the inbox.

Nothing depends on it. What it misses (more than a page within a second, changes made with our own login, a stamp that
appears late) the dirty sensor finds, which looks further back and at more.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

from vmh_sync.engine.passes.modified_stamps import settled
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.selecting.crowd import WATCH, crowded
from vmh_sync.engine.selecting.unseen import unseen
from vmh_sync.engine.selecting.watermark import watermark
from vmh_sync.entities import Entity
from vmh_sync.store.queue.inbox import InboxEvent, Lane
from vmh_sync.systems.espocrm.query import greater_or_equals
from vmh_sync.systems.espocrm.records import EspoRecord

PAGE = 200
OVERLAP = timedelta(seconds=5)
"""How far a look goes back behind the newest stamp it has seen: a row appears a moment after its stamp
(espocrm.md B6). Both are EspoCRM's own times, so that its clock need not agree with ours."""

Seen = tuple[datetime | None, int | None]


class EntityWatch:
    """Looks for changed records of one entity. ``notice`` is told when something waits that did not before."""

    def __init__(self, context: PassContext, entity: Entity, notice: Callable[[str], None], own_user: str | None):
        self._context = context
        self._entity = entity.name
        self._espo_type = entity.espocrm or ""
        self._notice = notice
        self._own_user = own_user
        self._newest: datetime | None = None
        self._done: dict[str, Seen] = {}

    async def look(self) -> int:
        """Put what changed into the inbox; returns how many did not wait there. Raises as the client and store do."""
        if self._newest is None:
            self._newest = await asyncio.to_thread(self._stored_cursor)
        since = self._newest - OVERLAP
        page = await self._context.espo.list_page(
            self._espo_type,
            where=[greater_or_equals("modifiedAt", since)],
            select=["id"],
            page_size=PAGE,
            order_by="modifiedAt",
            descending=True,
        )
        fresh = [record for record in page.records if self._may_be_news(record)]
        crowds = crowded(record.modified_by_id for record in page.records)
        noted = await asyncio.to_thread(self._note, fresh, crowds) if fresh else []
        self._move_on(page.records)
        if any(event.lane is Lane.LIVE for event in noted):
            self._notice(self._entity)
        return len(noted)

    def keep_cursor(self) -> None:
        """Store how far we have looked: a watch that starts later goes on from there."""
        if self._newest is not None:
            with self._context.store.transaction() as tx:
                tx.cursors.set(self._cursor_name, self._newest.isoformat())

    def _may_be_news(self, record: EspoRecord) -> bool:
        """Whether the database has to be asked. What our own login wrote last is most likely a run at work."""
        if self._own_user is not None and record.modified_by_id == self._own_user:
            return False
        return self._done.get(record.id) != _seen(record)

    def _note(self, records: Sequence[EspoRecord], crowds: Collection[str | None]) -> list[InboxEvent]:
        """Store what nobody has seen and what does not wait yet; returns that. ``crowds``: users who did not type."""
        others = self._own_user is not None
        news = set(unseen(self._context.store, self._entity, records, by_version=others))
        for record in records:
            # Within one second nothing can be told apart: such a record is looked at once more.
            if record.id not in news and settled(link_read_at=record.server_time, modified_at=record.modified_at):
                self._done[record.id] = _seen(record)
        if not news:
            return []
        with self._context.store.transaction() as tx:
            waiting = tx.inbox.waiting_ids(self._entity, news, Lane.LIVE)
            # What a run has claimed and perhaps read already is looked at again until its stamp is known.
            noted = [record for record in records if record.id in news and record.id not in waiting]
            events = [_event(record, Lane.BULK if record.modified_by_id in crowds else Lane.LIVE) for record in noted]
            tx.inbox.add(self._entity, events)
        # Once only: should the run leave no trace of the stamp, the sensor tries again, more slowly.
        self._done.update({record.id: _seen(record) for record in noted})
        return events

    def _move_on(self, records: Sequence[EspoRecord]) -> None:
        limit = self._context.clock.now() + timedelta(minutes=10)
        stamps = [record.modified_at for record in records if record.modified_at is not None]
        # A stamp far in the future was made by a clock that was wrong: it must not hide what comes after.
        self._newest = max((stamp for stamp in (self._newest, *stamps) if stamp and stamp <= limit), default=None)
        listed = {record.id for record in records}
        self._done = {espo_id: seen for espo_id, seen in self._done.items() if espo_id in listed}

    def _stored_cursor(self) -> datetime:
        with self._context.store.reading() as tx:
            stored = tx.cursors.get(self._cursor_name)
        return watermark(stored if isinstance(stored, str) else None, self._context.clock.now())

    @property
    def _cursor_name(self) -> str:
        return f"watch:{self._entity}"


def _event(record: EspoRecord, lane: Lane) -> InboxEvent:
    return InboxEvent(espo_id=record.id, action="manual", source=WATCH, lane=lane)


def _seen(record: EspoRecord) -> Seen:
    return record.modified_at, record.version
