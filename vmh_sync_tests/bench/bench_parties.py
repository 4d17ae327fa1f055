"""What a pass over parties costs: calls per record, share of a bare loop.

Run: ``python -m vmh_sync_tests.bench parties [number]``. Prints ratios and call counts; seconds only beside them.
"""

import asyncio
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx

from vmh_sync.beteiligte import batch as stages
from vmh_sync.beteiligte.composition import PARTS
from vmh_sync.beteiligte.selection import Selection, select
from vmh_sync.clock import SystemClock
from vmh_sync.commands.passes.sync import run_sync
from vmh_sync.commands.passes.sync_order import SyncOrder
from vmh_sync.commands.passes.targets import target
from vmh_sync.engine.passes.opening import open_context
from vmh_sync.sandbox.made_up.population import populate
from vmh_sync.settings import AdvowareSettings, load
from vmh_sync.systems.advoware.client import open_advoware
from vmh_sync.systems.advoware.token import MemoryTokenCache, StoredToken
from vmh_sync_tests.bench.figures import note
from vmh_sync_tests.bench.sandbox_systems import Systems, running_systems

EDITED = 100
FIRST_LOAD_AIM = 15
"""Milliseconds of CPU a party, with Dagster's run."""
ROUNDS = 3
LATENCIES = (0, 30, 150)
"""Milliseconds that each system takes longer for an answer."""
COMMANDS = (
    ("sync --dirty, nothing to do", 1.2, ("sync", "beteiligte", "--dirty")),
    ("--help", 0.3, ("--help",)),
)
"""Commands that have nothing to do, each with its aim in seconds."""
VERSIONED = ("CBeteiligte", "CAdressen", "CBankverbindungen")
"""What ``crm setup`` lets EspoCRM keep versions of."""


def main(number: int = 1_000) -> None:
    """Print all figures."""
    _measure_first_load(number)
    with running_systems() as systems, tempfile.TemporaryDirectory(prefix="vmh-bench-") as home:
        os.environ.update(systems.environment, VMH_HOME=home)
        systems.crm.do("set_switch", optimistic=dict.fromkeys(VERSIONED, True))
        fill(systems, number)
        _until_quiet()
        unchanged = _counted(systems, one_pass)
        _print("unchanged pass", unchanged, number)
        print(f"  without Dagster's run: {asyncio.run(_cpu_alone()) * 1000:.2f} ms CPU a record")
        _print_share(systems, number)
        for side in ("EspoCRM", "Advoware"):
            edited = _edit(systems, side)
            changed = _counted(systems, one_pass)
            _print(f"{edited} of {number} edited in {side}", changed, edited)
            note(f"calls more, changed in {side}", (_total(changed) - _total(unchanged)) / edited)
            _until_quiet()
        _print_commands()


def fill(systems: Systems, number: int) -> None:
    """Give both systems a made-up firm of so many parties."""
    population = populate(1, number, now=datetime.now(UTC), calendar=False)
    systems.office.seed(**population.office)
    systems.crm.seed(**population.crm)


def _total(figures: dict[str, Any]) -> int:
    return sum(calls["total"] for calls in figures["calls"].values())


def one_pass() -> Any:
    """Run a pass over all parties, as the command does; returns its summary."""
    # Edits in Advoware are found by reading all, as the rolling check does.
    summary, _ = run_sync(target("beteiligte"), SyncOrder((), "all"))
    return summary


def _until_quiet() -> None:
    for _ in range(6):
        summary = one_pass()
        if not any(summary.writes.values()):
            one_pass()  # the stamps of our own writes have settled by now
            return
    raise RuntimeError("both sides do not come to rest")


def _counted(systems: Systems, work: Any) -> dict[str, Any]:
    systems.clear_calls()
    started, before = time.perf_counter(), cpu_seconds()
    summary = work()
    figures = {"seconds": time.perf_counter() - started, "cpu": cpu_seconds() - before}
    return {**figures, "calls": systems.calls(), "summary": summary}


def _measure_first_load(number: int) -> None:
    for versions in (False, True):
        with running_systems() as systems, tempfile.TemporaryDirectory(prefix="vmh-bench-") as home:
            os.environ.update(systems.environment, VMH_HOME=home)
            systems.crm.do("set_switch", optimistic=dict.fromkeys(VERSIONED, versions))
            fill(systems, number)
            with_versions = "with versions (as crm setup leaves it)" if versions else "without versions"
            figures = _counted(systems, one_pass)
            _print(f"first load of {number} parties, EspoCRM {with_versions}", figures, number)
            print(f"  CPU a party in the first load: {figures['cpu'] / number * 1000:.1f} ms (aim {FIRST_LOAD_AIM} ms)")
            note("first load: CPU a party", figures["cpu"] / number * 1000)  # the last one stays: with versions
            for system, name in (("advoware", "Advoware"), ("espocrm", "EspoCRM")):
                note(f"first load: calls a party, {name}", figures["calls"][system]["total"] / number)


async def _cpu_alone() -> float:
    """Return the CPU seconds a record of a pass that is no Dagster run: fetch, map, diff and write."""
    async with open_context("bench") as context:
        ids = await select(context, Selection.ALL)
        before = cpu_seconds()
        batch = await stages.fetch(context, PARTS, ids)
        stages.diff(PARTS, stages.map_fields(batch))
        await stages.write(context, PARTS, batch)
        return (cpu_seconds() - before) / len(ids)


