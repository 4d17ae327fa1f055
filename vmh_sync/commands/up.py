"""``vmh-sync up``: the whole product in the foreground, with the real settings."""

from pathlib import Path

from rich.console import Console

from vmh_sync.commands.instance import dagster_home
from vmh_sync.commands.sync import prepare
from vmh_sync.runtime.opening import HouseSettings
from vmh_sync.services.dagster_stack import start_dagster, wait_until_up
from vmh_sync.services.processes import Supervisor, program


def house_environment(settings: HouseSettings) -> dict[str, str]:
    """Return what the children must know beyond this process's environment: absolute paths."""
    return {"DAGSTER_HOME": dagster_home(settings.house), "VMH_HOME": str(settings.house.home.resolve())}


def start_house(supervisor: Supervisor, settings: HouseSettings, *, port: int) -> str:
    """Start gateway and Dagster; returns the address of the Dagster UI."""
    supervisor.environment = {
        **house_environment(settings),
        "VMH_DAGSTER_URL": f"http://127.0.0.1:{port}",
    }
    logs = settings.house.home / "logs"
    url = start_dagster(supervisor, Path(supervisor.environment["DAGSTER_HOME"]), logs, port=port)
    supervisor.start("gateway", [program("python"), "-m", "vmh_sync.gateway"], logs)
    return url


def run_up(*, port: int) -> None:
    """Bring everything up and keep it up until Ctrl-C or SIGTERM. Raises ``SettingsError``."""
    settings = HouseSettings.read()
    prepare(settings)
    console = Console()
    supervisor = Supervisor()
    try:
        url = start_house(supervisor, settings, port=port)
        if wait_until_up(url, supervisor):
            console.print(
                f"Dagster: {url}   Gateway: http://{settings.house.gateway_host}:{settings.house.gateway_port}"
            )
            console.print(f"Protokolle: {settings.house.home / 'logs'}   Ende mit Strg-C")
        supervisor.watch()
    finally:
        supervisor.stop()
