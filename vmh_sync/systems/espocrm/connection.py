"""How a call reaches EspoCRM: login, repetition, and holding back after refused logins.

Eleven refused logins within a minute lock out the whole address, the good key included (specification, espocrm.md
B1.8). So until a login has succeeded only one call is under way, after a refused one the client holds back, and never
are more than ten calls under way, since a key may be withdrawn at any moment.
"""

import asyncio
import logging
from typing import Any

import httpx

from vmh_sync.clock import Clock
from vmh_sync.systems.calls import CallObserver
from vmh_sync.systems.errors import NoAnswerError, NotSentError
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
from vmh_sync.systems.pause import Pause, Silence
from vmh_sync.systems.retry import RetryPolicy, repeat
from vmh_sync.systems.transport import HttpCall, Transport

log = logging.getLogger(__name__)

MOST_CALLS_AT_ONCE = 10
LOGIN_PAUSE_SECONDS = 300.0
LOCK_OUT_PAUSE_SECONDS = 65.0
"""The lock-out lasts 60 s from the last bad login (63 s seen)."""


class Connection:
    """Sends calls with a login and judges the answers."""

    def __init__(
        self,
        *,
        base_url: str,
        login: Login,
        http: httpx.AsyncClient,
        clock: Clock,
        observer: CallObserver,
        retry: RetryPolicy,
        concurrency: int,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._login = login
        self._clock = clock
        self._retry = retry
        self._transport = Transport(
            system=EspoError.system,
            http=http,
            observer=observer,
            concurrency=min(concurrency, MOST_CALLS_AT_ONCE),
        )
        self._pause = Pause(clock)
        self._silence = Silence(clock, lambda left: Transient("no answers (held back)", retry_after=left))
        self._login_works = False
        self._trial = asyncio.Lock()

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
            failure = by_answer(response, where=f"{method} {route}", write=call.is_write, now=self._clock.now())
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
        self._check()
        if not self._login_works:
            async with self._trial:
                if not self._login_works:
                    self._check()
                    return await self._send_now(call, retry=retry)
        return await self._send_now(call, retry=retry)

    async def _send_now(self, call: HttpCall, *, retry: bool) -> httpx.Response:
        where = f"{call.method} {call.route}"
        sendable = HttpCall(
            call.method,
            f"{self._base_url}/{call.url}",
            call.route,
            call.params,
            call.body,
            {**self._login.headers(call.method, call.url), **call.headers},
        )
        try:
            response = await self._transport.send(sendable, retry=retry, before=self._check)
        except NotSentError as error:
            self._silence.unanswered()
            raise Transient(f"{where}: {error}") from None
        except NoAnswerError as error:
            self._silence.unanswered()
            kind: type[EspoError] = OutcomeUnknown if call.is_write else Transient
            raise kind(f"{where}: {error}") from None
        self._silence.answered()
        self._judge_login(response, where)
        return response

    def _check(self) -> None:
        self._pause.check()
        self._silence.check()

    def _judge_login(self, response: httpx.Response, where: str) -> None:
        if response.status_code == 401:
            self._hold_back(LoginRejected, f"{where}: login refused", 401, LOGIN_PAUSE_SECONDS)
        elif is_lock_out(response):
            self._hold_back(LockedOut, f"{where}: locked out", 403, LOCK_OUT_PAUSE_SECONDS)
        elif response.status_code < 500:
            self._login_works = True

    def _hold_back(self, kind: type[EspoError], detail: str, status: int, seconds: float) -> None:
        self._login_works = False
        log.warning("EspoCRM calls held back for %d s: %s (%s)", seconds, kind.__name__, detail)
        self._pause.start(
            seconds, lambda left: kind(f"{detail} (not tried again yet)", status=status, retry_after=left)
        )
        raise kind(detail, status=status, retry_after=seconds)
