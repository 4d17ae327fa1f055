"""So many in a span of time, over all processes, such as new calendars an hour (kalender.md 1)."""

import uuid
from datetime import timedelta

from vmh_sync.clock import Clock
from vmh_sync.coordination.connection import SyncRedis, evaluate_sync
from vmh_sync.coordination.errors import translated

# A sorted set of the moments at which one was taken, without those of a clock that was ahead. Returns 1 when one more
# may be taken now, else 0.
_TAKE = """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], ARGV[6], '+inf')
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1
"""


class Allowance:
    """At most ``limit`` in any span of ``per``, counted in Redis; unlike a rate nobody waits for the next one."""

    def __init__(self, sync_redis: SyncRedis, name: str, *, limit: int, per: timedelta, clock: Clock) -> None:
        self._redis = sync_redis
        self._key = f"vmh:allowance:{name}"
        self._limit = limit
        self._per = per
        self._clock = clock

    def take(self) -> bool:
        """Return True and count it when one more may be taken now. Raises CoordinationUnavailable."""
        now = self._clock.now()
        milliseconds = int(self._per.total_seconds() * 1000)
        arguments = (
            str((now - self._per).timestamp()),
            str(self._limit),
            str(now.timestamp()),
            uuid.uuid4().hex,
            str(milliseconds),
            str((now + self._per).timestamp()),
        )
        with translated():
            return evaluate_sync(self._redis, _TAKE, self._key, *arguments) == 1
