"""One writer per calendar, several calendars at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from vmh_sync.systems.google_calendar.locks import CalendarLocks


def test_a_second_writer_of_a_calendar_waits() -> None:
    locks, order, started = CalendarLocks(), [], threading.Event()

    def second() -> None:
        started.set()
        with locks.hold("a"):
            order.append("second")

    with locks.hold("a"):
        thread = threading.Thread(target=second)
        thread.start()
        started.wait(5)
        thread.join(0.05)
        assert thread.is_alive()
        order.append("first")
    thread.join(5)
    assert order == ["first", "second"]


def test_another_calendar_does_not_wait() -> None:
    locks = CalendarLocks()

    def other() -> None:
        with locks.hold("b"):
            pass

    with locks.hold("a"):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(5)
        assert not thread.is_alive()


def test_the_lease_between_processes_is_held_inside_and_given_back_on_failure() -> None:
    told: list[str] = []

    class Lease:
        @contextmanager
        def hold(self, calendar_id: str) -> Iterator[None]:
            told.append(f"take {calendar_id}")
            try:
                yield
            finally:
                told.append("give back")

    locks = CalendarLocks(Lease())
    with pytest.raises(ZeroDivisionError), locks.hold("a"):
        _ = 1 // 0
    told.append("failed")
    with locks.hold("a"):
        pass
    assert told == ["take a", "give back", "failed", "take a", "give back"]
