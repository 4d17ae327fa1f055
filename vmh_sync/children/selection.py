"""Which child records a pass of their own is about (specification, sync-semantics.md 5)."""

import asyncio
from datetime import datetime
from functools import partial

from vmh_sync.children.kind import ChildKind
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.selecting import listing
from vmh_sync.engine.selecting.erased import erased_of
from vmh_sync.engine.selecting.span import Span
from vmh_sync.engine.selecting.unseen import unseen
from vmh_sync.store.store import Transaction
from vmh_sync.sync.planning.guards import check_not_emptied
from vmh_sync.systems.espocrm.query import Where, greater_or_equals, in_
from vmh_sync.systems.espocrm.records import EspoRecord
from vmh_sync.systems.espocrm.spoilt_lists import list_with_stubs

SELECTIONS = ("all", "dirty", "failed", "due", "pending", "backlog")


async def select(context: PassContext, kind: ChildKind, selection: str) -> list[str]:
    """Return the EspoCRM ids of one of the :data:`SELECTIONS`, each once."""
    if selection == "all":
        return await _all(context, kind)
    if selection == "dirty":
        return [record.id for record in await _list(context, kind, in_("syncStatus", list(kind.due_statuses)))]
    if selection == "failed":
        return await listing.failed(context, kind.entity, partial(_list, context, kind))
    if selection == "due":
        waiting = await _list(context, kind, in_("syncStatus", list(kind.due_statuses)))
        in_ledger = await context.store.read(listing.ledger_due, context, kind.entity)
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


async def changed_between(context: PassContext, kind: ChildKind, span: Span) -> list[str]:
    """Return the records changed in a span, on either side."""
    return await listing.changed_between(context, kind.entity, partial(_list, context, kind), span)


async def moved_since(context: PassContext, kind: ChildKind, since: datetime) -> list[str]:
    """Return the records that wait for a sync or changed since, and that we have not seen as they are.

    A record that waits for a person (``unclean``, with a task) or was refused is not taken until it changes.
    """
    waiting = await _list(context, kind, in_("syncStatus", list(kind.due_statuses)))
    changed = await _list(context, kind, greater_or_equals("modifiedAt", since - listing.OVERLAP))
    return await asyncio.to_thread(unseen, context.store, kind.entity, (*waiting, *changed))
