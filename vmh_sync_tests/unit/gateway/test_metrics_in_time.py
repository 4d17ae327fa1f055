"""Prometheus gets what there is although the database or Redis says nothing: frozen, or behind a wall."""

import asyncio
import threading
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from vmh_sync.gateway.monitoring import metrics
from vmh_sync.gateway.services import GatewayServices


class Silent:
    """Redis or a database that takes a question and never answers."""

    async def scan_iter(self, **_: object) -> AsyncIterator[str]:
        await asyncio.Event().wait()
        yield "never"

    async def read(self, *_: object) -> None:
        await asyncio.Event().wait()


class Quick:
    """A database that answers at once."""

    async def read(self, *_: object) -> None:
        """Nothing to tell."""


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "LOOK_SECONDS", 0.01)


def services(store: object, storing: object = lambda _: None) -> GatewayServices:
    launches = SimpleNamespace(launched=3, failed=1)
    counted = SimpleNamespace(store=storing)
    return cast("Any", SimpleNamespace(store=store, calls=counted, redis=Silent(), debouncer=launches))


async def test_a_silent_redis_leaves_what_the_database_knows() -> None:
    async with asyncio.timeout(10):
        found = await metrics.take(services(Quick()))
    assert (found.database_up, found.redis_up, found.launched, found.launch_failures) == (True, False, 3, 1)


async def test_neither_answers() -> None:
    over = threading.Event()
    try:
        async with asyncio.timeout(10):
            for quiet in (services(Silent()), services(Quick(), lambda _: over.wait())):
                found = await metrics.take(quiet)
                assert (found.database_up, found.redis_up, found.launched) == (False, False, 3)
    finally:
        over.set()
