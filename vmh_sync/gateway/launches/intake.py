"""Writes events into the durable inbox, several requests in one transaction.

One commit costs a disk flush. Requests that arrive while one commit is under way share the next, so that the number of
flushes does not grow with the number of requests. A request is answered only after its own events are committed.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from vmh_sync.background import let_end
from vmh_sync.store.errors import StoreError, StoreUnavailable
from vmh_sync.store.queue.inbox import InboxEvent
from vmh_sync.store.store import Store

_log = logging.getLogger(__name__)

COMMIT_SECONDS = 8.0
"""EspoCRM waits 10 s for an answer."""


@dataclass(frozen=True, slots=True)
class _Delivery:
    entity: str
    events: Sequence[InboxEvent]
    stored: "asyncio.Future[int]"


class Intake:
    """Takes events of webhooks; belongs to one event loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[_Delivery] = []
        self._worker: asyncio.Task[None] | None = None

    async def put(self, entity: str, events: Sequence[InboxEvent]) -> int:
        """Store events and return how many are new, once they are committed. Raises ``StoreError``.

        Takes at most ``COMMIT_SECONDS``; after that nobody knows whether they were stored, and the sender has to send
        them again, which does no harm.
        """
        delivery = _Delivery(entity, events, asyncio.get_running_loop().create_future())
        self._waiting.append(delivery)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                return await delivery.stored
        except TimeoutError:
            raise StoreUnavailable("the inbox did not take the events in time") from None

    async def finish(self) -> None:
        """Wait until everything taken so far is committed or refused, but not longer than a request is waited for.

        What is not committed by then was not confirmed either: its sender sends it again.
        """
        if self._worker is not None:
            await let_end(self._worker, seconds=COMMIT_SECONDS)

    async def _work(self) -> None:
        while self._waiting:
            deliveries = [delivery for delivery in self._waiting if not delivery.stored.done()]
            self._waiting = []
            try:
                counts = await asyncio.to_thread(self._commit, deliveries)
            except StoreError as problem:
                _log.error("inbox: %d deliveries not stored: %s", len(deliveries), problem)
                for delivery in deliveries:
                    if not delivery.stored.done():
                        delivery.stored.set_exception(type(problem)(str(problem)))
                continue
            for delivery, count in zip(deliveries, counts, strict=True):
                if not delivery.stored.done():
                    delivery.stored.set_result(count)

    def _commit(self, deliveries: Sequence[_Delivery]) -> list[int]:
        """Store all of them at once and in a fixed order; returns of each how many were new with it."""
        events: defaultdict[str, list[InboxEvent]] = defaultdict(list)
        for delivery in deliveries:
            events[delivery.entity] += delivery.events
        with self._store.transaction() as tx:
            new = {entity: tx.inbox.add(entity, events[entity]) for entity in sorted(events)}
        counts = []
        for delivery in deliveries:
            own = new[delivery.entity] & {(event.espo_id, event.action) for event in delivery.events}
            new[delivery.entity] -= own
            counts.append(len(own))
        return counts
