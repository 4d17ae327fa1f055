"""One house, one holder; ports that are taken; several processes that make Dagster's storage at once."""

import os
import re
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vmh_sync.services.processes import program
from vmh_sync.services.sole_process import HomeTaken, let_go_at, require_free_port, sole_holder

HOLD = """
import pathlib, sys
from vmh_sync.services.processes import program
from vmh_sync.services.sole_process import sole_holder
with sole_holder(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
PREPARE = """
import pathlib, sys
from vmh_sync.orchestration.dagster_home import ensure_dagster_home, prepare_storage
prepare_storage(ensure_dagster_home(pathlib.Path(sys.argv[1])))
"""


def test_the_second_holder_is_told_who_holds_it_and_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    lock = tmp_path / "up.lock"
    command = [sys.executable, "-c", HOLD, str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        said = rf"läuft vmh-sync schon \(Prozess {first.pid}, seit \d\d\.\d\d\.\d{{4}} "
        with pytest.raises(HomeTaken, match=said), sole_holder(lock):
            pass
        assert let_go_at(lock) is None
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    with sole_holder(lock):
        assert str(os.getpid()) in lock.read_text()


def test_who_looks_sees_at_once_that_the_holder_was_killed_and_later_looks_agree(tmp_path: Path) -> None:
    lock = tmp_path / "up.lock"
    assert let_go_at(lock) is None, "nobody ever held it"
    command = [sys.executable, "-c", HOLD, str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        alive_at = datetime.fromtimestamp(lock.stat().st_mtime, UTC)
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
    noticed = let_go_at(lock)
    assert noticed is not None
    assert noticed >= alive_at
    assert let_go_at(lock) == noticed, "a sign of life from after the first look counts again"


def test_a_taken_port_is_named_with_the_remedy() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(HomeTaken, match=re.escape(f"Port {port} auf 127.0.0.1 ist belegt")):
            require_free_port("127.0.0.1", port, what="das Gateway", remedy="wählen Sie einen anderen")
    require_free_port("127.0.0.1", port, what="das Gateway", remedy="wählen Sie einen anderen")


def test_each_address_of_a_name_must_be_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        found = [socket.getaddrinfo(one, port, type=socket.SOCK_STREAM)[0] for one in ("127.0.0.2", "127.0.0.1")]
        found.insert(0, (socket.AddressFamily(29), *found[0][1:]))  # one that this kernel does not speak
        monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)
        with pytest.raises(HomeTaken, match=re.escape(f"Port {port} auf 127.0.0.1 ist belegt")):
            require_free_port("localhost", port, what="das Gateway", remedy="wählen Sie einen anderen")
    require_free_port("localhost", port, what="das Gateway", remedy="wählen Sie einen anderen")


def test_several_processes_may_make_dagsters_storage_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PREPARE, str(tmp_path / "dagster")]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(4)]
    said = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, said


@pytest.mark.parametrize(("command", "left"), [(["up"], ["up.lock"]), (["demo", "--once"], [])])
def test_a_command_says_in_one_sentence_that_its_port_is_taken_and_starts_nothing(
    tmp_path: Path, command: list[str], left: list[str]
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ended = subprocess.run(
            [program("vmh-sync"), *command, "--port", str(port)],
            env=os.environ
            | {
                "VMH_HOME": str(tmp_path),
                "VMH_GATEWAY_PORT": "0",
                "ESPOCRM_API_BASE_URL": "http://127.0.0.1:1/api/v1",
                "ESPOCRM_API_KEY": "key",
                **{
                    f"ADVOWARE_{name}": "x" for name in ("KANZLEI", "DATABASE", "USER", "PASSWORD", "APP_ID", "API_KEY")
                },
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ended.returncode == 1, ended.stderr
    assert f"Port {port} auf 127.0.0.1 ist belegt" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == left, "nothing was started"


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "fe80::1", "::zz", "[::1]", "a..b"])
def test_what_is_no_address_of_this_machine_is_told_before_anything_starts(host: str) -> None:
    sentence = f"Die Adresse {host} gehört nicht zu diesem Rechner, dort sollte das Gateway zu erreichen sein: "
    with pytest.raises(HomeTaken, match=re.escape(sentence)):
        require_free_port(host, 0, what="das Gateway", remedy="wählen Sie einen anderen Port")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_every_address_of_this_machine_is_good(host: str) -> None:
    require_free_port(host, 0, what="das Gateway", remedy="wählen Sie einen anderen Port")
