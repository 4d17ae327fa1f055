"""One circuit per login, for all processes: a refused login stops every caller for a growing time.

Eleven bad logins within a minute make EspoCRM lock the whole address, the good key included (espocrm.md B1.8), and a
login to Advoware must never be hammered (advoware-wire.md 4). So for each credential there is one state that runs,
gateway, sensors, doctor and command line share::

    unknown ──one caller tries──> works ──refused──> held back ──pause over: one caller tries──> works
       └───────────refused───────────────────────────────^  └──────────refused: longer pause──────┘

A credential that was changed has another name and starts as unknown. The steps are pure functions of state and moment;
:class:`LoginCircuit` and :class:`ThreadLoginCircuit` carry them out over a store that compares and swaps.
"""

import asyncio
import hashlib
import hmac
import json
import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Protocol, TypeVar

from vmh_sync.background import carried_out
from vmh_sync.clock import Clock

log = logging.getLogger(__name__)

T = TypeVar("T")

PAUSES_SECONDS = (60.0, 120.0, 300.0, 900.0, 3600.0)
"""After the first, second, … refusal in a row."""
WORKS_SECONDS = 3600.0
"""How long a success counts; after that the next call goes alone again."""
TRIAL_SECONDS = 120.0
"""How long one caller may try alone: longer than its requests can take."""
PERSON_GAP_SECONDS = 15.0
"""A person may try before the pause is over, but not oftener: four times a minute are far from EspoCRM's eleven."""
PATIENCE_SECONDS = 35.0
"""How long a caller waits for the one who tries."""


