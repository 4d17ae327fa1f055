"""A run in front of a Redis that does not belong to our database fails before it begins."""

from vmh_sync.coordination.leases import Leases
from vmh_sync.engine.installation.redis_identity import ForeignRedis
from vmh_sync.orchestration.jobs.sentences import Stopped


async def require_our_redis(leases: Leases) -> None:
    """Raise ``dagster.Failure`` with the German sentence and its remedy when our database belongs to another Redis."""
    try:
        await leases.ask_guard()
    except ForeignRedis as foreign:
        raise Stopped(str(foreign)) from None
