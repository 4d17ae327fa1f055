"""Launches and finds runs through Dagster's GraphQL interface."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from vmh_sync.engine.installation.installation_mark import HOUSE, HOUSE_JOB
from vmh_sync.orchestration.finished_runs import of_a_person
from vmh_sync.orchestration.next_ticks import DAEMONS
from vmh_sync.orchestration.run_tags import AT_ONCE_TAG, TRIGGER_TAG, Trigger
from vmh_sync.overview.failing_jobs import SEEN_AT_MOST, FinishedRun

LOCATION = "vmh_sync"
"""The code location's name in ``workspace.yaml``."""
REPOSITORY = "__repository__"
_PLACE = {"repositoryLocationName": LOCATION, "repositoryName": REPOSITORY}
BEFORE_START = ("QUEUED", "NOT_STARTED", "STARTING")
ACTIVE = (*BEFORE_START, "STARTED")
ACTIVE_AT_MOST = 50

_LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
  }
}
"""
_RUNS = """
query Runs($filter: RunsFilter!, $limit: Int!) {
  runsOrError(filter: $filter, limit: $limit) {
    __typename
    ... on Runs { results { runId status runConfig tags { key value } } }
  }
}
"""
_FINISHED = """
query Finished($filter: RunsFilter!, $limit: Int!) {
  runsOrError(filter: $filter, limit: $limit) {
    __typename
    ... on Runs { results { runId jobName status endTime tags { key value } } }
  }
}
"""
_LOADED = """
query Loaded($job: PipelineSelector!) {
  pipelineOrError(params: $job) {
    __typename
    ... on Pipeline { metadataEntries { label ... on TextMetadataEntry { text } } }
  }
}
"""
_PLAN = """
query Plan($job: PipelineSelector!) {
  executionPlanOrError(pipeline: $job, mode: "default", runConfigData: {}) { __typename }
}
"""
"""The plan of a run comes from the code server; everything else is answered from what was loaded once."""
_DAEMONS = "query { instance { daemonHealth { allDaemonStatuses { daemonType lastHeartbeatTime } } } }"


class LaunchFailed(Exception):
    """Dagster did not launch the run; the message names the class of the reason, ``for_people`` says it in German."""

    for_people = "Dagster hat den Lauf nicht gestartet: Einzelheiten stehen im Protokoll des Gateways."


class DagsterUnavailable(LaunchFailed):
    """Dagster does not answer; trying again later may succeed."""

    for_people = (
        "Unter VMH_DAGSTER_URL antwortet kein Dagster: Starten Sie es, oder warten Sie, bis es hochgefahren ist."
    )


class CodeNotLoaded(DagsterUnavailable):
    """A Dagster answers, without our code: it is still starting, its code server is gone, or it is not ours."""

    for_people = (
        "Das Dagster unter VMH_DAGSTER_URL hat den Code von vmh-sync nicht geladen: Warten Sie, bis es hochgefahren "
        "ist. Bleibt es dabei, läuft dort ein fremdes Dagster, oder der Code-Server ist beendet."
    )


class CodeServerSilent(DagsterUnavailable):
    """Dagster answers, its code server does not: it hangs, or was stopped."""

    for_people = (
        "Dagsters Code-Server antwortet nicht, also startet kein Lauf: `vmh-sync up` startet ihn nach einigen Minuten "
        "von selbst neu, sonst den Dienst code-server neu starten. Was wartet, geht nicht verloren."
    )


class ForeignDagster(DagsterUnavailable):
    """A Dagster with our code answers, but its runs work on another database than this gateway fills."""

    for_people = (
        "Unter VMH_DAGSTER_URL antwortet das Dagster einer anderen Installation, es arbeitet mit einer anderen "
        "Datenbank: Beenden Sie es, oder stellen Sie VMH_DAGSTER_URL, VMH_HOME und VMH_DATABASE_URL überall gleich ein."
    )


@dataclass(frozen=True, slots=True)
class Run:
    """A run as Dagster shows it."""

    run_id: str
    status: str
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)
    tags: Mapping[str, str] = field(default_factory=dict)


class Launcher:
    """Speaks to one Dagster webserver, and only if it is ours.

    ``http`` must have the webserver's address as its base; ``house`` is what :func:`installation_mark` gives for our
    settings.
    """

    def __init__(self, http: httpx.AsyncClient, house: str) -> None:
        self._http = http
        self._house = house

    async def launch(
        self, job: str, config: Mapping[str, object], trigger: Trigger, tags: Mapping[str, str] | None = None
    ) -> str:
        """Launch a job and return the run's id. Raises :class:`LaunchFailed`; nothing is launched at a foreign Dagster.

        Config and tags are stored and shown by Dagster: no secrets, and no long lists in tags.
        """
        await self.ping()
        marks = {TRIGGER_TAG: str(trigger), AT_ONCE_TAG: "yes", **(tags or {})}
        params = {
            "selector": {**_PLACE, "jobName": job},
            "runConfigData": dict(config),
            "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in marks.items()]},
        }
        answer = await self._ask(_LAUNCH, {"params": params}, "launchRun")
        if answer["__typename"] != "LaunchRunSuccess":
            raise LaunchFailed(f"Dagster did not launch {job}: {answer['__typename']}")
        return str(answer["run"]["runId"])

    async def active_runs(self, job: str) -> Sequence[Run]:
        """Return the runs of a job that wait or run. Raises :class:`LaunchFailed`."""
        wanted = {"pipelineName": job, "statuses": list(ACTIVE)}
        answer = await self._ask(_RUNS, {"filter": wanted, "limit": ACTIVE_AT_MOST}, "runsOrError")
        if answer["__typename"] != "Runs":
            raise LaunchFailed(f"Dagster did not list runs of {job}: {answer['__typename']}")
        return [
            Run(row["runId"], row["status"], row["runConfig"] or {}, {t["key"]: t["value"] for t in row["tags"]})
            for row in answer["results"]
        ]

    async def finished_runs(self, job: str, limit: int = 1) -> Sequence[FinishedRun]:
        """Return the runs of a job that ended last, newest first; of one whose newest is good no more than that.

        Raises :class:`LaunchFailed`.
        """
        wanted = {"pipelineName": job, "statuses": ["SUCCESS", "FAILURE"]}
        answer = await self._ask(_FINISHED, {"filter": wanted, "limit": limit}, "runsOrError")
        if answer["__typename"] != "Runs":
            raise LaunchFailed(f"Dagster did not list the runs of {job} that ended")
        if limit == 1 and any(row["status"] == "FAILURE" for row in answer["results"]):
            return await self.finished_runs(job, SEEN_AT_MOST)
        return [
            FinishedRun(
                row["jobName"],
                row["runId"],
                row["status"] == "FAILURE",
                datetime.fromtimestamp(row["endTime"], UTC),
                watched=of_a_person({tag["key"]: tag["value"] for tag in row["tags"]}),
            )
            for row in answer["results"]
            if row["endTime"]
        ]

    async def ping(self) -> None:
        """Make sure that runs can be launched: Dagster answers, has loaded our code, and works for our house.

        Raises :class:`DagsterUnavailable`, whose subclass tells what is wrong.
        """
        answer = await self._ask(_LOADED, {"job": {**_PLACE, "pipelineName": HOUSE_JOB}}, "pipelineOrError")
        if answer["__typename"] != "Pipeline":
            raise CodeNotLoaded(f"Dagster has not loaded {LOCATION}: {answer['__typename']}")
        if self._house not in [entry.get("text") for entry in answer["metadataEntries"] if entry["label"] == HOUSE]:
            raise ForeignDagster("the Dagster at this address works for another house")

    async def ask_code_server(self) -> None:
        """Make sure that the code server itself answers. Raises :class:`CodeServerSilent`; waits as long as we may.

        A frozen one is found by nobody else: Dagster goes on showing what it loaded from it.
        """
        try:
            answer = await self._ask(_PLAN, {"job": {**_PLACE, "pipelineName": HOUSE_JOB}}, "executionPlanOrError")
        except DagsterUnavailable as problem:
            raise CodeServerSilent(str(problem)) from None
        if answer["__typename"] != "ExecutionPlan":
            raise CodeServerSilent(f"Dagster has no plan of {HOUSE_JOB}: {answer['__typename']}")

    async def daemon_sign(self) -> datetime | None:
        """Return the last sign of life of what starts runs (aware, UTC); the oldest of its parts, None without one.

        Raises :class:`DagsterUnavailable`.
        """
        answer = await self._ask(_DAEMONS, {}, "instance")
        told = {one["daemonType"]: one["lastHeartbeatTime"] for one in answer["daemonHealth"]["allDaemonStatuses"]}
        signs = [told.get(name) for name in DAEMONS]
        if None in signs:
            return None
        return datetime.fromtimestamp(min(float(sign) for sign in signs if sign is not None), UTC)

    async def _ask(self, query: str, variables: Mapping[str, object], asked: str) -> dict[str, Any]:
        try:
            response = await self._http.post("/graphql", json={"query": query, "variables": variables})
            answer = response.json()
        except (httpx.HTTPError, json.JSONDecodeError, UnicodeDecodeError) as error:
            raise DagsterUnavailable(f"Dagster does not answer ({type(error).__name__})") from None
        data = answer.get("data") if isinstance(answer, dict) else None
        found = data.get(asked) if isinstance(data, dict) else None
        if not isinstance(found, dict):
            raise DagsterUnavailable(f"Dagster refused the question (status {response.status_code})")
        return found
