"""What a command writes is there when it is written, also in an image that sets PYTHONUNBUFFERED."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import vmh_sync

WRITES = """
import os, sys
from vmh_sync.commands.screens.terminal import prepare_output
prepare_output()
sys.stderr.write("Fortschritt für Müller\\n")
os._exit(0)
"""


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_line_of_progress_is_not_kept_until_the_command_ends(tmp_path: Path, unbuffered: str) -> None:
    told = tmp_path / "log"
    with told.open("w") as log:
        environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
        subprocess.run([sys.executable, "-c", WRITES], stderr=log, env=environment, check=True)
    assert told.read_text() == "Fortschritt für Müller\n"


def test_no_console_makes_pictures_of_words_between_colons() -> None:
    """Rich prints ``vmh:bell:`` and a title with ``:house:`` in it as pictures unless it is told not to."""
    made = [
        (path, call)
        for path in Path(vmh_sync.__file__).parent.rglob("*.py")
        for call in re.findall(r"\bConsole\(([^)]*)", path.read_text(encoding="utf-8"))
    ]
    assert made
    assert [str(path) for path, call in made if "emoji=False" not in call] == []
