"""The signed token, shared by all callers (specification, advoware-wire.md 2).

In a process one token request serves however many callers meet a 401; across processes the :class:`TokenCache` does
the same. A refused login holds back all callers of all processes (``systems.circuit``).
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import logging
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from vmh_sync.background import stop
from vmh_sync.clock import Clock
from vmh_sync.settings import AdvowareSettings
from vmh_sync.systems.advoware import answers, wire
from vmh_sync.systems.advoware.discovery import Addresses, discover
from vmh_sync.systems.advoware.errors import (
    AdvowareError,
    BadConfiguration,
    LoginFailed,
    NotFound,
    NotOffered,
    Rejected,
    Transient,
    UnexpectedAnswer,
    by_answer,
)
from vmh_sync.systems.calls import CallObserver, NullObserver
from vmh_sync.systems.circuit import CircuitStore, LoginCircuit, MemoryCircuits, Ticket, circuit_name
from vmh_sync.systems.errors import ForeignSystemError, NoAnswerError, NotSentError
from vmh_sync.systems.guarded_login import GuardedLogin
from vmh_sync.systems.http import HttpClient
from vmh_sync.systems.transport import HttpCall, Transport

_log = logging.getLogger(__name__)

RENEWALS_WITHOUT_SUCCESS = 3
EXPIRY_MARGIN = timedelta(seconds=60)
LONGEST_LIFE = timedelta(days=30)
"""What is said to live longer is asked for anew then: seconds of any size come from outside."""


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A token and the addresses it belongs to. ``expires_at`` (aware, UTC) has the safety margin taken off."""

    access_token: str = field(repr=False)
    expires_at: datetime
    api_base: str
    security_gateway: str

    def usable(self, now: datetime) -> bool:
        """Whether the token may still be used at ``now`` (aware)."""
        return now < self.expires_at

    def to_json(self) -> str:
        """As text for a cache. Holds the secret: never log it."""
        return json.dumps(
            {
                "access_token": self.access_token,
                "expires_at": self.expires_at.isoformat(),
                "api_base": self.api_base,
                "security_gateway": self.security_gateway,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> "StoredToken":
        """The inverse of :meth:`to_json`. Raises ValueError or KeyError for anything else."""
        data: dict[str, str] = json.loads(text)
        return cls(
            access_token=data["access_token"],
            expires_at=datetime.fromisoformat(data["expires_at"]).astimezone(UTC),
            api_base=data["api_base"],
            security_gateway=data["security_gateway"],
        )


class TokenCache(Protocol):
    """Where the token lives that all processes share."""

    async def get(self) -> StoredToken | None:
        """The stored token, possibly expired; None when there is none."""
        ...

    async def refresh(self, stale: StoredToken | None, fetch: Callable[[], Awaitable[StoredToken]]) -> StoredToken:
        """Replace ``stale`` by a new token, with one ``fetch`` however many callers ask at once.

        ``stale`` is the token that the caller holds for useless (refused or expired), None when it found none. If a
        token with another ``access_token`` is stored by now, it is returned and nothing is fetched. Otherwise one
        caller fetches and stores, the others wait and get its token. What ``fetch`` raises goes to the caller.
        """
        ...


class MemoryTokenCache:
    """A :class:`TokenCache` for one process: tests, tools, ``doctor``."""

    def __init__(self) -> None:
        self._token: StoredToken | None = None
        self._lock = asyncio.Lock()

    async def get(self) -> StoredToken | None:
        """The stored token, possibly expired; None when there is none."""
        return self._token

    async def refresh(self, stale: StoredToken | None, fetch: Callable[[], Awaitable[StoredToken]]) -> StoredToken:
        """See :meth:`TokenCache.refresh`."""
        async with self._lock:
            stored = self._token
            if stored is None or (stale is not None and stored.access_token == stale.access_token):
                self._token = stored = await fetch()
            return stored


def sign(api_key: str, *, product: int, app_id: str, nonce: str, timestamp: str) -> str:
    """The signature of a token request: 88 characters of base64. Raises BadConfiguration for an unusable API key."""
    try:
        key = base64.b64decode(api_key, validate=True)
    except (binascii.Error, ValueError):
        raise BadConfiguration("ADVOWARE_API_KEY is not base64") from None
    message = f"{product}:{app_id}:{nonce}:{timestamp}"
    return base64.b64encode(hmac.new(key, message.encode(), hashlib.sha512).digest()).decode()


def timestamp_of(moment: datetime) -> str:
    """An aware moment as the token request writes it: UTC, milliseconds, ``Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class TokenSource:
    """Hands out the current token and renews it, once for all callers together."""

    def __init__(
        self,
        settings: AdvowareSettings,
        *,
        http: HttpClient,
        cache: TokenCache,
        clock: Clock,
        observer: CallObserver | None = None,
        circuits: CircuitStore | None = None,
        person: bool = False,
    ) -> None:
        self._settings = settings
        self._cache = cache
        self._circuit = LoginCircuit(login_name(settings), clock, circuits or MemoryCircuits())
        self._guard = GuardedLogin(
            self._circuit, person=person, transient=Transient, refusals=(LoginFailed, BadConfiguration)
        )
        self._clock = clock
        self._transport = Transport(
            system=AdvowareError.system, http=http, observer=observer or NullObserver(), concurrency=1
        )
        self._token: StoredToken | None = None
        self._flight: asyncio.Task[StoredToken] | None = None
        self._renewals = 0
        self._useless: str | None = None
        self._unproven: Ticket | None = None

    async def current(self) -> StoredToken:
        """A token that was not refused yet. Raises what :meth:`renew` raises; network faults are Transient."""
        token = self._token
        if token is not None and token.usable(self._clock.now()) and token.access_token != self._useless:
            return token
        return await self._join(token)

    async def renew(self, refused: StoredToken) -> StoredToken:
        """A token to use instead of ``refused``, after a 401.

        Raises LoginFailed or BadConfiguration when the login is refused, also without asking again while all callers
        are held back after an earlier refusal; the same when several new tokens in a row were refused by the API.
        """
        token = self._token
        if token is not None and token.access_token != refused.access_token:
            return token
        if self._flight is None:
            self._renewals += 1
        return await self._join(refused)

    async def accepted(self) -> None:
        """Take note that the API accepted a token: only now a login after a refused token counts as working."""
        self._renewals, self._useless = 0, None
        if self._unproven is not None:
            ticket, self._unproven = self._unproven, None
            await self._circuit.worked(ticket)

    async def aclose(self) -> None:
        """Stop a token request that is still under way."""
        flight = self._flight
        if flight is not None:
            await stop(flight)

    async def _join(self, stale: StoredToken | None) -> StoredToken:
        if self._flight is None:
            self._flight = asyncio.create_task(self._replace(stale))
            self._flight.add_done_callback(self._landed)
        return await asyncio.shield(self._flight)

    def _landed(self, flight: "asyncio.Task[StoredToken]") -> None:
        self._flight = None
        if not flight.cancelled():
            flight.exception()  # marked as seen: every caller may have been cancelled meanwhile

    async def _replace(self, stale: StoredToken | None) -> StoredToken:
        if stale is None:
            stored = await self._cache.get()
            if stored is not None and stored.usable(self._clock.now()):
                self._token = stored
                return stored
            stale = stored
        self._token = await self._cache.refresh(stale, self._fetch)
        return self._token

    async def _fetch(self) -> StoredToken:
        ticket = await self._guard.enter("POST token")
        said = False
        try:
            token = await self._new_token()
            if self._renewals or self._useless is not None:
                # The API has just refused a token. Should it refuse this one too, the pause must grow, not start anew.
                self._unproven = ticket
                return token
            said = True
            await self._circuit.worked(ticket)
            return token
        except (LoginFailed, BadConfiguration) as error:
            said = True
            error.retry_after = await self._circuit.refused(ticket, type(error).__name__, error.detail, error.status)
            raise
        finally:
            if not said:
                await self._circuit.give_back(ticket)

    async def _new_token(self) -> StoredToken:
        if self._renewals > RENEWALS_WITHOUT_SUCCESS:
            self._renewals = 0
            self._useless = self._token.access_token if self._token is not None else None
            raise LoginFailed("API refuses every new token", status=401)
        addresses = await self._addresses()
        now = self._clock.now()
        return _stored(addresses, await self._ask(addresses.security_gateway, now), now)

    async def _addresses(self) -> Addresses:
        # A firm's servers hardly ever move: while the configurator is down, they are taken to be where they were.
        try:
            return await discover(self._settings, self._transport, self._clock)
        except (Transient, UnexpectedAnswer) as problem:
            known = self._token or await self._cache.get()
            if known is None:
                raise
            _log.warning("discovery failed (%s): the last known addresses are used", problem.detail)
            return Addresses(known.api_base, known.security_gateway)

    async def login_held_back(self) -> ForeignSystemError | None:
        """What a request for a token would meet now because of an earlier refusal; asks nobody over there."""
        return await self._guard.held_back()

    async def _ask(self, gateway: str, now: datetime) -> dict[str, Any]:
        where = "POST token"
        call = HttpCall(
            "POST", wire.join(gateway, wire.TOKEN_PATH), route="token", body=self._body(now), changes_nothing=True
        )
        try:
            response = await self._transport.send(call, retry=False)
        except (NotSentError, NoAnswerError) as error:
            raise Transient(f"{where}: {error}") from None
        # Asking for a token changes nothing over there, so it counts as a read.
        failure = by_answer(response, where=where, write=False, now=self._clock.now())
        if isinstance(failure, (Rejected, NotOffered)):
            raise LoginFailed(f"{where}: refused", status=failure.status)
        if isinstance(failure, NotFound):
            raise BadConfiguration(f"{where}: address of the token service is wrong", status=failure.status)
        if failure is not None:
            raise failure
        answer = answers.parse(response, where)
        if not isinstance(answer, dict) or not isinstance(answer.get(wire.TOKEN_ACCESS), str):
            raise UnexpectedAnswer(f"{where}: no token in the answer", problems=(wire.TOKEN_ACCESS,))
        return answer

    def _body(self, now: datetime) -> dict[str, Any]:
        settings = self._settings
        nonce, timestamp = str(uuid.uuid4()), timestamp_of(now)
        return wire.token_request(
            app_id=settings.app_id,
            kanzlei=settings.kanzlei,
            database=settings.database,
            user=settings.user,
            role=settings.role,
            product=settings.product_id,
            password=settings.password.get_secret_value(),
            nonce=nonce,
            signature=sign(
                settings.api_key.get_secret_value(),
                product=settings.product_id,
                app_id=settings.app_id,
                nonce=nonce,
                timestamp=timestamp,
            ),
            timestamp=timestamp,
        )


def _stored(addresses: Addresses, answer: dict[str, Any], now: datetime) -> StoredToken:
    return StoredToken(
        access_token=answer[wire.TOKEN_ACCESS],
        expires_at=_expiry(answer, now),
        api_base=addresses.api_base,
        security_gateway=addresses.security_gateway,
    )


def login_name(settings: AdvowareSettings) -> str:
    """The name of this login's circuit: another firm, user, password, key or address has another one."""
    return circuit_name(
        AdvowareError.system,
        settings.api_key.get_secret_value(),
        settings.kanzlei,
        settings.database,
        settings.user,
        settings.password.get_secret_value(),
        settings.app_id,
        str(settings.product_id),
        str(settings.role),
        settings.configurator_url,
        settings.security_gateway_url,
    )


def _expiry(answer: dict[str, Any], now: datetime) -> datetime:
    """When to stop using the token: its end less a margin, which is a tenth of its life where that is shorter."""
    end: datetime | None = None
    text = answer.get(wire.TOKEN_EXPIRES_AT)
    if isinstance(text, str):
        end = wire.local_moment(text, UTC)
    if end is None:
        seconds = answer.get(wire.TOKEN_EXPIRES_IN)
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
            raise UnexpectedAnswer("POST token: no expiry in the answer", problems=(wire.TOKEN_EXPIRES_IN,))
        end = now + timedelta(seconds=max(0.0, min(seconds, LONGEST_LIFE.total_seconds())))
    return end - min(EXPIRY_MARGIN, max(end - now, timedelta()) / 10)
