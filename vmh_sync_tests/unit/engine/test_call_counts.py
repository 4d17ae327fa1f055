"""Calls are counted while what was counted is being stored: each is stored once, none is left out."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from types import SimpleNamespace
from typing import Any

from vmh_sync.engine.counting.call_counts import CallCounter
from vmh_sync.store.history.metrics import CallKey

PATIENCE = 10


class Database:
    """``meanwhile`` happens while it stores."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self.stored: Counter[CallKey] = Counter()
        self._meanwhile = meanwhile

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """Take what is added."""
        yield SimpleNamespace(call_counts=SimpleNamespace(add=self._add))
        self._meanwhile()

    def _add(self, counts: Mapping[CallKey, int]) -> None:
        self.stored.update(counts)


def call(counter: CallCounter, route: str = "Termine") -> None:
    counter.observe(system="advoware", method="GET", route=route, status=200, seconds=0.1, retry=False)


def test_a_call_that_is_made_meanwhile_is_stored_the_next_time() -> None:
    counter = CallCounter()
    database: Any = Database(lambda: call(counter, "Mitarbeiter") if len(database.stored) == 1 else None)
    call(counter)
    counter.store(database)
    counter.store(database)
    assert sorted((key.route, count) for key, count in database.stored.items()) == [("Mitarbeiter", 1), ("Termine", 1)]


def test_a_database_that_is_asked_again_before_it_answers_adds_nothing_twice() -> None:
    counter, asked, answers = CallCounter(), Event(), Event()

    def meanwhile() -> None:
        asked.set()
        answers.wait(PATIENCE)

    database: Any = Database(meanwhile)
    call(counter)
    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(counter.store, database)
        assert asked.wait(PATIENCE)
        others = [threads.submit(counter.store, database) for _ in range(2)]
        answers.set()
        for one in (first, *others):
            one.result(PATIENCE)
    assert database.stored.total() == 1


def test_what_was_not_answered_does_not_count_as_answered() -> None:
    counter = CallCounter()
    for status in (200, 404, None):
        counter.observe(system="espocrm", method="GET", route="X", status=status, seconds=0.1, retry=False)
    assert counter.answered() == 2
