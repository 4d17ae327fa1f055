"""What an answer's ``Date`` says about EspoCRM's own clock, and what it does not."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmh_sync.engine.passes.modified_stamps import keep_stamp_clock, read_stamp_clock, settled
from vmh_sync.store import Store
from vmh_sync.systems.espocrm.client import EspoClient
from vmh_sync.systems.espocrm.stamp_clock import StampClock
from vmh_sync_tests.unit.espocrm.conftest import Crm

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
ID = "6b0465319b3f4367b"


def floor(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


@given(
    proxy_ahead=st.floats(-5000, 5000),
    writes=st.lists(st.tuples(st.floats(0, 60), st.floats(0, 5)), min_size=1, max_size=5),
    later=st.floats(0, 30),
)
def test_a_record_is_settled_only_when_its_second_is_over_however_far_the_clocks_are_apart(
    proxy_ahead: float, writes: list[tuple[float, float]], later: float
) -> None:
    clock, now = StampClock(), NOON
    ahead = timedelta(seconds=proxy_ahead)
    stamp = floor(now)
    for pause, lasts in writes:
        now += timedelta(seconds=pause)
        stamp = floor(now)
        now += timedelta(seconds=lasts)
        clock.learn(floor(now + ahead), stamp)
    read = now + timedelta(seconds=later)
    if settled(link_read_at=clock.at(floor(read + ahead)), modified_at=stamp):
        assert read >= stamp + timedelta(seconds=1)


def test_nothing_but_the_last_day_is_doubted_while_nothing_was_written() -> None:
    assert settled(link_read_at=StampClock().at(NOON), modified_at=NOON - timedelta(hours=27))
    assert not settled(link_read_at=StampClock().at(NOON), modified_at=NOON - timedelta(hours=25))


def test_clocks_that_agree_cost_no_second_look() -> None:
    clock = StampClock()
    clock.learn(NOON + timedelta(seconds=1), NOON)
    assert clock.at(NOON) == NOON


@pytest.mark.parametrize("stamp", [LAST, NOON + timedelta(days=365)])
def test_a_stamp_of_the_far_future_is_no_clock(stamp: datetime) -> None:
    """Nothing that is changed later would ever be looked at a second time."""
    clock = StampClock()
    clock.learn(NOON, stamp)
    assert not settled(link_read_at=clock.at(NOON), modified_at=NOON)
    assert StampClock(NOON - stamp).lead is None


def test_what_no_clock_can_show_is_unknown() -> None:
    clock = StampClock()
    assert clock.at(FIRST) is None
    clock.learn(NOON, FIRST)
    assert clock.at(FIRST) is None
    clock.learn(NOON, NOON + timedelta(hours=25))
    assert clock.at(LAST) is None


def test_a_write_that_changed_nothing_is_outdone_by_one_that_did() -> None:
    clock = StampClock()
    clock.learn(NOON, NOON - timedelta(days=300))
    clock.learn(NOON, NOON)
    assert clock.lead == timedelta(0)


def test_what_was_learned_is_known_to_the_next_process_and_learned_anew(store: Store) -> None:
    first = read_stamp_clock(store)
    assert first.lead is None
    first.learn(NOON, NOON - timedelta(minutes=11))
    keep_stamp_clock(store, first)
    second = read_stamp_clock(store)
    assert second.lead == timedelta(minutes=11, seconds=1) and second.learned is None
    second.learn(NOON, NOON)
    keep_stamp_clock(store, second)
    assert read_stamp_clock(store).lead == timedelta(0)


@pytest.mark.parametrize(("method", "path"), [("POST", "CBeteiligte"), ("PUT", f"CBeteiligte/{ID}")])
async def test_a_client_learns_from_its_writes(client: EspoClient, crm: Crm, method: str, path: str) -> None:
    date = {"Date": "Fri, 27 Nov 2026 12:11:00 GMT"}
    crm.on(method, path).respond(json={"id": ID, "modifiedAt": "2026-11-27 12:00:00"}, headers=date)
    crm.on("GET", f"CBeteiligte/{ID}").respond(json={"id": ID, "modifiedAt": "2026-11-27 12:00:00"}, headers=date)
    if method == "POST":
        await client.create("CBeteiligte", {})
    else:
        await client.update("CBeteiligte", ID, {})
    read = await client.read("CBeteiligte", ID)
    assert read is not None and read.server_time == NOON - timedelta(seconds=1)
