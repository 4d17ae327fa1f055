"""What we use of Dagster without a public name is as we use it, and stands behind one package.

After an upgrade of Dagster the lines that fail here say what of the product would break, and where.
"""

import ast
import inspect
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import dagster as dg
import pytest
from dagster._core.remote_origin import RemoteRepositoryOrigin
from dagster._core.storage.compute_log_manager import ComputeLogManager

import vmh_sync
from vmh_sync.orchestration.dagster_internals import client, core, server, sqlite

PRODUCT = Path(vmh_sync.__file__).parent
ADAPTER = PRODUCT / "orchestration" / "dagster_internals"


def takes(function: Callable[..., Any], *names: str) -> bool:
    return set(names) <= set(inspect.signature(function).parameters)


def assigns(function: Callable[..., Any], *names: str) -> bool:
    text = inspect.getsource(function)
    return all(f"self.{name} =" in text or f"self.{name}:" in text for name in names)


def ends_as_a_sentence_alone() -> bool:
    info = core.SerializableErrorInfo(message="Satz", stack=[], cls_name=None)
    error = core.DagsterUserCodeProcessError("Satz", user_code_process_error_infos=[info])
    return error.user_code_process_error_infos == [info] and issubclass(core.DagsterUserCodeProcessError, Exception)


def next_hour_comes_first() -> bool:
    half_past = datetime(2026, 1, 1, 9, 30, tzinfo=UTC)
    upcoming = core.schedule_execution_time_iterator(half_past.timestamp(), "0 * * * *", "Europe/Berlin")
    return next(upcoming) == datetime(2026, 1, 1, 10, tzinfo=UTC)


def a_limit_of_one_blocks_the_second() -> bool:
    run = dg.DagsterRun(job_name="any", tags={"key": "value"})
    counter = core.TagConcurrencyLimitsCounter([{"key": "key", "value": "value", "limit": 1}], [run])
    return counter.is_blocked(run) and not counter.is_blocked(dg.DagsterRun(job_name="any"))


def chooses_backfills_by_status() -> bool:
    chosen = core.BulkActionsFilter(statuses=[core.BulkActionStatus.REQUESTED])
    return bool(chosen.statuses) and takes(dg.DagsterInstance.get_backfills, "filters", "limit")


def names_its_code_server() -> bool:
    origin = core.GrpcServerCodeLocationOrigin(host="127.0.0.1", port=1, location_name="vmh_sync")
    repository = RemoteRepositoryOrigin(origin, "__repository__")
    return repository.code_location_origin is origin and hasattr(dg.DagsterRun, "remote_job_origin")


def queue_is_as_it_is_passed_by() -> bool:
    queue = dg.QueuedRunCoordinator
    return (
        takes(queue, "dequeue_interval_seconds") and takes(queue.submit_run, "context") and hasattr(queue, "_instance")
    )


