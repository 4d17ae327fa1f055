"""The doorbell: many events, one launch (dagster.md 3)."""

from vmh_sync.coordination.connection import AsyncRedis
from vmh_sync.coordination.errors import translated


class Doorbell:
    """Rings once per entity until it is silenced by the run that answers it, or until its time is over."""

    def __init__(self, redis: AsyncRedis) -> None:
        self._redis = redis

    async def ring(self, entity: str, ttl: float) -> bool:
        """Ring for ``ttl`` seconds. Returns True for the one caller that has to launch a run.

        Raises CoordinationUnavailable; the inbox's sensor then does without the bell.
        """
        with translated():
            return bool(await self._redis.set(_key(entity), "1", nx=True, px=max(1, round(ttl * 1000))))

    async def silence(self, entity: str) -> None:
        """Stop the bell: do this before claiming, so that what arrives later rings again."""
        with translated():
            await self._redis.delete(_key(entity))


def _key(entity: str) -> str:
    return f"vmh:bell:{entity}"
