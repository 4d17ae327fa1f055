"""All aims of what a pass, a command and an edit may cost, beside what this machine needs; half an hour at most.

Run on an idle machine: ``python -m vmh_sync_tests.bench all [parties]``. Each bench runs in a process of its own and
prints as ever; the table comes at the end, also when a bench failed or its time was over. Fewer parties make all of it
smaller: to try the command, not to learn anything.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vmh_sync_tests.bench.figures import PLACE, noted

MINUTES = 30
LEAVE_SECONDS = 30
"""For a bench that is told to end, to end what it has started."""


@dataclass(frozen=True, slots=True)
class Row:
    """A figure, as a bench notes it, what it may be at most, and the bench."""

    figure: str
    aim: float
    unit: str
    bench: str


ROWS = (
    Row("unchanged pass / bare httpx loop, 0 ms", 1.0, "", "parties"),
    Row("unchanged pass / bare httpx loop, 30 ms", 1.10, "", "parties"),
    Row("unchanged pass / bare httpx loop, 150 ms", 1.03, "", "parties"),
    Row("CPU a record, unchanged", 1.0, "ms", "parties"),
    Row("first load: CPU a party", 15, "ms", "parties"),
    Row("first load: calls a party, Advoware", 3.3, "", "parties"),
    Row("first load: calls a party, EspoCRM", 3.5, "", "parties"),
    Row("calls more, changed in EspoCRM", 4, "", "parties"),
    Row("calls more, changed in Advoware", 4, "", "parties"),
    Row("sync --dirty, nothing to do", 1.2, "s", "parties"),
    Row("--help", 0.3, "s", "parties"),
    Row("edit to write p95, webhook", 0.8, "s", "gateway"),
    Row("edit to write p95, without webhooks", 2.5, "s", "gateway"),
    Row("edit to write p95, during a backfill", 1.5, "s", "lane"),
    Row("many parties: peak memory", 300, "MB", "growth"),
    Row("many parties: CPU a party, unchanged, to that of few", 1.0, "", "growth"),
)


def main(parties: int = 1_000) -> None:
    """Run the benches and print the table."""
    sizes = {"parties": parties, "gateway": max(2, parties // 50), "lane": 10 * parties, "growth": 3 * parties}
    ends = time.monotonic() + MINUTES * 60
    print(f"command: python -m vmh_sync_tests.bench all {parties}")
    before = os.getloadavg()
    with tempfile.TemporaryDirectory(prefix="vmh-bench-all-") as folder:
        place = Path(folder) / "figures"
        trouble = {name: _run(name, size, ends - time.monotonic(), place) for name, size in sizes.items()}
        found = noted(place)
    print(f"\n== all aims, load before {before[0]:.1f} and after {os.getloadavg()[0]:.1f}")
    for row in ROWS:
        print(_line(row, found, trouble[row.bench]))
    print(f"sizes: {', '.join(f'{name} {size}' for name, size in sizes.items())}")
    print("not run by this command: 100,000 parties (hours: bench growth 100000), several workers (bench workers)")


def _run(name: str, size: int, seconds: float, place: Path) -> str | None:
    """Run one bench; returns why some of its figures may be missing."""
    if seconds <= LEAVE_SECONDS:
        return "no time was left"
    print(f"== {name} {size}", flush=True)
    command = [sys.executable, "-m", "vmh_sync_tests.bench", name, str(size)]
    with subprocess.Popen(command, env={**os.environ, PLACE: str(place)}) as process:
        try:
            code = process.wait(seconds - LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)  # it ends what it has started
            try:
                process.wait(LEAVE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
            return "its time was over"
    return f"it ended with {code}" if code else None


def _line(row: Row, found: Mapping[str, float], trouble: str | None) -> str:
    aim = f"aim {row.aim:g} {row.unit}".rstrip()
    if row.figure not in found:
        return f"  {row.figure}: NOT MEASURED ({trouble or 'the bench does not tell it'}), {aim}"
    value = found[row.figure]
    judged = "reached" if value <= row.aim else "MISSED"
    return f"  {row.figure}: {value:.2f} {row.unit}".rstrip() + f", {aim}: {judged}"
