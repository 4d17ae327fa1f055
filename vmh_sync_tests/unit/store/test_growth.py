"""What runs every few seconds or minutes looks at what is due, however many clean records there are.

100,000 linked parties are put straight into the database. Each look is carried out for real; then each of its
statements is explained, and none may walk through the clean ones.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from vmh_sync.beteiligte.party import ENTITY
from vmh_sync.beteiligte.reading.rolling import rolling_share
from vmh_sync.clock import ManualClock
from vmh_sync.engine.selecting.unseen import unseen
from vmh_sync.store import Store
from vmh_sync.store.database.prepared import _InWords
from vmh_sync.store.queue.inbox import InboxEvent, Lane
from vmh_sync.sync.reporting.status import VERIFY_AFTER
from vmh_sync.systems.espocrm.records import EspoRecord
from vmh_sync_tests.fixtures.store import START

CLEAN = 100_000
FEW = 2_000
"""Rows that a look at a batch may touch; far less than there are clean ones."""
HOUR = timedelta(hours=1)

_NUMBERS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :most)",
    "postgresql": "WITH n AS (SELECT i FROM generate_series(1, :most) AS i)",
}
_VERIFIED = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', :at, '+' || (i / 200) || ' seconds')",
    "postgresql": "CAST(:at AS timestamptz) + (i / 200) * interval '1 second'",
}
"""As passes leave it: batch after batch."""
_LINKS = """
INSERT INTO links
(entity, espo_id, betnr, advoware_id, state, base, notes, verified_at, created_at, updated_at, revision)
{numbers} SELECT 'beteiligte', 'p' || i, i, CAST(i AS VARCHAR(64)), 'active', '{{}}', '{{}}', {verified}, :at, :at, 1
FROM n
"""
_RECORDS = """
INSERT INTO sync_records (entity, espo_id, status, attempts, updated_at)
{numbers} SELECT 'beteiligte', 'p' || i, 'clean', 0, :at FROM n
"""


@pytest.fixture
def statements() -> list[tuple[str, Any]]:
    return []


@pytest.fixture
def grown(
    store: Store, store_clock: ManualClock, statements: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Store]:
    """A database with :data:`CLEAN` linked parties in step, all verified within the hour."""
    at = store_clock.now().strftime(
        "%Y-%m-%d %H:%M:%S.%f+00:00" if store.dialect == "postgresql" else "%Y-%m-%d %H:%M:%S.%f"
    )
    with store._writer.begin() as connection:
        for insert in (_LINKS, _RECORDS):
            statement = insert.format(numbers=_NUMBERS[store.dialect], verified=_VERIFIED[store.dialect])
            connection.execute(text(statement), {"most": CLEAN, "at": at})
        connection.execute(text("ANALYZE"))
    store_clock.advance(timedelta(minutes=20))

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if not many and re.match(r"\s*(SELECT|UPDATE|DELETE)", statement):
            statements.append((statement, parameters))

    carried_out = _InWords.carried_out

    def note_prepared(words: Any, connection: Connection, *several: Any) -> Any:
        # SQLite's driver gets them without SQLAlchemy: no event tells of them.
        if len(several) == 1:
            bound = tuple(process(several[0][name]) if process else several[0][name] for name, process in words._in)
            note(connection, None, words.words, bound, None, many=False)
        return carried_out(words, connection, *several)

    monkeypatch.setattr(_InWords, "carried_out", note_prepared)
    for engine in {store._reader, store._writer}:
        event.listen(engine, "before_cursor_execute", note)
    statements.clear()
    yield store
    for engine in {store._reader, store._writer}:
        event.remove(engine, "before_cursor_execute", note)


def plan_of(store: Store, statement: str, parameters: Any) -> str:
    """Return how the database carries the statement out."""
    explain = "EXPLAIN QUERY PLAN " if store.dialect == "sqlite" else "EXPLAIN (ANALYZE, TIMING OFF) "
    with store._writer.connect() as connection:
        rows = connection.exec_driver_sql(explain + statement, parameters).all()
        connection.rollback()
    return "\n".join(str(row[-1]) for row in rows)


def walks_through_the_clean_ones(store: Store, plan: str) -> bool:
    if store.dialect == "sqlite":
        return bool(re.search(r"SCAN (links|sync_records)", plan)) or bool(
            re.search(r"\(entity=\? AND state=\?\)", plan)
        )
    touched = [int(number) for number in re.findall(r"Rows Removed by Filter: (\d+)", plan)]
    return bool(re.search(r"Seq Scan on (links|sync_records)", plan)) or any(number > FEW for number in touched)


def sensor_tick(store: Store) -> None:
    now = START + timedelta(minutes=20)
    unseen(store, ENTITY, [EspoRecord(ENTITY, f"p{n}", {}, modified_at=now) for n in range(1, 50)])
    with store.transaction() as tx:
        tx.inbox.waiting_ids(ENTITY, [f"p{n}" for n in range(1, 50)])
        tx.inbox.add(ENTITY, [InboxEvent(espo_id="p7", action="manual", source="watch")])
        for lane in Lane:
            tx.inbox.launch_mark(ENTITY, now, lane)
            tx.inbox.oldest_pending(ENTITY, now, lane)
            tx.inbox.claim(ENTITY, f"run {lane}", 200, now, 60, lane)


def sweep(store: Store) -> None:
    now = START + timedelta(minutes=20)
    with store.reading() as tx:
        assert tx.records.due(ENTITY, now) == []
        assert tx.links.oldest_verified(ENTITY, 200, now - VERIFY_AFTER) == []
        tx.tasks.not_closed(ENTITY)


def rolling_check(store: Store) -> None:
    with store.reading() as tx:
        assert len(rolling_share(tx, START + timedelta(minutes=20), HOUR)) > CLEAN // 12


def test_no_look_walks_through_the_clean_records(grown: Store, statements: list[tuple[str, Any]]) -> None:
    for look in (sensor_tick, sweep, rolling_check):
        statements.clear()
        look(grown)
        asked = dict(statements)
        assert asked
        if look is sweep:
            assert any("FROM manual_tasks" in one for one in asked), "a prepared statement is explained like any other"
        # How many there are is read from the index alone; the rolling check's share follows from it.
        plans = {one: plan_of(grown, one, asked[one]) for one in asked if "count(*) AS count_1 \nFROM links" not in one}
        assert {one: plan for one, plan in plans.items() if walks_through_the_clean_ones(grown, plan)} == {}
