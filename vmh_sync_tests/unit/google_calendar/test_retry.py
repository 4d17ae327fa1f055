"""Backoff, jitter, Retry-After and what may be repeated."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vmh_sync.systems.google_calendar.errors import (
    Answer,
    ConnectError,
    ForbiddenError,
    GoogleCalendarError,
    RateLimitedError,
    ServerError,
    UnknownOutcomeError,
)
from vmh_sync.systems.google_calendar.retry import Replay, Retrier, google_policy
from vmh_sync.systems.transport import retry_after_seconds

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Failing:
    """Fails with the given errors, then returns."""

    def __init__(self, *errors: GoogleCalendarError) -> None:
        self.errors = list(errors)
        self.numbers: list[int] = []

    def __call__(self, number: int) -> str:
        self.numbers.append(number)
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def retrier(slept: list[float], **policy: Any) -> Retrier:
    return Retrier(replace(google_policy(), random=random.Random(7), **policy), sleep=slept.append)


def error(kind: type[GoogleCalendarError], retry_after: float | None = None) -> GoogleCalendarError:
    return kind("events.insert", Answer(503, "x", retry_after))


def test_pauses_double_and_carry_fresh_jitter() -> None:
    slept: list[float] = []
    call = Failing(*(error(ServerError) for _ in range(5)))
    assert retrier(slept, attempts=6).call(call, Replay.SAFE) == "done"
    assert [int(pause) for pause in slept] == [1, 2, 4, 8, 16]
    assert len({pause - int(pause) for pause in slept}) == 5
    assert call.numbers == [0, 1, 2, 3, 4, 5]


def test_pauses_are_capped() -> None:
    slept: list[float] = []
    retrier(slept, attempts=6, longest_wait=4).call(Failing(*(error(ServerError) for _ in range(5))), Replay.SAFE)
    assert max(slept) < 5


def test_the_last_error_comes_out() -> None:
    slept: list[float] = []
    with pytest.raises(ServerError):
        retrier(slept, attempts=2).call(Failing(error(ConnectError), error(ServerError)), Replay.SAFE)
    assert len(slept) == 1


def test_final_errors_come_out_at_once() -> None:
    slept: list[float] = []
    with pytest.raises(ForbiddenError):
        retrier(slept).call(Failing(error(ForbiddenError)), Replay.SAFE)
    assert slept == []


@pytest.mark.parametrize("kind", [UnknownOutcomeError, ServerError])
def test_what_may_have_happened_is_not_repeated_when_it_would_double(kind: type[GoogleCalendarError]) -> None:
    slept: list[float] = []
    with pytest.raises(kind):
        retrier(slept).call(Failing(error(kind)), Replay.NEVER)
    assert slept == []


@pytest.mark.parametrize("kind", [RateLimitedError, ConnectError])
def test_what_certainly_did_not_happen_is_repeated(kind: type[GoogleCalendarError]) -> None:
    assert retrier([]).call(Failing(error(kind)), Replay.NEVER) == "done"


def test_an_error_after_a_lost_answer_says_so() -> None:
    for first, expected in ((UnknownOutcomeError, True), (ServerError, True), (RateLimitedError, False)):
        with pytest.raises(ForbiddenError) as caught:
            retrier([]).call(Failing(error(first), error(ForbiddenError)), Replay.SAFE)
        assert caught.value.after_lost_answer is expected


def test_google_s_wish_counts_unless_it_is_too_long() -> None:
    slept: list[float] = []
    retrier(slept).call(Failing(error(RateLimitedError, 50.0)), Replay.SAFE)
    assert 50 <= slept[0] <= 51
    with pytest.raises(RateLimitedError):
        retrier(slept, longest_asked=49).call(Failing(error(RateLimitedError, 50.0)), Replay.SAFE)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("12", 12.0),
        ("-3", 0.0),
        ("Mon, 02 Mar 2026 12:00:30 GMT", 30.0),
        ("Mon, 02 Mar 2026 11:00:00 GMT", 0.0),
        ("bald", None),
        ("inf", None),
        ("99999999999", 3600.0),
        ("1e300", 3600.0),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 3600.0),
        ("²", None),
        (f"Mon, 02 Mar 2026 12:00:30 +{'9' * 20}", None),
        (f"Mon, 02 Mar {'9' * 20} 12:00:30 GMT", None),
    ],
)
def test_retry_after_is_read_in_both_forms(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOW) == seconds


def test_the_clock_of_a_date_is_ours() -> None:
    assert retry_after_seconds("Mon, 02 Mar 2026 12:00:30 GMT", NOW + timedelta(seconds=20)) == 10.0
