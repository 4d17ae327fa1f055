"""What every entity's selections are made of: what EspoCRM lists, what our ledger has a time for, what our log says.

EspoCRM's records go through a selection one by one, or so many at once: as a whole, a hundred thousand of them would
take more memory than the pass that follows.
"""

from collections.abc import AsyncIterator, Callable, Collection
from datetime import timedelta

from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.selecting.span import Span
from vmh_sync.store.repository import CHUNK
from vmh_sync.store.store import Transaction
from vmh_sync.sync.reporting.status import BROKEN, VERIFY_AFTER
from vmh_sync.systems.espocrm.query import Where, before, greater_or_equals, in_
from vmh_sync.systems.espocrm.records import EspoRecord

OVERLAP = timedelta(seconds=60)
"""How far a poll looks back behind its watermark: a row appears a moment after its stamp (espocrm.md B6), and the two
machines' clocks may differ a little. What falls through is found by the sweep and the rolling check."""

Listing = Callable[..., AsyncIterator[EspoRecord]]
"""Takes conditions and yields what EspoCRM lists of an entity, without what belongs to erased persons."""


async def some_at_once(records: AsyncIterator[EspoRecord]) -> AsyncIterator[list[EspoRecord]]:
    """Yield the records in lists of as many as one statement of our database asks about."""
    some: list[EspoRecord] = []
    async for record in records:
        some.append(record)
        if len(some) == CHUNK:
            yield some
            some = []
    if some:
        yield some


def linked_besides(tx: Transaction, entity: str, chosen: Collection[str]) -> tuple[int, list[str]]:
    """Return how many records are linked, and the ids of those that are not among ``chosen``."""
    linked, others = 0, list[str]()
    for key in tx.links.keys(entity):
        if key.state in ("active", "deleted_in_advoware"):
            linked += 1
            if key.espo_id not in chosen:
                others.append(key.espo_id)
    return linked, others


async def failed(context: PassContext, entity: str, listing: Listing) -> list[str]:
    """Return the failed records, by EspoCRM's status or by our ledger."""
    broken = [record.id async for record in listing(in_("syncStatus", list(BROKEN)))]
    in_ledger = await context.store.read(lambda tx: [record.espo_id for record in tx.records.failed(entity)])
    return list(dict.fromkeys((*broken, *in_ledger)))


def ledger_due(tx: Transaction, context: PassContext, entity: str) -> list[str]:
    """Return the records that are due for a retry or a reset, and those not verified for a day."""
    now = context.clock.now()
    due = [record.espo_id for record in tx.records.due(entity, now)]
    too_old = now - VERIFY_AFTER
    stale = tx.links.oldest_verified(entity, context.rules.batch_size, too_old, broken_before=too_old)
    return due + [link.espo_id for link in stale]


async def changed_between(context: PassContext, entity: str, listing: Listing, span: Span) -> list[str]:
    """Return the records changed in a span: in EspoCRM by their stamp, by us (whatever the side) by the audit log."""
    where: list[Where] = [greater_or_equals("modifiedAt", span.since)]
    where += [before("modifiedAt", span.until)] if span.until is not None else []
    listed = [record.id async for record in listing(*where)]
    audited = await context.store.read(lambda tx: tx.audit.changed_in(entity, span.since, span.until))
    return list(dict.fromkeys((*listed, *audited)))
