"""How far a load is, and when it ends: told at sensible moments, computed with the clock that is passed in."""

from datetime import UTC, datetime, timedelta

import pytest

from vmh_sync.clock import FIRM_ZONE, ManualClock
from vmh_sync.commands.passes.calendar_progress import in_german, shown_progress
from vmh_sync.kalender.employee.progress import EmployeeProgress, LoadProgress, watched

NOON = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # 10:00 in Berlin


class Load:
    """A load under a clock that the test moves."""

    def __init__(self, **plans: int) -> None:
        self.clock = ManualClock(NOON)
        self.told: list[EmployeeProgress] = []
        self.progress = LoadProgress(plans, clock=self.clock, per_minute=600, zone=FIRM_ZONE, told=self.told.append)

    def write(self, kuerzel: str, events: int, *, seconds_each: float = 0.1) -> None:
        for _ in range(events):
            self.clock.advance(timedelta(seconds=seconds_each))
            self.progress.wrote(kuerzel)


def test_the_end_is_expected_from_the_quota_first_and_then_from_the_measured_rate() -> None:
    load = Load(SB=10_000)
    load.progress.begin()
    assert load.told[0].line() == "Kürzel SB: 0 of 10,000 events written, expected end 10:17"
    load.write("SB", 1_500, seconds_each=0.2)  # half as fast as the quota allows
    # 1,500 took 5 minutes, so the other 8,500 take 28 min 20 s.
    assert load.told[-1].line() == "Kürzel SB: 1,500 of 10,000 events written, expected end 10:33"


def test_it_is_told_every_30_seconds_every_500_events_and_at_the_end() -> None:
    load = Load(SB=1_000)
    load.progress.begin()
    load.write("SB", 1_000, seconds_each=0.01)
    assert [one.done for one in load.told] == [0, 500, 1_000]
    assert load.told[-1].expected_end is None and "expected" not in load.told[-1].line()
    slow = Load(SB=1_000)
    slow.write("SB", 100, seconds_each=1)
    assert [one.done for one in slow.told] == [30, 60, 90]


def test_several_employees_share_one_end_and_each_has_its_own_count() -> None:
    load = Load(SB=600, AH=600)
    load.write("AH", 300)
    load.write("SB", 600)
    assert load.told[-1].line() == "Kürzel SB: 600 of 600 events written (all: 900 of 1,200), expected end 10:02"


def test_an_employee_who_was_planned_anew_counts_with_the_new_plan() -> None:
    load = Load(SB=1_000)
    load.progress.replanned("SB", 150)
    load.write("SB", 150)
    assert (load.told[-1].done, load.told[-1].total) == (150, 150)


def test_an_employee_who_ended_early_is_not_waited_for() -> None:
    load = Load(SB=200, AH=5_000)
    load.write("AH", 100)
    load.progress.ended("AH")
    load.write("SB", 200)
    assert (load.told[-1].all_done, load.told[-1].all_total, load.told[-1].expected_end) == (300, 300, None)


def test_a_small_pass_says_nothing() -> None:
    load = Load(SB=20)
    load.progress.begin()
    load.write("SB", 20, seconds_each=40)
    nothing = Load()
    nothing.progress.begin()
    assert load.told == [] == nothing.told


def test_who_watches_hears_of_every_event_and_only_inside_the_block() -> None:
    load, heard = Load(SB=200), list[int]()
    with watched(lambda standing: heard.append(standing.done)):
        load.write("SB", 100)
    load.write("SB", 100)
    assert heard == list(range(1, 101))


def test_plain_lines_are_german_and_few(capsys: pytest.CaptureFixture[str]) -> None:
    load = Load(SB=1_200, AH=100)
    with shown_progress():
        load.write("SB", 1_200)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Kürzel SB: 300 von 1.200 Terminen geschrieben (alle: 300 von 1.300), Ende etwa 10:02 Uhr"
    assert len(lines) == 5


def test_a_terminal_gets_a_bar_with_the_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    load = Load(SB=1_000)
    with shown_progress():
        load.write("SB", 500)
    shown = capsys.readouterr().err
    assert "Kalender SB" in shown and "500/1000" in shown and "Ende etwa 10:01 Uhr" in shown


def test_quiet_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    load = Load(SB=1_000)
    with shown_progress(quiet=True):
        load.write("SB", 1_000)
    assert capsys.readouterr().err == ""


def test_a_finished_employee_has_no_end_left() -> None:
    load = Load(SB=100)
    load.write("SB", 100)
    assert in_german(load.told[-1]) == "Kürzel SB: 100 von 100 Terminen geschrieben"
