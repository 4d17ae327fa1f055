"""``docker-compose.yaml`` without an engine: its commands, variables, mounts and health checks, as real processes.

Every service has its own root below one folder: what it does not mount it does not see. Only PostgreSQL's program is
the test's own; its databases and users are made by the script that the file mounts.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from vmh_sync.coordination.connection import connect_sync
from vmh_sync.coordination.errors import CoordinationUnavailable, translated
from vmh_sync.env_file import env_values
from vmh_sync.services.valkey import find_server
from vmh_sync_tests.e2e.dagster_stack import free_port, wait_until
from vmh_sync_tests.e2e.layout import ROOT, SCRIPTS, Program, filled_env, kill, left_in, moved
from vmh_sync_tests.fixtures.postgres import PostgresServer, binaries

_VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?:(?P<rule>:[-?+])(?P<word>[^}]*))?\})")
_SECONDS = {"s": 1, "m": 60}
_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
_DATABASES = ("postgres", "valkey")
_OWN_PROGRAM = "postgres"


class ComposeLayout:
    """The services of the file that these profiles start. ``settings`` are filled into ``.env``."""

    def __init__(self, folder: Path, settings: Mapping[str, str], profiles: set[str], ports: Mapping[str, str]) -> None:
        self.folder = folder
        self.ports = dict(ports)
        self._filled = dict(settings)
        self.gateway_url = f"http://127.0.0.1:{ports['8800']}"
        self.dagster_url = f"http://127.0.0.1:{ports['3000']}"
        filled_env(folder / ".env", settings)
        self.settings = {k: v or "" for k, v in env_values((folder / ".env").read_text(encoding="utf-8")).items()}
        raw = yaml.safe_load((ROOT / "docker-compose.yaml").read_text(encoding="utf-8"))["services"]
        chosen = {name: one for name, one in raw.items() if set(one.get("profiles", ())) <= profiles}
        self.services: dict[str, dict[str, Any]] = _interpolated(chosen, self.settings)
        self._hosts = re.compile(rf"(?:^|(?<=@)|(?<=//)|(?<=host: ))({'|'.join(raw)})(?=:\d|,|$)")
        self._image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
        self._runtime = self._image.split(" AS runtime\n")[1].split("\nFROM ")[0].replace("\\\n", " ").splitlines()
        self._unpack_image()
        self.programs = {name: self._program(name) for name in self.services if name != _OWN_PROGRAM}
        self._postgres = PostgresServer(self._made("pg"), int(ports["5432"]))
        self._started: list[str] = []

    @property
    def house(self) -> Path:
        """The image's working directory."""
        return self.folder / "image"

    @property
    def database_url(self) -> str:
        """Our database, as the file gives it to whoever syncs."""
        return self.programs["code"].environment["VMH_DATABASE_URL"]

    def start_postgres(self) -> None:
        """Start PostgreSQL empty, with passwords asked for, and run the mounted script as its image does."""
        self._postgres.start()
        (self.folder / "pg" / "data" / "pg_hba.conf").write_text(
            "local all all trust\nhost all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        )
        self._postgres.execute("SELECT pg_reload_conf()")
        scripts = [mount.split(":")[0] for mount in self.services["postgres"]["volumes"] if "initdb.d" in mount]
        for script in scripts:
            made = {**self._client, **self.services["postgres"]["environment"], "POSTGRES_USER": "postgres"}
            subprocess.run(["sh", str(ROOT / script)], env=made, check=True, timeout=60)

    def stop_postgres(self) -> None:
        """Stop PostgreSQL."""
        self._postgres.stop()

    def changed(self, profiles: set[str], settings: Mapping[str, str]) -> "ComposeLayout":
        """The same installation after a person has filled in more, to be started with these profiles."""
        other = ComposeLayout(self.folder, {**self._filled, **settings}, profiles, self.ports)
        other._postgres = self._postgres
        return other

    def up(self) -> None:
        """Start every service after what it depends on, then wait until all are healthy (``up --wait``)."""
        self._started = []
        for name in self.services:
            self._start(name)
        for name in self._started:
            self._until_healthy(name)

    def down(self) -> dict[str, int]:
        """Stop in the opposite order: whoever depends on others first, those of one rank together."""
        ended: dict[str, int] = {}
        running = {name for name in self._started if name not in ("migrate", _OWN_PROGRAM)}
        while running:
            needed = {other for name in running for other in self.services[name].get("depends_on", ())}
            rank = sorted(running - needed)
            for name in rank:
                self.programs[name].terminate()
            for name in rank:
                grace = _seconds(self.services[name].get("stop_grace_period", "10s"))
                ended[name] = self.programs[name].ended(grace)
                kill(left_in(self.folder / "roots" / name))  # with its first process a container ends
            running -= set(rank)
        return ended

    def _start(self, name: str) -> None:
        if name in self._started:
            return
        for other, how in self.services[name].get("depends_on", {}).items():
            self._start(other)
            if how["condition"] == "service_healthy":
                self._until_healthy(other)
        self._started.append(name)
        if name == _OWN_PROGRAM:
            return
        if self.services[name].get("restart") == "no":
            self.programs[name].once()
        else:
            self.programs[name].start()

    def _until_healthy(self, name: str) -> None:
        if "healthcheck" not in self.services[name]:
            return
        check = self.services[name]["healthcheck"]
        limit = _seconds(check.get("start_period", "0s")) + check["retries"] * _seconds(check["interval"])
        wait_until(f"{name} is healthy{self._wrote(name)}", lambda: self._is_healthy(name), limit)

    def _wrote(self, name: str) -> str:
        return "" if name == _OWN_PROGRAM else f" ({self.programs[name].log})"

    def _is_healthy(self, name: str) -> bool:
        check = self.services[name]["healthcheck"]
        kind, *words = (moved(word, self.ports) for word in check["test"])
        command = ["/bin/sh", "-c", *words] if kind == "CMD-SHELL" else words
        if name == _OWN_PROGRAM:
            return (
                subprocess.run(command, env=self._client, timeout=60, check=False, capture_output=True).returncode == 0
            )
        if name == "valkey":  # its client comes with the image only
            return self._valkey_answers()
        return self.programs[name].try_out(command, _seconds(check["timeout"]))

    def _valkey_answers(self) -> bool:
        client = connect_sync(self.programs["code"].environment["REDIS_URL"])
        try:
            with translated():
                return bool(client.ping())
        except CoordinationUnavailable:
            return False
        finally:
            client.close()

    @property
    def _client(self) -> dict[str, str]:
        path = f"{binaries()}{os.pathsep}{_SYSTEM_PATH}"
        return {"PATH": path, "PGHOST": "127.0.0.1", "PGPORT": self.ports["5432"]}

    def _program(self, name: str) -> Program:
        service, own = self.services[name], self._made("roots", name)
        tmp = self._made("roots", name, "tmp")
        folders = {"/var/lib/vmh": self._made("roots", name, "home")}
        memory = [one.split(":")[0] for one in service.get("tmpfs", ()) if one != "/tmp"]  # TMPDIR replaces that
        folders |= {one: self._made("roots", name, "memory") for one in memory}
        mounts = [mount.split(":")[:2] for mount in service.get("volumes", ())]
        files = [mount for mount in mounts if mount[0].startswith((".", "/"))]
        folders |= {target: self._made("volumes", source) for source, target in mounts if [source, target] not in files}
        places = {**self.ports, "/opt/vmh/bin": str(SCRIPTS)} | {
            there: str(folder) for there, folder in folders.items()
        }
        for source, target in files:
            if moved(target, places) == target:  # in no volume: only here
                places[target] = str(own / target.lstrip("/"))
            _mounted(ROOT / source, Path(moved(target, places)))
        environment = {**self._variables(name, places), "TMPDIR": str(tmp)}
        command = [moved(word, places) for word in service["command"]]
        return Program(name, command, environment, self.house, self.folder / f"{name}.log")

    def _variables(self, name: str, places: Mapping[str, str]) -> dict[str, str]:
        """The image's variables, before them those of ``.env``, before both those that the file names."""
        service = self.services[name]
        image = {"PATH": f"{self._made('bin')}:{_SYSTEM_PATH}"} if "build" not in service else self._image_variables()
        files = self.settings if service.get("env_file") == [".env"] else {}
        named = {**image, **service.get("environment", {})}
        own = {key: self._hosts.sub("127.0.0.1", moved(str(value), places)) for key, value in named.items()}
        return {**own, **files, **{key: own[key] for key in service.get("environment", {})}}

    def _image_variables(self) -> dict[str, str]:
        pairs = [pair for line in self._runtime if line.startswith("ENV ") for pair in line[4:].split()]
        found = dict(pair.split("=", 1) for pair in pairs)
        # The user's home comes from useradd.
        return {**found, "PATH": found["PATH"].replace("$PATH", _SYSTEM_PATH), "HOME": "/var/lib/vmh"}

    def _unpack_image(self) -> None:
        for line in self._runtime:
            if line.startswith("COPY ") and "--" not in line:
                *sources, target = line.split()[1:]
                for source in sources:
                    there = self._made("image", target) / Path(source).name
                    text = self._hosts.sub("127.0.0.1", (ROOT / source).read_text(encoding="utf-8"))
                    there.write_text(moved(text, self.ports) if there.name == "workspace.yaml" else text, "utf-8")
        server = self._made("bin") / "valkey-server"
        server.write_text(f'#!/bin/sh\nexec {find_server()} "$@" --bind 127.0.0.1 --port {self.ports["6379"]}\n')
        server.chmod(0o755)

    def _made(self, *parts: str) -> Path:
        made = self.folder.joinpath(*parts)
        made.mkdir(parents=True, exist_ok=True)
        return made


def own_ports() -> dict[str, str]:
    """A free port for each that the file names."""
    return {name: str(free_port()) for name in ("5432", "6379", "3000", "4000", "8800")}


def _interpolated(node: Any, values: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _interpolated(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [_interpolated(value, values) for value in node]
    return _VARIABLE.sub(lambda found: _value(found, values), node) if isinstance(node, str) else node


def _value(found: "re.Match[str]", values: Mapping[str, str]) -> str:
    if found["dollar"]:
        return "$"
    value = values.get(found["name"], "")
    assert value or found["rule"] != ":?", f"{found['name']}: {found['word']}"
    if found["rule"] == ":+":
        return found["word"] if value else ""
    return value or (found["word"] if found["rule"] == ":-" else "")


def _seconds(text: str) -> float:
    return float(text[:-1]) * _SECONDS[text[-1]]


def _mounted(source: Path, there: Path) -> None:
    there.parent.mkdir(parents=True, exist_ok=True)
    if str(source) == "/dev/null":
        there.touch()
    else:
        there.unlink(missing_ok=True)
        shutil.copyfile(source, there)
        there.chmod(0o444)
