"""Deletes finished runs from Dagster, which has no setting for that (specification, dagster.md i).

A run goes with all its events and logs; with it go its asset materializations and the memory of its run key. So the
newest materialization of each asset (and of each partition that still exists, where the history counts) stays, and so
do runs of a backfill that is not finished. Our run keys count up for ever: none comes back after days.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import dagster as dg

from vmh_sync.orchestration.dagster_internals.core import BulkActionsFilter
from vmh_sync.orchestration.delete_run import delete_run
from vmh_sync.orchestration.jobs.repair import UNFINISHED_BACKFILLS

MOST_SECONDS = 600.0
"""Runs are failed after 15 minutes (dagster.yaml); what is left is deleted the next night."""

_BACKFILL_TAG = "dagster/backfill"
_SUCCEEDED = [dg.DagsterRunStatus.SUCCESS]
_OTHERS = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_SLICE = 20


@dataclass(slots=True)
class RunsDeleted:
    """What became of old runs: deleted ones by outcome, those that are needed, and those left for the next night."""

    succeeded: int = 0
    failed: int = 0
    kept: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class RunRetention:
    """How many days successful runs stay, and all others.

    ``partitions``: assets of which the newest materialization of every partition stays -> their dynamic partitions.
    """

    days: int
    failed_days: int
    partitions: Mapping[dg.AssetKey, str] = field(default_factory=dict)


def delete_old_runs(
    instance: dg.DagsterInstance,
    now: datetime,
    rules: RunRetention,
    elapsed: Callable[[], float] = time.monotonic,
) -> RunsDeleted:
    """Delete the runs that ended before their time; returns the counts.

    ``elapsed`` tells seconds: after :data:`MOST_SECONDS` it stops. Safe to repeat after a crash.
    """
    started = elapsed()
    succeeded = _ended(instance, _SUCCEEDED, now - timedelta(days=rules.days))
    failed = _ended(instance, _OTHERS, now - timedelta(days=rules.failed_days))
    needed = _needed(instance, rules.partitions) if succeeded or failed else set()
    done = RunsDeleted(kept=len(needed & {*succeeded, *failed}))
    for slice_, name in [*_slices(succeeded, needed, "succeeded"), *_slices(failed, needed, "failed")]:
        if elapsed() - started > MOST_SECONDS:
            done.left += len(slice_)
            continue
        for run_id in slice_:
            delete_run(instance, run_id)
        setattr(done, name, getattr(done, name) + len(slice_))
    return done


def _ended(instance: dg.DagsterInstance, statuses: Sequence[dg.DagsterRunStatus], before: datetime) -> list[str]:
    # Dagster drops the zone of the moment and compares with UTC. The oldest first.
    filters = dg.RunsFilter(statuses=list(statuses), updated_before=before.astimezone(UTC))
    return list(reversed(instance.get_run_ids(filters)))


def _slices(run_ids: Sequence[str], needed: Set[str], name: str) -> Iterator[tuple[list[str], str]]:
    wanted = [run_id for run_id in run_ids if run_id not in needed]
    for start in range(0, len(wanted), _SLICE):
        yield wanted[start : start + _SLICE], name


def _needed(instance: dg.DagsterInstance, partitions: Mapping[dg.AssetKey, str]) -> set[str]:
    """Return the runs whose deletion would take something away that the UI or Dagster itself still needs."""
    needed: set[str] = set()
    for key in instance.get_asset_keys():
        needed.update(record.run_id for record in instance.fetch_materializations(key, limit=1).records)
    for key, name in partitions.items():
        living = set(instance.get_dynamic_partitions(name))
        kind = dg.DagsterEventType.ASSET_MATERIALIZATION
        newest = instance.event_log_storage.get_latest_storage_id_by_partition(key, kind, living) if living else {}
        if newest:
            chosen = dg.AssetRecordsFilter(asset_key=key, storage_ids=list(newest.values()))
            records = instance.fetch_materializations(chosen, limit=len(newest)).records
            needed.update(record.run_id for record in records)
    for backfill in instance.get_backfills(filters=BulkActionsFilter(statuses=list(UNFINISHED_BACKFILLS))):
        needed.update(instance.get_run_ids(dg.RunsFilter(tags={_BACKFILL_TAG: backfill.backfill_id})))
    return needed
