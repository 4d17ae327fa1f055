"""Where the seconds between an edit and its write go: the times that Dagster notes for the run, against the edit's."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from vmh_sync_tests.e2e.dagster_stack import DagsterStack

STEPS = ("queued", "started", "running", "first op", "written")
_EVENTS = {
    "RunEnqueuedEvent": "queued",
    "RunStartingEvent": "started",
    "RunStartEvent": "running",
    "ExecutionStepStartEvent": "first op",
}
_QUERY = """query($filter: RunsFilter) { runsOrError(filter: $filter, limit: 200) { ... on Runs { results {
  eventConnection { events { __typename ... on MessageEvent { timestamp } } } } } } }"""


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit and its write, in seconds since the epoch."""

    began: float
    written: float


def timelines(dagster: DagsterStack, job: str, edits: Sequence[Edit]) -> list[list[float]]:
    """Return for each edit the seconds of :data:`STEPS`, from one to the next.

    Edits that several runs, or the run before, may have written are left out.
    """
    runs = [_times(run) for run in dagster.query(_QUERY, filter={"pipelineName": job})["runsOrError"]["results"]]
    found = []
    for edit in edits:
        lines = [[edit.began, *(run.get(step, 0.0) for step in STEPS[:-1]), edit.written] for run in runs]
        fitting = [line for line in lines if line == sorted(line)]
        if len(fitting) == 1:
            found.append([later - earlier for earlier, later in pairwise(fitting[0])])
    return found


def _times(run: dict[str, Any]) -> dict[str, float]:
    at: dict[str, float] = {}
    for event in run["eventConnection"]["events"]:
        if name := _EVENTS.get(event["__typename"]):
            at.setdefault(name, float(event["timestamp"]) / 1000)
    if "started" in at:
        at.setdefault("queued", at["started"])  # it passed the queue by
    return at


def print_timelines(found: Sequence[list[float]]) -> None:
    """Print the median and the longest of each step."""
    if not found:
        return
    print(f"  from step to step ({len(found)} edits), median/max:", end="")
    for name, column in zip(STEPS, zip(*found, strict=True), strict=True):
        print(f"  {name} {statistics.median(column):.2f}/{max(column):.2f}", end="")
    print()