def _print(title: str, figures: dict[str, Any], records: int) -> None:
    cpu = figures["cpu"] / records * 1000
    print(f"\n{title}: {figures['summary'].to_json()['writes']}, {cpu:.2f} ms CPU a record")
    for system, calls in figures["calls"].items():
        print(f"  {system}: {calls['total']} calls, {calls['total'] / records:.2f} a record, {calls['writes']} writes")
        for route, count in sorted(calls["by_route"].items()):
            print(f"    {route}: {count}")


def _edit(systems: Systems, side: str) -> int:
    linked = [row for row in systems.crm.state()["records"]["CBeteiligte"] if row.get("betnr")][:EDITED]
    for row in linked:
        if side == "EspoCRM":
            systems.crm.edit("CBeteiligte", "update", id=row["id"], values={"zusatz": f"geändert {row['id'][:4]}"})
        else:
            systems.office.edit("Beteiligte", "update", betNr=row["betnr"], values={"titel": f"T{row['betnr']}"})
    return len(linked)


def _print_share(systems: Systems, number: int) -> None:
    """Compare a pass with a bare loop that makes the same calls; the two in turn, so that drift hits both.

    ``number`` is how many records; each system answers later and later. CPU is this process's, user and system: it says
    something on a busy machine, too.
    """
    betnrs = [party["betNr"] for party in systems.office.state()["beteiligte"]]
    lists = sum(systems.crm.calls(last=1)["by_route"].values())
    for milliseconds in LATENCIES:
        _answer_after(systems, milliseconds)
        bare, ours = [], []
        for _ in range(ROUNDS):
            bare.append(asyncio.run(_bare_loop(betnrs, lists)))
            ours.append(_spent(one_pass))
        (wall, cpu), (our_wall, our_cpu) = _medians(bare), _medians(ours)
        print(
            f"  {milliseconds} ms: bare loop {wall:.2f} s, {cpu * 1000 / number:.2f} ms CPU a record; "
            f"pass {our_wall:.2f} s, {our_cpu * 1000 / number:.2f} ms CPU; "
            f"ratio {our_wall / wall:.2f}, of CPU {our_cpu / cpu:.2f}"
        )
        note(f"unchanged pass / bare httpx loop, {milliseconds} ms", our_wall / wall)
        if not milliseconds:
            note("CPU a record, unchanged", our_cpu * 1000 / number)
    _answer_after(systems, 0)


def _answer_after(systems: Systems, milliseconds: int) -> None:
    for system in (systems.office, systems.crm):
        system.clear_faults()
        if milliseconds:
            system.fault("/api/", "latency", seconds=milliseconds / 1000, times=None)


def _spent(work: Callable[[], object]) -> tuple[float, float]:
    started, cpu = time.perf_counter(), cpu_seconds()
    work()
    return time.perf_counter() - started, cpu_seconds() - cpu


def cpu_seconds() -> float:
    """What this process has used, user and system, all threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _medians(spent: list[tuple[float, float]]) -> tuple[float, float]:
    return statistics.median(wall for wall, _ in spent), statistics.median(cpu for _, cpu in spent)


async def _bare_loop(betnrs: list[int], lists: int) -> tuple[float, float]:
    token = await _token()
    api = f"{token.api_base.rstrip('/')}/api/v1/advonet/Beteiligte"
    crm = os.environ["ESPOCRM_API_BASE_URL"]
    headers = {"Authorization": f"Bearer {token.access_token}"}
    key = {"X-Api-Key": os.environ["ESPOCRM_API_KEY"], "X-No-Total": "true"}
    limit = asyncio.Semaphore(8)
    async with httpx.AsyncClient(trust_env=False) as http:
        started, cpu = time.perf_counter(), cpu_seconds()

        async def read(betnr: int) -> None:
            async with limit:
                (await http.get(f"{api}/{betnr}", headers=headers)).raise_for_status().json()

        for _ in range(lists):
            (await http.get(f"{crm}/CBeteiligte", params={"maxSize": 100}, headers=key)).raise_for_status().json()
        await asyncio.gather(*(read(betnr) for betnr in betnrs))
        return time.perf_counter() - started, cpu_seconds() - cpu


async def _token() -> StoredToken:
    cache = MemoryTokenCache()
    async with open_advoware(load(AdvowareSettings), token_cache=cache, clock=SystemClock()) as client:
        await client.list_mitarbeiter()
    token = await cache.get()
    assert token is not None
    return token


def _print_commands() -> None:
    """What commands cost that have nothing to do: seconds, and CPU of the command and what it starts."""
    for title, aim, words in COMMANDS:
        spent = [_command(words) for _ in range(ROUNDS + 1)][1:]  # the first one compiles
        wall, cpu = _medians(spent)
        print(f"\n{title}: {wall:.2f} s (aim {aim} s), {cpu:.2f} s CPU")
        note(title, wall)


def _command(words: tuple[str, ...]) -> tuple[float, float]:
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    program = "from vmh_sync.cli import main; main()"
    subprocess.run([sys.executable, "-c", program, *words], check=True, capture_output=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
