"""Coroutines that store something at the same moment share a transaction, and notice nothing of each other."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import event

from vmh_sync.store import Store, open_store
from vmh_sync.store.database.shared_transactions import MOST
from vmh_sync.store.errors import ConstraintViolated, StoreUnavailable
from vmh_sync.store.history.audit import Change
from vmh_sync.store.store import Transaction

Work = Callable[[Transaction], object]
PATIENCE = 30.0


@pytest.fixture
def embedded(sqlite_url: str) -> Iterator[Store]:
    """Our database as it comes."""
    store = open_store(sqlite_url)
    yield store
    store.close()


class Crowd:
    """Pieces of work that all come while a transaction is under way, so that they wait for the next one together."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.tasks: list[asyncio.Task[object]] = []
        self._go_on = threading.Event()

    async def __aenter__(self) -> "Crowd":
        begun = threading.Event()

        def first(_: Transaction) -> None:
            begun.set()
            assert self._go_on.wait(PATIENCE)

        self.tasks.append(asyncio.create_task(self.store.write(first)))
        assert await asyncio.to_thread(begun.wait, PATIENCE)
        return self

    async def comes(self, *works: Work) -> None:
        """Let more of them come."""
        self.tasks += [asyncio.create_task(self.store.write(work)) for work in works]
        await asyncio.sleep(0)

    async def __aexit__(self, *_: object) -> None:
        self._go_on.set()
        self.ended = (await asyncio.gather(*self.tasks, return_exceptions=True))[1:]


async def stored(store: Store, *works: Work) -> list[object]:
    """Let them all come at once; returns what each was told."""
    async with Crowd(store) as crowd:
        await crowd.comes(*works)
    return crowd.ended


def note(name: str) -> Work:
    """Store something; returns its name."""

    def work(tx: Transaction) -> str:
        tx.cursors.set(name, 1)
        return name

    return work


def failing(error: BaseException, *, after: str) -> Work:
    """Store something and raise then."""

    def work(tx: Transaction) -> None:
        tx.cursors.set(after, 1)
        raise error

    return work


def standing(store: Store, *names: str) -> list[str]:
    """Which of the names are in the database."""
    with store.reading() as tx:
        return [name for name in names if tx.cursors.get(name) is not None]


def transactions(store: Store, work: Callable[[], Any]) -> int:
    """How many transactions that write the work takes."""
    begun: list[object] = []
    note = begun.append
    event.listen(store._writer, "begin", note)
    work()
    event.remove(store._writer, "begin", note)
    return len(begun)


def test_those_who_come_while_one_is_under_way_share_the_next(embedded: Store) -> None:
    names = [f"n{number}" for number in range(10)]
    assert transactions(embedded, lambda: asyncio.run(stored(embedded, *map(note, names)))) == 2
    assert standing(embedded, *names) == names


def test_each_is_told_its_own_result(store: Store) -> None:
    assert asyncio.run(stored(store, note("a"), note("b"), note("c"))) == ["a", "b", "c"]


def test_what_raises_is_undone_alone(store: Store) -> None:
    error = LookupError("mine")
    told = asyncio.run(stored(store, note("a"), failing(error, after="b"), note("c")))
    assert told == ["a", error, "c"]
    assert standing(store, "a", "b", "c") == ["a", "c"]


def test_a_refused_row_is_our_own_error_for_its_owner_alone(store: Store) -> None:
    broken = Change(entity="e", kind="applied", reason=None)  # type: ignore[arg-type]
    a, refused, c = asyncio.run(stored(store, note("a"), lambda tx: tx.audit.append([broken]), note("c")))
    assert (a, c) == ("a", "c")
    assert isinstance(refused, ConstraintViolated)
    assert refused.__suppress_context__, "the driver's own text may quote the row"
    assert standing(store, "a", "c") == ["a", "c"]


def test_whoever_is_told_finds_it_on_the_disk(sqlite_url: str, embedded: Store) -> None:
    other = open_store(sqlite_url)
    seen: list[list[str]] = []

    async def tell(name: str) -> None:
        await embedded.write(note(name))
        seen.append(standing(other, name))

    async def all_of_them() -> None:
        await asyncio.gather(*(tell(f"n{number}") for number in range(8)))

    asyncio.run(all_of_them())
    other.close()
    assert seen == [[name] for (name,) in seen]
    assert len(seen) == 8


def test_a_commit_that_fails_is_told_to_all(embedded: Store) -> None:
    async def pass_() -> list[object]:
        async with Crowd(embedded) as crowd:
            await crowd.comes(note("a"), note("b"))
            committed: list[object] = []

            def commit(_: object) -> None:
                committed.append(1)
                if len(committed) == 2:
                    raise sqlite3.OperationalError("disk I/O error")

            event.listen(embedded._writer, "commit", commit)
        event.remove(embedded._writer, "commit", commit)
        return crowd.ended

    told = asyncio.run(pass_())
    assert [type(one) for one in told] == [StoreUnavailable, StoreUnavailable]
    assert standing(embedded, "a", "b") == []


