"""When a sensor launches a run for what waits in the inbox."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from vmh_sync.runtime.opening import open_database
from vmh_sync.runtime.request import TRIGGER_TAG, Trigger
from vmh_sync.settings import VmhSettings, load

GATEWAY_HEAD_START = timedelta(seconds=3)


def pending_run(entity: str, *, fresh: bool) -> list[dg.RunRequest]:
    """Return one run request if something waits that no run has claimed; the same waiting rows never launch two runs.

    What the gateway has just stored it launches itself: unless the sensor stored something (``fresh``), only rows that
    nobody has fetched for a while are worth a run.
    """
    now = datetime.now(UTC)
    store = open_database(load(VmhSettings))
    try:
        with store.reading() as tx:
            waiting = tx.inbox.launch_mark(entity, now)
            oldest = tx.inbox.oldest_pending(entity, now)
    finally:
        store.close()
    neglected = oldest is not None and now - oldest >= GATEWAY_HEAD_START
    if waiting is None or not (fresh or neglected):
        return []
    return [
        dg.RunRequest(
            run_key=f"{entity}:inbox:{waiting}",
            run_config={"auswahl": "pending"},
            tags={TRIGGER_TAG: str(Trigger.SENSOR)},
        )
    ]
