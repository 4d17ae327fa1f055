"""What several records ask at the same moment is one request, and as fresh as a request of one's own."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from vmh_sync.engine.passes.together import Together
from vmh_sync.systems.espocrm.errors import Transient


class Side:
    """A system that answers when it is let; ``says`` is what stands there at the moment of a request."""

    def __init__(self) -> None:
        self.says: dict[str, str] = {}
        self.asked: list[list[str]] = []
        self.answers = asyncio.Event()
        self.answers.set()
        self.begun = asyncio.Event()
        self.broken: dict[str, Exception] = {}

    async def ask(self, keys: Sequence[str]) -> Mapping[str, str]:
        """Answer what stood there when the request began."""
        self.asked.append(list(keys))
        told = {key: self.says[key] for key in keys if key in self.says}
        self.begun.set()
        await self.answers.wait()
        for key in keys:
            if key in self.broken:
                raise self.broken[key]
        return told


async def test_who_asks_at_the_same_moment_is_told_by_one_request() -> None:
    side, together = Side(), Together()
    side.says = {"a": "1", "b": "2"}
    told = await asyncio.gather(*(together.now("q", key, side.ask, most=10) for key in ("a", "b", "a", "gone")))
    assert told == ["1", "2", "1", None]
    assert side.asked == [["a", "b", "gone"]]


async def test_who_asks_while_a_request_is_under_way_is_told_by_a_later_one() -> None:
    side, together = Side(), Together()
    side.says, before = {"a": "before"}, asyncio.create_task(together.now("q", "a", side.ask, most=10))
    side.answers.clear()
    await side.begun.wait()
    side.says = {"a": "after", "b": "after"}
    later = [asyncio.create_task(together.now("q", key, side.ask, most=10)) for key in ("a", "b")]
    side.answers.set()
    assert await before == "before"
    assert await asyncio.gather(*later) == ["after", "after"]
    assert side.asked == [["a"], ["a", "b"]]


async def test_what_was_announced_comes_along_and_is_not_asked_for_by_itself() -> None:
    side, together = Side(), Together()
    side.says = {"a": "1", "b": "2", "c": "3"}
    soon, never = together.soon("q", "a", side.ask, most=10), together.soon("q", "c", side.ask, most=10)
    never.withdraw()
    assert await together.now("q", "b", side.ask, most=10) == "2"
    assert await soon.told() == "1"
    assert side.asked == [["a", "b"]] or side.asked == [["b", "a"]]
    alone = together.soon("q", "a", side.ask, most=10)
    await asyncio.sleep(0)
    assert len(side.asked) == 1, "nobody needs it yet"
    side.says["a"] = "news"
    assert await alone.told() == "news"


async def test_no_more_are_asked_about_at_once_than_allowed_and_those_in_need_come_first() -> None:
    side, together = Side(), Together()
    together.soon("q", "later", side.ask, most=2)
    await asyncio.gather(*(together.now("q", key, side.ask, most=2) for key in "abc"))
    assert side.asked == [["a", "b"], ["later", "c"]]


async def test_an_error_of_one_record_is_its_own_and_an_outage_everybodys() -> None:
    side, together = Side(), Together()
    side.says, side.broken = {"a": "1", "b": "2"}, {"b": ValueError("b")}
    told = await asyncio.gather(*(together.now("q", key, side.ask, most=10) for key in "ab"), return_exceptions=True)
    assert told[0] == "1"
    assert isinstance(told[1], ValueError)
    side.asked.clear()
    side.broken = {"b": Transient("no answer")}
    told = await asyncio.gather(*(together.now("q", key, side.ask, most=10) for key in "ab"), return_exceptions=True)
    assert [type(one) for one in told] == [Transient, Transient]
    assert len(side.asked) == 1, "an outage is not asked about once more for each"


async def test_who_gives_up_harms_nobody_and_an_end_from_outside_lets_nobody_wait() -> None:
    side, together = Side(), Together()
    side.says = {"a": "1", "b": "2"}
    side.answers.clear()
    first, second = (asyncio.create_task(together.now("q", key, side.ask, most=10)) for key in "ab")
    await side.begun.wait()
    first.cancel()
    side.answers.set()
    assert await second == "2"
    side.answers.clear()
    side.begun.clear()
    waiting = asyncio.create_task(together.now("q", "a", side.ask, most=10))
    await side.begun.wait()
    for task in asyncio.all_tasks() - {asyncio.current_task(), waiting}:
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
