"""Which child records a pass of their own is about (specification, sync-semantics.md 5)."""

import asyncio
from datetime import datetime, timedelta

from vmh_sync.children.kind import ChildKind
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.selecting.erased import erased_of
from vmh_sync.engine.selecting.span import Span
from vmh_sync.engine.selecting.unseen import unseen
from vmh_sync.store.store import Transaction
from vmh_sync.sync.guards import check_not_emptied
from vmh_sync.sync.status import VERIFY_AFTER
from vmh_sync.systems.espocrm.query import Where, before, greater_or_equals, in_
from vmh_sync.systems.espocrm.records import EspoRecord
from vmh_sync.systems.espocrm.spoilt_lists import list_with_stubs

OVERLAP = timedelta(seconds=60)
"""How far a poll looks back behind its watermark: a row appears a moment after its stamp (espocrm.md B6)."""


SELECTIONS = ("all", "dirty", "failed", "due", "pending", "backlog")


async def select(context: PassContext, kind: ChildKind, selection: str) -> list[str]:
    """Return the EspoCRM ids of one of the :data:`SELECTIONS`, each once."""
    if selection == "all":
        return await _all(context, kind)
    if selection == "dirty":
        return [record.id for record in await _list(context, kind, in_("syncStatus", list(kind.due_statuses)))]
    if selection == "failed":
        failed = await _list(context, kind, in_("syncStatus", ["failed", "permanently_failed"]))
        in_ledger = await context.store.read(lambda tx: [record.espo_id for record in tx.records.failed(kind.entity)])
        return list(dict.fromkeys((*(record.id for record in failed), *in_ledger)))
    if selection == "due":
        waiting = await _list(context, kind, in_("syncStatus", list(kind.due_statuses)))
        in_ledger = await context.store.read(_ledger_due, context, kind)
        return list(dict.fromkeys((*(record.id for record in waiting), *in_ledger)))
    return []


async def _list(context: PassContext, kind: ChildKind, *where: Where) -> list[EspoRecord]:
    """Return what EspoCRM lists, but what belongs to erased persons."""
    records = await list_with_stubs(context.espo, kind.espo_entity, where, ("id", "beteiligteId", "syncStatus"))
    erased = await erased_of(context.store)
    return [record for record in records if not erased.covers(str(record.attributes.get("beteiligteId")))]


async def _all(context: PassContext, kind: ChildKind) -> list[str]:
    records = await _list(context, kind)
    known = await context.store.read(_linked, kind)
    check_not_emptied(len(records), len(known), what=kind.espo_entity)
    return list(dict.fromkeys((*(record.id for record in records), *known)))


def _linked(tx: Transaction, kind: ChildKind) -> list[str]:
    keys = tx.links.keys(kind.entity)
    return [key.espo_id for key in keys if key.state in ("active", "deleted_in_advoware")]


def _ledger_due(tx: Transaction, context: PassContext, kind: ChildKind) -> list[str]:
    now = context.clock.now()
    due = [record.espo_id for record in tx.records.due(kind.entity, now)]
    too_old = now - VERIFY_AFTER
    stale = tx.links.oldest_verified(kind.entity, context.rules.batch_size, too_old, broken_before=too_old)
    return due + [link.espo_id for link in stale]


async def changed_between(context: PassContext, kind: ChildKind, span: Span) -> list[str]:
    """Return the records changed in a span: in EspoCRM by their stamp, by us (whatever the side) by the audit log."""
    where = [greater_or_equals("modifiedAt", span.since)]
    where += [before("modifiedAt", span.until)] if span.until is not None else []
    listed = [record.id for record in await _list(context, kind, *where)]
    return list(dict.fromkeys((*listed, *await context.store.read(_audited, kind, span))))


def _audited(tx: Transaction, kind: ChildKind, span: Span) -> list[str]:
    return tx.audit.changed_in(kind.entity, span.since, span.until)


async def moved_since(context: PassContext, kind: ChildKind, since: datetime) -> list[str]:
    """Return the records that wait for a sync or changed since, and that we have not seen as they are.

    A record that waits for a person (``unclean``, with a task) or was refused is not taken until it changes.
    """
    waiting = await _list(context, kind, in_("syncStatus", list(kind.due_statuses)))
    changed = await _list(context, kind, greater_or_equals("modifiedAt", since - OVERLAP))
    return await asyncio.to_thread(unseen, context.store, kind.entity, (*waiting, *changed))
