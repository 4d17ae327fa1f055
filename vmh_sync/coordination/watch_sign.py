"""The sign of life of the watch over EspoCRM (``vmh_sync.watch``), for whoever asks whether it works."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vmh_sync.coordination.connection import AsyncRedis
from vmh_sync.coordination.errors import translated
from vmh_sync.coordination.process import ProcessId, is_provably_dead

_KEY = "vmh:watch"
SILENT_SECONDS = 180.0
"""A watch that has given no sign for so long is gone or frozen; one that pauses gives signs too.

It signs after each look, and a look at an EspoCRM that takes calls and says nothing ends after three time-outs.
"""
_KEPT_SECONDS = 86_400.0
"""So long the last sign of a watch that did not end in order is kept. How old it is, Redis says: clocks may be set."""


@dataclass(frozen=True, slots=True)
class WatchSign:
    """``at``: when it last looked or meant to (aware, UTC); ``paused``: why it could not, one German sentence."""

    at: datetime
    paused: str | None = None


async def give_sign(redis: AsyncRedis, sign: WatchSign) -> None:
    """Leave a sign. Raises CoordinationUnavailable."""
    text = json.dumps({"at": sign.at.isoformat(), "paused": sign.paused, "by": str(ProcessId.own())})
    with translated():
        await redis.set(_KEY, text, px=round(_KEPT_SECONDS * 1000))


async def take_sign_away(redis: AsyncRedis) -> None:
    """Say that this process's watch ends in order: nobody shall miss it. Raises CoordinationUnavailable.

    The sign of another watch that may live stays.
    """
    with translated():
        giver = ProcessId.parse(str(_fields(await redis.get(_KEY)).get("by")))
        if giver in (None, ProcessId.own()) or is_provably_dead(giver):
            await redis.delete(_KEY)


async def read_sign(redis: AsyncRedis) -> WatchSign | None:
    """Return the sign of a watch that works or pauses, None when there is none. Raises CoordinationUnavailable."""
    sign, silent = await _last(redis)
    return None if silent else sign


async def silent_since(redis: AsyncRedis) -> datetime | None:
    """Return when a watch that neither works nor ended in order gave its last sign (aware, UTC), else None.

    Raises CoordinationUnavailable.
    """
    sign, silent = await _last(redis)
    return sign.at if sign is not None and silent else None


async def _last(redis: AsyncRedis) -> tuple[WatchSign | None, bool]:
    with translated():
        found, left = _fields(await redis.get(_KEY)), await redis.pttl(_KEY)
    try:
        sign = WatchSign(datetime.fromisoformat(found["at"]), found["paused"])
    except (ValueError, KeyError, TypeError):
        return None, False
    return sign, left <= (_KEPT_SECONDS - SILENT_SECONDS) * 1000


def _fields(text: object) -> dict[str, Any]:
    try:
        found = json.loads(str(text)) if text else None
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
