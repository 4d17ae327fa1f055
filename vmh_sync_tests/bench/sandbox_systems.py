"""The simulated systems for the benchmarks, in a process each, so that they do not share a core."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from vmh_sync_tests.fixtures.sandbox import ControlClient


class Systems:
    """Both systems and the environment that points the product at them."""

    def __init__(self, environment: dict[str, str], office: ControlClient, crm: ControlClient) -> None:
        self.environment = environment
        self.office = office
        self.crm = crm

    def clear_calls(self) -> None:
        """Count from zero."""
        self.office.clear_calls()
        self.crm.clear_calls()

    def calls(self) -> dict[str, dict[str, Any]]:
        """Calls since :meth:`clear_calls`, per system."""
        return {"advoware": self.office.calls(last=1), "espocrm": self.crm.calls(last=1)}


@contextmanager
def running_systems(webhook_interval: float = 0) -> Iterator[Systems]:
    """Start both systems, empty; the CRM delivers webhooks every so many seconds (0: never)."""
    with ExitStack() as stack:
        office = stack.enter_context(system_process("office"))
        crm = stack.enter_context(system_process("crm", webhook_interval))
        environment = {**office["environment"], **crm["environment"]}
        yield Systems(
            environment, ControlClient(office["control"]["advoware"]), ControlClient(crm["control"]["espocrm"])
        )


@contextmanager
def system_process(name: str, webhook_interval: float = 0) -> Iterator[dict[str, Any]]:
    """Start one system (office, crm or google); yields what ``--json`` prints."""
    command = [sys.executable, "-m", "vmh_sync.sandbox", "--json", "--only", name]
    command += ["--webhook-interval", str(webhook_interval)]
    with subprocess.Popen([*command, "--parent-pid", str(os.getpid())], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()
