from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from vmh_sync.kalender.form.recurrence import OBSTACLE_TEXTS, NotRepresentableError, from_google, to_rrule
from vmh_sync.kalender.model import Frequency, Recurrence

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 3, 2, 9, 0, tzinfo=BERLIN)  # a Monday


@pytest.mark.parametrize(
    ("series", "all_day", "expected"),
    [
        (
            Recurrence(Frequency.WEEKLY, 2, date(2026, 6, 29)),
            False,
            "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;UNTIL=20260629T215959Z",
        ),
        (
            Recurrence(Frequency.WEEKLY, 1, date(2026, 12, 31)),
            False,
            "RRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=MO;UNTIL=20261231T225959Z",
        ),
        (Recurrence(Frequency.DAILY, 1), False, "RRULE:FREQ=DAILY;INTERVAL=1"),
        (Recurrence(Frequency.MONTHLY, 3), False, "RRULE:FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=2"),
        (Recurrence(Frequency.YEARLY, 1, date(2030, 3, 2)), True, "RRULE:FREQ=YEARLY;INTERVAL=1;UNTIL=20300302"),
    ],
)
def test_rule_for_google(series: Recurrence, all_day: bool, expected: str) -> None:
    assert to_rrule(series, START, all_day=all_day) == expected
    assert from_google([expected], START, BERLIN, 2037) == series


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("RRULE:FREQ=DAILY", Recurrence(Frequency.DAILY, 1)),
        ("RRULE:FREQ=DAILY;COUNT=1", Recurrence(Frequency.DAILY, 1, date(2026, 3, 2))),
        ("RRULE:FREQ=DAILY;INTERVAL=3;COUNT=5", Recurrence(Frequency.DAILY, 3, date(2026, 3, 14))),
        ("RRULE:FREQ=WEEKLY;WKST=SU;COUNT=10;BYDAY=MO", Recurrence(Frequency.WEEKLY, 1, date(2026, 5, 4))),
        ("RRULE:FREQ=MONTHLY;COUNT=3;BYMONTHDAY=2", Recurrence(Frequency.MONTHLY, 1, date(2026, 5, 2))),
        ("RRULE:FREQ=YEARLY;COUNT=2;BYMONTH=3;BYMONTHDAY=2", Recurrence(Frequency.YEARLY, 1, date(2027, 3, 2))),
        ("RRULE:FREQ=YEARLY;BYMONTH=3", Recurrence(Frequency.YEARLY, 1)),
        ("RRULE:FREQ=DAILY;COUNT=99999", Recurrence(Frequency.DAILY, 1)),
        ("RRULE:FREQ=WEEKLY;UNTIL=20370201T000000Z", Recurrence(Frequency.WEEKLY, 1)),
        ("RRULE:FREQ=WEEKLY;UNTIL=20260629", Recurrence(Frequency.WEEKLY, 1, date(2026, 6, 29))),
        # 07:00Z is 09:00 in Berlin: the occurrence at 09:00 still counts, one second earlier it does not.
        ("RRULE:FREQ=WEEKLY;UNTIL=20260629T070000Z", Recurrence(Frequency.WEEKLY, 1, date(2026, 6, 29))),
        ("RRULE:FREQ=WEEKLY;UNTIL=20260629T065959Z", Recurrence(Frequency.WEEKLY, 1, date(2026, 6, 28))),
        ("RRULE:FREQ=WEEKLY;UNTIL=20200101T000000Z", Recurrence(Frequency.WEEKLY, 1, date(2026, 3, 2))),
    ],
)
def test_rules_that_advoware_can_hold(rule: str, expected: Recurrence) -> None:
    assert from_google([rule], START, BERLIN, 2037) == expected


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["RRULE:FREQ=WEEKLY;BYDAY=MO,WE"], "weekdays"),
        (["RRULE:FREQ=WEEKLY;BYDAY=TU"], "weekdays"),
        (["RRULE:FREQ=MONTHLY;BYDAY=1MO"], "weekdays"),
        (["RRULE:FREQ=DAILY;BYDAY=MO"], "weekdays"),
        (["RRULE:FREQ=MONTHLY;BYMONTHDAY=3"], "month_day"),
        (["RRULE:FREQ=MONTHLY;BYMONTHDAY=2,3"], "month_day"),
        (["RRULE:FREQ=YEARLY;BYMONTHDAY=2"], "month_day"),
        (["RRULE:FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=2"], "rule_part"),
        (["RRULE:FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1"], "rule_part"),
        (["RRULE:FREQ=HOURLY"], "frequency"),
        (["RRULE:INTERVAL=1"], "frequency"),
        (["RRULE:FREQ=DAILY;INTERVAL=0"], "interval"),
        (["RRULE:FREQ=DAILY;INTERVAL=99999"], "interval"),
        (["RRULE:FREQ=DAILY;COUNT=0"], "count"),
        (["RRULE:FREQ=DAILY;COUNT=3;UNTIL=20260629"], "until_and_count"),
        (["RRULE:FREQ=DAILY;UNTIL=bald"], "until"),
        (["RRULE:FREQ"], "rule_part"),
        (["RRULE:FREQ=DAILY", "EXDATE;TZID=Europe/Berlin:20260303T090000"], "excluded_dates"),
        (["RRULE:FREQ=DAILY", "RDATE:20260303T080000Z"], "extra_dates"),
        (["RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY"], "several_rules"),
        (["RRULE:FREQ=DAILY", "EXRULE:FREQ=WEEKLY"], "several_rules"),
    ],
)
def test_rules_that_advoware_cannot_hold(lines: list[str], reason: str) -> None:
    with pytest.raises(NotRepresentableError) as caught:
        from_google(lines, START, BERLIN, 2037)
    assert caught.value.reason == reason
    assert reason in OBSTACLE_TEXTS


@pytest.mark.parametrize("until", ["99991231", "99991231T235959", "99991231T235959Z"])
def test_a_series_that_ends_with_the_last_day_of_all_days_is_open(until: str) -> None:
    assert from_google([f"RRULE:FREQ=DAILY;UNTIL={until}"], START, BERLIN, 2037) == Recurrence(Frequency.DAILY, 1)


@pytest.mark.parametrize("until", ["00010101", "00010101T000000", "00010101T000000Z"])
def test_a_series_that_ended_long_before_it_begins_is_its_first_occurrence(until: str) -> None:
    series = from_google([f"RRULE:FREQ=DAILY;UNTIL={until}"], START, BERLIN, 2037)
    assert series == Recurrence(Frequency.DAILY, 1, START.date())


def test_no_lines_is_no_series() -> None:
    assert from_google([], START, BERLIN, 2037) is None


def test_monthly_count_on_the_31st_skips_short_months() -> None:
    start = datetime(2026, 1, 31, 9, tzinfo=BERLIN)
    series = from_google(["RRULE:FREQ=MONTHLY;COUNT=3"], start, BERLIN, 2037)
    assert series == Recurrence(Frequency.MONTHLY, 1, date(2026, 5, 31))
