"""A firm whose EspoCRM and Advoware are drawn from a seed, with people who edit and passes of the real job."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from vmh_sync.commands.passes.sync import run_sync
from vmh_sync.commands.passes.sync_order import SyncOrder
from vmh_sync.commands.passes.targets import target
from vmh_sync.engine.passes.opening import open_database
from vmh_sync.sandbox.people.edits import EditRecord
from vmh_sync.sandbox.people.parties import People
from vmh_sync.settings import VmhSettings, load
from vmh_sync.store import Store
from vmh_sync.sync.reporting.outcome import PassSummary
from vmh_sync_tests.fixtures.sandbox import ControlClient, Sandbox

Json = dict[str, Any]


@contextmanager
def drawn_sandbox(installation: int, parties: int) -> Iterator[Sandbox]:
    """Run the three systems of the drawn firm in a process of their own, populated."""
    command = [sys.executable, "-m", "vmh_sync.sandbox", "--json", "--no-google-quota", "--webhook-interval", "0"]
    command += ["--installation", str(installation), "--seed", str(installation), "--parties", str(parties)]
    with subprocess.Popen([*command, "--parent-pid", str(os.getpid())], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, f"the sandbox ended with {process.wait()} before it was up"
        description = json.loads(line)
        made = Sandbox(description, *(ControlClient(description["control"][name]) for name in _SYSTEMS))
        try:
            yield made
        finally:
            made.close()
            process.terminate()


_SYSTEMS = ("advoware", "espocrm", "google")


class DrawnFirm:
    """Passes over everything through the job, edits by people, and what both systems were asked."""

    def __init__(self, sandbox: Sandbox, seed: int) -> None:
        self.sandbox = sandbox
        self.seed = seed
        self.store: Store = open_database(load(VmhSettings))
        self.edits: list[EditRecord] = []

    def close(self) -> None:
        self.store.close()

    def one_pass(self) -> PassSummary:
        """One pass over all parties, as a person starts it."""
        summary, _ = run_sync(target("beteiligte"), SyncOrder([], "all"))
        return summary

    def people_edit(self, count: int) -> list[EditRecord]:
        """People edit both sides, each party at most once."""

        async def edit() -> list[EditRecord]:
            async with People(self.sandbox.urls, seed=self.seed + len(self.edits)) as people:
                return await people.edit_some(count, overlap=False)

        made = asyncio.run(edit())
        self.edits += made
        return made

    def until_quiet(self, limit: int = 6) -> int:
        """Passes until one sends no write to either system; returns how many writing ones it took."""
        for number in range(limit):
            if not self.writes_of_a_pass():
                return number
        raise AssertionError(f"still writing after {limit} passes: {self.writes_of_a_pass()}")

    def writes_of_a_pass(self) -> list[str]:
        """What one pass writes, such as ``PUT CBeteiligte/{id} 200``.

        What was refused is no write: a run that a person starts tries refused values again (sync-semantics.md 4).
        """
        systems = {"Advoware": self.sandbox.office, "EspoCRM": self.sandbox.crm}
        for system in systems.values():
            system.clear_calls()
        self.one_pass()
        return [
            f"{name} {call['method']} {call['path']} {call['status']}"
            for name, system in systems.items()
            for call in system.calls(last=5000)["log"]
            if call["method"] != "GET" and "Token" not in call["path"] and call["status"] != 400
        ]

    def traces(self) -> list[str]:
        """Every value that the audit log names for a record of the CRM."""
        records = self.sandbox.crm.state()["records"]
        ids = [row["id"] for name in ("CBeteiligte", "CAdressen", "CBankverbindungen") for row in records[name]]
        with self.store.reading() as tx:
            rows = [row for record_id in ids for row in tx.audit.for_record(record_id)]
        return [str(value) for row in rows for value in (row.old, row.new, row.losing_value) if value]

    def reads(self) -> int:
        """How many reads both systems answered since the last pass began."""
        systems = (self.sandbox.office, self.sandbox.crm)
        return sum(system.calls(last=0)["total"] for system in systems)
