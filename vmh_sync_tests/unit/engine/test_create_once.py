"""The one create of everything: nothing is sent again before the longest time a request can live."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from vmh_sync import fence
from vmh_sync.clock import Clock, ManualClock
from vmh_sync.coordination.errors import LeaseLost
from vmh_sync.engine.writing.create_once import CreateOrder, CreatePutOff, Creation, WaitedTooLong, create_once
from vmh_sync.store import Store
from vmh_sync.store.pairs.intents import Intent
from vmh_sync.sync.base import Side
from vmh_sync.systems.errors import ForeignSystemError, OutcomeUnknown, Rejected

SETTLE = timedelta(seconds=150)


@dataclass
class Context:
    """As much of a pass as a create needs."""

    clock: Clock
    store: Store
    run_id: str = "run"
    longest_request: timedelta = SETTLE


@dataclass
class Server:
    """A foreign side. ``there`` is what a look finds, ``answer`` what a POST meets, ``asked`` what it was asked for."""

    there: str | None = None
    answer: BaseException | None = None
    asked: list[str] = field(default_factory=list)

    async def post(self) -> str:
        self.asked.append("POST")
        if self.answer is not None:
            raise self.answer
        return "new"

    async def find(self, intent: Intent) -> str | None:
        self.asked.append("GET")
        return self.there

    def order(self, **more: object) -> CreateOrder[str]:
        values = {"natural_key": {"name": "x"}, "payload": {"a": 1}, "post": self.post, "find": self.find, **more}
        return CreateOrder(system=Side.ADVOWARE, entity="beteiligte", espo_id="1", **values)  # type: ignore[arg-type]


@pytest.fixture
def context(store: Store, store_clock: ManualClock) -> Context:
    return Context(store_clock, store)


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vmh_sync.engine.writing.create_once.LOOK_AGAIN_AFTER", (0.0, 0.0))


def create(context: Context, order: CreateOrder[str]) -> Creation[str]:
    return asyncio.run(create_once(context, order))


def unanswered(context: Context) -> None:
    with pytest.raises(OutcomeUnknown):
        create(context, Server(answer=OutcomeUnknown("no answer")).order())


def open_intents(context: Context) -> list[Intent]:
    with context.store.reading() as tx:
        return tx.intents.open_for("beteiligte", "1")


def test_what_was_not_answered_is_neither_posted_nor_lost_before_the_longest_time(
    context: Context, store_clock: ManualClock
) -> None:
    unanswered(context)
    store_clock.advance(SETTLE - timedelta(seconds=1))
    server = Server()
    with pytest.raises(CreatePutOff):
        create(context, server.order())
    assert server.asked == ["GET"]
    store_clock.advance(timedelta(seconds=1))
    assert create(context, server.order()).answered
    assert server.asked == ["GET", "GET", "POST"]


def test_a_look_that_began_before_the_longest_time_was_over_allows_no_post(
    context: Context, store_clock: ManualClock
) -> None:
    unanswered(context)
    store_clock.advance(SETTLE - timedelta(seconds=1))
    server = Server()

    async def slow_look(intent: Intent) -> str | None:
        store_clock.advance(timedelta(seconds=2))
        return None

    with pytest.raises(CreatePutOff):
        create(context, server.order(find=slow_look))
    assert server.asked == []


def test_what_arrived_late_is_taken_and_not_sent_again(context: Context) -> None:
    unanswered(context)
    server = Server(there="late")
    creation = create(context, server.order())
    assert (creation.record, creation.earlier, server.asked) == ("late", True, ["GET"])


def test_after_a_lost_answer_it_is_looked_for_at_once(context: Context) -> None:
    server = Server(there="made", answer=OutcomeUnknown("no answer"))
    creation = create(context, server.order())
    assert (creation.record, creation.answered, creation.earlier) == ("made", False, False)
    assert [intent.state for intent in open_intents(context)] == ["sent"]


@pytest.mark.parametrize("error", [Rejected("no"), LeaseLost("gone"), ForeignSystemError("busy", status=429)])
def test_what_certainly_was_not_carried_out_waits_for_nothing(context: Context, error: Exception) -> None:
    with pytest.raises(type(error)):
        create(context, Server(answer=error).order())
    assert open_intents(context) == []
    assert create(context, Server().order()).answered


def test_giving_up_spares_what_another_process_has_sent_since(context: Context, store_clock: ManualClock) -> None:
    server = Server()

    async def slow_refusal() -> str:
        store_clock.advance(2 * SETTLE)
        await create_once(context, server.order(post=lost))
        raise Rejected("no")

    async def lost() -> str:
        raise OutcomeUnknown("no answer")

    with pytest.raises(OutcomeUnknown):
        create(context, server.order(post=slow_refusal))
    assert [intent.state for intent in open_intents(context)] == ["sent"]


def test_a_changed_record_is_looked_for_by_what_was_sent_and_then_announced_anew(
    context: Context, store_clock: ManualClock
) -> None:
    unanswered(context)
    store_clock.advance(SETTLE)
    sought = []

    async def find(intent: Intent) -> str | None:
        sought.append(intent.natural_key)
        return None

    creation = create(context, Server().order(natural_key={"name": "y"}, find=find))
    assert sought == [{"name": "x"}]
    assert creation.intent.natural_key == {"name": "y"}
    assert [intent.id for intent in open_intents(context)] == [creation.intent.id]


def test_of_two_processes_that_are_at_it_one_sends(context: Context) -> None:
    sent: list[str] = []

    async def both() -> None:
        second = Server()

        async def meanwhile() -> str:
            with pytest.raises(CreatePutOff):
                await create_once(context, second.order())
            sent.append("first")
            return "new"

        await create_once(context, Server().order(post=meanwhile))
        assert "POST" not in second.asked

    asyncio.run(both())
    assert sent == ["first"]


def test_a_post_that_waited_too_long_for_its_turn_does_not_leave(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its life is reckoned from the stored moment: sent later, it could arrive after the next look."""
    turned = time.monotonic()
    monkeypatch.setattr("vmh_sync.engine.writing.create_once.time.monotonic", lambda: turned)

    async def queued() -> str:
        nonlocal turned
        assert fence.seconds_for_a_write() == 60.0
        turned += 61.0
        fence.seconds_for_a_write()  # what the transport asks when a slot is free
        raise AssertionError("it left")

    with pytest.raises(WaitedTooLong):
        create(context, Server().order(post=queued))
    assert open_intents(context) == []


def test_the_fence_of_a_create_ends_with_it(context: Context) -> None:
    async def one() -> float | None:
        await create_once(context, Server().order())
        return fence.seconds_for_a_write()

    assert asyncio.run(one()) is None


def test_sent_while_the_clock_was_a_year_ahead_it_waits_once(context: Context, store_clock: ManualClock) -> None:
    store_clock.advance(timedelta(days=365))
    unanswered(context)
    store_clock.advance(-timedelta(days=365))
    server = Server()
    with pytest.raises(CreatePutOff) as put_off:
        create(context, server.order())
    assert put_off.value.until == store_clock.now() + SETTLE
    store_clock.advance(SETTLE - timedelta(seconds=1))
    with pytest.raises(CreatePutOff):
        create(context, server.order())
    store_clock.advance(timedelta(seconds=1))
    assert create(context, server.order()).answered