def test_a_transaction_that_sqlite_gives_up_is_lost_for_all_and_said_to_all(embedded: Store) -> None:
    def full(tx: Transaction) -> None:
        tx.connection.exec_driver_sql("ROLLBACK")  # as SQLite does when the disk is full
        raise OSError("full")

    told = asyncio.run(stored(embedded, note("a"), full, note("c")))
    assert [type(one) for one in told] == [OSError, OSError, OSError]
    assert standing(embedded, "a", "c") == []
    assert asyncio.run(stored(embedded, note("d"))) == ["d"], "the next one has a transaction again"


def test_who_is_cancelled_before_its_turn_stores_nothing_and_holds_nobody_up(embedded: Store) -> None:
    async def pass_() -> list[object]:
        async with Crowd(embedded) as crowd:
            await crowd.comes(note("a"), note("b"))
            crowd.tasks[1].cancel()
            await asyncio.sleep(0)
        return crowd.ended

    gone, b = asyncio.run(pass_())
    assert isinstance(gone, asyncio.CancelledError)
    assert b == "b"
    assert standing(embedded, "a", "b") == ["b"]


def test_a_whole_turn_of_cancelled_ones_holds_nobody_up(embedded: Store) -> None:
    released = threading.Event()

    async def work() -> object:
        first = asyncio.create_task(embedded.write(lambda _: released.wait(60)))
        await asyncio.sleep(0)
        cancelled = [asyncio.create_task(embedded.write(note("nobody"))) for _ in range(2 * MOST)]
        last = asyncio.create_task(embedded.write(lambda _: "the last"))
        await asyncio.sleep(0)
        for one in cancelled:
            one.cancel()
        await asyncio.sleep(0)
        released.set()
        await first
        return await asyncio.wait_for(last, 60)

    assert asyncio.run(work()) == "the last"
    assert standing(embedded, "nobody") == []


def test_who_is_cancelled_while_the_lock_is_waited_for_stores_nothing(sqlite_url: str, embedded: Store) -> None:
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))
    other.execute("BEGIN IMMEDIATE")

    async def work() -> None:
        gone, staying = (asyncio.create_task(embedded.write(note(name))) for name in ("gone", "staying"))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.wait([gone])
        other.rollback()
        await staying

    asyncio.run(work())
    other.close()
    assert standing(embedded, "gone", "staying") == ["staying"]


def test_even_an_iterator_that_ends_is_told_to_its_owner_alone(embedded: Store) -> None:
    ended, kept = asyncio.run(stored(embedded, failing(StopIteration(), after="ended"), note("kept")))
    assert isinstance(ended, RuntimeError)
    assert kept == "kept"
    assert standing(embedded, "ended", "kept") == ["kept"]


def test_who_is_cancelled_meanwhile_leaves_the_others_their_answer(embedded: Store) -> None:
    async def pass_() -> list[object]:
        async with Crowd(embedded) as crowd:
            await crowd.comes(note("a"), note("b"))
            crowd.tasks[0].cancel()  # its transaction is under way
        return crowd.ended

    assert asyncio.run(pass_()) == ["a", "b"]


def test_a_loop_that_ended_in_the_middle_leaves_nothing_behind(embedded: Store) -> None:
    go_on = threading.Event()

    async def cut_short() -> None:
        asyncio.get_running_loop().call_soon(go_on.set)
        waiting = [asyncio.create_task(embedded.write(lambda _: go_on.wait(PATIENCE))) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()

    asyncio.run(cut_short())
    assert asyncio.run(stored(embedded, note("a"))) == ["a"]


def test_readers_at_the_same_moment_see_all_that_was_told_before(embedded: Store) -> None:
    async def pass_() -> list[object]:
        await embedded.write(note("a"))
        found = [embedded.read(lambda tx: tx.cursors.get("a")) for _ in range(5)]
        return list(await asyncio.gather(*found, embedded.read(lambda tx: tx.cursors.get("b"))))

    assert asyncio.run(pass_()) == [1, 1, 1, 1, 1, None]


def test_a_read_that_raises_is_nobody_elses(embedded: Store) -> None:
    def broken(_: Transaction) -> None:
        raise LookupError("mine")

    async def pass_() -> list[object]:
        await embedded.write(note("a"))
        reads = [embedded.read(work) for work in (lambda tx: tx.cursors.get("a"), broken, lambda tx: 2, broken)]
        return list(await asyncio.gather(*reads, return_exceptions=True))

    first, error, third, other = asyncio.run(pass_())
    assert (first, third) == (1, 2)
    assert isinstance(error, LookupError)
    assert isinstance(other, LookupError)
