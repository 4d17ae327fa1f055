"""Moments as people write them."""

from datetime import UTC, datetime

import pytest
import typer

from vmh_sync.commands.screens.moments import moment

NOW = datetime(2026, 11, 27, 23, 30, tzinfo=UTC)  # the firm's clocks show half past midnight of the 28th


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("2026-11-27", "2026-11-27T00:00:00+01:00"),
        ("27.11.2026", "2026-11-27T00:00:00+01:00"),
        ("27.07.2026 08:15", "2026-07-27T08:15:00+02:00"),
        ("2026-11-27T08:15:00+00:00", "2026-11-27T08:15:00+00:00"),
        ("heute", "2026-11-28T00:00:00+01:00"),
        ("Gestern", "2026-11-27T00:00:00+01:00"),
        ("24h", "2026-11-26T23:30:00+00:00"),
        ("90m", "2026-11-27T22:00:00+00:00"),
        ("7d", "2026-11-20T23:30:00+00:00"),
    ],
)
def test_dates_days_and_spans_are_understood_in_the_firms_zone(text: str, means: str) -> None:
    assert moment(text, NOW) == datetime.fromisoformat(means)


@pytest.mark.parametrize("text", ["", "neulich", "31.02.2026", "7y", "999999d", "2026-13-01"])
def test_anything_else_is_refused_with_examples(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="gestern, 24h"):
        moment(text, NOW)
