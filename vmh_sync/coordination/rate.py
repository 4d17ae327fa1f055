"""Rates that all processes keep together, such as Google's 600 requests a minute for the whole firm (kalender.md 1)."""

import math
import random
import time

from vmh_sync.coordination.connection import AsyncRedis, SyncRedis, evaluate, evaluate_sync
from vmh_sync.coordination.errors import translated
from vmh_sync.watchdog import waiting

# The generic cell rate algorithm: one number, the moment at which the bucket would be full again, in microseconds of
# Redis's own clock. Returns 0 when granted, else how many microseconds to wait before asking again.
_TAKE = """
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local interval, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full = tonumber(redis.call('GET', KEYS[1]) or '0')
if full < now then full = now end
if full > now + burst * interval then full = now + burst * interval end
local after = full + cost * interval
local wait = after - now - burst * interval
if wait > 0 then return wait end
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000) + 1000)
local spent, second = KEYS[1] .. ':spent', math.floor(now / 1000000)
redis.call('HINCRBY', spent, string.format('%.0f', second), cost)
redis.call('EXPIRE', spent, 120)
if redis.call('HLEN', spent) > 130 then
  for _, old in ipairs(redis.call('HKEYS', spent)) do
    if tonumber(old) < second - 120 then redis.call('HDEL', spent, old) end
  end
end
return 0
"""

# Nothing is decided by what was spent; it is there for whoever watches.
_SPENT = """
local second, sum = tonumber(redis.call('TIME')[1]), 0
local kept = redis.call('HGETALL', KEYS[1] .. ':spent')
for place = 1, #kept, 2 do
  if tonumber(kept[place]) > second - tonumber(ARGV[1]) then sum = sum + tonumber(kept[place + 1]) end
end
return sum
"""
LONGEST_LOOK_BACK = 120


class TokenBucket:
    """At most ``rate`` units in any window of ``per_seconds``, over all processes.

    ``burst`` units may go out at once after a pause. They are taken from the rate: the steady flow is
    ``rate - burst`` per window, since a full bucket and a steady flow of the whole rate would together exceed it.
    For threads, which Google's client works in.
    """

    def __init__(self, redis: SyncRedis, name: str, *, rate: int, per_seconds: float, burst: int = 1) -> None:
        if not 1 <= burst < rate:
            raise ValueError(f"rate {name}: burst must be at least 1 and less than the rate")
        self._redis = redis
        self._name = name
        self._burst = burst
        self._interval = math.ceil(per_seconds * 1_000_000 / (rate - burst))

    def acquire(self, cost: int = 1) -> float:
        """Wait until ``cost`` units may be spent. Returns the seconds waited.

        Raises ValueError if the cost is above the burst, CoordinationUnavailable when Redis does not answer.
        """
        began = time.monotonic()
        while True:
            with translated():
                pause = _seconds(evaluate_sync(self._redis, _TAKE, *self._arguments(cost)))
            if pause == 0:
                return time.monotonic() - began
            with waiting(pause):
                time.sleep(pause)

    def _arguments(self, cost: int) -> tuple[str, str, str, str]:
        if not 1 <= cost <= self._burst:
            raise ValueError(f"rate {self._name}: a cost of {cost} does not fit the burst of {self._burst}")
        return _key(self._name), str(self._interval), str(self._burst), str(cost)


async def units_spent(redis: AsyncRedis, name: str, seconds: int) -> int:
    """Return how many units of the rate ``name`` all processes spent within the last ``seconds`` (at most 120).

    Counted by whole seconds of Redis's clock. Raises CoordinationUnavailable when Redis does not answer.
    """
    if not 1 <= seconds <= LONGEST_LOOK_BACK:
        raise ValueError(f"rate {name}: what was spent is kept for {LONGEST_LOOK_BACK} s")
    with translated():
        return await evaluate(redis, _SPENT, _key(name), str(seconds))


def _key(name: str) -> str:
    return f"vmh:rate:{name}"


def _seconds(microseconds: int) -> float:
    if microseconds <= 0:
        return 0.0
    # A little uneven, so that waiters do not all come back in the same instant.
    return microseconds / 1_000_000 * (1 + 0.1 * random.random()) + 0.0005  # noqa: S311 - not a secret
