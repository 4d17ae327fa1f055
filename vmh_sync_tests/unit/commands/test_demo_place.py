"""The demo's environment, and the file that takes another window there."""

import os
import subprocess
from pathlib import Path

import pytest

from vmh_sync.commands.demo.place import demo_home, move_into, write_variables
from vmh_sync.settings import VmhSettings


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", dict(os.environ) | {"VMH_DATABASE_URL": "sqlite:///of-the-firm"})
    return tmp_path


def test_a_home_that_the_file_of_settings_names_is_the_firms_and_not_the_demos(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VMH_HOME", raising=False)
    (here / ".env").write_text("VMH_HOME=/var/lib/of-the-firm\n")
    assert demo_home() == here / ".vmh" / "demo"
    monkeypatch.setenv("VMH_HOME", str(here / "elsewhere"))
    assert demo_home() == here / "elsewhere" / "demo"


def test_the_file_of_variables_leaves_no_setting_of_the_firm_in_force(here: Path) -> None:
    home = here / "a demo's place"
    home.mkdir()
    (here / ".env").write_text("VMH_BATCH_SIZE=7\n")
    move_into(home)
    assert "VMH_DATABASE_URL" not in os.environ and Path.cwd() == home
    file = write_variables(home, {"VMH_HOME": str(home), "ADVOWARE_PASSWORD": "it's made up; $HOME"})
    firms = {"PATH": os.environ["PATH"], "VMH_BATCH_SIZE": "9", "GOOGLE_CALENDAR_SUBJECT": "partner@example.test"}
    shown = subprocess.run(
        ["sh", "-c", '. "$1"; pwd; env', "sh", str(file)],
        cwd=here,
        env=firms,
        text=True,
        check=True,
        capture_output=True,
    ).stdout.splitlines()
    assert shown[0] == str(home)
    assert "ADVOWARE_PASSWORD=it's made up; $HOME" in shown and f"VMH_HOME={home}" in shown
    assert not [line for line in shown if line.startswith(("VMH_BATCH_SIZE", "GOOGLE_CALENDAR"))]
    assert file.stat().st_mode & 0o077 == 0
    assert VmhSettings.model_config.get("env_file") in (None, ".env"), "a path that depends on the working directory"
