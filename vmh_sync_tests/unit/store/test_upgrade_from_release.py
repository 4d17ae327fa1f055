"""A new version takes over the database of the version before with all that stands in it; it never goes back."""

import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import JSON, Boolean, DateTime, Engine, MetaData, Table, insert, inspect, select, text

from vmh_sync.store import SchemaNewer, Store, open_store, upgrade
from vmh_sync.store.database import migrate
from vmh_sync.store.database.engine import make_engine
from vmh_sync.store.link_notes import LinkNotes
from vmh_sync.store.pairs.kommunikation_states import KommunikationState

RELEASED = Path(__file__).parents[2] / "fixtures" / "released"
KEPT = ("links", "intents", "inbox", "changes", "calendar_pairs", "calendar_states", "sync_records", "manual_tasks")
STAND = "kommunikation_stand"
"""The entity of the links that noted how a party's Kommunikation stands, until migration 0005."""

Rows = dict[str, list[dict[str, Any]]]


def released(revision: str) -> sqlite3.Connection:
    """Return a released database, in memory."""
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    connection.executescript((RELEASED / f"{revision}.sql").read_text(encoding="utf-8"))
    return connection


def lay_down(revision: str, url: str) -> None:
    """Make the database that a released version left behind, on SQLite or on PostgreSQL."""
    source, engine = released(revision), make_engine(url)
    if engine.dialect.name == "sqlite":
        with sqlite3.connect(str(engine.url.database)) as target:
            source.backup(target)
    else:
        config = migrate._config()
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
        _copy(source, engine)
    engine.dispose()


def _copy(source: sqlite3.Connection, engine: Engine) -> None:
    tables = MetaData()
    tables.reflect(engine)
    with engine.begin() as connection:
        for table in tables.sorted_tables:
            if table.name != "alembic_version":
                rows = [_typed(table, dict(row)) for row in source.execute(f"SELECT * FROM {table.name}")]
                if rows:
                    connection.execute(insert(table), rows)


