"""One HTTP request, sent under a concurrency limit and reported to the observer.

Knows nothing of any system. Its one judgement is the one that both clients need: was the request certainly not
sent, or is its outcome unknown.
"""

import asyncio
import email.utils
import logging
import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import httpx

from vmh_sync.clock import foreign_moment
from vmh_sync.fence import require_writing, seconds_for_a_write
from vmh_sync.systems.calls import CallObserver
from vmh_sync.systems.errors import NoAnswerError, NotSentError
from vmh_sync.systems.http import HttpClient
from vmh_sync.watchdog import went_on

LONGEST_ASKED = 3600.0
"""The longest Retry-After that is believed, in seconds."""
READS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class HttpCall:
    """What to send. ``url`` is absolute; ``route`` is the template that metrics and errors name it by."""

    method: str
    url: str
    route: str
    params: Mapping[str, object] | list[tuple[str, Any]] | None = field(default=None, repr=False)
    body: Any = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    changes_nothing: bool = False
    """True for a request that is none of the reading methods and yet only asks, such as for a token."""

    @property
    def where(self) -> str:
        """What errors name the call by: method and route, never a path with ids in it."""
        return f"{self.method} {self.route}"

    def to(self, url: str, login: Mapping[str, str]) -> "HttpCall":
        """Return the same call to an absolute address, with the headers of a login below its own."""
        return HttpCall(self.method, url, self.route, self.params, self.body, {**login, **self.headers})

    @property
    def is_write(self) -> bool:
        """Whether the call may change something over there."""
        return self.method not in READS and not self.changes_nothing


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An answer as it came: ``body`` is parsed JSON, or the text where it is none, or None where it is empty."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: Any = field(repr=False)

    @classmethod
    def of(cls, response: httpx.Response) -> "RawAnswer":
        """Wrap a response that was read completely."""
        if not response.content:
            return cls(response.status_code, response.headers, None)
        try:
            return cls(response.status_code, response.headers, response.json())
        except (ValueError, RecursionError):
            return cls(response.status_code, response.headers, response.text)


class Transport:
    """Sends calls over one HTTP client, at most ``concurrency`` at once."""

    def __init__(self, *, system: str, http: HttpClient, observer: CallObserver, concurrency: int) -> None:
        self._system = system
        self._http = http
        self._observer = observer
        self._slots = asyncio.Semaphore(concurrency)
        keep_urls_out_of_logs()

    async def send(self, call: HttpCall, *, retry: bool, before: Callable[[], None] | None = None) -> httpx.Response:
        """Send once and return whatever answer comes, with any status.

        ``before`` runs when a slot is free, directly before sending, and may raise to call it off. Raises
        :class:`NotSentError` when no connection came about, :class:`NoAnswerError` when the answer is missing or
        broken off. The wait for a free slot is not part of the observed time.

        A write stays behind the fences of :mod:`vmh_sync.fence`: looked at when a slot is free and again when the
        connection stands, it raises what they raise, and its answer is waited for no longer than they last.
        """
        async with self._slots:
            if before is not None:
                before()
            if call.is_write:
                require_writing()
            seconds = seconds_for_a_write() if call.is_write else None
            started = time.perf_counter()
            status: int | None = None
            try:
                response = await self._request(call, seconds)
                status = response.status_code
                went_on()
            finally:
                self._observer.observe(
                    system=self._system,
                    method=call.method,
                    route=call.route,
                    status=status,
                    seconds=time.perf_counter() - started,
                    retry=retry,
                )
        return response

    async def _request(self, call: HttpCall, seconds: float | None) -> httpx.Response:
        try:
            async with asyncio.timeout(seconds):
                return await self._http.request(
                    call.method,
                    call.url,
                    params=call.params,
                    json=call.body,
                    headers={"Accept": "application/json", **call.headers},
                    follow_redirects=False,
                    extensions={"trace": _still_behind_the_fences} if seconds is not None else None,
                )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            raise NotSentError(type(error).__name__) from None
        except httpx.RequestError as error:
            raise NoAnswerError(type(error).__name__) from None
        except TimeoutError:
            raise NoAnswerError("LeaseEnds") from None


async def _still_behind_the_fences(event: str, _info: Mapping[str, object]) -> None:
    """Look once more when the connection stands and nothing was sent yet: connecting takes time, too."""
    if event.endswith(".send_request_headers.started"):
        seconds_for_a_write()


def keep_urls_out_of_logs() -> None:
    """Raise the loggers of what sends to WARNING: below it they log whole URLs (searched names) and headers."""
    for name in ("httpx", "httpcore", "aiohttp"):
        logger = logging.getLogger(name)
        if logger.level < logging.WARNING:
            logger.setLevel(logging.WARNING)


def retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """Read a Retry-After header (seconds or HTTP date) as seconds from ``now`` (aware); None without a usable one.

    Never more than :data:`LONGEST_ASKED`: what asks for years has a wrong clock, or is a web server's mistake.
    """
    with suppress(ValueError, TypeError):
        seconds = float(value or "")
        return min(LONGEST_ASKED, max(0.0, seconds)) if math.isfinite(seconds) else None
    moment = http_date(value)
    return min(LONGEST_ASKED, max(0.0, (moment - now).total_seconds())) if moment else None


@lru_cache(maxsize=16)  # all answers of a second say the same
def http_date(value: str | None) -> datetime | None:
    """Read an HTTP date as an aware UTC datetime; None for anything else."""
    if not value:
        return None
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except (ValueError, OverflowError):  # a year or a zone of many digits
        return None
    return foreign_moment(moment) if moment.tzinfo else None
