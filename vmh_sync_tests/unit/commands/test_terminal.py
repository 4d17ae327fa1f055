"""What a command writes is there when it is written, also in an image that sets PYTHONUNBUFFERED."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

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
