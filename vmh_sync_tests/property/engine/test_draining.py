"""The inbox is drained to the last row, whatever dies when, by the real inbox and the real decision."""

import itertools
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vmh_sync.clock import ManualClock
from vmh_sync.engine.selecting.draining import LONGEST_PAUSE_SECONDS, Launched, Waiting, should_launch
from vmh_sync.store import Store, open_store
from vmh_sync.store.queue.inbox import InboxEvent

ENTITY = "beteiligte"
TICK = timedelta(seconds=5)
CLAIM_SECONDS = 600.0
START = datetime(2026, 3, 2, 8, tzinfo=UTC)


@dataclass
class Run:
    run_id: str
    mark: str
    moment: datetime
    state: str = "queued"
    held: tuple[int, ...] = ()


class House:
    """Inbox, sensor and a Dagster whose runs do what the test says."""

    def __init__(self, store: Store, clock: ManualClock, batch: int) -> None:
        self.store, self.clock, self.batch = store, clock, batch
        self.runs: list[Run] = []
        self.batches: list[list[str]] = []
        self._numbers = itertools.count()

    def arrive(self, names: list[str]) -> None:
        with self.store.transaction() as tx:
            tx.inbox.add(ENTITY, [InboxEvent(espo_id=name, action="update", source="webhook") for name in names])

    def waiting(self) -> int:
        with self.store.reading() as tx:
            return tx.inbox.pending_count(ENTITY, self.clock.now())

    def tick(self) -> None:
        now = self.clock.now()
        with self.store.reading() as tx:
            mark = tx.inbox.launch_mark(ENTITY, now)
            workers = frozenset(tx.inbox.workers())
        waiting = Waiting(mark=mark, workers=workers) if mark is not None else None
        if should_launch(waiting, [self._shown(run, now) for run in reversed(self.runs)]):
            assert waiting is not None
            on_the_way = [run for run in self.runs if run.state == "queued"]
            assert not on_the_way, "two runs for the same waiting rows"
            self.runs.append(Run(f"r{next(self._numbers)}", waiting.mark, now))

    def _shown(self, run: Run, now: datetime) -> Launched:
        return Launched(
            run_id=run.run_id,
            mark=run.mark,
            started=run.state != "queued",
            over=run.state == "over",
            age_seconds=(now - run.moment).total_seconds(),
        )

    def step(self, fate: str) -> None:
        """Let the oldest run that is not over go one step, or die."""
        run = next((run for run in self.runs if run.state != "over"), None)
        if run is None:
            return
        if fate == "die":
            run.state, run.moment = "over", self.clock.now()
        elif run.state == "queued":
            run.state, run.moment = "started", self.clock.now()
        elif run.state == "started":
            with self.store.transaction() as tx:
                items = tx.inbox.claim(ENTITY, run.run_id, self.batch, self.clock.now(), CLAIM_SECONDS)
            names = [item.espo_id for item in items]
            self.batches.append(names)
            run.state, run.held = "claimed", tuple(item.id for item in items)
        else:
            with self.store.transaction() as tx:
                if fate == "put off":
                    tx.inbox.put_off(run.held, run.run_id, self.clock.now() + timedelta(seconds=60))
                else:
                    tx.inbox.acknowledge(run.held, run.run_id)
            run.state, run.moment = "over", self.clock.now()

    def rows(self) -> int:
        with self.store.reading() as tx:
            return len(tx.inbox.waiting_ids(ENTITY, [f"p{n}" for n in range(30)]))


STEPS = st.one_of(
    st.tuples(st.just("arrive"), st.lists(st.integers(0, 29), min_size=1, max_size=12)),
    st.tuples(st.sampled_from(["go", "die", "put off"]), st.none()),
    st.tuples(st.just("tick"), st.none()),
    st.tuples(st.just("clock"), st.sampled_from([-31536000, -7200, -60, 5, 60, 700, 7200, 31536000])),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=40))
def test_nothing_claimable_remains_whatever_dies_and_whichever_way_the_clock_jumps(
    sqlite_template: Path, steps: list[tuple[str, object]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(sqlite_template, Path(folder) / "s.sqlite3")
        clock = ManualClock(START)
        store = open_store(f"sqlite:///{folder}/s.sqlite3", clock)
        try:
            house = House(store, clock, batch=5)
            for what, how in steps:
                if what == "arrive" and isinstance(how, list):
                    house.arrive([f"p{n}" for n in how])
                elif what == "clock" and isinstance(how, int):
                    clock.advance(timedelta(seconds=how))
                elif what == "tick":
                    house.tick()
                else:
                    house.step(what)
            # From now on everything works. The longest wait is a claim of a dead run, then the longest pause.
            for _ in range(int((2 * CLAIM_SECONDS + 2 * LONGEST_PAUSE_SECONDS) / TICK.total_seconds())):
                if not house.rows():
                    break
                clock.advance(TICK)
                house.tick()
                for _ in range(3):
                    house.step("go")
            assert house.rows() == 0
            for batch in house.batches:
                assert len(batch) <= 5
        finally:
            store.close()


@pytest.fixture
def house(store: Store, store_clock: ManualClock) -> House:
    return House(store, store_clock, batch=200)


@pytest.mark.parametrize("each_minute", [34, pytest.param(334, marks=pytest.mark.proof)])
def test_the_events_of_an_hour_without_dagster_are_drained_once_each(
    house: House, store_clock: ManualClock, each_minute: int
) -> None:
    """2,000 of them; the long form has 20,000."""
    for minute in range(60):
        house.arrive([f"e{minute}-{n}" for n in range(each_minute)])
        store_clock.advance(timedelta(minutes=1))
    arrived = house.waiting()
    assert arrived == 60 * each_minute

    ticks = 0
    while house.waiting():
        ticks += 1
        assert ticks <= 2 * arrived / 200
        house.tick()
        for _ in range(3):
            house.step("go")
        store_clock.advance(TICK)

    synced = [name for batch in house.batches for name in batch]
    assert len(synced) == len(set(synced)) == arrived
    assert len(house.runs) == -(-arrived // 200), "no empty runs"


def test_runs_that_die_before_they_claim_are_launched_ever_more_slowly(house: House, store_clock: ManualClock) -> None:
    house.arrive(["a"])
    for _ in range(720):  # one hour
        house.tick()
        house.step("die")
        store_clock.advance(TICK)
    assert 10 <= len(house.runs) <= 20
