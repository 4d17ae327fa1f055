"""How a call reaches Advoware: token, 401, repetition, circuit.

The circuit: when the answer says that the office's connector is offline, further calls of this client fail at once
with ConnectorOffline until a pause is over.
"""

import logging
import re
from collections.abc import Mapping
from typing import Any

import httpx

from vmh_sync.clock import Clock
from vmh_sync.systems.advoware import wire
from vmh_sync.systems.advoware.errors import (
    AdvowareError,
    BadConfiguration,
    ConnectorOffline,
    OutcomeUnknown,
    Transient,
    by_answer,
)
from vmh_sync.systems.advoware.token import StoredToken, TokenSource
from vmh_sync.systems.calls import CallObserver
from vmh_sync.systems.http import HttpClient
from vmh_sync.systems.pause import Pause, Silence
from vmh_sync.systems.retry import RetryPolicy, repeat
from vmh_sync.systems.transport import HttpCall, Transport

log = logging.getLogger(__name__)

OFFLINE_PAUSE_SECONDS = 60.0
LONGEST_OFFLINE_PAUSE_SECONDS = 600.0
"""An office that is back must not be left alone for as long as a relay once asked for."""
_UNSAFE_PATH = re.compile(r"^[a-z][a-z0-9+.-]*:|^//|\.\.|%2e|%2f|%5c|[\\?#\x00-\x1f\x7f]", re.IGNORECASE)


class Connection:
    """Sends calls with a token and judges the answers."""

    def __init__(
        self,
        *,
        tokens: TokenSource,
        http: HttpClient,
        clock: Clock,
        observer: CallObserver,
        retry: RetryPolicy,
        concurrency: int,
    ) -> None:
        self._tokens = tokens
        self._clock = clock
        self._retry = retry
        self._transport = Transport(system=AdvowareError.system, http=http, observer=observer, concurrency=concurrency)
        self._offline = Pause(clock)
        self._silence = Silence(clock, Transient)

    async def call(
        self,
        method: str,
        route: wire.Route,
        keys: Mapping[str, int],
        *,
        params: Any = None,
        body: Any = None,
    ) -> httpx.Response:
        """Make a call and return its successful answer. Raises the error that any other answer stands for."""
        path = route.path(**keys)

        async def once(retry: bool) -> httpx.Response:
            call = HttpCall(method, path, route.template, params, body)
            response = await self._authorised(call, retry=retry)
            failure = self._failure(response, call)
            if failure is not None:
                raise failure
            return response

        return await repeat(self._retry, Transient, once)

    async def raw(self, method: str, path: str, *, params: Any = None, body: Any = None) -> httpx.Response:
        """Make a call for the proxy and return its answer with any status; see ``AdvowareClient.request``."""
        call = HttpCall(method, proxy_path(path), "(proxy)", params, body)
        last: httpx.Response | None = None

        async def once(retry: bool) -> httpx.Response:
            nonlocal last
            last = None
            last = response = await self._authorised(call, retry=retry)
            failure = self._failure(response, call)
            if isinstance(failure, Transient) and not call.is_write:
                raise failure
            if isinstance(failure, (ConnectorOffline, BadConfiguration)):
                raise failure
            return response

        try:
            return await repeat(self._retry, Transient, once)
        except Transient:
            if last is None:
                raise
            return last

    def _failure(self, response: httpx.Response, call: HttpCall) -> AdvowareError | None:
        failure = by_answer(response, where=call.where, write=call.is_write, now=self._clock.now())
        if isinstance(failure, ConnectorOffline):
            self._open_circuit(failure)
        return failure

    def _open_circuit(self, failure: ConnectorOffline) -> None:
        seconds = min(failure.retry_after or OFFLINE_PAUSE_SECONDS, LONGEST_OFFLINE_PAUSE_SECONDS)
        failure.retry_after = seconds
        detail, status = failure.detail, failure.status
        log.warning("Advoware office offline: calls held back for %d s", seconds)
        self._offline.start(
            seconds, lambda left: ConnectorOffline(f"{detail} (held back)", status=status, retry_after=left)
        )

    async def _authorised(self, call: HttpCall, *, retry: bool) -> httpx.Response:
        self._check()
        token = await self._token()
        response = await self._send(call, token, retry=retry)
        if response.status_code == 401 and not _login_is_refused(response):
            token = await self._tokens.renew(token)
            response = await self._send(call, token, retry=True)
        if response.status_code != 401:
            await self._tokens.accepted()
        return response

    async def _token(self) -> StoredToken:
        try:
            return await self._tokens.current()
        except ConnectorOffline as error:
            self._open_circuit(error)
            raise

    async def _send(self, call: HttpCall, token: StoredToken, *, retry: bool) -> httpx.Response:
        login = {"Authorization": f"Bearer {token.access_token}"}
        sendable = call.to(wire.join(token.api_base, call.url), login)
        with self._silence.broken_by_an_answer(call.where, OutcomeUnknown if call.is_write else Transient):
            return await self._transport.send(sendable, retry=retry, before=self._check)

    def _check(self) -> None:
        self._offline.check()
        self._silence.check()


def _login_is_refused(response: httpx.Response) -> bool:
    """A 401 that names the login or the App-ID: a new token would only hammer the login."""
    return any(marker in response.text for marker in wire.TEXT_BAD_LOGIN) or wire.TEXT_NOT_ENABLED in response.text


def proxy_path(path: str) -> str:
    """The path below the API base for a path given by a caller. Raises ValueError if it would leave the prefix."""
    if not path.strip("/ ") or _UNSAFE_PATH.search(path):
        raise ValueError("path must be a plain path below the API prefix")
    below = path.lstrip("/").removeprefix(wire.API_PREFIX)
    if below.lower().startswith("api/"):
        raise ValueError("path leaves the API prefix")
    return wire.API_PREFIX + below
