"""``vmh-sync up``: the whole product in the foreground, with the real settings."""

import importlib.util
import os
from pathlib import Path

from vmh_sync.commands.passes.instance import dagster_environment
from vmh_sync.commands.passes.sync import prepare
from vmh_sync.commands.screens.screen import sentences
from vmh_sync.engine.installation.field_tables import field_changes
from vmh_sync.engine.passes.opening import PassSettings
from vmh_sync.gateway.http.listening import bare_host, own_place
from vmh_sync.orchestration.dagster_home import home_of, names_celery, storage_fault
from vmh_sync.orchestration.dagster_stack import HOST, start_dagster, wait_until_up
from vmh_sync.services.processes import Supervisor, program
from vmh_sync.services.signs_of_life import SignsOfLife, answers_http
from vmh_sync.services.sole_process import require_free_port, sole_holder
from vmh_sync.settings import LogSettings, SettingsError, load
from vmh_sync.store.database.file_health import UnusableFile, file_fault


def house_environment(settings: PassSettings) -> dict[str, str]:
    """Return what the children must know beyond this process's environment: absolute paths, Dagster's variables."""
    return {**dagster_environment(settings.house), "VMH_HOME": str(settings.house.home.resolve())}


def start_house(supervisor: Supervisor, settings: PassSettings, *, port: int) -> str:
    """Start gateway and Dagster; returns the address of the Dagster UI. Raises ``SettingsError``."""
    supervisor.environment = {
        **house_environment(settings),
        "VMH_DAGSTER_URL": f"http://127.0.0.1:{port}",
    }
    log = load(LogSettings)
    supervisor.log_bytes, supervisor.log_files = int(log.megabytes * 1_000_000), log.files
    os.environ.update(supervisor.environment)  # we open Dagster's storage ourselves, before the others do
    home, logs = Path(supervisor.environment["DAGSTER_HOME"]), settings.house.home / "logs"
    worker = needs_worker(home, settings.house.run_workers)
    url = start_dagster(supervisor, home, logs, port=port, log=log)
    gateway = SignsOfLife(answers_http(f"http://{own_place(settings.house)}/health"))
    supervisor.start("gateway", [program("python"), "-m", "vmh_sync.gateway"], logs, gateway)
    if settings.house.watch_seconds:
        supervisor.start_with_pulse("watch", [program("python"), "-m", "vmh_sync.watch"], logs)
    if worker:
        supervisor.start_with_pulse("run-worker", [program("python"), "-m", "vmh_sync.orchestration.run_worker"], logs)
    return url


def needs_worker(home: Path, run_workers: str | None) -> bool:
    """Whether a warm run worker is ours to keep: Dagster's home names Celery, and nobody else keeps one.

    Raises ``SettingsError`` when ``VMH_RUN_WORKERS`` and ``dagster.yaml`` contradict each other, or Celery is missing.
    """
    if not names_celery(home):
        if run_workers is None:
            return False
        raise SettingsError(
            f"VMH_RUN_WORKERS={run_workers}, aber {home / 'dagster.yaml'} nennt den CeleryRunLauncher nicht: Löschen "
            "Sie die Datei, dann wird sie neu geschrieben, oder ergänzen Sie ihn wie in deploy/dagster.celery.yaml."
        )
    if importlib.util.find_spec("dagster_celery") is None:
        raise SettingsError("Für VMH_RUN_WORKERS fehlt Celery: Installieren Sie vmh-sync[celery].")
    return run_workers != "elsewhere"


def run_up(*, port: int) -> None:
    """Bring everything up and keep it up until Ctrl-C or SIGTERM. Raises ``SettingsError``.

    Raises ``HomeTaken`` before anything starts when another process keeps this house up, or has one of the ports, and
    ``UnusableEntity`` for a package in ``VMH_ENTITIES`` that offers none.
    """
    settings = PassSettings.read()
    if settings.house.shadow:
        raise SettingsError(
            "Im Schattenbetrieb (VMH_SHADOW) läuft `up` nicht: Rufen Sie jeden Tag `vmh-sync shadow` auf, oder nehmen "
            "Sie VMH_SHADOW weg, wenn das alte System abgeschaltet ist."
        )
    field_changes(settings.sync.field_tables, settings.house.entities)  # refused here, not by every later run
    if settings.house.entities:  # so are they
        from vmh_sync.orchestration.entity_room import rooms

        rooms(settings.house.entities)
    with sole_holder(settings.house.home / "up.lock"):
        require_free_ports(settings, port=port)
        prepare(settings)
        require_usable_files(settings)
        _stay_up(settings, port=port)


def require_free_ports(settings: PassSettings, *, port: int) -> None:
    """Raise ``HomeTaken`` when somebody else listens where Dagster or the gateway shall."""
    require_free_port(
        HOST, port, what="die Dagster-Oberfläche", remedy="wählen Sie einen anderen Port mit vmh-sync up --port"
    )
    house = settings.house
    remedy = "wählen Sie einen anderen Port mit VMH_GATEWAY_PORT"
    require_free_port(bare_host(house), house.gateway_port, what="das Gateway", remedy=remedy)


def require_usable_files(settings: PassSettings) -> None:
    """Raise ``UnusableFile`` when our database's or Dagster's files are damaged, or the disk is (almost) full."""
    house = settings.house
    fault = file_fault(house.database) or storage_fault(home_of(house))
    if fault is not None:
        raise UnusableFile(str(fault))


def _stay_up(settings: PassSettings, *, port: int) -> None:
    console = sentences()
    supervisor = Supervisor()
    try:
        url = start_house(supervisor, settings, port=port)
        if wait_until_up(url, supervisor):
            console.print(f"Dagster: {url}   Gateway: http://{own_place(settings.house)}")
            console.print(f"Protokolle: {settings.house.home / 'logs'}   Ende mit Strg-C")
        elif not supervisor.stopping.is_set():
            logs = settings.house.home / "logs"
            console.print(f"Die Dagster-Oberfläche antwortet noch nicht; warum, steht in {logs}. Ende mit Strg-C")
        supervisor.watch()
    finally:
        supervisor.stop()
