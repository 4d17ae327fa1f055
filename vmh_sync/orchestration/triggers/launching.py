"""When a sensor launches a run for what waits in the inbox."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from vmh_sync.engine.passes.opening import open_database
from vmh_sync.engine.selecting.draining import LOOK_BACK, Launched, Waiting, should_launch
from vmh_sync.entities import job_of
from vmh_sync.orchestration.run_tags import PENDING_TAG, TRIGGER_TAG, Trigger, bulk_tags
from vmh_sync.settings import VmhSettings, load
from vmh_sync.store.queue.inbox import Lane
from vmh_sync.store.store import Store

GATEWAY_HEAD_START = timedelta(seconds=3)
MARK_TAG = "vmh/waiting"
"""What waited when the run was launched."""
_SELECTION = {Lane.LIVE: "pending", Lane.BULK: "backlog"}
_PENDING = {Lane.LIVE: "yes", Lane.BULK: "backlog"}

BEFORE_START = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING]
UNDER_WAY = [*BEFORE_START, dg.DagsterRunStatus.STARTED]
_OVER = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


def pending_run(entity: str, instance: dg.DagsterInstance, *, fresh: bool) -> list[dg.RunRequest]:
    """Return a run request for each lane in which something waits for which no run is on its way.

    Whether one is, says :mod:`vmh_sync.engine.selecting.draining`.

    What the gateway has just stored it launches itself: unless the sensor stored something (``fresh``), only rows that
    nobody has fetched for a while are worth a run. There is no run key: Dagster would refuse a key it has seen, also
    when the run that had it died before it could claim anything.
    """
    now = datetime.now(UTC)
    with open_database(load(VmhSettings)) as store:
        asked = [_request(entity, instance, store, lane, now, fresh=fresh) for lane in Lane]
    return [one for one in asked if one is not None]


def _request(
    entity: str, instance: dg.DagsterInstance, store: Store, lane: Lane, now: datetime, *, fresh: bool
) -> dg.RunRequest | None:
    with store.reading() as tx:
        mark = tx.inbox.launch_mark(entity, now, lane)
        oldest = tx.inbox.oldest_pending(entity, now, lane)
        workers = frozenset(tx.inbox.workers())
    if mark is None or oldest is None:
        return None
    # A row from the future was stored before the clock was set back: nobody is about to fetch it either.
    neglected = not timedelta(0) <= now - oldest < GATEWAY_HEAD_START
    if not (fresh or neglected):
        return None
    if not should_launch(Waiting(mark=mark, workers=workers), launched_for(entity, instance, now, lane)):
        return None
    tags = {TRIGGER_TAG: str(Trigger.SENSOR), PENDING_TAG: _PENDING[lane], MARK_TAG: mark}
    can_wait = bulk_tags(entity) if lane is Lane.BULK else {}
    return dg.RunRequest(run_config={"selection": _SELECTION[lane]}, tags=tags | can_wait)


def launched_for(entity: str, instance: dg.DagsterInstance, now: datetime, lane: Lane = Lane.LIVE) -> list[Launched]:
    """Return the runs launched for what waits in a lane, newest first: all under way, and the last that ended."""
    job, tags = job_of(entity), {PENDING_TAG: _PENDING[lane]}
    under_way = instance.get_run_records(dg.RunsFilter(job_name=job, tags=tags, statuses=UNDER_WAY))
    ended = instance.get_run_records(dg.RunsFilter(job_name=job, tags=tags, statuses=list(_OVER)), limit=LOOK_BACK)
    return [_launched(record, now) for record in (*under_way, *ended)]


def _launched(record: dg.RunRecord, now: datetime) -> Launched:
    run = record.dagster_run
    over = run.status in _OVER
    moment = record.end_time if over else record.start_time
    return Launched(
        run_id=run.run_id,
        mark=run.tags.get(MARK_TAG),
        started=run.status not in BEFORE_START,
        over=over,
        age_seconds=now.timestamp() - (moment if moment is not None else record.update_timestamp.timestamp()),
    )
