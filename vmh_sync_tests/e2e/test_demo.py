"""The demo and ``up`` as a user runs them: real processes, from the command line."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from vmh_sync_tests.e2e.dagster_stack import free_port, wait_until
from vmh_sync_tests.fixtures.firm import Firm

pytestmark = pytest.mark.e2e

COMMAND = [sys.executable, "-c", "from vmh_sync.cli import main; main()"]


def run(
    *arguments: str, seconds: float = 240, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


class Foreign:
    """What a firm's settings name: a database, a Dagster home, servers. Tells whether anybody touched them."""

    def __init__(self, folder: Path, server: socket.socket) -> None:
        self._folder, self._server = folder, server
        (folder / "dagster").mkdir(parents=True)
        (folder / "house").mkdir()
        (folder / "firm.db").write_bytes(b"")
        (folder / "entities.json").write_text("this is no field table")
        self._before = self._look()

    def settings(self) -> dict[str, str]:
        host, port = self._server.getsockname()
        url, database = f"http://{host}:{port}", f"sqlite:///{self._folder / 'firm.db'}"
        return {
            "VMH_DATABASE_URL": database,
            "REDIS_URL": f"redis://{host}:{port}/0",
            "DAGSTER_HOME": str(self._folder / "dagster"),
            "DAGSTER_PG_HOST": host,
            "ESPOCRM_API_BASE_URL": f"{url}/api/v1",
            "ESPOCRM_API_KEY": "of-the-firm",
            "ESPOCRM_SECRET_KEY": "of-the-firm",
            "ADVOWARE_API_BASE_URL": url,
            "ADVOWARE_SECURITY_GATEWAY_URL": url,
            "GOOGLE_CALENDAR_API_ENDPOINT": url,
            "GOOGLE_CALENDAR_SUBJECT": "partner@example.test",
            "VMH_FIELD_TABLES": str(self._folder / "entities.json"),
            "VMH_ENTITIES": "a_package_of_the_firm",
            "CALENDAR_SYNC_DEBUG_KUERZEL": "XX",
        }

    def assert_untouched(self) -> None:
        assert self._look() == self._before
        with pytest.raises(BlockingIOError):
            self._server.accept()

    def _look(self) -> list[tuple[str, bytes]]:
        files = sorted(path for path in self._folder.rglob("*") if path.is_file())
        return [(str(path), path.read_bytes()) for path in files]


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[Foreign]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield Foreign(tmp_path / "firm", server)


@pytest.mark.parametrize("times", [1, pytest.param(2, marks=pytest.mark.proof)])
def test_the_demo_touches_nothing_that_the_settings_name_ends_with_both_sides_alike_and_can_be_repeated(
    foreign: Foreign, tmp_path: Path, times: int
) -> None:
    clone = tmp_path / "clone"
    place = clone / ".vmh" / "demo"
    place.mkdir(parents=True)
    for name in ("vmh_sync.sqlite3", "espocrm.env"):
        (place / name).write_text("what an earlier demo left")
    in_file = {**foreign.settings(), "VMH_HOME": str(tmp_path / "firm" / "house")}
    (clone / ".env").write_text("".join(f"{name}='{value}'\n" for name, value in in_file.items()))
    results = [run("demo", "--once", "--parties", "8", cwd=clone, **foreign.settings()) for _ in range(times)]  # type: ignore[arg-type]
    foreign.assert_untouched()
    assert "what an earlier demo left" not in (place / "vmh_sync.sqlite3").read_text(errors="replace")
    for result in results:
        assert result.returncode == 0, result.stdout + result.stderr
        assert "NICHT in Ordnung" not in result.stdout
        assert "0 verschieden, " in result.stdout
        assert "DEBUG" not in result.stderr
        for case in ("Konflikt", "Abgelehnter Wert", "Reparatur"):
            assert case in result.stdout
        assert "Warning" not in result.stderr


def test_reconcile_finds_what_differs(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(firstName="Max", lastName="Muster")
    assert run("reconcile", "--json").returncode == 0
    firm.office_edit(betnr, titel="Prof.")
    result = run("reconcile", "--json")
    assert result.returncode == 3
    assert f'"id": "{espo_id}"' in result.stdout
    assert '"field": "titel"' in result.stdout
    assert "Prof." not in result.stdout, "no values"


def test_up_starts_everything_and_leaves_nothing_behind(
    firm: Firm, firm_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    web, gateway = free_port(), free_port()
    firm_environment.setenv("VMH_GATEWAY_PORT", str(gateway))
    process = subprocess.Popen([*COMMAND, "up", "--port", str(web)], stdout=subprocess.PIPE, text=True)
    try:
        wait_until("Dagster answers", lambda: _answers(f"http://127.0.0.1:{web}/server_info"))
        wait_until("the gateway answers", lambda: _answers(f"http://127.0.0.1:{gateway}/health"))
        espo_id = firm.crm_party(lastName="Neu")
        wait_until("the sensor syncs a new party", lambda: firm.crm_record(espo_id).get("betnr"))
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    logs = {path.name: path.read_text() for path in (Path(os.environ["VMH_HOME"]) / "logs").iterdir()}
    assert "watch.log" in logs and len(logs) == 5 and not [name for name, text in logs.items() if "\x1b" in text], (
        "no colour codes"
    )
    assert not _answers(f"http://127.0.0.1:{web}/server_info")
    assert not _answers(f"http://127.0.0.1:{gateway}/health")


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def test_a_missing_setting_is_named_with_what_it_is_for(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ADVOWARE_", "ESPOCRM_"))}
    result = subprocess.run(
        [*COMMAND, "sync", "beteiligte", "--all"],
        env={**environment, "VMH_HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 2
    assert "ADVOWARE_KANZLEI fehlt" in result.stderr
    assert "Traceback" not in result.stderr
