"""The runs of each job that ended last, as Dagster's storage knows them."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from vmh_sync.orchestration.run_tags import TRIGGER_TAG, Trigger
from vmh_sync.overview.failing_jobs import SEEN_AT_MOST, FinishedRun

if TYPE_CHECKING:
    import dagster as dg  # takes a second: only who opens Dagster pays for it

_FOREGROUND = frozenset({str(Trigger.CLI), str(Trigger.PERSON)})
_STARTED_BY = ("dagster/schedule_name", "dagster/sensor_name", "dagster/backfill")


def finished_runs(instance: "dg.DagsterInstance", jobs: Iterable[str]) -> Iterator[FinishedRun]:
    """Yield them, of each job the newest first; of one whose newest is good no more than that."""
    import dagster as dg

    failed = dg.DagsterRunStatus.FAILURE
    for job in jobs:
        wanted = dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.SUCCESS, failed])
        records = instance.get_run_records(wanted, limit=1)
        if records and records[0].dagster_run.status is failed:
            records = instance.get_run_records(wanted, limit=SEEN_AT_MOST)
        yield from (_finished(record, failed) for record in records)


def _finished(record: "dg.RunRecord", failed: "dg.DagsterRunStatus") -> FinishedRun:
    return FinishedRun(
        record.dagster_run.job_name,
        record.dagster_run.run_id,
        record.dagster_run.status is failed,
        datetime.fromtimestamp(record.end_time or record.update_timestamp.timestamp(), UTC),
        watched=of_a_person(record.dagster_run.tags),
    )


def of_a_person(tags: Mapping[str, str]) -> bool:
    """Whether a person started the run with these tags."""
    trigger = tags.get(TRIGGER_TAG)
    return trigger in _FOREGROUND or (trigger is None and not any(tag in tags for tag in _STARTED_BY))
