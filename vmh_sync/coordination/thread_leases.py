"""Leases for threads: the same keys and rules as :mod:`vmh_sync.coordination.leases`, for the Google client's world."""

import logging
import random
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from vmh_sync.coordination.connection import SyncRedis, evaluate_sync
from vmh_sync.coordination.errors import CoordinationUnavailable, LeaseLost, translated
from vmh_sync.coordination.leases import EXTEND, RELEASE, REPLACE, SEPARATOR, lease_key, owner_is_dead
from vmh_sync.coordination.process import ProcessId

_log = logging.getLogger(__name__)

_POLL_SECONDS = (0.02, 0.25)


class ThreadLease:
    """A lease that is held by a thread."""

    def __init__(self, redis: SyncRedis, name: str, seconds: float, owner: str) -> None:
        self.name = name
        self._redis = redis
        self._seconds = seconds
        self._milliseconds = str(max(1, round(seconds * 1000)))
        self._token = f"{owner}{SEPARATOR}{secrets.token_hex(8)}"
        self._lost = False
        self._over = threading.Event()

    def ensure(self) -> None:
        """Prolong the lease by its full time. Raises LeaseLost when it is not ours any more or Redis cannot tell."""
        if self._lost:
            raise LeaseLost(f"the lease {self.name} was lost")
        try:
            with translated():
                held = evaluate_sync(self._redis, EXTEND, lease_key(self.name), self._token, self._milliseconds)
        except CoordinationUnavailable as error:
            raise LeaseLost(f"the lease {self.name} cannot be confirmed: {error}") from None
        if not held:
            self._lost = True
            raise LeaseLost(f"the lease {self.name} ran out or was taken over")

    def take(self) -> bool:
        """Try once to get the lease. Raises CoordinationUnavailable."""
        key = lease_key(self.name)
        with translated():
            if self._redis.set(key, self._token, nx=True, px=int(self._milliseconds)):
                return True
            current = self._redis.get(key)
            if current == self._token:
                return True  # the client repeated the request after its first answer was lost
            if not isinstance(current, str) or not owner_is_dead(current):
                return False
            return bool(evaluate_sync(self._redis, REPLACE, key, current, self._token, self._milliseconds))

    def keep(self) -> None:
        """Renew the lease until it is released or lost; runs in a thread of its own."""
        while not self._over.wait(self._seconds / 3):
            try:
                self.ensure()
            except LeaseLost:
                if self._lost:
                    _log.warning("lease %s was lost", self.name)
                    return

    def release(self) -> None:
        """Give the lease back if it is still ours."""
        self._over.set()
        try:
            with translated():
                evaluate_sync(self._redis, RELEASE, lease_key(self.name), self._token)
        except CoordinationUnavailable:
            _log.warning("lease %s could not be released, it runs out by itself", self.name)


class ThreadLeases:
    """Hands out leases to threads; see :class:`vmh_sync.coordination.leases.Leases`."""

    def __init__(self, redis: SyncRedis, seconds: float, owner: str | None = None) -> None:
        if seconds <= 0:
            raise ValueError("a lease needs a life of more than 0 seconds")
        self._redis = redis
        self._seconds = seconds
        self._owner = owner

    @contextmanager
    def hold(self, name: str, wait: float = 0) -> Iterator[ThreadLease | None]:
        """Hold the lease ``name`` during the block; None when it is still somebody else's after ``wait`` seconds.

        Raises CoordinationUnavailable when Redis does not answer.
        """
        lease = ThreadLease(self._redis, name, self._seconds, self._owner or str(ProcessId.own()))
        if not _take_within(lease, wait):
            yield None
            return
        keeper = threading.Thread(target=lease.keep, name=f"lease {name}", daemon=True)
        keeper.start()
        try:
            yield lease
        finally:
            lease.release()
            keeper.join()


class WaitingLeases:
    """Leases that are always waited for, as the writers of one Google calendar want them."""

    def __init__(self, leases: ThreadLeases, prefix: str, patience: float = 300.0) -> None:
        self._leases = leases
        self._prefix = prefix
        self._patience = patience

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        """Hold ``prefix:name`` during the block. Raises CoordinationUnavailable if it does not become free in time."""
        with self._leases.hold(f"{self._prefix}:{name}", wait=self._patience) as lease:
            if lease is None:
                raise CoordinationUnavailable(f"the lease {self._prefix}:{name} did not become free in time")
            yield


def _take_within(lease: ThreadLease, wait: float) -> bool:
    deadline = time.monotonic() + wait
    pause = _POLL_SECONDS[0]
    while not lease.take():
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(left, pause * (0.5 + random.random())))  # noqa: S311 - not a secret
        pause = min(pause * 2, _POLL_SECONDS[1])
    return True
