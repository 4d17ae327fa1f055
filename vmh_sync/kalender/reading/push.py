"""Google's doorbell: each calendar's channel is opened, renewed before it ends, and stopped when it is not wanted.

Only who is synced has a channel, and a pass looks after it: without a public address set there is none, and what was
open is stopped. A failure here fails no appointment; the schedule finds every change all the same (kalender.md 6).
"""

import hashlib
import hmac
import logging
import secrets
import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

from vmh_sync.kalender.context import CalendarContext
from vmh_sync.store.calendars.calendar_channels import CalendarChannel
from vmh_sync.store.store import Transaction
from vmh_sync.sync.reporting.status import RETRY_AFTER, has_come
from vmh_sync.systems.google_calendar import channels
from vmh_sync.systems.google_calendar.errors import GoogleCalendarError

log = logging.getLogger(__name__)

PATH = "/vmh/push/google-calendar"
"""Where the gateway takes notifications, below the public address."""

RENEW_BEFORE = timedelta(days=1)
"""A channel that ends sooner is followed by a new one; both ring for a moment, which is harmless."""


def token_hash(token: str) -> str:
    """Return what we keep of a channel's secret."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_genuine(channel: CalendarChannel, token: str | None) -> bool:
    """Tell whether a notification carries the secret of its channel; takes the same time for any token."""
    return hmac.compare_digest(channel.token_hash, token_hash(token or ""))


async def keep_channel(
    context: CalendarContext, kuerzel: str, calendar_id: str, stored: Sequence[CalendarChannel]
) -> None:
    """Leave one employee with the channel that the settings want: one, or none. Costs no call when all is well.

    To be called under the employee's lease. What Google refuses is logged and tried again after the growing pauses of
    every other retry (sync-semantics.md 4), at once with another address or calendar.
    """
    base = context.settings.push_url
    address = base.rstrip("/") + PATH if base else None
    now = context.clock.now()
    if not stored and address is None:
        return

    def is_right(one: CalendarChannel) -> bool:
        return one.resource_id is not None and (one.calendar_id, one.address) == (calendar_id, address)

    right = [one for one in stored if is_right(one) and one.expires_at > now]
    good = [one for one in right if one.expires_at > now + RENEW_BEFORE][-1:]
    if address is not None and not good and not await _opened(context, kuerzel, calendar_id, address):
        good = right[-1:]  # it rings as long as it lasts
    await _close(context, [one for one in stored if one not in good])


async def stop_channels_of_others(context: CalendarContext, active: Collection[str]) -> None:
    """Stop the channels of everybody who is not among the active employees (Kürzel in any case)."""
    keep = {name.upper() for name in active}
    stored = await context.store.read(lambda tx: tx.calendar_channels.all())
    await _close(context, [one for one in stored if one.kuerzel.upper() not in keep])


async def _opened(context: CalendarContext, kuerzel: str, calendar_id: str, address: str) -> bool:
    """Open a channel unless Google refused one a short while ago; false when there is none."""
    name, now = f"channel-refused:{kuerzel}", context.clock.now()
    before = await context.store.read(lambda tx: tx.cursors.get(name))
    if not isinstance(before, dict) or before["whereto"] != [calendar_id, address]:
        before = None
    if before is not None and not has_come(datetime.fromisoformat(before["next"]), now):
        return False
    opened = await _open(context, kuerzel, calendar_id, address)
    attempts = 0 if before is None else min(before["attempts"] + 1, len(RETRY_AFTER) - 1)
    noted = {
        "attempts": attempts,
        "next": (now + RETRY_AFTER[attempts]).isoformat(),
        "whereto": [calendar_id, address],
    }

    def note(tx: Transaction) -> None:
        if opened:
            tx.cursors.forget(name)
        else:
            tx.cursors.set(name, noted)

    if before is not None or not opened:
        await context.store.write(note)
    return opened


async def _open(context: CalendarContext, kuerzel: str, calendar_id: str, address: str) -> bool:
    """Open a channel; it is stored first, so that no notification of it is taken for a stranger's."""
    now, token = context.clock.now(), secrets.token_urlsafe(32)
    channel = CalendarChannel(
        channel_id=str(uuid.uuid4()),
        kuerzel=kuerzel,
        calendar_id=calendar_id,
        address=address,
        token_hash=token_hash(token),
        expires_at=now + channels.LONGEST,
    )
    client = context.google.client

    def store(tx: Transaction) -> None:
        tx.calendar_channels.add(channel)

    await context.store.write(store)
    try:
        opened = await context.google.run(
            lambda: channels.watch(client, calendar_id, channel.channel_id, address=address, token=token, now=now)
        )
    except GoogleCalendarError as problem:
        log.warning("kalender %s: Google opens no channel: %s", kuerzel, problem)
        await context.store.write(_forget, [channel])
        return False

    def note(tx: Transaction) -> None:
        tx.calendar_channels.opened(channel.channel_id, opened.resource_id, opened.expires_at)

    await context.store.write(note)
    return True


async def _close(context: CalendarContext, done_with: Iterable[CalendarChannel]) -> None:
    client, now = context.google.client, context.clock.now()
    stopped = []
    for one in done_with:
        try:
            if one.resource_id is not None and one.expires_at > now:
                await context.google.run(partial(channels.stop, client, one.channel_id, one.resource_id))
        except GoogleCalendarError as problem:
            log.warning("kalender %s: a channel could not be stopped: %s", one.kuerzel, problem)
            continue
        stopped.append(one)
    if stopped:
        await context.store.write(_forget, stopped)


def _forget(tx: Transaction, gone: Iterable[CalendarChannel]) -> None:
    tx.calendar_channels.remove([one.channel_id for one in gone])


async def take_rung(context: CalendarContext) -> list[str]:
    """Return whose calendars have rung since the last run that asked.

    The bell is silenced first: what rings from now on launches a run of its own.
    """
    await context.bell.silence("kalender")

    def take(tx: Transaction) -> list[str]:
        return tx.calendar_channels.take_rung()

    return await context.store.write(take)
