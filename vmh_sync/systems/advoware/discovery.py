"""Where the firm's Advoware lives (specification, advoware-wire.md 1)."""

from dataclasses import dataclass

from vmh_sync.clock import Clock
from vmh_sync.settings import AdvowareSettings
from vmh_sync.systems.advoware import answers, wire
from vmh_sync.systems.advoware.errors import (
    BadConfiguration,
    NotFound,
    Rejected,
    Transient,
    UnexpectedAnswer,
    by_answer,
)
from vmh_sync.systems.errors import NoAnswerError, NotSentError
from vmh_sync.systems.transport import HttpCall, Transport


@dataclass(frozen=True, slots=True)
class Addresses:
    """Base address of the API and address of the token service."""

    api_base: str
    security_gateway: str


async def discover(settings: AdvowareSettings, transport: Transport, clock: Clock) -> Addresses:
    """Ask the configurator for the firm's addresses, unless the settings name them.

    One request at most, not repeated here. Raises Transient, ConnectorOffline, BadConfiguration or UnexpectedAnswer.
    """
    api_base, gateway = settings.api_base_url, settings.security_gateway_url
    if api_base and gateway:
        return Addresses(api_base, gateway)
    found = await _ask(settings, transport, clock)
    return Addresses(api_base or found.api_base, gateway or found.security_gateway)


async def _ask(settings: AdvowareSettings, transport: Transport, clock: Clock) -> Addresses:
    where = "GET discovery"
    call = HttpCall(
        "GET",
        wire.join(settings.configurator_url, wire.DISCOVERY_PATH),
        route="discovery",
        params={wire.QUERY_KANZLEI: settings.kanzlei},
    )
    try:
        response = await transport.send(call, retry=False)
    except (NotSentError, NoAnswerError) as error:
        raise Transient(f"{where}: {error}") from None
    failure = by_answer(response, where=where, write=False, now=clock.now())
    if isinstance(failure, (NotFound, Rejected)):
        raise BadConfiguration(f"{where}: Kanzlei or configurator address is wrong", status=failure.status)
    if failure is not None:
        raise failure
    return _read(answers.single(answers.parse(response, where), where), where)


def _read(answer: object, where: str) -> Addresses:
    if not isinstance(answer, dict):
        raise UnexpectedAnswer(f"{where}: expected an object, got {type(answer).__name__}")
    api_base = answer.get(wire.DISCOVERY_CONNECTOR) or answer.get(wire.DISCOVERY_RELAY)
    gateway = answer.get(wire.DISCOVERY_GATEWAY)
    missing = [
        name
        for name, value in ((wire.DISCOVERY_RELAY, api_base), (wire.DISCOVERY_GATEWAY, gateway))
        if not isinstance(value, str) or not value
    ]
    if missing:
        raise UnexpectedAnswer(f"{where}: addresses missing", problems=tuple(missing))
    return Addresses(str(api_base), str(gateway))
