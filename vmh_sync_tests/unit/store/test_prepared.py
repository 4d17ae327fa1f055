"""Statements in SQLite's words: the same as SQLAlchemy's, and compiled by SQLite once, not once a party."""

import cProfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError, OperationalError

from vmh_sync.clock import ManualClock
from vmh_sync.store import open_store, upgrade
from vmh_sync.store.calendars.calendar import CalendarPair, CalendarPairs
from vmh_sync.store.database.prepared import Prepared
from vmh_sync.store.history.audit import Change
from vmh_sync.store.models import LinkRow
from vmh_sync.store.pairs.intents import Intents
from vmh_sync.store.pairs.kommunikation_states import KommunikationState
from vmh_sync.store.pairs.links import Link
from vmh_sync.store.pairs.records import SyncRecord
from vmh_sync.store.queue.inbox import Lane
from vmh_sync.store.repository import among, spelt, table_of
from vmh_sync.store.store import Transaction

_LINKS = table_of(LinkRow)


def _announce(intents: Intents, record: str) -> None:
    intents.start(
        system="advoware", entity="adressen", espo_id=record, natural_key={}, payload_hash="", claim="", sent=True
    )


def _save_twice(pairs: CalendarPairs, number: int) -> None:
    pair = CalendarPair(kuerzel="SB", frnr=number, event_id=str(number), source_system="google")
    pairs.save(replace(pairs.save(pair), etag="1"))


NOW = datetime(2026, 1, 1, tzinfo=UTC)
OFTEN: dict[str, Callable[[Transaction, str], object]] = {
    "links of a party": lambda tx, one: tx.links.entries_of("kommunikation", [one]),
    "link of a record": lambda tx, one: tx.links.get_many("adressen", [one]),
    "links of a number": lambda tx, one: tx.links.children_of("adressen", [int(one)]),
    "a link is made": lambda tx, one: tx.links.save(Link(entity="adressen", espo_id=one)),
    "tasks": lambda tx, one: tx.tasks.open_for_many("beteiligte", [one]),
    "rows of a party": lambda tx, one: tx.fingerprints.rows_of({one: int(one)}, ["kommunikation"], ["adressen"]),
    "trouble": lambda tx, one: tx.fingerprints.in_trouble([one], ["kommunikation"]),
    "a fingerprint": lambda tx, one: tx.fingerprints.keep({one: ("print", 1)}),
    "the ledger": lambda tx, one: tx.records.get("beteiligte", one),
    "into the ledger": lambda tx, one: tx.records.upsert([SyncRecord(entity="adressen", espo_id=one, status="clean")]),
    "a create": lambda tx, one: _announce(tx.intents, one),
    "creates": lambda tx, one: tx.intents.open_for_many("adressen", [one]),
    "entries": lambda tx, one: tx.kommunikation_states.save(KommunikationState(one, int(one))),
    "entries of a party": lambda tx, one: tx.kommunikation_states.get_many([one]),
    "an appointment": lambda tx, one: _save_twice(tx.calendar_pairs, int(one)),
    "appointments of a number": lambda tx, one: tx.calendar_pairs.by_frnr(int(one), "SB"),
    "what waits": lambda tx, one: tx.inbox.launch_mark(one, NOW, Lane.LIVE),
    "since when": lambda tx, one: tx.inbox.oldest_pending(one, NOW, Lane.BULK),
    "who is at work": lambda tx, one: tx.inbox.workers(),
}
"""What is asked or stored for each party of a first load, and by each sensor at each tick."""


@pytest.mark.parametrize("name", OFTEN)
def test_sqlite_compiles_what_is_carried_out_often_only_once(sqlite_url: str, name: str) -> None:
    compiled: list[str] = []

    def asked(_action: int, first: str | None, *_: object) -> int:
        compiled.append(str(first))
        return 0

    with open_store(sqlite_url) as store, store.transaction() as tx:
        driver: Any = tx.connection.connection.driver_connection
        OFTEN[name](tx, "1")
        driver.set_authorizer(asked)  # SQLite asks whenever it compiles a statement
        OFTEN[name](tx, "1001")
        first = len(compiled)
        OFTEN[name](tx, "1002")
        driver.set_authorizer(None)
    assert first > 0, "who is to be asked changes, so all is compiled again"
    assert len(compiled) == first


