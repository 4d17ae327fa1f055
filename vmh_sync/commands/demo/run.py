"""``vmh-sync demo``: a made-up firm, from the first load to the Dagster UI.

It keeps its state in a folder of its own (:mod:`vmh_sync.commands.demo.place`), emptied at the start, and touches
nothing else, whatever the settings name.
"""

import asyncio
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from vmh_sync.commands.demo.calendars import calendar_story
from vmh_sync.commands.demo.cases import Cases, cases_table
from vmh_sync.commands.demo.place import demo_home, export_lines, move_into, variables, write_variables
from vmh_sync.commands.demo.tables import closing_table, edits_table, tasks_table
from vmh_sync.commands.demo.webhooks import register_webhooks
from vmh_sync.commands.installation.up import start_house
from vmh_sync.commands.looking.reconcile import print_report, run_reconcile
from vmh_sync.commands.passes.pass_progress import shown_pass
from vmh_sync.commands.passes.sync import run_sync
from vmh_sync.commands.passes.sync_order import SyncOrder
from vmh_sync.commands.passes.targets import target
from vmh_sync.commands.screens.output import print_summary
from vmh_sync.engine.passes.opening import PassSettings
from vmh_sync.gateway.pages.morning_page import PATH as MORNING
from vmh_sync.orchestration.dagster_stack import HOST, free_port, wait_until_up
from vmh_sync.sandbox.people.edits import EditRecord
from vmh_sync.sandbox.people.parties import People
from vmh_sync.services.processes import Supervisor, program
from vmh_sync.services.sole_process import require_free_port, sole_holder
from vmh_sync.services.valkey import stop_embedded
from vmh_sync.sync.reporting.outcome import PassSummary

PORT = 3000
MOST_PASSES = 6
EDIT_EVERY_SECONDS = 6.0
LONGEST_SHOWN = 120
READ_KEY = "nur-erfundene-daten"
"""Opens the demo's page ``/morgen``; easy to type, for it guards nothing."""


@dataclass(frozen=True, slots=True)
class DemoOrder:
    """What kind of demo: ``parties`` is the size of the firm; ``port`` is None when nobody named one."""

    once: bool
    parties: int
    seed: int
    port: int | None = None


def run_demo(order: DemoOrder) -> int:
    """Run the demo; returns the exit code: 0 when in the end both sides agree, else 1.

    Raises ``HomeTaken`` before anything starts when somebody has the port that was named or is needed.
    """
    home = demo_home()
    if order.port is not None or not order.once:
        remedy = "wählen Sie einen anderen Port mit vmh-sync demo --port"
        require_free_port(HOST, _port(order), what="die Dagster-Oberfläche", remedy=remedy)
    with sole_holder(home.parent / "demo.lock"):
        return _run(order, home)


def _port(order: DemoOrder) -> int:
    return PORT if order.port is None else order.port


def _run(order: DemoOrder, home: Path) -> int:
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True, mode=0o700)
    move_into(home)
    console = Console(emoji=False)
    with _sandbox(order) as sandbox:
        os.environ.update(sandbox["environment"])
        try:
            agrees = _story(console, order, sandbox["control"])
            if not order.once:
                _stay_up(console, order, home, sandbox["control"])
        finally:
            stop_embedded()
    return 0 if agrees else 1


@contextmanager
def _sandbox(order: DemoOrder) -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "vmh_sync.sandbox", "--json", "--parent-pid", str(os.getpid())]
    command += ["--parties", str(order.parties), "--seed", str(order.seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own module
        if process.stdout is None:
            raise RuntimeError("the sandbox has no output")
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


def _story(console: Console, order: DemoOrder, urls: Mapping[str, str]) -> bool:
    console.rule(f"Eine Kanzlei mit {order.parties} Beteiligten: erster Abgleich")
    _passes()
    console.rule("Auf beiden Seiten wird gearbeitet")
    count = max(10, order.parties // 4)
    edits = asyncio.run(_edit(urls, order.seed, count))
    console.print(edits_table(edits))
    console.rule("Abgleich der Änderungen")
    _passes()
    console.rule("Drei Fälle für Menschen")
    steps = Cases(urls).play()
    console.print(cases_table(steps))
    console.print(tasks_table(urls["espocrm"]))
    console.rule("Ergebnis")
    report = run_reconcile()
    print_report(report)
    console.print(closing_table(report))
    calendars_agree = calendar_story(console, urls, order.seed)
    return report.agrees and calendars_agree and all(step.good for step in steps)


def _passes() -> None:
    """Sync until a pass writes nothing, and show what each did."""
    for _ in range(MOST_PASSES):
        started = time.monotonic()
        with shown_pass("Beteiligte") as progress:
            summary, _ = run_sync(target("beteiligte"), SyncOrder((), "all"), progress=progress)
        print_summary(f"in {time.monotonic() - started:.1f} s", summary)
        if _is_quiet(summary):
            return


def _is_quiet(summary: PassSummary) -> bool:
    return not any(summary.writes.values()) and not summary.failures


async def _edit(urls: Mapping[str, str], seed: int, count: int) -> Sequence[EditRecord]:
    async with People(urls, seed=seed) as people:
        return await people.edit_some(count)


def _stay_up(console: Console, order: DemoOrder, home: Path, urls: Mapping[str, str]) -> None:
    gateway_port = free_port()
    os.environ["VMH_GATEWAY_PORT"] = str(gateway_port)
    key = {"name": "demo", "key": READ_KEY, "scopes": ["read"]}
    os.environ["VMH_API_KEYS"] = json.dumps([key])
    register_webhooks(f"http://{HOST}:{gateway_port}")
    settings = PassSettings.read()
    port = _port(order) or free_port()
    supervisor = Supervisor()
    rounds = Counter[str]()
    last = time.monotonic()

    def people_work() -> None:
        nonlocal last
        if time.monotonic() - last >= EDIT_EVERY_SECONDS:
            rounds["edits"] += 1
            asyncio.run(_edit(urls, order.seed + rounds["edits"], 1))
            last = time.monotonic()

    try:
        url = start_house(supervisor, settings, port=port)
        if wait_until_up(url, supervisor):
            _tell_pages(console, url, f"http://{HOST}:{gateway_port}")
            _tell_how_to_reach(console, home)
            console.print("Alle paar Sekunden ändert jemand etwas. Ende mit Strg-C.")
        supervisor.watch(people_work)
    finally:
        supervisor.stop()


def _tell_pages(console: Console, dagster: str, gateway: str) -> None:
    lines = (
        f"Der Morgen auf einer Seite: {gateway}{MORNING}   (Name beliebig, Kennwort: {READ_KEY})",
        f"Dagster-Oberfläche: {dagster}   Gateway: {gateway}/docs",
    )
    console.print()
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)


def _tell_how_to_reach(console: Console, home: Path) -> None:
    named = variables(home)
    file = write_variables(home, named)
    console.print(f"\nDiese Variablen zeigen vmh-sync auf die Demo (alles ist erfunden; die langen stehen in {file}):")
    for line in export_lines({name: value for name, value in named.items() if len(value) <= LONGEST_SHOWN}):
        console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
    console.print("In einem zweiten Fenster, unabhängig von einer eigenen .env:")
    command = program("vmh-sync")
    for line in (f". {shlex.quote(str(file))}", f"{command} doctor", f"{command} sync beteiligte --all --dry-run"):
        console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
