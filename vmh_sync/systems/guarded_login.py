"""A login behind its circuit: what a client raises instead of making a call while the login is held back."""

from collections.abc import Sequence

from vmh_sync.systems.circuit import CircuitState, LoginBeingTried, LoginCircuit, LoginHeldBack, Ticket
from vmh_sync.systems.errors import ForeignSystemError, Transient

BEING_TRIED_SECONDS = 5.0


class GuardedLogin:
    """Asks the circuit of one login for leave.

    ``transient`` is the client's class for a call that may be made again in a moment. ``refusals`` are its classes for
    a refused login: the one that the circuit remembers by name is raised, else the first.
    """

    def __init__(
        self,
        circuit: LoginCircuit,
        *,
        person: bool,
        transient: type[Transient],
        refusals: Sequence[type[ForeignSystemError]],
    ) -> None:
        self._circuit = circuit
        self._person = person
        self._transient = transient
        self._refusals = refusals

    async def enter(self, where: str) -> Ticket:
        """Return leave to make the call ``where``, as ``LoginCircuit.enter`` does; raises the client's errors."""
        try:
            return await self._circuit.enter(person=self._person)
        except LoginHeldBack as held:
            failure = self._held_back(held.state, held.seconds)
        except LoginBeingTried:
            detail = f"{where}: another caller tries the login"
            failure = self._transient(detail, retry_after=BEING_TRIED_SECONDS)
            failure.held_back = True
        raise failure

    async def held_back(self) -> ForeignSystemError | None:
        """What a call would meet now because of an earlier refusal, None when it may be made; asks nobody."""
        state, seconds = await self._circuit.held_back()
        return self._held_back(state, seconds) if seconds > 0 else None

    def _held_back(self, state: CircuitState, seconds: float) -> ForeignSystemError:
        kind = next((one for one in self._refusals if one.__name__ == state.kind), self._refusals[0])
        failure = kind(f"{state.detail} (not tried again yet)", status=state.status, retry_after=seconds)
        failure.held_back = True
        return failure