@dataclass(frozen=True, slots=True)
class CircuitState:
    """What is known about one login; moments are seconds since 1970 (UTC), 0 for never."""

    refusals: int = 0
    """How often in a row it was refused."""
    round: int = 0
    """Grows with each refusal: calls that left before it do not count again."""
    refused_at: float = 0.0
    until: float = 0.0
    pause: float = 0.0
    kind: str = ""
    """The name of the error's class."""
    detail: str = ""
    status: int | None = None
    works_until: float = 0.0
    trial: str = ""
    trial_until: float = 0.0

    def to_json(self) -> str:
        """As text for a store. Holds no secret."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def parse(cls, text: str | None) -> "CircuitState":
        """The inverse; anything unreadable is a state of which nothing is known."""
        return _parsed(text)

    def seconds_left(self, now: float) -> float:
        """How long callers are still held back at ``now``; 0 when they are not."""
        return max(0.0, min(self.until - now, self.pause)) if self.refusals or self.pause else 0.0


@lru_cache(maxsize=16)  # it is read before each call, and hardly ever another one
def _parsed(text: str | None) -> CircuitState:
    try:
        return CircuitState(**json.loads(text)) if text else CircuitState()
    except (ValueError, TypeError):
        return CircuitState()


@dataclass(frozen=True, slots=True)
class Ticket:
    """Leave to make a call: ``trial`` names the one who tries alone, empty for a login that is known to work."""

    round: int
    trial: str = ""
    settled: bool = False
    """True: that the login works is known well enough, a success is no news."""


@dataclass(frozen=True, slots=True)
class Waits:
    """Somebody else, ``trial``, is trying just now."""

    trial: str


class LoginHeldBack(Exception):
    """No call may be made now: the login was refused before. The clients turn it into their own classes."""

    def __init__(self, state: CircuitState, seconds: float) -> None:
        super().__init__(f"login held back for {seconds:.0f} s")
        self.state = state
        self.seconds = seconds


class LoginBeingTried(Exception):
    """Another caller has been trying this login for longer than one may wait."""


Leave = Ticket | Waits | LoginHeldBack


def bounded(state: CircuitState, now: float) -> CircuitState:
    """The state without moments further ahead than they can be: the clock was set back since it was stored."""
    if (
        state.until <= now + state.pause
        and state.refused_at <= now
        and state.works_until <= now + WORKS_SECONDS
        and state.trial_until <= now + TRIAL_SECONDS
    ):
        return state
    return replace(
        state,
        until=min(state.until, now + state.pause),
        refused_at=min(state.refused_at, now),
        works_until=min(state.works_until, now + WORKS_SECONDS),
        trial_until=min(state.trial_until, now + TRIAL_SECONDS),
    )


def enter(
    state: CircuitState, now: float, token: str, *, person: bool = False
) -> tuple[CircuitState, Ticket | Waits | float]:
    """Ask for leave: a ticket, or whom to wait for, or the seconds for which all callers are held back."""
    state = bounded(state, now)
    if state.trial and state.trial_until > now:
        return state, Waits(state.trial)
    left = state.seconds_left(now)
    if left > 0 and not (person and now - state.refused_at >= PERSON_GAP_SECONDS):
        return state, left
    if left == 0 and not state.refusals and state.works_until > now:
        return state, Ticket(state.round, settled=state.works_until - now > WORKS_SECONDS / 2)
    return replace(state, trial=token, trial_until=now + TRIAL_SECONDS), Ticket(state.round, token)


def refused(
    state: CircuitState, now: float, ticket: Ticket, *, kind: str, detail: str, status: int | None, pause: float | None
) -> CircuitState:
    """Take note of a refusal. ``pause`` holds back for just that long and does not count as a refusal in a row."""
    state = bounded(state, now)
    if state.round != ticket.round:
        return state  # left before an earlier refusal, which counts already
    refusals = state.refusals if pause is not None else state.refusals + 1
    seconds = pause if pause is not None else PAUSES_SECONDS[min(refusals, len(PAUSES_SECONDS)) - 1]
    return CircuitState(refusals, state.round + 1, now, now + seconds, seconds, kind, detail, status)


def worked(state: CircuitState, now: float, ticket: Ticket) -> CircuitState:
    """Take note that the login was accepted."""
    state = bounded(state, now)
    if state.round != ticket.round:
        return state
    return CircuitState(round=state.round, works_until=now + WORKS_SECONDS)


def given_back(state: CircuitState, trial: str) -> CircuitState:
    """Let another one try: this trial brought no statement about the login (no answer, a 5xx, cancelled)."""
    return replace(state, trial="", trial_until=0.0) if trial and state.trial == trial else state


class Known(Protocol):
    """Who asks, and who asked before."""

    def owner(self) -> str:
        """Who we are, for :meth:`is_gone`."""

    def is_gone(self, owner: str) -> bool:
        """Whether that process certainly exists no more."""


class CircuitStore(Known, Protocol):
    """Where states live that coroutines share."""

    async def load(self, name: str) -> str | None:
        """The stored text, None when there is none."""

    async def swap(self, name: str, known: str | None, new: str) -> bool:
        """Store ``new`` if ``known`` is still what is stored."""


class ThreadCircuitStore(Known, Protocol):
    """The same for threads."""

    def load_sync(self, name: str) -> str | None:
        """The stored text, None when there is none."""

    def swap_sync(self, name: str, known: str | None, new: str) -> bool:
        """Store ``new`` if ``known`` is still what is stored."""


class MemoryCircuits:
    """States of one process: for tools and tests, and while Redis is away."""

    def __init__(self) -> None:
        self._states: dict[str, str] = {}
        self._lock = threading.Lock()

    def load_sync(self, name: str) -> str | None:
        """See :class:`ThreadCircuitStore`."""
        return self._states.get(name)

    def swap_sync(self, name: str, known: str | None, new: str) -> bool:
        """See :class:`ThreadCircuitStore`."""
        with self._lock:
            if self._states.get(name) != known:
                return False
            self._states[name] = new
            return True

    async def load(self, name: str) -> str | None:
        """See :class:`CircuitStore`."""
        return self.load_sync(name)

    async def swap(self, name: str, known: str | None, new: str) -> bool:
        """See :class:`CircuitStore`."""
        return self.swap_sync(name, known, new)

    def owner(self) -> str:
        """Nobody in particular: all callers live in this process."""
        return "here"

    def is_gone(self, owner: str) -> bool:
        """Never."""
        return False


class _Circuit:
    """What both kinds have in common."""

    def __init__(self, name: str, clock: Clock, store: CircuitStore | ThreadCircuitStore) -> None:
        self.name = name
        self._clock = clock
        self._who = store

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _token(self) -> str:
        return f"{self._who.owner()}#{secrets.token_hex(8)}"

    def _asking(
        self, token: str, *, person: bool
    ) -> "Callable[[CircuitState], tuple[CircuitState, Ticket | Waits | LoginHeldBack]]":
        def step(state: CircuitState) -> tuple[CircuitState, Leave]:
            after, leave = enter(state, self._now(), token, person=person)
            if isinstance(leave, Waits) and self._who.is_gone(leave.trial.rpartition("#")[0]):
                after, leave = enter(given_back(after, leave.trial), self._now(), token, person=person)
            # Returned, not raised: the bounded state is stored first, or a clock set back would hold back for ever.
            return after, LoginHeldBack(after, leave) if isinstance(leave, float) else leave

        return step

    def _refusing(
        self, ticket: Ticket, kind: str, detail: str, status: int | None, pause: float | None
    ) -> "Callable[[CircuitState], tuple[CircuitState, float]]":
        def step(state: CircuitState) -> tuple[CircuitState, float]:
            now = self._now()
            after = refused(state, now, ticket, kind=kind, detail=detail, status=status, pause=pause)
            if after.round != state.round:
                log.warning("%s: %s; all callers held back for %.0f s", self.name, detail, after.pause)
            return after, after.seconds_left(now)

        return step


class LoginCircuit(_Circuit):
    """The circuit of one login, for coroutines."""

    def __init__(self, name: str, clock: Clock, store: CircuitStore) -> None:
        super().__init__(name, clock, store)
        self._store = store

    async def enter(self, *, person: bool = False) -> Ticket:
        """Leave to make a call; waits while another caller tries. Raises LoginHeldBack or LoginBeingTried.

        ``person`` may try although the pause is not over. With a ticket call exactly one of :meth:`refused`,
        :meth:`worked`, :meth:`give_back`.
        """
        token = self._token()
        try:
            return await self._leave(self._asking(token, person=person))
        except asyncio.CancelledError:  # the store may have been told although its answer did not reach us
            await carried_out(self.give_back(Ticket(0, token)))
            raise

    async def _leave(self, asking: Callable[[CircuitState], tuple[CircuitState, Leave]]) -> Ticket:
        began, pause = time.monotonic(), 0.02
        while isinstance(leave := await self._change(asking), Waits):
            if time.monotonic() - began > PATIENCE_SECONDS:
                raise LoginBeingTried(self.name)
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.5)
        if isinstance(leave, LoginHeldBack):
            raise leave
        return leave

    async def refused(
        self, ticket: Ticket, kind: str, detail: str, status: int | None, pause: float | None = None
    ) -> float:
        """Hold all callers back; returns for how many seconds. ``detail`` is one English line without values."""
        return await self._change(self._refusing(ticket, kind, detail, status, pause))

    async def worked(self, ticket: Ticket) -> None:
        """The login was accepted."""
        if not ticket.settled:
            await self._change(lambda state: (worked(state, self._now(), ticket), None))

    async def give_back(self, ticket: Ticket) -> None:
        """The call said nothing about the login."""
        if ticket.trial:
            await self._change(lambda state: (given_back(state, ticket.trial), None))

    async def held_back(self) -> tuple[CircuitState, float]:
        """What is known now, and for how many seconds callers are still held back; changes nothing."""
        now = self._now()
        state = bounded(CircuitState.parse(await self._store.load(self.name)), now)
        return state, state.seconds_left(now)

    async def _change(self, step: Callable[[CircuitState], tuple[CircuitState, T]]) -> T:
        while True:
            known = await self._store.load(self.name)
            state = CircuitState.parse(known)
            after, answer = step(state)
            if after == state or await self._store.swap(self.name, known, after.to_json()):
                return answer


class ThreadLoginCircuit(_Circuit):
    """The circuit of one login, for threads (Google's client)."""

    def __init__(
        self, name: str, clock: Clock, store: ThreadCircuitStore, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        super().__init__(name, clock, store)
        self._store = store
        self._sleep = sleep

    def enter(self, *, person: bool = False) -> Ticket:
        """See :meth:`LoginCircuit.enter`."""
        asking = self._asking(self._token(), person=person)
        began, pause = time.monotonic(), 0.02
        while isinstance(leave := self._change(asking), Waits):
            if time.monotonic() - began > PATIENCE_SECONDS:
                raise LoginBeingTried(self.name)
            self._sleep(pause)
            pause = min(pause * 1.5, 0.5)
        if isinstance(leave, LoginHeldBack):
            raise leave
        return leave

    def refused(self, ticket: Ticket, kind: str, detail: str, status: int | None, pause: float | None = None) -> float:
        """See :meth:`LoginCircuit.refused`."""
        return self._change(self._refusing(ticket, kind, detail, status, pause))

    def worked(self, ticket: Ticket) -> None:
        """See :meth:`LoginCircuit.worked`."""
        if not ticket.settled:
            self._change(lambda state: (worked(state, self._now(), ticket), None))

    def give_back(self, ticket: Ticket) -> None:
        """See :meth:`LoginCircuit.give_back`."""
        if ticket.trial:
            self._change(lambda state: (given_back(state, ticket.trial), None))

    def _change(self, step: Callable[[CircuitState], tuple[CircuitState, T]]) -> T:
        while True:
            known = self._store.load_sync(self.name)
            state = CircuitState.parse(known)
            after, answer = step(state)
            if after == state or self._store.swap_sync(self.name, known, after.to_json()):
                return answer


def circuit_name(system: str, secret: str, *login: str | None) -> str:
    """The name of a login's circuit: its system, and a fingerprint that tells nothing about the secret.

    ``secret`` (a long random one) keys the digest, so that a password among ``login`` cannot be guessed from it.
    """
    digest = hmac.new(secret.encode(), json.dumps(login).encode(), hashlib.sha256).hexdigest()
    return f"{system}:{digest[:16]}"
