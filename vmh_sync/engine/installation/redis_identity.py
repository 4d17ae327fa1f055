"""Our database knows which Redis belongs to it: leases of two Redis do not know of each other (sync-semantics.md 3).

On their first meeting both get the same token. A process whose Redis has another token, or has none and lies elsewhere,
gets no lease and so writes nothing. A Redis at the known place that has lost its data gets a new token, like the
database: should it be another one under the same name, the old one is refused from then on.
"""

import asyncio
import secrets
import socket
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from vmh_sync.coordination.connection import AsyncRedis
from vmh_sync.coordination.errors import CoordinationUnavailable, translated
from vmh_sync.store.store import Store, Transaction

KEY = "vmh:identity"
CURSOR = "redis identity"
_LOCAL = frozenset({"", "localhost", "127.0.0.1", "::1"})


class ForeignRedis(CoordinationUnavailable):
    """This process and the others of our database do not use the same Redis; ``str`` is German and names the remedy."""

    def __init__(self, own: str, known: str) -> None:
        super().__init__(
            f"Diese Datenbank gehört zu einem anderen Redis ({known}) als dem dieses Prozesses ({own}): "
            "überall dieselbe REDIS_URL (oder dasselbe VMH_HOME) angeben; wurde Redis ersetzt, alle anderen Prozesse "
            "beenden und `vmh-sync db adopt-redis` ausführen."
        )


@dataclass(frozen=True, slots=True)
class Identity:
    """What the database knows of its Redis."""

    token: str
    place: str


def place_of(url: str | None, home: Path) -> str:
    """Return where a Redis lies, without its password: the same for all processes that mean the same one."""
    if not url:
        return f"{socket.gethostname()}:{home.expanduser().resolve()}"
    parts = urlsplit(url)
    host = socket.gethostname() if (parts.hostname or "") in _LOCAL else parts.hostname
    # Each numbered database of a Redis has keys of its own: in the path, or (unix sockets) among the parameters.
    number = "".join(f"?db={one}" for one in parse_qs(parts.query).get("db", ()))
    return f"{host}:{parts.port or 6379}{parts.path}{number}"


def guard_of(redis: AsyncRedis, store: Store, place: str) -> Callable[[], Awaitable[None]]:
    """Return what has to be asked before a lease is taken; it asks Redis and the database once.

    Raises :class:`ForeignRedis`, ``CoordinationUnavailable`` or ``StoreUnavailable``.
    """
    lock, sure = asyncio.Lock(), False

    async def guard() -> None:
        nonlocal sure
        if sure:
            return
        async with lock:
            if not sure:
                await _meet(redis, store, place)
                sure = True

    return guard


async def foreign(redis: AsyncRedis, store: Store, place: str) -> ForeignRedis | None:
    """Return why this Redis is not the one of our database, None when it is or may become it; changes nothing.

    Raises ``CoordinationUnavailable`` or ``StoreUnavailable``.
    """
    with translated():
        found = await redis.get(KEY)
    known = await store.read(_known)
    if known is None or found == known.token or (found is None and known.place == place):
        return None
    return ForeignRedis(place, known.place)


async def adopt(redis: AsyncRedis, store: Store, place: str) -> None:
    """Let the database belong to this Redis from now on; others are refused then."""
    own = Identity(await _token(redis, secrets.token_hex(16)), place)
    await store.write(lambda tx: tx.cursors.set(CURSOR, asdict(own)))


async def _meet(redis: AsyncRedis, store: Store, place: str) -> None:
    with translated():
        found = await redis.get(KEY)
    known = await store.read(_known)
    if known is not None and found is None and known.place == place:
        await adopt(redis, store, place)
        return
    if known is None:
        own = Identity(await _token(redis, secrets.token_hex(16)), place)
        known = await store.write(_first, own)
        found = own.token
    if found != known.token:
        raise ForeignRedis(place, known.place)


async def _token(redis: AsyncRedis, new: str) -> str:
    """Return the token that stands in Redis, ``new`` if there was none."""
    with translated():
        await redis.set(KEY, new, nx=True)
        return str(await redis.get(KEY))


def _known(tx: Transaction) -> Identity | None:
    value = tx.cursors.get(CURSOR)
    return Identity(**value) if value else None


def _first(tx: Transaction, own: Identity) -> Identity:
    """Store ``mine`` unless another one was quicker; returns what stands there then."""
    tx.cursors.set_once(CURSOR, asdict(own))
    return Identity(**tx.cursors.get(CURSOR))
