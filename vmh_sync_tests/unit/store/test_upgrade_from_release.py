"""A new version takes over the database of the version before with all that stands in it; it never goes back."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import JSON, Boolean, DateTime, Engine, MetaData, Table, insert, inspect, select, text

from vmh_sync.store import SchemaNewer, migrate, open_store, upgrade
from vmh_sync.store.engine import make_engine

RELEASED = Path(__file__).parents[2] / "fixtures" / "released"
KEPT = ("links", "intents", "inbox", "changes", "calendar_pairs", "calendar_states", "sync_records", "manual_tasks")

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
    after = everything(url)
    for table, old in rows.items():
        if table != "alembic_version":
            assert [{name: row[name] for name in first} for row, first in zip(after[table], old, strict=True)] == old
    store = open_store(url)
    store.require_current_schema()
    with store.reading() as tx:
        link = tx.links.get_by_espo("beteiligte", rows["links"][0]["espo_id"])
        assert link is not None and link.base
    store.close()


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