def _typed(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    def value(name: str) -> Any:
        kind, given = table.c[name].type, row[name]
        if given is None:
            return None
        if isinstance(kind, JSON):
            return json.loads(given)
        if isinstance(kind, DateTime):
            return datetime.fromisoformat(given).replace(tzinfo=UTC)
        return bool(given) if isinstance(kind, Boolean) else given

    return {name: value(name) for name in row}


def everything(url: str) -> Rows:
    """Return all rows of all tables, in the order of their keys."""
    engine, tables = make_engine(url), MetaData()
    tables.reflect(engine)
    with engine.connect() as connection:
        found = {
            table.name: [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]
            for table in tables.sorted_tables
        }
    engine.dispose()
    return found


@pytest.fixture(params=sorted(path.stem for path in RELEASED.glob("*.sql")))
def before(request: pytest.FixtureRequest, empty_url: str) -> Iterator[tuple[str, Rows]]:
    """A released database with what stands in it."""
    lay_down(request.param, empty_url)
    yield empty_url, everything(empty_url)


def test_links_bases_intents_inbox_audit_and_pairs_of_the_version_before_are_all_there(
    before: tuple[str, Rows],
) -> None:
    url, rows = before
    assert [table for table in KEPT if not rows[table]] == [], "the released database has something of everything"
    assert upgrade(url) == migrate.head_revision()
    after, expected = everything(url), with_typed_state(rows)
    for table, old in expected.items():
        if table != "alembic_version":
            assert [{name: row[name] for name in first} for row, first in zip(after[table], old, strict=True)] == old
    store = open_store(url)
    store.require_current_schema()
    with store.reading() as tx:
        link = tx.links.get_by_espo("beteiligte", rows["links"][0]["espo_id"])
        assert link is not None and link.base
    store.close()


def with_typed_state(before: Rows) -> Rows:
    """Return what must be found of these rows after migration 0005, which empties the bags of values, and 0006."""
    stands = [row for row in before["links"] if row["entity"] == STAND]
    histories = [row for row in before["cursors"] if row["name"].startswith("guard:")]
    return before | {
        "links": [_renamed(row) for row in before["links"] if row not in stands],
        "cursors": [row for row in before["cursors"] if row not in histories],
        "inbox": [{name: value for name, value in row.items() if name != "payload"} for row in before["inbox"]],
        "calendar_pairs": [
            {name: value for name, value in row.items() if name != "extra"}
            | {"obstacle": row["extra"].get("obstacle"), "guarded": row["extra"].get("event")}
            for row in before["calendar_pairs"]
        ],
        "kommunikation_states": sorted(
            (
                {"espo_id": row["espo_id"], "betnr": row["betnr"], "quiet_mark": row["extra"].get("quiet")}
                for row in stands
                if row["state"] != "tombstone"
            ),
            key=lambda row: str(row["espo_id"]),
        ),
    }


def _renamed(link: dict[str, Any]) -> dict[str, Any]:
    return {"notes" if name == "extra" else name: value for name, value in link.items()}


@pytest.fixture
def upgraded(empty_url: str) -> Iterator[Store]:
    """The database of the version before with something in every bag, taken over."""
    lay_down("0004", empty_url)
    upgrade(empty_url)
    store = open_store(empty_url)
    yield store
    store.close()


def test_what_links_remembered_is_typed_afterwards(upgraded: Store) -> None:
    with upgraded.reading() as tx:
        (address,), (account,) = tx.links.living("adressen"), tx.links.living("bankverbindungen")
        party = tx.links.get_by_betnr(1003)
    assert address.notes == LinkNotes(
        active=False, delete_wanted=True, retired=("41", "42"), kept_differently={"syncStatus": ("waiting", "")}
    )
    assert account.notes == LinkNotes(active=True, reported=True)
    assert party is not None
    assert party.notes == LinkNotes(
        assigned_user_id="680030fd762e0anna",
        kept_differently={"advowareKundennummer": ("1001", "1001.0"), "syncStatus": ("conflict", "")},
    )


def test_what_was_known_of_a_partys_kommunikation_stands_in_its_own_table(upgraded: Store) -> None:
    with upgraded.reading() as tx:
        states = tx.kommunikation_states.get_many([*("68003107b49bf8b9" + end for end in "2345"), "680030fd762ec11ac"])
        assert tx.links.count(STAND) == 0
    assert states == {
        one.espo_id: one
        for one in (
            KommunikationState("680030fd762ec11ac", 1001, quiet_mark=states["680030fd762ec11ac"].quiet_mark),
            KommunikationState(
                "68003107b49bf8b92", 1003, empty_sides=("advoware", "espocrm"), empty_seen_by="run-before"
            ),
            KommunikationState("68003107b49bf8b93", 1004, one_by_one=("email", "phone")),
            KommunikationState("68003107b49bf8b94", 1005),
        )
    }, "the one of the deleted party is gone"
    assert states["680030fd762ec11ac"].quiet_mark is not None


def test_the_mass_change_guard_still_counts_what_was_lost_within_the_hour(upgraded: Store) -> None:
    since, until = (datetime(2026, 11, 27, hour, tzinfo=UTC) for hour in (13, 14))
    with upgraded.reading() as tx:
        assert tx.value_losses.between("beteiligte", since, until) == {"68003107b49bf8b92", "680030fd762ec11ac"}
        assert tx.value_losses.between("beteiligte", since + timedelta(minutes=35), until) == {"68003107b49bf8b92"}
        assert tx.value_losses.between("adressen", since, until) == {"1002"}
        assert tx.cursors.under("guard:") == {}


def test_an_obstacle_and_the_event_of_a_deadline_are_columns_of_the_pair(upgraded: Store) -> None:
    with upgraded.reading() as tx:
        pairs = tx.calendar_pairs.all()
    assert [(pair.status, pair.obstacle) for pair in pairs if pair.obstacle] == [
        ("not_representable", "moved_occurrence")
    ]
    assert [pair.guarded for pair in pairs if pair.guarded] == [{"summary": "Frist prüfen", "location": None}]


_KILLED = """
import os, signal, sys
from sqlalchemy import Engine, event
from vmh_sync.store import upgrade

@event.listens_for(Engine, "after_cursor_execute")
def kill(connection, cursor, statement, *rest):
    if statement.lstrip().startswith(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

upgrade(sys.argv[1])
"""


@pytest.mark.parametrize("last", ["DELETE FROM cursors", "UPDATE alembic_version"])
def test_a_migration_that_is_killed_in_the_middle_is_begun_again(empty_url: str, last: str) -> None:
    lay_down("0004", empty_url)
    rows = everything(empty_url)
    killed = subprocess.run([sys.executable, "-c", _KILLED, empty_url, last], check=False, stderr=subprocess.PIPE)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert everything(empty_url) == rows, "all or nothing"
    assert upgrade(empty_url) == migrate.head_revision()
    assert {link["entity"] for link in everything(empty_url)["links"]} == {row["entity"] for row in rows["links"]} - {
        STAND
    }


def test_there_is_no_way_back_to_an_older_schema(empty_url: str) -> None:
    upgrade(empty_url)
    engine = make_engine(empty_url)
    config = migrate._config()
    with pytest.raises(NotImplementedError, match="restore the backup"), engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0004")
    assert inspect(engine).has_table("kommunikation_states")
    engine.dispose()


def test_a_database_of_a_newer_version_is_refused_and_stays_as_it_is(empty_url: str) -> None:
    upgrade(empty_url)
    engine = make_engine(empty_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaNewer, match="9999"):
        upgrade(empty_url)
    store = open_store(empty_url)
    with pytest.raises(SchemaNewer):
        store.require_current_schema()
    store.close()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "9999"
    assert "links" in inspect(engine).get_table_names()
    engine.dispose()
