"""Which logins are held back at the moment, for whoever watches: ``/ready``, metrics, doctor (``systems.circuit``)."""

from dataclasses import dataclass
from datetime import UTC, datetime

from vmh_sync.clock import Clock
from vmh_sync.coordination.circuits import circuit_names, circuit_texts
from vmh_sync.coordination.connection import AsyncRedis
from vmh_sync.settings import AdvowareSettings, EspoCrmSettings
from vmh_sync.systems.advoware.token import login_name as advoware_login
from vmh_sync.systems.circuit import CircuitState, bounded
from vmh_sync.systems.espocrm.auth import login_name as espocrm_login


@dataclass(frozen=True, slots=True)
class HeldBackLogin:
    """A login that was refused; nobody tries it before ``until`` (aware, UTC)."""

    system: str
    until: datetime
    seconds: float
    refusals: int


SYSTEMS = ("advoware", "espocrm", "google")


async def held_back_logins(
    redis: AsyncRedis, advoware: AdvowareSettings, espocrm: EspoCrmSettings, clock: Clock
) -> list[HeldBackLogin]:
    """Return the logins that are held back now, at most one per system. Raises CoordinationUnavailable.

    Google's are all that anybody uses: their names need the key file, which not every process reads.
    """
    names = [advoware_login(advoware), espocrm_login(espocrm), *await circuit_names(redis, "google")]
    now = clock.now().timestamp()
    found: dict[str, HeldBackLogin] = {}
    for name, text in zip(names, await circuit_texts(redis, names), strict=True):
        state = bounded(CircuitState.parse(text), now)
        seconds = state.seconds_left(now)
        system = name.partition(":")[0]
        if seconds > 0 and (system not in found or found[system].seconds < seconds):
            until = datetime.fromtimestamp(now + seconds, UTC)
            found[system] = HeldBackLogin(system, until, seconds, state.refusals)
    return list(found.values())
