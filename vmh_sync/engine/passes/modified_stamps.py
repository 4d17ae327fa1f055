"""When EspoCRM's ``modifiedAt`` proves that a record has not changed since it was read."""

from datetime import datetime, timedelta

from vmh_sync.store import Store
from vmh_sync.systems.espocrm.stamp_clock import StampClock

_NAME = "espocrm_stamp_lead"


def settled(*, link_read_at: datetime | None, modified_at: datetime | None) -> bool:
    """Whether a read came long enough after the record's stamp that nothing can hide behind the same second.

    EspoCRM's ``modifiedAt`` has whole seconds, and a row appears a moment after its stamp (espocrm.md B4, B6).
    """
    if link_read_at is None or modified_at is None:
        return False
    return (link_read_at - modified_at).total_seconds() >= 2


def read_stamp_clock(store: Store) -> StampClock:
    """Return what earlier passes learned of EspoCRM's clock."""
    with store.reading() as tx:
        seconds = tx.cursors.get(_NAME)
    return StampClock(None if seconds is None else timedelta(seconds=seconds))


def keep_stamp_clock(store: Store, clock: StampClock) -> None:
    """Store what this pass learned of it, where that is news."""
    if clock.learned is not None:
        with store.transaction() as tx:
            tx.cursors.set(_NAME, clock.learned.total_seconds())
