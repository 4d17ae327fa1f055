"""Which parties the rolling check reads next: the oldest within the set time, and besides those that move often.

Advoware reports no changes, so they are found by reading (sync-semantics.md 5). The number of reads is the same whoever
is read: what the way around does not need, the share for missed ticks, goes to records that were changed often lately.
"""

from datetime import datetime, timedelta

from vmh_sync.beteiligte.party import ENTITY
from vmh_sync.store.store import Transaction
from vmh_sync.sync.reporting.status import BROKEN

ROLLING_EVERY = timedelta(minutes=5)
"""How often the rolling check runs; its share of the records follows from it."""
LATELY = timedelta(days=7)
SPARE = 5
"""One read in so many, besides the share, is there for missed ticks, and else for what moves often."""


def rolling_share(tx: Transaction, now: datetime, around: timedelta) -> list[str]:
    """Return the EspoCRM ids to read at this tick so that each comes around within ``around``.

    Of all active links the oldest first, but for records that failed: they have times of their own. When ticks were
    missed, the spare reads catch up; otherwise they look at the records with the most changes of late, none of which
    was read since the last tick.
    """
    total = tx.links.count(ENTITY, "active")
    if not total:
        return []
    share = -(-total * ROLLING_EVERY // around)
    spare = share // SPARE + 1
    read_before = now - ROLLING_EVERY
    oldest = tx.links.oldest_verified(ENTITY, share + spare, read_before, broken_before=now - around)
    # Whoever would be read too late at the next tick.
    too_old = now - around + ROLLING_EVERY
    late = [link for link in oldest[share:] if link.verified_at is None or link.verified_at <= too_old]
    chosen = [link.espo_id for link in (*oldest[:share], *late)]
    for espo_id in _moving(tx, now, read_before, spare):
        if len(chosen) == share + spare:
            break
        if espo_id not in chosen:
            chosen.append(espo_id)
    # Where nothing moves, the spare reads go on around.
    rest = (link.espo_id for link in oldest[share:] if link.espo_id not in chosen)
    return [*chosen, *list(rest)[: share + spare - len(chosen)]]


def _moving(tx: Transaction, now: datetime, read_before: datetime, most: int) -> list[str]:
    """Return the records with the most changes of late that were not read since ``read_before``."""
    busiest = tx.audit.busiest(ENTITY, now - LATELY, 2 * most)
    links, ledger_rows = tx.links.get_many(ENTITY, busiest), tx.records.get_many(ENTITY, busiest)
    return [
        espo_id
        for espo_id in busiest
        if (link := links.get(espo_id)) is not None
        and link.state == "active"
        and (espo_id not in ledger_rows or ledger_rows[espo_id].status not in BROKEN)
        and (link.verified_at is None or link.verified_at < read_before)
    ][:most]
