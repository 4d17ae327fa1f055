"""Checks of Advoware: discovery, login, capabilities (specification, advoware-wire.md 1, 2 and 5)."""

import asyncio
from collections.abc import Iterator

from vmh_sync.beteiligte.party import ENTITY
from vmh_sync.clock import Clock
from vmh_sync.doctor.clocks import clock_line, time_at
from vmh_sync.doctor.line import Level, Line, held_back_text, hint, ok, problem
from vmh_sync.doctor.reach import Address, bad_address, why_unreachable
from vmh_sync.settings import AdvowareSettings
from vmh_sync.store import Store
from vmh_sync.store.errors import StoreError
from vmh_sync.systems.advoware.capabilities import Capabilities, probe
from vmh_sync.systems.advoware.client import open_advoware
from vmh_sync.systems.advoware.errors import AdvowareError, BadConfiguration, ConnectorOffline, LoginFailed
from vmh_sync.systems.advoware.token import MemoryTokenCache
from vmh_sync.systems.circuit import CircuitStore
from vmh_sync.systems.retry import RetryPolicy

LOGIN = "Advoware-Anmeldung"
ABILITIES = "Advoware-Funktionen"


async def check_advoware(
    settings: AdvowareSettings, store: Store | None, clock: Clock, circuits: CircuitStore | None = None
) -> list[Line]:
    """Find the firm's Advoware, log in with a token of our own, and try what it offers. Reads only.

    ``store`` names a linked party to look at; ``None`` when our database is not usable. ``circuits`` holds the login's
    state that all processes share: a login that was refused moments ago is not tried.
    """
    betnr = await asyncio.to_thread(_some_party, store, clock) if store is not None else None
    addresses = list(asked_addresses(settings))
    unwritten = [line for line in (bad_address(LOGIN, one) for one in addresses) if line is not None]
    if unwritten:
        return unwritten
    try:
        # A token of our own: a shared one that is still good would hide a wrong password.
        async with open_advoware(
            settings,
            token_cache=MemoryTokenCache(),
            clock=clock,
            retry=RetryPolicy(attempts=1),
            circuits=circuits,
            person=True,
        ) as client:
            found = await probe(client, betnr=betnr)
    except AdvowareError as error:
        if not isinstance(error, LoginFailed):
            ways = [await asyncio.to_thread(why_unreachable, LOGIN, one, clock) for one in addresses]
            if any(ways):
                return [way for way in ways if way is not None]
        refused = problem(LOGIN, held_back_text(error, clock), _remedy(error))
        if not isinstance(error, LoginFailed):
            return [refused]
        clocks = await _clocks(addresses[0], clock)
        return [clocks, refused] if clocks.level is Level.PROBLEM else [refused]
    line = ok(LOGIN, "Kanzlei gefunden, Anmeldung gelungen.")
    return [line, await _clocks(addresses[0], clock), *_abilities(found, betnr)]


async def _clocks(address: Address, clock: Clock) -> Line:
    """Compare the clocks: a login that was signed at another time is refused."""
    return clock_line("Advoware", await asyncio.to_thread(time_at, address), clock)


def asked_addresses(settings: AdvowareSettings) -> Iterator[Address]:
    """Yield the addresses that are asked first; the ones that the firm's discovery names are not known here."""
    if settings.api_base_url is None or settings.security_gateway_url is None:
        yield Address("ADVOWARE_CONFIGURATOR_URL", settings.configurator_url)
    if settings.api_base_url is not None:
        yield Address("ADVOWARE_API_BASE_URL", settings.api_base_url)
    if settings.security_gateway_url is not None:
        yield Address("ADVOWARE_SECURITY_GATEWAY_URL", settings.security_gateway_url)


def _some_party(store: Store, clock: Clock) -> int | None:
    try:
        with store.reading() as tx:
            links = tx.links.oldest_verified(ENTITY, 1, clock.now())
    except StoreError:
        return None
    return links[0].betnr if links else None


def _remedy(error: AdvowareError) -> str:
    if isinstance(error, LoginFailed):
        return "ADVOWARE_USER, ADVOWARE_PASSWORD, ADVOWARE_DATABASE, ADVOWARE_APP_ID und ADVOWARE_API_KEY prüfen."
    if isinstance(error, BadConfiguration):
        return "ADVOWARE_KANZLEI und die Adressen (ADVOWARE_CONFIGURATOR_URL, ADVOWARE_API_BASE_URL) prüfen."
    if isinstance(error, ConnectorOffline):
        return "Prüfen, ob der Server der Kanzlei läuft und mit dem Internet verbunden ist."
    return f"Später noch einmal versuchen; Art des Fehlers für den Support: {type(error).__name__}."


def _abilities(found: Capabilities, betnr: int | None) -> Iterator[Line]:
    if found.search:
        yield ok(ABILITIES, "Beteiligte lassen sich suchen.")
    else:
        yield hint(
            ABILITIES,
            "Beteiligte lassen sich nicht suchen: Bleibt beim Anlegen die Antwort aus, muss ein Mensch nachsehen. "
            "Ob es einen neuen Beteiligten dort schon gibt, wird vor dem Anlegen nicht geprüft.",
            "Bei Advoware nachfragen, ob die Suche freigeschaltet werden kann.",
        )
    if found.children_embedded is None:
        why = "noch ist kein Beteiligter verknüpft" if betnr is None else "der Beteiligte fehlt in Advoware"
        yield hint(
            ABILITIES,
            f"Adressen und Bankverbindungen konnten nicht geprüft werden: {why}.",
            "Nach dem ersten Abgleich noch einmal prüfen.",
        )
    elif found.children_embedded or found.children_listed:
        yield ok(ABILITIES, "Adressen und Bankverbindungen sind lesbar.")
    else:
        yield problem(
            ABILITIES,
            "Adressen und Bankverbindungen sind nicht lesbar und werden nicht abgeglichen.",
            "Bei Advoware das Leserecht dafür freischalten lassen.",
        )
    if found.kommkz_told is False:
        yield hint(
            ABILITIES,
            "Advoware nennt die Art der Kommunikation (kommKz) nicht; sie wird aus dem Wert erschlossen.",
            "Nichts zu tun.",
        )
