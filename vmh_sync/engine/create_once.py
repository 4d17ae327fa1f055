"""What every create shares, so that nothing is made twice (specification, sync-semantics.md 3).

An intent is stored before the POST. While its outcome is unknown the record is looked for; not finding it proves
nothing before the longest time a request can live (the client's time-out and the server's) has passed, even if the
process that sent it is long dead. Until then the record is put off, and only afterwards looked for and posted again.
Who sends is decided in our database, so that two processes without a common Redis cannot both POST.
"""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

from vmh_sync.engine.pass_context import PassContext
from vmh_sync.store.errors import StaleRow
from vmh_sync.store.intents import Intent
from vmh_sync.systems.errors import ForeignSystemError

LOOK_AGAIN_AFTER = (0.3, 1.0, 2.0)
"""Seconds between looks for a record whose create was not confirmed."""


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


async def send_now(context: PassContext, intent: Intent) -> None:
    """Claim the right to send an intent's POST, after the record was looked for and not found.

    Raises :class:`CreatePutOff` while an earlier request may still arrive, or when another process has just claimed it.
    """
    await wait_for_earlier(context, intent)
    try:
        await asyncio.to_thread(_claim, context, intent)
    except StaleRow:
        raise CreatePutOff(context.clock.now() + longest_request(context)) from None


async def wait_for_earlier(context: PassContext, intent: Intent) -> None:
    """Raise :class:`CreatePutOff` while the request that was sent for this intent may still arrive."""
    if intent.sent_at is None:
        return
    now, patience = context.clock.now(), longest_request(context)
    if intent.sent_at > now + patience:
        # The clock was ahead when it was sent. How long ago that was nobody knows: the wait begins now, once.
        await asyncio.to_thread(_stamp_anew, context, intent)
        raise CreatePutOff(now + patience)
    if now < (until := intent.sent_at + patience):
        raise CreatePutOff(until)


async def give_up_if_not_done(context: PassContext, intent_id: str, error: ForeignSystemError) -> None:
    """Abandon the intent when the call certainly created nothing, so that the next try starts afresh."""
    if error.certainly_not_done:
        await asyncio.to_thread(_abandon, context, intent_id)


def longest_request(context: PassContext) -> timedelta:
    """Return the longest time after which a request that was sent may still take effect."""
    return timedelta(seconds=context.rules.create_settle_seconds)


def _claim(context: PassContext, intent: Intent) -> None:
    with context.store.transaction() as tx:
        tx.intents.claim(intent)


def _stamp_anew(context: PassContext, intent: Intent) -> None:
    # StaleRow: another process has just done it, or settled the create; the next pass reads what stands there.
    with suppress(StaleRow), context.store.transaction() as tx:
        tx.intents.claim(intent)


def _abandon(context: PassContext, intent_id: str) -> None:
    with context.store.transaction() as tx:
        tx.intents.abandon(intent_id)
