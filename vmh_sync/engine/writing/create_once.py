"""The one way in which anything is created on a foreign side, so that nothing is made twice (sync-semantics.md 3).

A party, a child, an entry, a Termin, a task: an idempotency record (intent) is stored before the POST leaves and is
settled, together with what the caller stores of the result, after it. While its outcome is unknown, the record is
looked for. Not finding it proves nothing before the longest time a request can live has passed, even if the process
that sent it is long dead: until then the create is put off, and only a look that *begins* afterwards allows another
POST. Who sends is decided in our database, so that two processes without a common Redis cannot both. A POST that waited
too long for its turn does not leave at all: its life is reckoned from the moment that was stored.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from vmh_sync import fence
from vmh_sync.clock import Clock
from vmh_sync.coordination.errors import LeaseLost
from vmh_sync.engine.failures.ledger import TRY_AGAIN_AFTER
from vmh_sync.store.database.columns import JsonObject
from vmh_sync.store.errors import StaleRow
from vmh_sync.store.pairs.intents import Creates, Intent
from vmh_sync.store.store import Store, Transaction
from vmh_sync.sync.base import Side
from vmh_sync.systems.errors import ForeignSystemError, NotDone, OutcomeUnknown, Rejected

T = TypeVar("T")

LOOK_AGAIN_AFTER = (0.0, 0.3, 1.0)
"""Seconds before each look for a record whose create was not answered."""

SERVER_PATIENCE = timedelta(seconds=90)
"""How long a server may go on working on a request that nobody waits for any more."""

_LEAST_TO_SEND = timedelta(seconds=30)
"""However short the longest request is set, a POST has this long for its way."""


class CreateContext(Protocol):
    """What a create needs of a pass."""

    clock: Clock
    store: Store
    run_id: str

    @property
    def longest_request(self) -> timedelta:
        """The longest time after which a request may still take effect (``VMH_CREATE_SETTLE_SECONDS``)."""
        ...


class CreatePutOff(ForeignSystemError):
    """An earlier create may still arrive over there: nothing is sent before ``until``. No failure of the record."""

    retryable = True

    def __init__(self, until: datetime) -> None:
        super().__init__(f"an unanswered create may still arrive until {until:%H:%M:%S} UTC")
        self.until = until

    @property
    def message_for_people(self) -> str:
        """One German sentence."""
        return f"Eine frühere Anlage kann noch ankommen; der Abgleich wartet bis {self.until:%H:%M:%S} UTC."


class WaitedTooLong(NotDone):
    """A POST stood in the queue for so long that its life would outlast what was stored about it: it did not leave."""

    retryable = True
    people = "Die Anlage kam nicht rechtzeitig an die Reihe; der Abgleich wird wiederholt."


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOrder(Generic[T]):
    """What is to be created. ``espo_id`` and ``claim`` name it: there is one unsettled intent for both at most.

    ``natural_key`` is kept with the intent, so that ``find`` looks for what was sent, whatever the record says by then.
    ``find`` returns the record that an earlier POST made; it may raise when that cannot be found out. ``look_first``
    looks for the same thing made by somebody else, before anything was sent. ``payload`` is kept as a hash only.
    ``post_whole`` is sent in place of ``post`` where the very same content was refused less than a day ago: what of it
    is to blame is not looked for again.
    """

    system: Side
    entity: str
    espo_id: str
    natural_key: JsonObject
    payload: Mapping[str, object]
    post: Callable[[], Awaitable[T]]
    find: Callable[[Intent], Awaitable[T | None]]
    claim: str = ""
    betnr: int | None = None
    look_first: Callable[[], Awaitable[T | None]] | None = None
    post_whole: Callable[[], Awaitable[T]] | None = None


@dataclass(frozen=True, slots=True)
class Creation(Generic[T]):
    """The record, and the intent that the caller settles in the transaction that stores the link.

    ``answered``: our POST of this call was answered with it. ``earlier``: it was not sent in this call.
    """

    record: T
    intent: Intent
    answered: bool = False
    earlier: bool = False


async def create_once(context: CreateContext, order: CreateOrder[T]) -> Creation[T]:
    """Return the created or found record.

    Raises :class:`CreatePutOff` while an earlier request may still arrive or another process is at it, a
    ``ForeignSystemError`` when the create failed or stays unanswered, and whatever ``find`` and ``look_first`` raise.
    """
    began = time.monotonic()
    claimed, history = await _claimed_if_new(context, order)
    if claimed is None:
        intent = history.unsettled
        if intent is not None and intent.sent_at is not None:
            found = await _look_for_earlier(context, order, intent)
            if found is not None:
                return Creation(found, intent, earlier=True)
        elif order.look_first is not None:
            found = await order.look_first()
            if found is not None:
                announced = await context.store.write(_announce, context, order, intent)
                return Creation(found, announced, earlier=True)
        began = time.monotonic()
        with _put_off_by_others(context):
            claimed = await context.store.write(_claim, context, order, intent)
    if order.post_whole is not None and _refused_lately(context, order, history.last):
        order = replace(order, post=order.post_whole)
    return await _post(context, order, claimed, began)


async def _claimed_if_new(context: CreateContext, order: CreateOrder[T]) -> tuple[Intent | None, Creates]:
    """Return what is known of a create; where that is nothing and no look comes first, with the right to send it."""
    if order.look_first is not None:
        return None, await context.store.read(_history, order)
    with _put_off_by_others(context):
        return await context.store.write(_claim_if_new, context, order)


@contextmanager
def _put_off_by_others(context: CreateContext) -> Iterator[None]:
    try:
        yield
    except StaleRow:
        raise CreatePutOff(context.clock.now() + context.longest_request) from None


def _refused_lately(context: CreateContext, order: CreateOrder[T], last: Intent | None) -> bool:
    """Whether the last create of the record was refused with the very same content less than a day ago.

    What is refused is sent again daily, and at once when it changes (specification, sync-semantics.md 4): until then
    nobody need find out anew what of it is to blame.
    """
    if last is None or not last.refused or last.settled_at is None or last.payload_hash != _hash_of(order.payload):
        return False
    return last.settled_at <= context.clock.now() < last.settled_at + TRY_AGAIN_AFTER


def _hash_of(payload: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(dict(payload), sort_keys=True, default=str).encode()).hexdigest()


async def _look_for_earlier(context: CreateContext, order: CreateOrder[T], intent: Intent) -> T | None:
    """Return what the earlier POST made; ``None`` only if the look began when nothing could arrive any more."""
    began = context.clock.now()
    found = await order.find(intent)
    if found is None and intent.sent_at is not None:
        until = intent.sent_at + context.longest_request
        if intent.sent_at > began + context.longest_request:
            # The clock was ahead when it was sent. How long ago that was nobody knows: the wait begins now, once.
            until = context.clock.now() + context.longest_request
            with suppress(StaleRow):  # another process has just done it, or settled the create: the next pass reads it
                await context.store.write(lambda tx: tx.intents.claim(intent))
        if began < until:
            raise CreatePutOff(until)
    return found


async def _post(context: CreateContext, order: CreateOrder[T], intent: Intent, began: float) -> Creation[T]:
    in_time = _InTime(context.longest_request, began)
    fence.put_up(in_time)
    try:
        return Creation(await order.post(), intent, answered=True)
    except OutcomeUnknown as error:
        unanswered = error
    except (ForeignSystemError, LeaseLost) as error:
        # A lost lease is noticed before anything leaves.
        if isinstance(error, LeaseLost) or error.certainly_not_done:
            refused = isinstance(error, Rejected)
            with suppress(StaleRow):  # certainly nothing was created; what another process has sent since stays
                await context.store.write(lambda tx: tx.intents.give_up(intent, refused=refused))
        raise
    finally:
        fence.take_down(in_time)
    return await _look_for_unanswered(order, intent, unanswered)


async def _look_for_unanswered(order: CreateOrder[T], intent: Intent, unanswered: OutcomeUnknown) -> Creation[T]:
    for wait in LOOK_AGAIN_AFTER:
        await asyncio.sleep(wait)
        found = await order.find(intent)
        if found is not None:
            return Creation(found, intent)
    raise unanswered


class _InTime:
    """Fence: a POST leaves, and its answer is waited for, within the client's part of the longest request.

    ``began`` lies before the moment that the claim notes as sent: from there others count, not from its commit.
    """

    def __init__(self, longest: timedelta, began: float) -> None:
        seconds = max(longest - SERVER_PATIENCE, _LEAST_TO_SEND).total_seconds()
        self._ends = began + seconds

    def seconds_left(self) -> float:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise WaitedTooLong("the create waited too long to be sent")
        return left


# Our database


def _history(tx: Transaction, order: CreateOrder[T]) -> Creates:
    return tx.intents.history(str(order.system), order.entity, order.espo_id, order.claim)


def _announce(tx: Transaction, context: CreateContext, order: CreateOrder[T], unsettled: Intent | None) -> Intent:
    return _as_sought(tx, order, unsettled) or _start(tx, context, order, sent=False)


def _claim(tx: Transaction, context: CreateContext, order: CreateOrder[T], unsettled: Intent | None) -> Intent:
    """Announce the create and take the right to send it; raises ``StaleRow`` when another process just did."""
    known = _as_sought(tx, order, unsettled)
    return tx.intents.claim(known) if known is not None else _start(tx, context, order, sent=True)


def _claim_if_new(tx: Transaction, context: CreateContext, order: CreateOrder[T]) -> tuple[Intent | None, Creates]:
    history = _history(tx, order)
    if history.unsettled is not None:
        return None, history
    return _start(tx, context, order, sent=True, key=history.next_id), history


def _as_sought(tx: Transaction, order: CreateOrder[T], unsettled: Intent | None) -> Intent | None:
    """Return the unsettled intent, unless something else is sent now: from then on it is looked for by that."""
    if unsettled is not None and unsettled.natural_key != order.natural_key:
        tx.intents.abandon(unsettled.id)
        return None
    return unsettled


def _start(
    tx: Transaction, context: CreateContext, order: CreateOrder[T], *, sent: bool, key: str | None = None
) -> Intent:
    return tx.intents.start(
        system=str(order.system),
        entity=order.entity,
        espo_id=order.espo_id,
        natural_key=order.natural_key,
        payload_hash=_hash_of(order.payload),
        betnr=order.betnr,
        run_id=context.run_id,
        claim=order.claim,
        sent=sent,
        key=key,
    )
