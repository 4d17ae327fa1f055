"""Creates a child exactly once on either side, whatever is killed when (specification, sync-semantics.md 3).

The intent is stored before the POST; the link, which settles it, right after. While an intent is unsettled, the
record is looked for in a fresh list before anything is created again: both sides can list a party's children.
"""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from vmh_sync.engine.create_once import (
    LOOK_AGAIN_AFTER,
    CreatePutOff,
    give_up_if_not_done,
    longest_request,
    send_now,
    wait_for_earlier,
)
from vmh_sync.engine.pass_context import PassContext
from vmh_sync.store.errors import StaleRow
from vmh_sync.store.intents import Intent
from vmh_sync.sync.base import Side
from vmh_sync.systems.errors import ForeignSystemError, OutcomeUnknown

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CreateOrder(Generic[T]):
    """What is to be created. ``key`` names the record on the side that has it already.

    ``natural`` is by what it is found when nobody knows whether it was created, whatever the record says by then.
    """

    side: Side
    entity: str
    key: str
    betnr: int
    payload: Mapping[str, Any]
    post: Callable[[], Awaitable[T]]
    find: Callable[[], Awaitable[T | None]]
    natural: tuple[str, ...] | None = None


async def create_once(context: PassContext, order: CreateOrder[T]) -> tuple[T, str]:
    """Return the created or found record and the id of the intent, to be completed along with the link.

    Raises a ``ForeignSystemError`` when the create failed or stays unanswered.
    """
    intent = await asyncio.to_thread(_unsettled, context, order)
    if intent is not None and intent.sent_at is not None:
        found = await order.find()
        if found is not None:
            return found, intent.id
        await wait_for_earlier(context, intent)
    try:
        announced = await asyncio.to_thread(_announce, context, order, intent)
    except StaleRow:
        raise CreatePutOff(context.clock.now() + longest_request(context)) from None
    await send_now(context, announced)
    intent_id = announced.id
    try:
        return await order.post(), intent_id
    except OutcomeUnknown:
        for wait in LOOK_AGAIN_AFTER:
            found = await order.find()
            if found is not None:
                return found, intent_id
            await asyncio.sleep(wait)
        raise
    except ForeignSystemError as error:
        await give_up_if_not_done(context, intent_id, error)
        raise


def _unsettled(context: PassContext, order: CreateOrder[T]) -> Intent | None:
    with context.store.reading() as tx:
        mine = [i for i in tx.intents.open_for(order.entity, order.key) if i.system == str(order.side)]
    return mine[-1] if mine else None


def _announce(context: PassContext, order: CreateOrder[T], unsettled: Intent | None) -> Intent:
    text = json.dumps(order.payload, sort_keys=True, default=str)
    natural = {"key": list(order.natural)} if order.natural is not None else {}
    with context.store.transaction() as tx:
        if unsettled is not None and unsettled.natural_key != natural:
            # Looked for and not found: from now on it is looked for by what is sent now.
            tx.intents.abandon(unsettled.id)
            unsettled = None
        return unsettled or tx.intents.start(
            system=str(order.side),
            entity=order.entity,
            espo_id=order.key,
            natural_key=natural,
            payload_hash=hashlib.sha256(text.encode()).hexdigest(),
            betnr=order.betnr,
            run_id=context.run_id,
            claim="",
        )
