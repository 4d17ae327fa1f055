"""Which parties a pass is about (specification, sync-semantics.md 5)."""

from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from vmh_sync.beteiligte.fields import ESPO_ENTITY
from vmh_sync.beteiligte.party import ENTITY, espo_betnr
from vmh_sync.beteiligte.reading.left_party import deleted_and_asked_about
from vmh_sync.beteiligte.reading.rolling import rolling_share
from vmh_sync.beteiligte.status.locked import LOCKED
from vmh_sync.beteiligte.twins.twin_question import answered
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.selecting import listing
from vmh_sync.engine.selecting.erased import erased_of
from vmh_sync.engine.selecting.span import Span
from vmh_sync.engine.selecting.unseen import unseen_of
from vmh_sync.store.pairs.records import SyncRecord
from vmh_sync.store.store import Transaction
from vmh_sync.sync.base import Side
from vmh_sync.sync.planning.guards import check_not_emptied
from vmh_sync.sync.reporting.status import BROKEN, VERIFY_AFTER, WAITING, SyncStatus
from vmh_sync.systems.espocrm.query import Where, greater_or_equals, in_
from vmh_sync.systems.espocrm.records import EspoRecord
from vmh_sync.systems.espocrm.spoilt_lists import list_with_stubs

_SELECT = ("id", "betnr", "syncStatus")


class Selection(StrEnum):
    """Named sets of records."""

    ALL = "all"
    DIRTY = "dirty"
    FAILED = "failed"
    DUE = "due"
    ROLLING = "rolling"
    PENDING = "pending"
    BACKLOG = "backlog"


async def select(context: PassContext, selection: Selection) -> list[str]:
    """Return the EspoCRM ids of a selection, each once.

    Raises ``GuardTripped`` when EspoCRM lists nothing although parties are linked.
    """
    if selection is Selection.ALL:
        return await _all(context)
    if selection is Selection.DIRTY:
        return await dirty(context)
    if selection is Selection.FAILED:
        return await listing.failed(context, ENTITY, partial(_list, context))
    if selection is Selection.DUE:
        return await _due(context)
    if selection is Selection.ROLLING:
        return await _rolling(context)
    return []


async def _all(context: PassContext) -> list[str]:
    """Every linked record and everything dirty, pending or failed; records deleted in EspoCRM come last."""
    listed, chosen = 0, dict[str, None]()
    async for record in _list(context):
        listed += 1
        if espo_betnr(record) is not None or _waits(record):
            chosen[record.id] = None
    linked, others = await context.store.read(listing.linked_besides, ENTITY, chosen)
    check_not_emptied(listed, linked, what=ESPO_ENTITY)
    asked_about = await context.store.read(deleted_and_asked_about)
    return [*chosen, *others, *(espo_id for espo_id in asked_about if espo_id not in chosen)]


def _waits(record: EspoRecord) -> bool:
    status = record.attributes.get("syncStatus")
    return status in (None, "", SyncStatus.SYNCING, SyncStatus.CONFLICT, *WAITING, *BROKEN)


async def dirty(context: PassContext, since: datetime | None = None, *, honour_retries: bool = False) -> list[str]:
    """Return the records marked as waiting, and those changed in EspoCRM since ``since``.

    ``honour_retries`` leaves out records that failed, did not change since, and whose next try is still to come: a
    sensor must not hammer them. A person's pass takes them.
    """
    waiting = _list(context, in_("syncStatus", list(WAITING)))
    if honour_retries:
        ids = await _kept(context, _without_waiting_retries, waiting)
    else:
        ids = [record.id async for record in waiting]
    changed = await changed_since(context, since) if since is not None else []
    return list(dict.fromkeys((*ids, *changed)))


async def _kept(
    context: PassContext,
    kept: Callable[[Transaction, Iterable[EspoRecord]], list[str]],
    records: AsyncIterator[EspoRecord],
) -> list[str]:
    """Return the ids of those that our ledger does not keep back."""
    return [espo_id async for some in listing.some_at_once(records) for espo_id in await context.store.read(kept, some)]


def _without_waiting_retries(tx: Transaction, records: Iterable[EspoRecord]) -> list[str]:
    return _without(tx, records, lambda known: known.status in BROKEN or known.error_class == LOCKED)


def _without_failed(tx: Transaction, records: Iterable[EspoRecord]) -> list[str]:
    """Leave out what our ledger has a time for, though EspoCRM does not show it (its books could not be written)."""
    return _without(tx, records, lambda known: known.status in BROKEN)


def _without(tx: Transaction, records: Iterable[EspoRecord], waits: Callable[[SyncRecord], bool]) -> list[str]:
    by_id = {record.id: record for record in records}
    ledger_rows = tx.records.get_many(ENTITY, by_id)
    return [
        espo_id
        for espo_id, record in by_id.items()
        if (row := ledger_rows.get(espo_id)) is None
        or not waits(row)
        or row.espo_modified_at_seen != record.modified_at
    ]


async def _list(context: PassContext, *where: Where) -> AsyncIterator[EspoRecord]:
    """Yield what EspoCRM lists, but erased persons: whatever their status says, nothing is to be done to them."""
    erased = await erased_of(context.store)
    async for record in list_with_stubs(context.espo, ESPO_ENTITY, where, _SELECT):
        if not erased.covers(record.id, espo_betnr(record)):
            yield record


async def changed_between(context: PassContext, span: Span) -> list[str]:
    """Return the records changed in a span, on either side."""
    return await listing.changed_between(context, ENTITY, partial(_list, context), span)


async def changed_since(context: PassContext, since: datetime) -> list[str]:
    """Return the records whose stamp is newer than what we have seen of them."""
    records = _list(context, greater_or_equals("modifiedAt", since - listing.OVERLAP))
    return await unseen_of(context.store, ENTITY, records)


async def _due(context: PassContext) -> list[str]:
    """The sweep: waiting, due for a retry or reset, stuck in ``syncing``, not verified for a day, or answered.

    Among those not verified for a day are records deleted in EspoCRM, while a task asks for their party in Advoware.
    """
    listed = _list(context, in_("syncStatus", [*WAITING, SyncStatus.SYNCING]))
    waiting = await _kept(context, _without_failed, listed)
    in_ledger = await context.store.read(_ledger_due, context)
    return list(dict.fromkeys((*waiting, *in_ledger, *await answered(context))))


def _ledger_due(tx: Transaction, context: PassContext) -> list[str]:
    due = listing.ledger_due(tx, context, ENTITY)
    now = context.clock.now()
    # A pass that was killed has noted no failure; with its record deleted since, nothing else leads back to it.
    unanswered = tx.intents.unanswered(str(Side.ADVOWARE), ENTITY, now - context.longest_request)
    in_ledger = {*tx.records.get_many(ENTITY, unanswered), *tx.links.get_many(ENTITY, unanswered)}
    unheard = [espo_id for espo_id in unanswered if espo_id not in in_ledger]
    return [*due, *unheard, *deleted_and_asked_about(tx, now - VERIFY_AFTER)]


async def _rolling(context: PassContext) -> list[str]:
    """The next share of linked records to be read again, so that each comes around within the set time."""
    return await context.store.read(_next_share, context)


def _next_share(tx: Transaction, context: PassContext) -> list[str]:
    around = timedelta(minutes=context.rules.rolling_check_minutes)
    return rolling_share(tx, context.clock.now(), around)
