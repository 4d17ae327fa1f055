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


class _Pages:
    """A system that answers page after page."""

    def __init__(self, pages: int) -> None:
        self.pages, self.answered = pages, 0

    async def listed(self) -> int:
        while self.answered < self.pages:
            await asyncio.sleep(0.02)
            self.answered += 1
        return self.answered


def test_who_answers_page_after_page_is_listened_to_for_longer_but_not_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tick_time, "SECONDS", 0.2)
    monkeypatch.setattr(tick_time, "LONGEST", 1.0)
    many, endless = _Pages(20), _Pages(10_000)
    assert asyncio.run(tick_time.in_time(many.listed(), lambda: many.answered)) == 20
    with pytest.raises(tick_time.TickOver):
        asyncio.run(tick_time.in_time(endless.listed(), lambda: endless.answered))


def test_a_tick_asks_for_less_than_dagster_gives_it() -> None:
    assert tick_time.SECONDS < 60 / 2, "two threads carry three sensors"
    assert tick_time.LONGEST < 60