USED: dict[str, tuple[str, Callable[[], bool]]] = {
    "core.UnresolvedAssetJobDefinition": (
        "jobs of checks, comparison and repair are not what their annotations say",
        lambda: isinstance(dg.define_asset_job("any"), core.UnresolvedAssetJobDefinition),
    ),
    "core.BulkActionsFilter": (
        "repair takes keys away under a running backfill, housekeeping its runs",
        chooses_backfills_by_status,
    ),
    "core.BulkActionStatus": (
        "as above: a backfill in a state that is not in UNFINISHED_BACKFILLS counts as ended",
        lambda: (
            {one.name for one in core.BulkActionStatus}
            == {
                *("REQUESTED", "CANCELING", "FAILING"),
                *("COMPLETED", "FAILED", "CANCELED", "COMPLETED_SUCCESS", "COMPLETED_FAILED"),
            }
        ),
    ),
    "core.InstanceRef": (
        "`up` cannot tell whether dagster.yaml names Celery",
        lambda: takes(core.InstanceRef.from_dir, "base_dir") and "run_launcher_data" in dir(core.InstanceRef),
    ),
    "core.GrpcServerCodeLocationOrigin": (
        "PromptQueue no longer starts a person's run at once (it waits half a second)",
        names_its_code_server,
    ),
    "core.IN_PROGRESS_RUN_STATUSES": (
        "PromptQueue counts places wrongly",
        lambda: {*core.IN_PROGRESS_RUN_STATUSES} > {dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED},
    ),
    "core.NO_OUTPUT_KEPT": (
        "a pass on the console does not start: its instance names a keeper of output that is gone",
        lambda: issubclass(
            getattr(import_module(core.NO_OUTPUT_KEPT["module"]), core.NO_OUTPUT_KEPT["class"]), ComputeLogManager
        ),
    ),
    "core.TagConcurrencyLimitsCounter": (
        "PromptQueue passes limits by that hold for bulk runs",
        lambda: a_limit_of_one_blocks_the_second() and queue_is_as_it_is_passed_by(),
    ),
    "core.RunQueueConfig": (
        "a run fails at once while the code server starts, instead of waiting for it",
        lambda: {"max_user_code_failure_retries", "user_code_failure_retry_delay"} < {*core.RunQueueConfig._fields},
    ),
    "core.ScheduleInstigatorData": (
        "`status` names no next look of schedules",
        lambda: takes(core.ScheduleInstigatorData, "cron_schedule"),
    ),
    "core.SensorInstigatorData": (
        "`status` names no next look of sensors",
        lambda: takes(core.SensorInstigatorData, "last_tick_timestamp", "min_interval"),
    ),
    "core.schedule_execution_time_iterator": ("`status` names a wrong next look of schedules", next_hour_comes_first),
    "core.DagsterUserCodeUnreachableError": (
        "a run is red when the code server dies while it is launched at once",
        lambda: issubclass(core.DagsterUserCodeUnreachableError, dg.DagsterError),
    ),
    "core.LaunchRunContext": (
        "PromptQueue cannot start a run at once",
        lambda: takes(core.LaunchRunContext, "dagster_run", "workspace") and takes(dg.DagsterEvent.job_enqueue, "run"),
    ),
    "core.DagsterUserCodeProcessError": (
        "a stopped run shows a Python trace before its German sentence",
        ends_as_a_sentence_alone,
    ),
    "core.SerializableErrorInfo": ("as above", ends_as_a_sentence_alone),
    "client.DagsterGrpcClient": (
        "`up` takes a code server that lives for a frozen one and starts it again and again",
        lambda: (
            takes(client.DagsterGrpcClient, "host", "port") and takes(client.DagsterGrpcClient.get_server_id, "timeout")
        ),
    ),
    "sqlite.INDEX_SHARD_NAME": (
        "the file of all runs is made as a copy of an empty run's file: no sensor sees an event",
        lambda: sqlite.INDEX_SHARD_NAME == "index",
    ),
    "sqlite.ConfigurableClassData": (
        "Dagster cannot open the storage that dagster.yaml names",
        lambda: takes(sqlite.ConfigurableClassData, "module_name", "class_name", "config_yaml"),
    ),
    "sqlite.DagsterSqliteStorage": (
        "PatientSqliteStorage opens storages that nobody reads, or leaves one out",
        lambda: assigns(
            sqlite.DagsterSqliteStorage.__init__,
            *("base_dir", "_run_storage", "_event_log_storage", "_schedule_storage", "_inst_data"),
        ),
    ),
    "sqlite.SqliteStorageConfig": (
        "the storage's part of dagster.yaml has another form",
        lambda: set(sqlite.SqliteStorageConfig.__annotations__) == {"base_dir"},
    ),
    "sqlite.SqliteRunStorage": (
        "runs at once end with “database is locked”",
        lambda: assigns(sqlite.SqliteRunStorage.__init__, "_conn_string") and takes(sqlite.SqliteRunStorage.connect),
    ),
    "sqlite.SqliteScheduleStorage": (
        "sensors at once end with “database is locked”",
        lambda: (
            assigns(sqlite.SqliteScheduleStorage.__init__, "_conn_string")
            and takes(sqlite.SqliteScheduleStorage.from_local, "base_dir")
        ),
    ),
    "sqlite.SqliteEventLogStorage": (
        "events at once end with “database is locked”; deleted runs leave their files behind",
        lambda: (
            assigns(sqlite.SqliteEventLogStorage.__init__, "_base_dir", "_db_lock", "_initialized_dbs")
            and takes(sqlite.SqliteEventLogStorage._connect, "shard")
            and takes(sqlite.SqliteEventLogStorage._initdb, "engine")
            and takes(sqlite.SqliteEventLogStorage.path_for_shard, "run_id")
            and takes(sqlite.SqliteEventLogStorage.conn_string_for_shard, "shard_name")
        ),
    ),
    "server.grpc_command": (
        "the code server does not start",
        lambda: {"module_name", "host", "port"} <= {one.name for one in server.grpc_command.params},
    ),
    "server.server": (
        "runs start in a new Python each, a second slower: the context or the class is looked up elsewhere",
        lambda: (
            assigns(server.server.DagsterApiServer.__init__, "_mp_ctx")
            and "self._mp_ctx.Process(" in inspect.getsource(server.server.DagsterApiServer)
            and "from dagster._grpc.server import DagsterApiServer" in inspect.getsource(server.grpc_command.callback)  # type: ignore[arg-type]
        ),
    ),
}
"""Name in the package: what breaks in the product, and whether Dagster still has it as we use it."""


def offered(module: ModuleType) -> set[str]:
    return {f"{module.__name__.rpartition('.')[2]}.{name}" for name in module.__all__}


def test_of_every_private_name_it_is_said_what_breaks() -> None:
    assert set(USED) == offered(client) | offered(core) | offered(sqlite) | offered(server)


@pytest.mark.parametrize("name", sorted(USED))
def test_dagster_still_has_it_as_we_use_it(name: str) -> None:
    breaks, as_used = USED[name]
    assert as_used(), f"{name} is not what it was; {breaks}"


def test_runs_are_forked_with_storages_and_launcher_already_imported() -> None:
    assert import_module("vmh_sync.orchestration.dagster_internals.preloaded")
    assert {"dagster_postgres.storage", "dagster._core.launcher.default_run_launcher"} <= set(sys.modules)


def private_modules(path: Path) -> list[str]:
    """Return the private modules of Dagster that a file imports, or looks up by a name in quotes."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isprintable():
            found.append(node.value)
    return [name for name in found if re.match(r"dagster\w*\.(\w+\.)*_[a-z]", name)]


def test_no_other_file_of_the_product_touches_private_modules_of_dagster() -> None:
    touching = {path for path in PRODUCT.rglob("*.py") if private_modules(path)}
    assert {path.parent for path in touching} == {ADAPTER}


def test_nothing_is_private_here_that_dagster_offers_in_public() -> None:
    names = {name.partition(".")[2] for name in USED}
    assert names & set(dir(dg)) == set()
