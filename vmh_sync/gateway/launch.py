"""Launches and finds runs through Dagster's GraphQL interface."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from vmh_sync.runtime.request import TRIGGER_TAG, Trigger
from vmh_sync.services.prompt_queue import AT_ONCE_TAG

LOCATION = "vmh_sync"
"""The code location's name in ``workspace.yaml``."""
REPOSITORY = "__repository__"
BEFORE_START = ("QUEUED", "NOT_STARTED", "STARTING")
ACTIVE = (*BEFORE_START, "STARTED")

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
_LOADED = """
query Loaded($repository: RepositorySelector!) {
  repositoryOrError(repositorySelector: $repository) { __typename }
}
"""


class LaunchFailed(Exception):
    """Dagster did not launch the run; the message names the class of the reason."""


class DagsterUnavailable(LaunchFailed):
    """Dagster does not answer; trying again later may succeed."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run as Dagster shows it."""

    run_id: str
    status: str
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)
    tags: Mapping[str, str] = field(default_factory=dict)


class Launcher:
    """Speaks to one Dagster webserver. ``http`` must have the webserver's address as its base."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def launch(
        self, job: str, config: Mapping[str, Any], trigger: Trigger, tags: Mapping[str, str] | None = None
    ) -> str:
        """Launch a job and return the run's id. Raises :class:`LaunchFailed`.

        Config and tags are stored and shown by Dagster: no secrets, and no long lists in tags.
        """
        marks = {TRIGGER_TAG: str(trigger), AT_ONCE_TAG: "yes", **(tags or {})}
        params = {
            "selector": {"repositoryLocationName": LOCATION, "repositoryName": REPOSITORY, "jobName": job},
            "runConfigData": dict(config),
            "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in marks.items()]},
        }
        answer = await self._ask(_LAUNCH, {"params": params}, "launchRun")
        if answer["__typename"] != "LaunchRunSuccess":
            raise LaunchFailed(f"Dagster did not launch {job}: {answer['__typename']}")
        return str(answer["run"]["runId"])

    async def active_runs(self, job: str, limit: int = 50) -> Sequence[Run]:
        """Return the runs of a job that wait or run. Raises :class:`LaunchFailed`."""
        wanted = {"pipelineName": job, "statuses": list(ACTIVE)}
        answer = await self._ask(_RUNS, {"filter": wanted, "limit": limit}, "runsOrError")
        if answer["__typename"] != "Runs":
            raise LaunchFailed(f"Dagster did not list runs of {job}: {answer['__typename']}")
        return [
            Run(row["runId"], row["status"], row["runConfig"] or {}, {t["key"]: t["value"] for t in row["tags"]})
            for row in answer["results"]
        ]

    async def ping(self) -> None:
        """Make sure that runs can be launched: Dagster answers and has loaded our code.

        Raises :class:`DagsterUnavailable`.
        """
        repository = {"repositoryLocationName": LOCATION, "repositoryName": REPOSITORY}
        answer = await self._ask(_LOADED, {"repository": repository}, "repositoryOrError")
        if answer["__typename"] != "Repository":
            raise DagsterUnavailable(f"Dagster has not loaded {LOCATION}: {answer['__typename']}")

    async def _ask(self, query: str, variables: Mapping[str, Any], asked: str) -> dict[str, Any]:
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
