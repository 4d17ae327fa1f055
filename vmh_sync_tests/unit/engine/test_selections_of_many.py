"""A selection takes what EspoCRM lists as it comes: a hundred thousand records never lie in memory at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, ClassVar, Self

import pytest

from vmh_sync.adressen.part import KIND
from vmh_sync.beteiligte import selection as parties
from vmh_sync.beteiligte.selection import Selection
from vmh_sync.children import selection as children
from vmh_sync.clock import ManualClock
from vmh_sync.engine.selecting.span import Span
from vmh_sync.store import open_store
from vmh_sync.store.repository import CHUNK
from vmh_sync.systems.espocrm.records import EspoRecord
from vmh_sync_tests.fixtures.store import START

NUMBER = 3 * CHUNK + 1
WHILE_ASKED_ABOUT = 2 * CHUNK
"""Those asked about, and the next ones, which are gathered beside them."""
SINCE = START - timedelta(days=1)

Select = Callable[[Any], Awaitable[list[str]]]
ONE_BY_ONE: dict[str, Select] = {
    "parties, all": lambda context: parties.select(context, Selection.ALL),
    "parties, dirty": lambda context: parties.select(context, Selection.DIRTY),
    "parties, failed": lambda context: parties.select(context, Selection.FAILED),
    "parties, a span": lambda context: parties.changed_between(context, Span(SINCE)),
    "children, all": lambda context: children.select(context, KIND, "all"),
    "children, dirty": lambda context: children.select(context, KIND, "dirty"),
    "children, due": lambda context: children.select(context, KIND, "due"),
    "children, failed": lambda context: children.select(context, KIND, "failed"),
    "children, a span": lambda context: children.changed_between(context, KIND, Span(SINCE)),
}
SOME_AT_ONCE: dict[str, Select] = {
    "parties, by the sensor": lambda context: parties.dirty(context, SINCE, honour_retries=True),
    "children, by the sensor": lambda context: children.moved_since(context, KIND, SINCE),
}


class Counted(EspoRecord):
    """A record of which is known how many are there at once."""

    alive: ClassVar[int] = 0
    most: ClassVar[int] = 0

    def __new__(cls, *_: object, **__: object) -> Self:
        Counted.alive += 1
        Counted.most = max(Counted.most, Counted.alive)
        return super().__new__(cls)

    def __del__(self) -> None:
        Counted.alive -= 1


async def listed(entity: str, **_: object) -> AsyncIterator[EspoRecord]:
    for number in range(1, NUMBER + 1):
        attributes = {"betnr": number, "beteiligteId": "p", "syncStatus": "failed"}
        yield Counted(entity, f"r{number}", attributes, modified_at=START)


@pytest.fixture
def context(sqlite_url: str) -> Iterator[Any]:
    clock = ManualClock(START)
    with open_store(sqlite_url, clock) as store:
        espo = SimpleNamespace(list_all=listed)
        yield SimpleNamespace(espo=espo, store=store, clock=clock, rules=SimpleNamespace(batch_size=100))


@pytest.mark.parametrize(
    ("select", "most"),
    [
        *(pytest.param(select, 2, id=name) for name, select in ONE_BY_ONE.items()),
        *(pytest.param(select, WHILE_ASKED_ABOUT, id=name) for name, select in SOME_AT_ONCE.items()),
    ],
)
def test_what_espocrm_lists_is_let_go_as_it_comes(context: Any, select: Select, most: int) -> None:
    Counted.most = 0

    async def found() -> list[str]:
        return await select(context)

    assert len(asyncio.run(found())) == NUMBER
    assert Counted.alive == 0
    assert Counted.most <= most
