"""Whether a process that runs still does something: it is asked again and again, and what it misses is counted.

Questions are counted, not seconds: a keeper that was itself stopped for an hour has asked once meanwhile, so nobody is
taken for lost. The limits are generous because a busy machine answers late.
"""

import asyncio
import os
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import httpx

ASK_SECONDS = 10.0
"""Between two questions; an answer may take as long again."""
MOST_MISSED = 12
"""In a row: two minutes when the refusal comes at once, four when each question waits in vain."""
MOST_MISSED_AT_START = 30
"""Before the first sign: loading our code may take a minute on a busy machine."""
PULSE_SECONDS = 2.0
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Our processes speak plain HTTP; to read the certificates of all authorities costs more than the question."""

Ask = Callable[[], bool | None]
"""Asks a process for a sign of life: True when it gave one, False when not, None when nobody can tell now."""


@dataclass(slots=True)
class SignsOfLife:
    """What became of the questions to one process. Asked from one thread, read from another."""

    ask: Ask
    most_missed: int = MOST_MISSED
    missed: int = 0
    begun: int = field(default=0, init=False)
    heard: bool = field(default=False, init=False)

    def begin(self) -> None:
        """Begin anew with a new process: what its predecessor missed is forgotten."""
        self.begun, self.missed, self.heard = self.begun + 1, 0, False

    def look(self) -> None:
        """Ask once."""
        begun = self.begun
        answer = self.ask()
        if answer is None or begun != self.begun:
            return
        self.missed = 0 if answer else self.missed + 1
        self.heard = self.heard or answer

    @property
    def lost(self) -> bool:
        """Whether it has missed so many questions that only an end and a new start help."""
        return self.missed >= (self.most_missed if self.heard else max(self.most_missed, MOST_MISSED_AT_START))


def answers_http(url: str) -> Ask:
    """Ask an HTTP server; any answer is a sign of life, also a refusal."""

    def ask() -> bool:
        try:
            httpx.get(url, timeout=ASK_SECONDS, trust_env=False, verify=_NO_TLS)
        except httpx.HTTPError:
            return False
        return True

    return ask


class Pulse:
    """A pipe into which a child writes as long as it turns, for who answers no questions. Outlives the child."""

    def __init__(self) -> None:
        self._reading, self.writing = os.pipe()
        for end in (self._reading, self.writing):
            os.set_blocking(end, False)

    def __call__(self) -> bool:
        """Whether it was written to since the last look."""
        try:
            return bool(os.read(self._reading, 65536))
        except BlockingIOError:
            return False


def give_pulse(fd: int) -> None:
    """Write into the pulse of the process that keeps this one; one that reads no more is no trouble."""
    with suppress(BlockingIOError, BrokenPipeError):
        os.write(fd, b".")


async def give_pulses(fd: int) -> None:
    """Give the pulse as long as the event loop turns."""
    while True:
        give_pulse(fd)
        await asyncio.sleep(PULSE_SECONDS)
