"""What this installation of Advoware offers (specification, advoware-wire.md 5)."""

from dataclasses import dataclass

from vmh_sync.systems.advoware import wire
from vmh_sync.systems.advoware.client import AdvowareClient
from vmh_sync.systems.advoware.errors import CapabilityMissing, NotFound, NotOffered, Rejected
from vmh_sync.systems.advoware.records import Beteiligter

PROBE_TEXT = "vmh-sync-probe-5f2c"
"""A text that no party holds: a search that finds something with it does not search."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What is offered; None means that it could not be found out. What is not known counts as missing."""

    search: bool
    """``search_beteiligte`` works: a create with unknown outcome can be looked up."""
    children_embedded: bool | None
    """A read of a party holds its Adressen and Bankverbindungen."""
    children_listed: bool | None
    """Adressen and Bankverbindungen can be listed by calls of their own."""
    kommkz_told: bool | None
    """Kommunikation entries tell their kind."""


async def probe(client: AdvowareClient, *, betnr: int | None = None) -> Capabilities:
    """Find out what is offered, by reads only.

    ``betnr`` names a party to look at, best one with Kommunikation; without it only the search is tried. Raises
    what the client raises for faults that say nothing about capabilities (offline, login, transient).
    """
    search = await _has_search(client)
    party = await client.read_beteiligter(betnr) if betnr is not None else None
    if party is None:
        return Capabilities(search, None, None, None)
    return Capabilities(
        search=search,
        children_embedded=party.adressen is not None and party.bankverbindungen is not None,
        children_listed=await _lists_children(client, party.bet_nr),
        kommkz_told=_tells_kind(party),
    )


async def _has_search(client: AdvowareClient) -> bool:
    try:
        return not await client.search_beteiligte(PROBE_TEXT)
    except (CapabilityMissing, NotOffered):
        return False


async def _lists_children(client: AdvowareClient, betnr: int) -> bool:
    try:
        await client.list_adressen(betnr)
        await client.list_bankverbindungen(betnr)
    except (CapabilityMissing, NotFound, NotOffered, Rejected):
        return False
    return True


def _tells_kind(party: Beteiligter) -> bool | None:
    if not party.kommunikation:
        return None
    return any(entry.komm_kz in wire.KOMM_KZ_TOLD for entry in party.kommunikation)
