"""How a call reaches EspoCRM: login, repetition, and holding back after refused logins.

Eleven refused logins within a minute lock out the whole address, the good key included (specification, espocrm.md
B1.8). So until a login has succeeded only one call is under way, after a refused one all callers of all processes hold
back (``systems.circuit``), and never are more than ten calls under way, since a key may be withdrawn at any moment.
"""

import asyncio
from typing import Any

import httpx

from vmh_sync.clock import Clock
from vmh_sync.systems.calls import CallObserver
from vmh_sync.systems.circuit import LoginCircuit, Ticket
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.systems.espocrm.auth import Login
from vmh_sync.systems.espocrm.errors import (
    EspoError,
    LockedOut,
    LoginRejected,
    OutcomeUnknown,
    Transient,
    by_answer,
    is_lock_out,
)
from vmh_sync.systems.guarded_login import GuardedLogin
from vmh_sync.systems.http import HttpClient
from vmh_sync.systems.pause import Silence
from vmh_sync.systems.retry import RetryPolicy, repeat
from vmh_sync.systems.transport import HttpCall, Transport

MOST_CALLS_AT_ONCE = 10
LOCK_OUT_PAUSE_SECONDS = 65.0
"""The lock-out lasts 60 s from the last bad login (63 s seen)."""


class Connection:
    """Sends calls with a login and judges the answers."""

    def __init__(
        self,
        *,
        base_url: str,
        login: Login,
        circuit: LoginCircuit,
        person: bool = False,
        http: HttpClient,
        clock: Clock,
        observer: CallObserver,
        retry: RetryPolicy,
        concurrency: int,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._login = login
        self._circuit = circuit
        self._guard = GuardedLogin(circuit, person=person, transient=Transient, refusals=(LoginRejected, LockedOut))
        self._clock = clock
        self._retry = retry
        at_once = min(concurrency, MOST_CALLS_AT_ONCE)
        self._slots = asyncio.Semaphore(at_once)
        self._transport = Transport(system=EspoError.system, http=http, observer=observer, concurrency=at_once)
        self._silence = Silence(clock, Transient)

    async def call(
        self,
        method: str,
        path: str,
        *,
        route: str,
        params: Any = None,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Make a call; returns a success or a 409. Raises the error that any other answer stands for.

        ``path`` is below ``/api/v1``, without leading slash.
        """
        call = HttpCall(method, path, route, params, body, headers or {})

        async def once(retry: bool) -> httpx.Response:
            response = await self._send(call, retry=retry)
            failure = by_answer(response, where=call.where, write=call.is_write, now=self._clock.now())
            if failure is not None:
                raise failure
            return response

        return await repeat(self._retry, Transient, once)

    async def raw(
        self, method: str, path: str, *, params: Any = None, body: Any = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Make a call once and return its answer with any status but 401 and a lock-out, which raise."""
        return await self._send(HttpCall(method, path, "(raw)", params, body, headers or {}), retry=False)

    async def _send(self, call: HttpCall, *, retry: bool) -> httpx.Response:
        # Leave is asked for when a slot is free: what waits for one must not go out after a refusal.
        async with self._slots:
            self._silence.check()
            ticket = await self._guard.enter(call.where)
            said = False
            try:
                response = await self._send_now(call, retry=retry)
                said = await self._judge_login(ticket, response, call)
            finally:
                if not said:
                    await self._circuit.give_back(ticket)
            return response

    async def login_held_back(self) -> ForeignSystemError | None:
        """What a call would meet now because of an earlier refusal; asks nobody over there."""
        return await self._guard.held_back()

    async def _send_now(self, call: HttpCall, *, retry: bool) -> httpx.Response:
        sendable = call.to(f"{self._base_url}/{call.url}", self._login(call.method, call.url))
        with self._silence.broken_by_an_answer(call.where, OutcomeUnknown if call.is_write else Transient):
            return await self._transport.send(sendable, retry=retry, before=self._silence.check)

    async def _judge_login(self, ticket: Ticket, response: httpx.Response, call: HttpCall) -> bool:
        """Tell the circuit what the answer says about the login; False when it says nothing."""
        if response.status_code == 401:
            detail = f"{call.where}: login refused"
            seconds = await self._circuit.refused(ticket, LoginRejected.__name__, detail, 401)
            raise LoginRejected(detail, status=401, retry_after=seconds)
        if is_lock_out(response):
            detail = f"{call.where}: locked out"
            seconds = await self._circuit.refused(ticket, LockedOut.__name__, detail, 403, LOCK_OUT_PAUSE_SECONDS)
            raise LockedOut(detail, status=403, retry_after=seconds)
        if response.status_code >= 500:
            return False
        await self._circuit.worked(ticket)
        return True
