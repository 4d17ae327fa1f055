"""Gives back what dead runs have claimed in the inbox, without waiting until their claims expire.

Dagster knows soon when a run is over (a killed process within a second, a hung one after its limit); a claim lasts ten
minutes. Should such a run still be alive after all, leases keep it and its successor apart (docs/safety.md).
"""

import dagster as dg

from vmh_sync.store import Store


def release_dead_claims(instance: dg.DagsterInstance, store: Store) -> dict[str, int]:
    """Release the claims of runs that are over; returns how many inbox rows each held.

    Runs that this instance does not know keep theirs until they expire.
    """
    with store.reading() as tx:
        workers = tx.inbox.workers()
    if not workers:
        return {}
    over = [run.run_id for run in instance.get_runs(dg.RunsFilter(run_ids=sorted(workers))) if run.is_finished]
    for run_id in over:
        with store.transaction() as tx:
            tx.inbox.release_worker(run_id)
    return {run_id: workers[run_id] for run_id in over}
