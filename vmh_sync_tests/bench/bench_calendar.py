"""What a calendar pass costs: calls per employee, and how much of Google's quota a first load uses.

Run: ``python -m vmh_sync_tests.bench calendar [quota]``; ``quota`` is units a minute (default 3000). The first load
takes a little more than a minute, the span over which Google counts. Two processes share it and one Redis, as two
Dagster runs do.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from vmh_sync.kalender import batch as stages
from vmh_sync.kalender.calendars import Calendars
from vmh_sync.kalender.context import CalendarSettings, open_calendar
from vmh_sync.services.valkey import ensure_redis, stop_embedded
from vmh_sync.settings import VmhSettings, load
from vmh_sync.store import upgrade
from vmh_sync.stored_settings import default_url
from vmh_sync.sync.reporting.outcome import PassSummary
from vmh_sync_tests.bench.sandbox_systems import system_process
from vmh_sync_tests.fixtures.sandbox import ControlClient

Json = dict[str, Any]
EMPLOYEES = 8
PROCESSES = 2
LOAD_SECONDS = 70  # more than the minute over which Google counts
MOST_PASSES = 6
MOST_CALLS = 4_500  # the sandbox remembers 5000
WINDOWS = (1.0, 10.0, 60.0)
API = "/calendar/v3/"


@dataclass(frozen=True)
class Offices:
    """The simulated Advoware and Google."""

    office: ControlClient
    google: ControlClient


def main(quota: int = 3_000) -> None:
    """Print all figures."""
    with running() as systems, home() as path:
        os.environ.update(VMH_HOME=path, GOOGLE_CALENDAR_QUOTA_PER_MINUTE=str(quota))
        systems.google.do("set", user_quota=quota, project_quota=None)
        upgrade(default_url(load(VmhSettings).home))
        ensure_redis(load(VmhSettings).home, None)
        per_employee = min(quota * LOAD_SECONDS // 60, MOST_CALLS) // EMPLOYEES
        _seed(systems, per_employee)
        print(f"command: python -m vmh_sync_tests.bench calendar {quota}")
        _first_load(systems, quota, per_employee)
        # The rest counts calls; it need not wait for the quota that the first load has used up.
        os.environ["GOOGLE_CALENDAR_QUOTA_PER_MINUTE"] = "600000"
        systems.google.do("set", user_quota=None)
        _until_quiet()
        _counted(systems, "unchanged pass", EMPLOYEES)
        _edit_office(systems)
        _counted(systems, "one appointment per employee edited in Advoware", EMPLOYEES)
        _until_quiet()
        _edit_google(systems)
        _counted(systems, "one event per employee edited in Google", EMPLOYEES)


@contextmanager
def home() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="vmh-bench-", ignore_cleanup_errors=True) as path:
        try:
            yield path
        finally:
            stop_embedded()


@contextmanager
def running() -> Iterator[Offices]:
    with system_process("office") as office, system_process("google") as google:
        os.environ.update({**office["environment"], **google["environment"]})
        yield Offices(ControlClient(office["control"]["advoware"]), ControlClient(google["control"]["google"]))


def _names() -> list[str]:
    return [f"B{number}" for number in range(EMPLOYEES)]


def _seed(systems: Offices, per_employee: int) -> None:
    people = [{"kuerzel": name, "name": name, "aktiv": True} for name in _names()]
    first = datetime.now(UTC).date() + timedelta(days=1)
    termine = []
    for name in _names():
        for number in range(per_employee):
            day = f"{(first + timedelta(days=number // 8)).isoformat()}T00:00:00"
            hour = f"{8 + number % 8:02d}"
            times = {"datum": day, "datumBis": day, "uhrzeitVon": f"{hour}:00:00", "uhrzeitBis": f"{hour}:45:00"}
            termine.append({"sb": name, "text": f"Verhandlung {number}", **times})
    systems.office.seed(mitarbeiter=people, termine=termine)


def _first_load(systems: Offices, quota: int, per_employee: int) -> None:
    systems.google.clear_calls()
    command = [sys.executable, "-m", "vmh_sync_tests.bench.bench_calendar", "--load"]
    parts = [_names()[place::PROCESSES] for place in range(PROCESSES)]
    running = [subprocess.Popen([*command, *part], stdout=subprocess.PIPE, text=True) for part in parts]
    said = [process.communicate()[0].strip() for process in running]
    if any(process.returncode for process in running):
        raise RuntimeError("a loading process failed")
    print(f"\nfirst load: {EMPLOYEES} employees, {per_employee} appointments each, {PROCESSES} processes: {said}")
    _print_quota(systems, quota)


def _print_quota(systems: Offices, quota: int) -> None:
    calls = systems.google.calls(last=5_000)
    log = [one for one in calls["log"] if one["path"].startswith(API)]
    refused = [one for one in log if one["status"] in (403, 429)]
    # A patch costs three units, everything else one (specification, kalender.md 1).
    units = [(datetime.fromisoformat(one["at"]).timestamp(), 3 if one["method"] == "PATCH" else 1) for one in log]
    spent = sum(cost for _, cost in units)
    seconds = units[-1][0] - units[0][0]
    burst = max(3, min(10, quota // 100))  # as vmh_sync.kalender.context.quota_bucket has it
    print(f"  {spent} units in {seconds:.1f} s; steady flow: {_steady_share(units, quota):.1%} of the quota of {quota}")
    print(f"  refused by Google's quota: {systems.google.state()['quota']['refused']} (403 and 429: {len(refused)})")
    for window in WINDOWS:
        most = _most_in(units, window)
        # A burst after a pause comes on top of the steady flow; over a minute both together are the quota.
        allowed = (quota - burst) * window / 60 + burst
        print(f"  busiest {window:.0f} s: {most} units of {allowed:.0f} that may go out in that time")


def _steady_share(units: Sequence[tuple[float, int]], quota: int) -> float:
    edge = len(units) // 10
    middle = units[edge:-edge]
    return sum(cost for _, cost in middle[1:]) / ((middle[-1][0] - middle[0][0]) * quota / 60)


def _most_in(units: Sequence[tuple[float, int]], window: float) -> int:
    """Return the largest number of units in any half-open span of ``window`` seconds."""
    most = used = begin = 0
    for at, cost in units:
        used += cost
        while units[begin][0] <= at - window:
            used -= units[begin][1]
            begin += 1
        most = max(most, used)
    return most


def one_pass(kuerzel: Sequence[str] = ()) -> PassSummary:
    return asyncio.run(_one_pass(kuerzel))


async def _one_pass(kuerzel: Sequence[str]) -> PassSummary:
    async with open_calendar("bench", CalendarSettings.read()) as context:
        batch = await stages.fetch(context, Calendars(kuerzel=list(kuerzel)))
        stages.diff(stages.map_fields(batch))
        await stages.write(context, batch)
        return PassSummary().add(batch.outcomes)


def _until_quiet() -> None:
    for _ in range(MOST_PASSES):
        summary = one_pass()
        if not any(summary.writes.values()) and not summary.failures:
            one_pass()  # the echoes of our own writes have been read by now
            return
    raise RuntimeError("both sides do not come to rest")


def _counted(systems: Offices, title: str, employees: int) -> None:
    for system in (systems.office, systems.google):
        system.clear_calls()
    summary = one_pass()
    print(f"\n{title} ({employees} employees): writes {summary.writes}, failures {summary.failures}")
    for name, system in (("Advoware", systems.office), ("Google", systems.google)):
        calls = system.calls(last=1)
        print(
            f"  {name}: {calls['total']} calls, {calls['total'] / employees:.2f} an employee, {calls['writes']} writes"
        )
        for route, count in sorted(calls["by_route"].items()):
            print(f"    {route}: {count}, {count / employees:.2f} an employee")


def _edit_office(systems: Offices) -> None:
    first = {row["sb"]: row["frNr"] for row in reversed(systems.office.state()["termine"])}
    for number in first.values():
        systems.office.edit("Termine", "update", frNr=number, values={"text": "Verhandlung verlegt"})


def _edit_google(systems: Offices) -> None:
    calendars = [one for one in systems.google.state()["calendars"] if one["events"]]
    for calendar in calendars:
        event_id = max(calendar["events"])
        systems.google.edit("-", "update", calendar=calendar["id"], id=event_id, values={"summary": "Ortstermin"})


def _load(kuerzel: Sequence[str]) -> None:
    summary = one_pass(kuerzel)
    print(f"{summary.writes}, failures {summary.failures}")
    if summary.failures:
        sys.exit(1)


if __name__ == "__main__":
    if "--load" in sys.argv:
        _load(sys.argv[sys.argv.index("--load") + 1 :])
    else:
        main()
