"""The units of ``deploy/systemd`` without systemd: their commands and variables as real processes."""

import shlex
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from vmh_sync_tests.e2e.dagster_stack import DagsterStack, free_port, wait_until
from vmh_sync_tests.e2e.layout import ROOT, SCRIPTS, Program, filled_env, kill, left_in, moved
from vmh_sync_tests.fixtures.house import is_ready

_DEFAULTS = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LANG": "C.UTF-8", "LOGNAME": "vmh"}
"""What systemd gives to every service."""
_READY_SECONDS = 120


class SystemdLayout:
    """``vmh-sync.service``, and its backup when asked for. ``settings`` are filled into the file of settings."""

    def __init__(self, folder: Path, settings: Mapping[str, str], gateway_port: str) -> None:
        self.folder = folder
        self._dagster_port = str(free_port())
        self.gateway_url = f"http://127.0.0.1:{gateway_port}"
        self.dagster_url = f"http://127.0.0.1:{self._dagster_port}"
        (folder / "etc").mkdir()
        filled_env(folder / "etc" / "vmh-sync.env", {**settings, "VMH_GATEWAY_PORT": gateway_port})
        self._house = self._programs("vmh-sync.service")
        self._main = self._house["ExecStart"][0]
        self._main.command += ["--port", self._dagster_port]

    @property
    def home(self) -> Path:
        """Where the service keeps everything."""
        return Path(self._main.environment["VMH_HOME"])

    def up(self) -> None:
        """``systemctl start``: what comes before, then the service; ready when its gateway says so."""
        for program in self._house["ExecStartPre"]:
            program.once()
        self._main.start()
        wait_until(f"the service is ready ({self._main.log})", lambda: is_ready(self.gateway_url), _READY_SECONDS)
        wait_until("Dagster is up", DagsterStack(self.dagster_url).is_up)

    def down(self) -> dict[str, int]:
        """``systemctl stop`` with ``KillMode=mixed``: a signal to the service, then the end of all that it left."""
        service = _sections(ROOT / "deploy" / "systemd" / "vmh-sync.service")
        assert service["KillMode"] == ["mixed"]
        self._main.terminate()
        ended = self._main.ended(float(service["TimeoutStopSec"][0]))
        kill(left_in(self.folder))
        return {self._main.name: ended}

    def back_up(self) -> list[Path]:
        """``systemctl start vmh-sync-backup``; returns the backups there are afterwards."""
        backup = self._programs("vmh-sync-backup.service")
        for program in (*backup["ExecStart"], *backup["ExecStartPost"]):
            program.once()
        return sorted((self.folder / "vmh-sync-backups").iterdir())

    def _programs(self, unit: str) -> dict[str, list[Program]]:
        """The programs of a unit by the name of their setting."""
        service = _sections(ROOT / "deploy" / "systemd" / unit)
        places = {"/opt/vmh-sync/.venv/bin": str(SCRIPTS), "/etc/vmh-sync": str(self.folder / "etc")}
        for name in service["StateDirectory"]:
            (self.folder / name).mkdir(exist_ok=True)
        for name in ("vmh-sync", "vmh-sync-backups"):
            places[f"/var/lib/{name}"] = str(self.folder / name)
        tmp = self.folder / "tmp"
        tmp.mkdir(exist_ok=True)
        given = dict(pair.split("=", 1) for line in service["Environment"] for pair in shlex.split(line))
        files = [Path(moved(file, places)) for file in service["EnvironmentFile"]]
        # A file goes before Environment=. The home of the user is hidden (ProtectHome).
        environment = {**_DEFAULTS, "HOME": str(self.folder / "hidden"), "TMPDIR": str(tmp)}
        environment |= {name: moved(value, places) for name, value in given.items()}
        environment |= {name: value for file in files for name, value in _variables(file).items()}
        (folder,) = (Path(moved(one, places)) for one in service["WorkingDirectory"])
        programs: dict[str, list[Program]] = defaultdict(list)
        for setting in ("ExecStartPre", "ExecStart", "ExecStartPost"):
            for line in service[setting]:
                command = [moved(word, places) for word in shlex.split(line)]
                programs[setting].append(Program(unit, command, environment, folder, self.folder / f"{unit}.log"))
        return programs


def _sections(unit: Path) -> defaultdict[str, list[str]]:
    """The settings of a unit, each with all its values (systemd lets them stand several times)."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for line in unit.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found[name].append(value)
    return found


def _variables(file: Path) -> dict[str, str]:
    """A file of variables as systemd reads it: nothing is replaced, quotes around a value go."""
    lines = file.read_text(encoding="utf-8").splitlines()
    pairs = [line.split("=", 1) for line in lines if "=" in line and not line.lstrip().startswith(("#", ";"))]
    return {name.strip(): _unquoted(value.strip()) for name, value in pairs}


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value
