"""The sign of life of the watch over EspoCRM (``vmh_sync.watch``), for whoever asks whether it works."""

import json
from dataclasses import dataclass
from datetime import datetime

from vmh_sync.coordination.connection import AsyncRedis
from vmh_sync.coordination.errors import translated

_KEY = "vmh:watch"
SILENT_SECONDS = 60.0
"""A watch that has given no sign for so long is gone; one that pauses gives signs too."""


@dataclass(frozen=True, slots=True)
class WatchSign:
    """``at``: when it last looked or meant to (aware, UTC); ``paused``: why it could not, one German sentence."""

    at: datetime
    paused: str | None = None


async def give_sign(redis: AsyncRedis, sign: WatchSign) -> None:
    """Leave a sign that lasts for :data:`SILENT_SECONDS`. Raises CoordinationUnavailable."""
    text = json.dumps({"at": sign.at.isoformat(), "paused": sign.paused})
    with translated():
        await redis.set(_KEY, text, px=round(SILENT_SECONDS * 1000))


async def read_sign(redis: AsyncRedis) -> WatchSign | None:
    """Return the last sign, None when there is no watch. Raises CoordinationUnavailable."""
    with translated():
        text = await redis.get(_KEY)
    try:
        found = json.loads(str(text)) if text else None
        return WatchSign(datetime.fromisoformat(found["at"]), found["paused"]) if found else None
    except (ValueError, KeyError, TypeError):
        return None
