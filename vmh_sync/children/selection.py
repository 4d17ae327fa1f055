"""Which child records a pass of their own is about (specification, sync-semantics.md 5)."""

from collections.abc import AsyncIterator
from datetime import datetime
from functools import partial
from itertools import chain

from vmh_sync.children.kind import ChildKind
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.selecting import listing
from vmh_sync.engine.selecting.erased import erased_of
from vmh_sync.engine.selecting.span import Span
from vmh_sync.engine.selecting.unseen import unseen_of
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
        return await _waiting(context, kind)
    if selection == "failed":
        return await listing.failed(context, kind.entity, partial(_list, context, kind))
    if selection == "due":
        waiting = await _waiting(context, kind)
        in_ledger = await context.store.read(listing.ledger_due, context, kind.entity)
        return list(dict.fromkeys((*waiting, *in_ledger)))
    return []


async def _list(context: PassContext, kind: ChildKind, *where: Where) -> AsyncIterator[EspoRecord]:
    """Yield what EspoCRM lists, but what belongs to erased persons."""
    erased = await erased_of(context.store)
    async for record in list_with_stubs(context.espo, kind.espo_entity, where, ("id", "beteiligteId", "syncStatus")):
        if not erased.covers(str(record.attributes.get("beteiligteId"))):
            yield record


async def _waiting(context: PassContext, kind: ChildKind) -> list[str]:
    return [record.id async for record in _list(context, kind, in_("syncStatus", list(kind.due_statuses)))]


async def _all(context: PassContext, kind: ChildKind) -> list[str]:
    listed = {record.id: None async for record in _list(context, kind)}
    linked, others = await context.store.read(listing.linked_besides, kind.entity, listed)
    check_not_emptied(len(listed), linked, what=kind.espo_entity)
    return [*listed, *others]


async def changed_between(context: PassContext, kind: ChildKind, span: Span) -> list[str]:
    """Return the records changed in a span, on either side."""
    return await listing.changed_between(context, kind.entity, partial(_list, context, kind), span)


async def moved_since(context: PassContext, kind: ChildKind, since: datetime) -> list[str]:
    """Return the records that wait for a sync or changed since, and that we have not seen as they are.

    A record that waits for a person (``unclean``, with a task) or was refused is not taken until it changes.
    """
    waiting = _list(context, kind, in_("syncStatus", list(kind.due_statuses)))
    changed = _list(context, kind, greater_or_equals("modifiedAt", since - listing.OVERLAP))
    found = [await unseen_of(context.store, kind.entity, records) for records in (waiting, changed)]
    return list(dict.fromkeys(chain(*found)))
