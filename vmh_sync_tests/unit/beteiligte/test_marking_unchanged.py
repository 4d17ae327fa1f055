"""Marking parties that agree, while others write."""

from datetime import timedelta
from types import SimpleNamespace
from typing import cast

from vmh_sync.beteiligte.party import ENTITY, PartyRead
from vmh_sync.beteiligte.status.ledger import mark_unchanged
from vmh_sync.clock import ManualClock
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.store import Store
from vmh_sync.store.pairs.links import Link
from vmh_sync.systems.espocrm.records import EspoRecord


def test_a_link_that_moved_since_it_was_read_is_looked_at_again_and_the_others_are_marked(
    store: Store, store_clock: ManualClock
) -> None:
    now = store_clock.now()
    with store.transaction() as tx:
        read = [tx.links.save(Link(entity=ENTITY, espo_id=f"p{n}", betnr=n)) for n in range(3)]
    with store.transaction() as tx:
        other = tx.links.save(read[1])

    mark_unchanged(
        cast("PassContext", SimpleNamespace(store=store, clock=store_clock)),
        [
            PartyRead(
                link.espo_id,
                EspoRecord("CBeteiligte", link.espo_id, {}, modified_at=now, server_time=now + timedelta(seconds=9)),
                espo_full=True,
                link=link,
            )
            for link in read
        ],
    )

    with store.reading() as tx:
        links = tx.links.get_many(ENTITY, ["p0", "p1", "p2"])
        assert [links[name].verified_at for name in ("p0", "p1", "p2")] == [now, None, now]
        assert links["p1"] == other, "what the other wrote stays"
        assert tx.inbox.waiting_ids(ENTITY, ["p0", "p1", "p2"]) == {"p1"}
