"""A run in front of a Redis that does not belong to our database fails before it begins."""

import dagster as dg

from vmh_sync.coordination.leases import Leases
from vmh_sync.engine.redis_identity import ForeignRedis


async def require_our_redis(leases: Leases) -> None:
    """Raise ``dagster.Failure`` with the German sentence and its remedy when our database belongs to another Redis."""
    try:
        await leases.ask_guard()
    except ForeignRedis as foreign:
        raise dg.Failure(description=str(foreign), allow_retries=False) from None
