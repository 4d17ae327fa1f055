"""Several deliveries in one transaction."""

import asyncio
import threading

from vmh_sync.clock import ManualClock
from vmh_sync.gateway.launches.intake import Intake
from vmh_sync.store import Store, open_store
from vmh_sync.store.queue.inbox import InboxEvent


def event(name: str) -> InboxEvent:
    return InboxEvent(espo_id=name, action="update", source="webhook")


async def delivered(store: Store, deliveries: list[tuple[str, list[str]]]) -> list[int]:
    intake = Intake(store)
    events = [(entity, [event(name) for name in names]) for entity, names in deliveries]
    return list(await asyncio.gather(*(intake.put(entity, some) for entity, some in events)))


async def test_each_delivery_is_told_what_was_new_with_it(store: Store) -> None:
    deliveries = [("beteiligte", ["b", "a"]), ("adressen", ["a"]), ("beteiligte", ["a", "c"]), ("beteiligte", ["c"])]
    assert await delivered(store, deliveries) == [2, 1, 1, 0]


async def test_two_gateways_with_the_same_records_in_another_order_do_not_stand_in_each_others_way(
    postgres_url: str, store_clock: ManualClock
) -> None:
    deliveries = [(entity, [f"{number:03}"]) for number in range(50) for entity in ("beteiligte", "adressen")]
    together = threading.Barrier(2)

    def gateway(these: list[tuple[str, list[str]]]) -> int:
        store = open_store(postgres_url, store_clock)
        store.ping()
        together.wait(20)
        try:
            return sum(asyncio.run(delivered(store, these)))
        finally:
            store.close()

    ways = (deliveries, deliveries[::-1])
    assert sum(await asyncio.gather(*(asyncio.to_thread(gateway, way) for way in ways))) == len(deliveries)
