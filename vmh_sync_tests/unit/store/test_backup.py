"""A backup gives back what stood there, is whole or not there, and is refused when it does not fit."""

import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vmh_sync.backup.databases import BackupFailed, load_postgres
from vmh_sync.backup.house import LIST, House, backup, restore
from vmh_sync.orchestration.dagster_home import ensure_dagster_home, open_home, prepare_storage
from vmh_sync.store import open_store, upgrade
from vmh_sync.store.database.engine import normalised_url
from vmh_sync_tests.fixtures import postgres as postgres_fixture
from vmh_sync_tests.unit.store.test_upgrade_from_release import everything, lay_down

NOW = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)


@pytest.fixture
def house(empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """A house with what a release left in its database, and an embedded Dagster home."""
    binaries = postgres_fixture.binaries()
    monkeypatch.setenv("PATH", str(binaries), prepend=":")
    lay_down("0001", empty_url)
    upgrade(empty_url)
    home = ensure_dagster_home(tmp_path / "vmh" / "dagster")
    prepare_storage(home)
    (tmp_path / "vmh" / "espocrm.env").write_text("ESPOCRM_API_KEY='made-up'\n")
    return House(empty_url, tmp_path / "vmh", home)


def test_a_backup_made_while_others_write_gives_back_everything(house: House, tmp_path: Path) -> None:
    before = everything(house.database)
    writer = None
    if normalised_url(house.database).get_backend_name() == "sqlite":
        writer = sqlite3.connect(str(normalised_url(house.database).database))
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM links")
    made = backup(house, tmp_path / "backups", NOW)
    if writer is not None:
        writer.commit()
        writer.close()
    assert made.stat().st_mode & 0o077 == 0
    with open_home(house.dagster_home) as instance:
        instance.add_dynamic_partitions("later", ["one"])
    (house.home / "espocrm.env").unlink()
    restore(house, made)
    assert everything(house.database) == before
    with open_home(house.dagster_home) as instance:
        assert instance.get_dynamic_partitions("later") == []
    assert "made-up" in (house.home / "espocrm.env").read_text()


def test_what_a_restore_overwrites_is_kept_beside_it(house: House, tmp_path: Path) -> None:
    made = backup(house, tmp_path / "backups", NOW)
    store = open_store(house.database)
    with store.transaction() as tx:
        tx.cursors.set("typed since", 1)
    store.close()
    since = everything(house.database)

    restore(house, made)

    url = normalised_url(house.database)
    if url.get_backend_name() == "sqlite":
        kept = Path(f"{url.database}.vorher")
        assert everything(f"sqlite:///{kept}") == since
    else:
        kept = house.home / "vmh_sync.dump.vorher"
        load_postgres(url, kept)
        assert everything(house.database) == since
        assert kept.stat().st_mode & 0o077 == 0


@pytest.fixture
def small(tmp_path: Path) -> House:
    """A house on SQLite without Dagster's files."""
    url = f"sqlite:///{tmp_path / 'vmh' / 'own.sqlite3'}"
    (tmp_path / "vmh" / "dagster").mkdir(parents=True)
    upgrade(url)
    return House(url, tmp_path / "vmh", tmp_path / "vmh" / "dagster")


def test_a_backup_that_was_changed_or_is_of_a_newer_version_is_refused_before_anything_changes(
    small: House, tmp_path: Path
) -> None:
    made = backup(small, tmp_path / "backups", NOW)
    newer = shutil.copytree(made, tmp_path / "newer")
    text = (newer / LIST).read_text()
    (newer / LIST).write_text(text.replace('"schema": "', '"schema": "9'))
    (made / "vmh_sync.sqlite3").write_bytes(b"something else")
    before = everything(small.database)
    with pytest.raises(BackupFailed, match="verändert"):
        restore(small, made)
    with pytest.raises(BackupFailed, match="neueren Version"):
        restore(small, newer)
    with pytest.raises(BackupFailed, match="keine Sicherung"):
        restore(small, tmp_path)
    assert everything(small.database) == before


def test_a_damaged_database_leaves_no_backup_behind(small: House, tmp_path: Path) -> None:
    file = Path(str(normalised_url(small.database).database))
    content = bytearray(file.read_bytes())
    content[5000:9000] = b"\xff" * 4000
    file.write_bytes(bytes(content))
    with pytest.raises(BackupFailed):
        backup(small, tmp_path / "backups", NOW)
    assert list((tmp_path / "backups").iterdir()) == []
