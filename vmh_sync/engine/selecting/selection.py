"""Which records a run takes: ids that were named, a selection, or what waits in the inbox.

Correctness comes from these claims and from the leases; Dagster's queue and limits are admission checks only
(design.md 2). A selection that is larger than a run goes into the inbox's bulk lane, and the inbox sensor launches the
rest; what somebody edits meanwhile waits in the other lane and is claimed by runs of its own.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from vmh_sync.coordination.errors import CoordinationUnavailable
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.selecting.crowd import LOOKS, MOST_EDITS, SENSOR, is_crowd
from vmh_sync.store.queue.inbox import InboxEvent, Lane
from vmh_sync.store.store import Transaction
from vmh_sync.systems.errors import ForeignSystemError

CLAIM_SECONDS = 600.0
"""How long a run may be silent before its claims are taken over; runs are far shorter."""
PUT_OFF_SECONDS = 60.0
"""How long records wait after a run that could do nothing for them, an outage for example."""


@dataclass(slots=True)
class Chosen:
    """The ids of a run, and the inbox rows that it has claimed."""

    ids: list[str]
    claimed: dict[int, str] = field(default_factory=dict)
    """Each row and the id of its record."""
    rang: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many rows came from which source, about which action."""


async def claim_pending(context: PassContext, entity: str, lane: Lane | None) -> Chosen:
    """Claim what waits in the inbox, up to one batch. What arrives from now on rings the bell again."""
    if context.bell is not None and lane is not Lane.BULK:
        with suppress(CoordinationUnavailable):  # it falls silent by itself
            await context.bell.silence(entity)
    return await context.store.write(_claim, context, entity, lane)


def _claim(tx: Transaction, context: PassContext, entity: str, lane: Lane | None) -> Chosen:
    now, most = context.clock.now(), context.rules.batch_size
    if lane is Lane.LIVE:
        most = min(most, MOST_EDITS)
    items = tx.inbox.claim(entity, context.run_id, most, now, CLAIM_SECONDS, lane)
    if lane is Lane.LIVE and len(items) == MOST_EDITS:  # a smaller batch says nothing about a crowd
        tx.inbox.give_way(entity, LOOKS)
    return Chosen(
        list(dict.fromkeys(item.espo_id for item in items)),
        {item.id: item.espo_id for item in items},
        Counter((item.source, item.action) for item in items),
    )


async def enqueue(context: PassContext, entity: str, ids: Sequence[str], source: str) -> int:
    """Put records into the inbox; returns how many did not wait there already."""
    return await context.store.write(_enqueue, entity, ids, source)


def _enqueue(tx: Transaction, entity: str, ids: Sequence[str], source: str) -> int:
    # What waits already, reported by a webhook perhaps, need not wait twice: a change that its run misses shows in the
    # record's stamp and is found by the next look.
    waiting = tx.inbox.waiting_ids(entity, ids)
    new = [espo_id for espo_id in ids if espo_id not in waiting]
    # Somebody's edit has caused what the sensor found; what a selection found can wait.
    lane = Lane.LIVE if source == SENSOR and not is_crowd(len(new)) else Lane.BULK
    added = tx.inbox.add(
        entity, [InboxEvent(espo_id=espo_id, action="manual", source=source, lane=lane) for espo_id in new]
    )
    if lane is Lane.LIVE and not is_crowd(len(waiting)):
        tx.inbox.hurry(entity, waiting, source)
    return len(added)


async def choose(
    context: PassContext,
    entity: str,
    ids: Sequence[str],
    selection: str,
    *,
    select: Callable[[], Awaitable[list[str]]],
    dry_run: bool,
) -> Chosen:
    """Return what a run is about.

    ``ids`` win over ``selection``; ``select`` finds the ids of any selection but ``pending`` (what somebody edited; a
    person's run takes all that waits) and ``backlog`` (what large selections have left). A dry run claims nothing.
    """
    if ids:
        return Chosen(list(dict.fromkeys(ids)))
    if selection in ("pending", "backlog"):
        lane = Lane.BULK if selection == "backlog" else Lane.LIVE
        return Chosen([]) if dry_run else await claim_pending(context, entity, None if context.by_person else lane)
    found = await select()
    if dry_run or len(found) <= context.rules.batch_size:
        return Chosen(found)
    await enqueue(context, entity, found, selection)
    return await claim_pending(context, entity, Lane.BULK)


async def acknowledge(context: PassContext, chosen: Chosen, later: Collection[str] = ()) -> None:
    """Take what was claimed out of the inbox: it is done, or its failure is in the ledger.

    The records of ``later`` wait a minute instead: nothing was decided about them, so their event is not answered yet.
    """
    if chosen.claimed:
        await context.store.write(_acknowledge, context, chosen, later)


def _acknowledge(tx: Transaction, context: PassContext, chosen: Chosen, later: Collection[str]) -> None:
    until = context.clock.now() + timedelta(seconds=PUT_OFF_SECONDS)
    tx.inbox.put_off([row for row, record in chosen.claimed.items() if record in later], context.run_id, until)
    tx.inbox.acknowledge([row for row, record in chosen.claimed.items() if record not in later], context.run_id)


async def put_off(context: PassContext, chosen: Chosen) -> None:
    """Let what was claimed wait a minute: the run could not do it, and the next one would fare no better at once.

    Not longer where a login was refused: sensors launch nothing until it may be tried again, or was changed.
    """
    if chosen.claimed:
        await context.store.write(_put_off, context, chosen)


async def login_held_back(context: PassContext) -> ForeignSystemError | None:
    """Return the refused login for whose sake a run could do nothing now, the one that lasts longest."""
    refused = [await context.espo.login_held_back(), await context.advoware.login_held_back()]
    return max((one for one in refused if one is not None), key=lambda one: one.retry_after or 0.0, default=None)


def _put_off(tx: Transaction, context: PassContext, chosen: Chosen) -> None:
    until = context.clock.now() + timedelta(seconds=PUT_OFF_SECONDS)
    tx.inbox.put_off(chosen.claimed, context.run_id, until)
