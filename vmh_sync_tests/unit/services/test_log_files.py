"""Log files stay small, and hold no colour codes."""

import json
import logging
import subprocess
import sys
from pathlib import Path

from vmh_sync.services.log_format import JsonLines
from vmh_sync.services.processes import rotate


def test_a_log_that_has_grown_is_moved_away_and_its_writer_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "web.log"
    with file.open("ab", buffering=0) as writer:
        for number in range(4):
            writer.write(f"line {number}\n".encode())
            assert rotate(file, most_bytes=5, keep=2)
        writer.write(b"end\n")
    assert not rotate(file, most_bytes=5, keep=2)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "web.log": "end\n",
        "web.log.1": "line 3\n",
        "web.log.2": "line 2\n",
    }
    assert not rotate(tmp_path / "absent.log", most_bytes=5, keep=2)


def test_dagsters_programs_write_no_colour_codes_into_files() -> None:
    code = (
        "from dagster._utils.log import configure_loggers; import logging, sys; sys.argv = ['x'];"
        "from vmh_sync.orchestration import dagster_program as p; {} configure_loggers();"
        "logging.getLogger('dagster').error('said')"
    )

    def logged(before: str) -> str:
        command = [sys.executable, "-c", code.format(before)]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout

    assert "\x1b" in logged("")
    plain = logged("p.without_colours();")
    assert "\x1b" not in plain and "ERROR - said" in plain


def test_a_message_is_one_line_of_json_with_the_trace_of_its_exception() -> None:
    try:
        int("none\nat all")
    except ValueError:
        record = logging.getLogger("vmh").makeRecord("vmh", 40, "f", 1, "said %s\ntwice", ("so",), sys.exc_info())
    line = JsonLines().format(record)
    assert "\n" not in line
    entry = json.loads(line)
    assert (entry["level"], entry["logger"], entry["message"]) == ("error", "vmh", "said so\ntwice")
    assert "ValueError" in entry["trace"] and entry["time"].endswith("+00:00")
