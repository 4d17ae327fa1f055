"""What is said about an embedded database that cannot be used."""

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from vmh_sync.store import upgrade
from vmh_sync.store.database.file_health import file_fault
from vmh_sync.stored_settings import default_url


def test_a_good_file_one_that_is_yet_to_come_and_a_server_have_no_fault(tmp_path: Path) -> None:
    assert file_fault(default_url(tmp_path / "new")) is None
    upgrade(default_url(tmp_path))
    assert file_fault(default_url(tmp_path)) is None
    assert file_fault("postgresql://u:p@nowhere/db") is None


def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    upgrade(default_url(tmp_path))
    file = tmp_path / "vmh_sync.sqlite3"
    for damage in (b"\0" * 4096, b"no database at all"):
        file.write_bytes(damage + file.read_bytes()[4096:])
        fault = file_fault(default_url(tmp_path))
        assert fault is not None
        assert f"{file} ist beschädigt" in fault.text
        assert "Sicherung" in fault.remedy
        assert file_fault(default_url(tmp_path), look_inside=False) is None


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    fault = file_fault(default_url(tmp_path / "file" / "home"))
    assert fault is not None
    assert f"In den Ordner {tmp_path / 'file'} kann nicht geschrieben werden" in fault.text
    assert "VMH_HOME" in fault.remedy


def test_a_full_disk_is_told_with_what_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 3 * 1024 * 1024))
    fault = file_fault(default_url(tmp_path))
    assert fault is not None
    assert "nur noch 3 MB frei" in fault.text
