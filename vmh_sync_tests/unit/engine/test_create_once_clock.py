"""A create that was sent while the clock was ahead does not wait for it, and is not sent again at once either."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from vmh_sync.clock import ManualClock
from vmh_sync.engine.create_once import CreatePutOff, longest_request, send_now
from vmh_sync.engine.pass_context import PassContext
from vmh_sync.store import Store
from vmh_sync.store.intents import Intent

SETTLE = timedelta(seconds=150)


@pytest.fixture
def context(store: Store, store_clock: ManualClock) -> PassContext:
    """As much of a pass as a create needs."""
    rules = SimpleNamespace(create_settle_seconds=SETTLE.total_seconds())
    return cast("PassContext", SimpleNamespace(clock=store_clock, store=store, rules=rules))


def _sent(store: Store) -> Intent:
    with store.transaction() as tx:
        started = tx.intents.start(
            system="advoware", entity="beteiligte", espo_id="1", natural_key={}, payload_hash="x", run_id=None
        )
        tx.intents.mark_sent(started.id)
    return _read(store, started)


def _read(store: Store, intent: Intent) -> Intent:
    with store.reading() as tx:
        read = tx.intents.get(intent.id)
    assert read is not None
    return read


def test_it_waits_once_for_an_answer_that_may_still_arrive(
    context: PassContext, store: Store, store_clock: ManualClock
) -> None:
    store_clock.advance(timedelta(days=365))
    sent = _sent(store)
    store_clock.advance(-timedelta(days=365))

    with pytest.raises(CreatePutOff) as put_off:
        asyncio.run(send_now(context, sent))

    assert put_off.value.until == store_clock.now() + longest_request(context)
    store_clock.advance(SETTLE - timedelta(seconds=1))
    with pytest.raises(CreatePutOff):
        asyncio.run(send_now(context, _read(store, sent)))
    store_clock.advance(timedelta(seconds=1))
    asyncio.run(send_now(context, _read(store, sent)))
    assert _read(store, sent).sent_at == store_clock.now()


def test_a_create_sent_a_moment_ago_still_waits_its_time(
    context: PassContext, store: Store, store_clock: ManualClock
) -> None:
    sent = _sent(store)

    with pytest.raises(CreatePutOff) as put_off:
        asyncio.run(send_now(context, sent))

    assert put_off.value.until == store_clock.now() + SETTLE
