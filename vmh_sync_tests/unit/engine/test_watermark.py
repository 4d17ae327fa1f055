"""From when on sensors ask for changes, also after the clock was wrong."""

from datetime import UTC, datetime, timedelta

from vmh_sync.engine.selecting.watermark import FIRST_LOOK_BACK, watermark

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


def test_a_cursor_of_the_past_holds() -> None:
    assert watermark((NOW - timedelta(hours=3)).isoformat(), NOW) == NOW - timedelta(hours=3)


def test_without_a_cursor_or_with_one_of_the_future_a_day_is_looked_back() -> None:
    assert watermark(None, NOW) == NOW - FIRST_LOOK_BACK
    assert watermark((NOW + timedelta(days=365)).isoformat(), NOW) == NOW - FIRST_LOOK_BACK
