"""One writer per calendar, several calendars at once."""

import threading

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


def test_a_failure_gives_the_calendar_back() -> None:
    locks = CalendarLocks()
    with pytest.raises(ZeroDivisionError), locks.hold("a"):
        _ = 1 // 0
    with locks.hold("a"):
        pass
