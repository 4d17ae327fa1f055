"""``vmh-sync up`` with the Celery launcher: the running house, its processes, and what its runs tell of themselves."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from vmh_sync.engine.passes.opening import open_database
from vmh_sync.orchestration.run_tags import TRIGGER_TAG, Trigger
from vmh_sync.services.valkey import stop_embedded
from vmh_sync.settings import VmhSettings, load
from vmh_sync.store import upgrade
from vmh_sync.stored_settings import default_url
from vmh_sync_tests.e2e.dagster_stack import DagsterStack, free_port, wait_until
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.gateway import register_webhooks
from vmh_sync_tests.fixtures.house import house_environment, running_up
from vmh_sync_tests.fixtures.sandbox import Sandbox

_FROM_OUTSIDE = ("REDIS_URL", "VMH_DATABASE_URL", "DAGSTER_HOME", "VMH_DAGSTER_URL", "VMH_RUN_WORKERS")


@dataclass
class CeleryHouse:
    """The running house; ``folder`` holds everything it writes."""

    folder: Path
    firm: Firm
    dagster: DagsterStack
    gateway_url: str
    process: subprocess.Popen[bytes]

    def processes(self, command: str) -> list[psutil.Process]:
        """The processes below ``up`` whose command line contains ``command``, the eldest first."""
        below = psutil.Process(self.process.pid).children(recursive=True)
        return [process for process in below if command in _command_line(process)]

    def party_by_webhook(self, name: str) -> tuple[str, int]:
        """A person creates a party, and its webhook starts the sync; returns both keys."""
        espo_id = self.firm.crm_party(lastName=name)
        self.deliver()
        return espo_id, int(wait_until(f"{name} is linked", lambda: self.firm.crm_record(espo_id).get("betnr")))

    def deliver(self) -> None:
        """Let EspoCRM deliver its signed webhooks; all must be taken."""
        queue = self.firm.crm.do("flush_webhooks")
        assert not queue.get("failed") and not queue.get("items"), queue

    def webhook_runs(self) -> list[str]:
        """The ids of the runs that webhooks launched, newest first."""
        mark = {"key": TRIGGER_TAG, "value": str(Trigger.WEBHOOK)}
        return [run["runId"] for run in self.dagster.runs("sync_beteiligte") if mark in run["tags"]]

    def log(self, name: str) -> str:
        """What a process wrote."""
        return (self.folder / "vmh" / "logs" / f"{name}.log").read_text()

    def process_of(self, run_id: str) -> int:
        """The number of the process that executed a run, from the run's own log; 0 while none has begun."""
        data = self.dagster.query(
            """query($id: ID!) { runOrError(runId: $id) { ... on Run { eventConnection { events {
                 ... on MessageEvent { message } } } } } }""",
            id=run_id,
        )
        for event in data["runOrError"]["eventConnection"]["events"]:
            if found := re.search(r"Started process for run \(pid: (\d+)\)", event.get("message", "")):
                return int(found[1])
        return 0


def _command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


@contextmanager
def running_house(sandbox: Sandbox, folder: Path, settings: Mapping[str, str]) -> Iterator[CeleryHouse]:
    """Run ``vmh-sync up`` with these settings and all webhooks registered; its CRM delivers on ``flush_webhooks``."""
    sandbox.reset()
    gateway_port, dagster_port = free_port(), free_port()
    gateway_url = f"http://127.0.0.1:{gateway_port}"
    environment = {**sandbox.environment, **house_environment(folder, gateway_port), **settings}
    with pytest.MonkeyPatch.context() as patch:
        for name in _FROM_OUTSIDE:
            patch.delenv(name, raising=False)
        for name, value in {**environment, "VMH_CREATE_SETTLE_SECONDS": "0.2", "VMH_LEASE_SECONDS": "5"}.items():
            patch.setenv(name, value)
        patch.setenv("ESPOCRM_WEBHOOK_SECRETS", json.dumps(register_webhooks(sandbox, gateway_url)))
        upgrade(os.environ.get("VMH_DATABASE_URL") or default_url(folder / "vmh"))
        store = open_database(load(VmhSettings))
        with running_up(folder, gateway_url, dagster_port) as process:
            dagster = DagsterStack(f"http://127.0.0.1:{dagster_port}")
            yield CeleryHouse(folder, Firm(sandbox, store), dagster, gateway_url, process)
        store.close()
        stop_embedded()
