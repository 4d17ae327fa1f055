"""``vmh-sync db adopt-redis``: our database belongs to another Redis from now on."""

import asyncio

from vmh_sync.coordination.connection import connect
from vmh_sync.engine.installation.redis_identity import adopt, place_of
from vmh_sync.engine.passes.opening import open_database
from vmh_sync.services.valkey import ensure_redis
from vmh_sync.settings import VmhSettings, load


def adopt_redis() -> None:
    """Let the database belong to the Redis of the settings. Raises CoordinationUnavailable or StoreUnavailable."""
    settings = load(VmhSettings)
    url = ensure_redis(settings.home, settings.redis_url)

    async def run() -> None:
        async with connect(url) as redis:
            await adopt(redis, store, place_of(settings.redis_url, settings.home))

    with open_database(settings) as store:
        asyncio.run(run())
