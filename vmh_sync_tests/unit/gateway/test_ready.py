"""``/ready`` asks everything at once: whoever is silent costs its time-out once, however many are."""

import asyncio
import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from vmh_sync.clock import ManualClock
from vmh_sync.gateway.launches.code_server import CodeServerQuestion
from vmh_sync.gateway.monitoring import health

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
QUESTIONS = ("ping", "ask_code_server", "daemon_sign", "prove_writable", "held_back_logins", "read_sign")


class Asked:
    """Answers a question when all are asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._all, self._names = asyncio.Event(), set[str]()
        none: list[Any] = []
        answers = {"daemon_sign": NOW, "held_back_logins": none}
        told = {name: self._question(name, answers.get(name)) for name in QUESTIONS}
        for name in ("prove_writable", "held_back_logins", "read_sign"):
            monkeypatch.setattr(health, name, told[name])
        self.launcher: Any = SimpleNamespace(**told)

    def _question(self, name: str, answer: object) -> Any:
        async def ask(*_: object) -> object:
            self._names.add(name)
            if self._names == set(QUESTIONS):
                self._all.set()
            await self._all.wait()
            return answer

        return ask


async def _nothing(*_: object) -> None:
    return None


def _services(launcher: Any) -> Any:
    house = SimpleNamespace(database="sqlite://", redis_url=None, home=None, watch_seconds=1)
    return SimpleNamespace(
        launcher=launcher,
        code_server=CodeServerQuestion(launcher),
        redis=object(),
        store=None,
        clock=ManualClock(NOW),
        settings=SimpleNamespace(house=house, advoware=None, espocrm=None),
    )


async def test_everything_is_asked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "database_fault", lambda *_, **__: None)
    monkeypatch.setattr(health, "foreign", _nothing)
    monkeypatch.setattr(health, "silent_since", _nothing)
    monkeypatch.setattr(health, "place_of", lambda *_: "")
    services = _services(Asked(monkeypatch).launcher)
    monkeypatch.setattr(health, "services_of", lambda _: services)
    answer = await health.ready(cast("Any", None))
    ready = {"status": "ready", "database": "ok", "redis": "ok", "dagster": "ok"}
    assert json.loads(bytes(answer.body)) == ready


async def test_a_redis_that_falls_silent_between_two_questions_costs_one_time_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bounds: list[float] = []
    bound = asyncio.timeout

    def at_once(seconds: float) -> asyncio.Timeout:
        bounds.append(seconds)
        return bound(0)

    monkeypatch.setattr("asyncio.timeout", at_once)
    monkeypatch.setattr(health, "prove_writable", _nothing)
    monkeypatch.setattr(health, "foreign", lambda *_: asyncio.Event().wait())
    monkeypatch.setattr(health, "place_of", lambda *_: "")
    assert await health._redis(_services(None)) == ("ok", None)
    assert bounds == [health.CHECK_SECONDS]
