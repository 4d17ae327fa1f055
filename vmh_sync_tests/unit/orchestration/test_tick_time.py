"""A tick of a sensor ends although the system that it asks takes the connection and stays silent."""

import asyncio
from collections.abc import Sequence

import pytest

from vmh_sync.orchestration.triggers import tick_time
from vmh_sync.systems.errors import ForeignSystemError


async def _silent() -> Sequence[str]:
    await asyncio.Event().wait()
    raise AssertionError("nobody rings")


async def _answers() -> Sequence[str]:
    return ["abc"]


def test_a_silent_system_ends_the_look_as_a_failure_that_concerns_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tick_time, "SECONDS", 0.01)
    with pytest.raises(ForeignSystemError) as ended:
        asyncio.run(tick_time.in_time(_silent()))
    assert "der nächste Blick fragt wieder" in ended.value.message_for_people
    assert asyncio.run(tick_time.in_time(_answers())) == ["abc"]


def test_a_tick_asks_for_less_than_dagster_gives_it() -> None:
    assert tick_time.SECONDS < 60 / 2, "two threads carry three sensors"
