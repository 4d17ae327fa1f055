"""The real Dagster processes (code server, webserver, daemon) and a small GraphQL client for them."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from vmh_sync.orchestration.dagster_home import prepare_storage
from vmh_sync_tests.fixtures.sandbox import WITHOUT_TLS

START_SECONDS = 90.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 0.5
"""Between two looks: short at first, then longer, since looking costs those who are waited for their time."""
REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": "vmh_sync"}


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(what: str, check: Callable[[], Any], seconds: float = START_SECONDS) -> Any:
    """Ask again and again until ``check`` gives something true; fails with ``what`` after ``seconds``."""
    deadline, pause = time.monotonic() + seconds, FIRST_PAUSE_SECONDS
    while time.monotonic() < deadline:
        result = check()
        if result:
            return result
        time.sleep(pause)
        pause = min(pause * 1.3, LONGEST_PAUSE_SECONDS)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


class DagsterStack:
    """Speaks GraphQL with the running webserver, as the UI does."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, timeout=60, trust_env=False, verify=WITHOUT_TLS)

    def query(self, text: str, **variables: Any) -> dict[str, Any]:
        """Run a GraphQL document and return its data."""
        answer = self._http.post("/graphql", json={"query": text, "variables": variables}).json()
        assert "errors" not in answer, answer["errors"]
        return dict(answer["data"])

    def is_up(self) -> bool:
        """Whether the webserver answers and has loaded our code."""
        try:
            data = self.query(
                """{ workspaceOrError { ... on Workspace { locationEntries { loadStatus
                     locationOrLoadError { __typename ... on PythonError { message } } } } } }"""
            )
        except (httpx.HTTPError, AssertionError, ValueError):
            return False
        entries = data["workspaceOrError"].get("locationEntries", [])
        loaded = [entry["locationOrLoadError"] for entry in entries if entry["loadStatus"] == "LOADED"]
        return bool(loaded) and all(entry["__typename"] == "RepositoryLocation" for entry in loaded)

    def launch(self, job: str, config: Mapping[str, Any]) -> str:
        """Launch a job as the launchpad does; returns the run id."""
        data = self.query(
            """mutation($params: ExecutionParams!) { launchRun(executionParams: $params) {
                 __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
                 ... on RunConfigValidationInvalid { errors { message } } } }""",
            params={"selector": {**REPOSITORY, "jobName": job}, "runConfigData": dict(config)},
        )["launchRun"]
        assert data["__typename"] == "LaunchRunSuccess", data
        return str(data["run"]["runId"])

    def run_status(self, run_id: str) -> str:
        """Return a run's status."""
        data = self.query("query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }", id=run_id)
        return str(data["runOrError"]["status"])

    def finished(self, run_id: str) -> str:
        """Wait until a run has ended; returns how."""
        ended = {"SUCCESS", "FAILURE", "CANCELED"}

        def status() -> str | None:
            current = self.run_status(run_id)
            return current if current in ended else None

        return str(wait_until(f"run {run_id} ends", status))

    def runs(self, job: str) -> list[dict[str, Any]]:
        """Return the runs of a job with their tags, newest first."""
        data = self.query(
            """query($filter: RunsFilter) { runsOrError(filter: $filter) { ... on Runs {
                 results { runId status tags { key value } } } } }""",
            filter={"pipelineName": job},
        )
        return list(data["runsOrError"]["results"])

    def stop_schedules(self) -> None:
        """Switch every schedule off, as a person does in the Automation page."""
        data = self.query(
            """query($selector: RepositorySelector!) { schedulesOrError(repositorySelector: $selector) {
                 ... on Schedules { results { scheduleState { id } } } } }""",
            selector=REPOSITORY,
        )
        for schedule in data["schedulesOrError"]["results"]:
            self.query(
                """mutation($id: String!) { stopRunningSchedule(id: $id) { __typename } }""",
                id=schedule["scheduleState"]["id"],
            )

    def stop_sensors(self) -> None:
        """Switch every sensor off, as a person does in the Automation page."""
        data = self.query(
            """query($selector: RepositorySelector!) { sensorsOrError(repositorySelector: $selector) {
                 ... on Sensors { results { sensorState { id } } } } }""",
            selector=REPOSITORY,
        )
        for sensor in data["sensorsOrError"]["results"]:
            self.query(
                """mutation($id: String!) { stopSensor(id: $id) { __typename } }""",
                id=sensor["sensorState"]["id"],
            )

    def partition_keys(self, asset: str) -> list[str]:
        """Return the partition keys of an asset."""
        data = self.query(
            """query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
                 partitionKeys } } }""",
            key={"path": [asset]},
        )
        return list(data["assetNodeOrError"]["partitionKeys"])

    def backfill(self, asset: str, keys: list[str]) -> str:
        """Launch a backfill of an asset as the Partitions page does; returns its id."""
        data = self.query(
            """mutation($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
                 __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }""",
            params={"assetSelection": [{"path": [asset]}], "partitionNames": keys},
        )["launchPartitionBackfill"]
        assert data["__typename"] == "LaunchBackfillSuccess", data
        return str(data["backfillId"])

    def backfill_status(self, backfill_id: str) -> str:
        """Return a backfill's status."""
        data = self.query(
            "query($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }",
            id=backfill_id,
        )
        return str(data["partitionBackfillOrError"]["status"])

    def metadata(self, run_id: str) -> dict[str, Any]:
        """Return the numbers, texts and tables that a run left as metadata, by label."""
        data = self.query(
            """query($id: ID!) { runOrError(runId: $id) { ... on Run { eventConnection { events {
                 ... on ExecutionStepOutputEvent { metadataEntries { label
                   ... on IntMetadataEntry { intValue } ... on TextMetadataEntry { text }
                   ... on MarkdownMetadataEntry { mdStr }
                   ... on TableMetadataEntry { table { records } } } } } } } } }""",
            id=run_id,
        )
        entries = [
            entry
            for event in data["runOrError"]["eventConnection"]["events"]
            for entry in event.get("metadataEntries", [])
        ]
        return {e["label"]: e.get("intValue", e.get("text", e.get("mdStr", str(e.get("table"))))) for e in entries}


@contextmanager
def running_dagster(home: Path, environment: Mapping[str, str]) -> Iterator[DagsterStack]:
    """Start code server, webserver and daemon with this environment and wait until they are ready."""
    code_port, web_port = free_port(), free_port()
    workspace = home / "workspace.yaml"
    workspace.write_text(
        f"load_from:\n  - grpc_server: {{host: 127.0.0.1, port: {code_port}, location_name: vmh_sync}}\n"
    )
    prepare_storage(home)
    scripts = Path(sys.executable).parent
    commands = [
        [sys.executable, "-m", "vmh_sync.orchestration.code_server", "-p", code_port, "-h", "127.0.0.1"],
        [scripts / "dagster-webserver", "-w", workspace, "-p", web_port, "-h", "127.0.0.1"],
        [scripts / "dagster-daemon", "run", "-w", workspace],
    ]
    with ExitStack() as stack:
        for number, command in enumerate(commands):
            log = stack.enter_context((home / f"process{number}.log").open("wb"))
            process = subprocess.Popen(
                [str(part) for part in command], env={**os.environ, **environment}, stdout=log, stderr=log
            )
            stack.callback(_stop, process)
        dagster = DagsterStack(f"http://127.0.0.1:{web_port}")
        wait_until("Dagster is up", dagster.is_up)
        yield dagster


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
