"""Progress of a pass in the foreground: moves within a chunk, with rate and expected end."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from vmh_sync.clock import ManualClock
from vmh_sync.commands.passes.foreground_job import in_foreground
from vmh_sync.commands.passes.pass_progress import Lines, PassFigures, PassProgress
from vmh_sync.engine.counting.pass_progress import Step, listened, went_through


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 27, 7, 0, tzinfo=UTC))


def test_it_moves_with_every_record_and_tells_rate_and_end(clock: ManualClock) -> None:
    told: list[PassFigures] = []
    progress = PassProgress(told.append, clock)
    progress.begin(2000)
    with listened(progress.heard):
        for _ in range(400):
            went_through(Step.READ)
        clock.advance(timedelta(seconds=20))
        went_through(Step.DONE, 100)
    assert (told[-1].done, told[-1].total, told[-1].share) == (100, 2000, 0.125)
    assert told[-1].pace() == "12 je Sekunde, Ende etwa 08:02 Uhr"
    progress.chunk_done(1000)
    assert (told[-1].done, told[-1].share) == (1000, 0.5)
    progress.heard(Step.DONE, 5000)
    progress.chunk_done(1000)
    assert (told[-1].done, told[-1].share, told[-1].pace()) == (2000, 1.0, "")
    assert [one.share for one in told] == sorted(one.share for one in told), "never backwards"


def test_a_slow_rate_is_told_per_minute_and_none_before_it_is_measured(clock: ManualClock) -> None:
    told: list[PassFigures] = []
    progress = PassProgress(told.append, clock)
    progress.begin(100)
    progress.heard(Step.READ, 10)
    assert told[-1].pace() == ""
    clock.advance(timedelta(seconds=120))
    progress.heard(Step.READ, 30)
    assert told[-1].pace() == "10 je Minute, Ende etwa 08:10 Uhr"


def test_into_a_pipe_go_few_lines_and_always_the_last(clock: ManualClock) -> None:
    written: list[str] = []
    progress = PassProgress(Lines("beteiligte", written.append, clock), clock)
    progress.begin(200)
    for _ in range(200):
        progress.heard(Step.READ, 1)
        clock.advance(timedelta(seconds=1))
        progress.heard(Step.DONE, 1)
    progress.chunk_done(200)
    assert written[0] == "beteiligte: 15 von 200\n"
    assert written[1] == "beteiligte: 30 von 200, 1 je Sekunde, Ende etwa 08:03 Uhr\n"
    assert written[-1] == "beteiligte: 200 von 200\n"
    assert len(written) == 14


def test_nothing_to_do_is_no_line(clock: ManualClock) -> None:
    written: list[str] = []
    PassProgress(Lines("beteiligte", written.append, clock), clock).begin(0)
    assert written == []


def test_a_job_in_the_foreground_returns_raises_and_is_heard_from_its_thread() -> None:
    heard: list[tuple[Step, int]] = []

    def work() -> str:
        went_through(Step.DONE, 3)
        return threading.current_thread().name

    with listened(lambda step, number: heard.append((step, number))):
        name = in_foreground(work)
    assert (name, heard) == ("pass_0", [(Step.DONE, 3)])

    def fails() -> None:
        raise LookupError("why")

    with pytest.raises(LookupError, match="why"):
        in_foreground(fails)


def test_a_step_that_knows_how_far_it_is_tells_rate_and_end_from_its_first_word(clock: ManualClock) -> None:
    written: list[str] = []
    progress = PassProgress(Lines("EspoCRM", written.append, clock), clock)
    for done in (0, 100, 200, 300):
        progress.reached(done, 300)
        clock.advance(timedelta(seconds=20))
    assert written == [
        "EspoCRM: 100 von 300, 5 je Sekunde, Ende etwa 08:01 Uhr\n",
        "EspoCRM: 200 von 300, 5 je Sekunde, Ende etwa 08:01 Uhr\n",
        "EspoCRM: 300 von 300\n",
    ]
