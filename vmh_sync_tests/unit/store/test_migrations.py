"""Migrations: they make exactly the tables the code uses, also when several processes begin at once."""

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from vmh_sync.store import SchemaOutdated, StoreUnavailable, open_store, upgrade
from vmh_sync.store.database import migrate
from vmh_sync.store.database.engine import make_engine
from vmh_sync.store.models import Base


def test_migrated_schema_is_what_the_models_say(empty_url: str) -> None:
    upgrade(empty_url)
    engine = make_engine(empty_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_an_empty_database_is_recognised_as_outdated(empty_url: str) -> None:
    store = open_store(empty_url)
    with pytest.raises(SchemaOutdated, match="db upgrade"):
        store.require_current_schema()
    upgrade(empty_url)
    store.require_current_schema()
    store.close()


def test_the_newest_revision_is_the_one_that_alembic_finds() -> None:
    scripts = ScriptDirectory.from_config(migrate._config())
    assert scripts.get_heads() == [migrate.head_revision()]
    names = [Path(script.path).name.partition("_")[0] for script in scripts.walk_revisions()]
    assert [script.revision for script in scripts.walk_revisions()] == names


def test_upgrade_twice_changes_nothing(empty_url: str) -> None:
    assert upgrade(empty_url) == upgrade(empty_url)


def test_four_processes_may_upgrade_at_once(empty_url: str) -> None:
    code = "import sys; from vmh_sync.store import upgrade; sys.stdin.readline(); print(upgrade(sys.argv[1]))"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, empty_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    results = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, [error for _, error in results]
    assert len({out for out, _ in results}) == 1


def test_an_unreachable_database_is_named_as_such(tmp_path: Path) -> None:
    url = f"postgresql://postgres@/nowhere?host={tmp_path}"
    with pytest.raises(StoreUnavailable):
        upgrade(url)
    with pytest.raises(StoreUnavailable):
        open_store(url).ping()


FILE_URI = "sqlite:///file:vmh.sqlite3?uri=true"
"""Its file would be readable for everybody, and a backup would look for one of another name."""


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://localhost/x", FILE_URI])
def test_unsupported_databases_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="VMH_DATABASE_URL"):
        open_store(url)


def test_sqlite_switches_to_wal_under_a_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite does not always wait for others during the switch, so that nobody else may be doing it."""
    switch = migrate._switch_to_wal
    lock = tmp_path / "new.sqlite3.migrate.lock"
    free: list[bool] = []

    def watched(engine: Engine) -> None:
        with lock.open() as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                free.append(True)
            except BlockingIOError:
                free.append(False)
        switch(engine)

    monkeypatch.setattr(migrate, "_switch_to_wal", watched)
    upgrade(f"sqlite:///{tmp_path / 'new.sqlite3'}")
    assert free == [False]
