"""How one day compares with the days before it."""

from datetime import date, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from vmh_sync.shadow.days import Day, DayFiles, Difference, compare

MONDAY = date(2026, 3, 2)


def one(record: str) -> Difference:
    return Difference("beteiligte", record, "advoware Beteiligte 7", "update", ("name",))


def day(number: int, *records: str) -> Day:
    return Day(MONDAY + timedelta(days=number), {"beteiligte": 3}, frozenset(map(one, records)))


def test_what_is_new_what_stands_and_what_is_settled() -> None:
    report = compare(day(3, "a", "b"), [day(0, "a", "x"), day(1, "a", "c"), day(2, "a", "c")])
    assert report.new == (one("b"),)
    assert report.standing == {one("a"): 3}
    assert report.settled == (one("c"),)


def test_a_difference_that_came_back_is_counted_from_its_return() -> None:
    report = compare(day(4, "a"), [day(0, "a"), day(1), day(2, "a"), day(3, "a")])
    assert report.standing == {one("a"): 2}


def test_the_same_day_looked_at_again_is_compared_with_the_days_before() -> None:
    report = compare(day(1, "a"), [day(0, "a"), day(1, "a", "b")])
    assert (report.standing, report.new, report.settled) == ({one("a"): 1}, (), ())


@given(st.lists(st.sets(st.sampled_from("abcd")), min_size=1, max_size=6))
def test_every_difference_is_new_or_stands_and_none_is_both(records: list[set[str]]) -> None:
    days = [day(number, *sorted(found)) for number, found in enumerate(records)]
    report = compare(days[-1], days[:-1])
    assert set(report.new) | report.standing.keys() == days[-1].differences
    assert not set(report.new) & report.standing.keys()
    assert not set(report.settled) & days[-1].differences


def test_days_come_back_as_they_were_written(tmp_path: Path) -> None:
    files = DayFiles(tmp_path)
    written = [day(0, "a"), Day(MONDAY + timedelta(days=1), {"kalender": 2}, frozenset({one("b")}), {"b": "gesperrt"})]
    for each in written:
        files.write(each)
    assert files.read() == written
