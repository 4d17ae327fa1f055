"""The embedded Dagster home is written once, whole, and read by Dagster itself."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml
from dagster._core.storage.runs.sqlite import SqliteRunStorage

from vmh_sync.orchestration.dagster_home import ensure_dagster_home, open_home
from vmh_sync.orchestration.prompt_queue import PromptQueue


def test_writes_a_home_that_dagster_accepts(tmp_path: Path) -> None:
    home = ensure_dagster_home(tmp_path / "deep" / "dagster")

    with open_home(home) as instance:
        assert isinstance(instance.run_storage, SqliteRunStorage)
        assert not instance.telemetry_enabled
        assert not instance.nux_enabled
        assert instance.run_monitoring_enabled
        assert instance.run_retries_enabled
        assert not instance.run_retries_retry_on_asset_or_op_failure
        assert isinstance(instance.run_coordinator, PromptQueue)


def test_relative_home_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert ensure_dagster_home(Path("home")) == tmp_path / "home"


def test_existing_file_stays(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")

    ensure_dagster_home(tmp_path)

    assert (tmp_path / "dagster.yaml").read_text() == "telemetry: {enabled: false}\n"


def test_only_the_owner_reads_a_new_home(tmp_path: Path) -> None:
    home = ensure_dagster_home(tmp_path / "new")

    assert home.stat().st_mode & 0o077 == 0
    assert (home / "dagster.yaml").stat().st_mode & 0o077 == 0


def test_many_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        homes = list(pool.map(ensure_dagster_home, [tmp_path] * 64))

    assert set(homes) == {tmp_path}
    assert [path.name for path in tmp_path.iterdir()] == ["dagster.yaml"]
    assert yaml.safe_load((tmp_path / "dagster.yaml").read_text())["telemetry"] == {"enabled": False}
