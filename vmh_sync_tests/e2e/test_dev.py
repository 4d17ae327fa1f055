"""Dagster's own commands in a fresh clone, as `make dev` starts them, although production's file lies there."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vmh_sync_tests.e2e.dagster_stack import DagsterStack, free_port, wait_until

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
JOBS = ("sync_beteiligte", "sync_kommunikation", "sync_kalender", "repair_beteiligte", "housekeeping")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone without ``.env``: what a developer's own names must not be synced by a test."""
    for name in ("dagster.yaml", "workspace.yaml", "pyproject.toml", "vmh_sync"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".venv").symlink_to(Path(sys.prefix))
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    return tmp_path


def environment() -> dict[str, str]:
    """As a new shell has it: what another test of this process told Dagster does not count here."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("DAGSTER_", "VMH_"))}


def dev(clone: Path, *command: str) -> str:
    done = subprocess.run(
        ["sh", "scripts/dev.sh", *command],
        cwd=clone,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_jobs_are_listed_although_productions_file_lies_there(clone: Path) -> None:
    listed = dev(clone, "dagster", "job", "list")
    assert [job for job in JOBS if job not in listed] == []
    assert (clone / ".vmh" / "dagster" / "dagster.yaml").is_file()
    assert (clone / ".vmh" / "vmh_sync.sqlite3").is_file()  # the sensors of `dagster dev` look into it at once


@pytest.mark.proof
def test_dg_and_the_validation_work_too(clone: Path) -> None:
    listed = dev(clone, "dg", "list", "defs", "--json")
    assert [job for job in JOBS if f'"{job}"' not in listed] == []
    dev(clone, "dagster", "definitions", "validate")
    dev(clone, "dg", "check", "defs")


@pytest.mark.proof
def test_dagster_dev_serves_the_code_and_ends_when_told(clone: Path) -> None:
    port = free_port()
    process = subprocess.Popen(
        ["sh", "scripts/dev.sh", "dagster", "dev", "--port", str(port)],
        cwd=clone,
        env=environment(),
        start_new_session=True,
    )
    try:
        wait_until("dagster dev has loaded our code", DagsterStack(f"http://127.0.0.1:{port}").is_up, 240)
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)