def test_a_look_at_the_inbox_builds_no_statement(sqlite_url: str) -> None:
    counted = cProfile.Profile()

    def look(tx: Transaction) -> None:
        for name in ("what waits", "since when", "who is at work"):
            OFTEN[name](tx, "1")

    with open_store(sqlite_url) as store, store.reading() as tx:
        look(tx)
        counted.runcall(look, tx)
    assert sum(one.callcount for one in counted.getstats()) < 300, "3,000 where they are built anew, else 100"


def test_lists_and_constants_are_refused(sqlite_url: str) -> None:
    of_list = Prepared(select(_LINKS.c.id).where(among(_LINKS.c.espo_id)))
    of_constant = Prepared(select(_LINKS.c.id).where(_LINKS.c.state == "active", _LINKS.c.id == bindparam("one")))
    with open_store(sqlite_url) as store, store.transaction() as tx:
        for statement, values in ((of_list, {"keys": ["1"]}), (of_constant, {"one": 1})):
            with pytest.raises(ValueError, match="neither lists nor constants"):
                statement.rows(tx.connection, values)


@pytest.mark.parametrize("word", ["", "a'b", "a b", "it's"])
def test_only_a_plain_word_is_spelt_into_a_statement(word: str) -> None:
    with pytest.raises(ValueError, match="plain word"):
        spelt(word)


def test_what_the_database_refuses_is_told_without_its_values(sqlite_url: str) -> None:
    with open_store(sqlite_url) as store, store.transaction() as tx:
        with pytest.raises(IntegrityError) as refused:
            Prepared(_LINKS.insert()).changed(tx.connection, {"entity": "Meier"})
        assert "Meier" not in repr(refused.value)


def test_a_row_that_cannot_be_read_is_told_like_a_statement_that_is_refused(sqlite_url: str) -> None:
    with open_store(sqlite_url) as store, store.transaction() as tx:
        for number in "12":
            tx.cursors.set(f"a:{number}", number)
        tx.connection.exec_driver_sql("UPDATE cursors SET name = CAST(x'613aff' AS TEXT) WHERE name = 'a:2'")
        with pytest.raises(OperationalError) as refused:
            tx.cursors.under("a:")
        assert refused.value.hide_parameters


HOSTILE = "x'; DROP TABLE links; -- \0 ü 😀 :name ? %s"
FAR = timezone(timedelta(hours=5, seconds=1))


def _stored(url: str, clock: ManualClock) -> list[object]:
    """Store what is hard to store; return what is read back, and what stands in the tables."""
    with open_store(url, clock) as store:
        with store.transaction() as tx:
            verified = datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=FAR)
            base = {"a": None, "b": [1.5, True, HOSTILE]}
            tx.links.save(tx.links.save(Link(entity="adressen", espo_id=HOSTILE, base=base, verified_at=verified)))
            retry = datetime.max.replace(tzinfo=UTC)
            tx.records.upsert([SyncRecord(entity="adressen", espo_id=HOSTILE, status="failed", next_retry_at=retry)])
            tx.audit.append([Change(entity="e", kind="applied", reason="r", new=one) for one in (None, {"x": None})])
            for name, value in {"c": None, "d%_/": {"ü": [HOSTILE]}}.items():
                tx.cursors.set(name, value)
        with store.reading() as tx:
            tables = ("links", "sync_records", "changes", "cursors")
            return [
                tx.links.get_many("adressen", [HOSTILE]),
                tx.records.get("adressen", HOSTILE),
                tx.cursors.get("c"),
                tx.cursors.under("d%_"),
                tx.cursors.several(["c", "d%_/", "none"]),
                *(tx.connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY 1, 2").all() for table in tables),
            ]


def test_what_is_stored_and_read_is_the_same_as_sqlalchemys(
    sqlite_url: str, store_clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = sqlite_url + ".copy"
    upgrade(copy)
    ours = _stored(sqlite_url, store_clock)
    monkeypatch.setattr(Prepared, "_for_sqlite", lambda *_: None)
    assert ours == _stored(copy, store_clock)
