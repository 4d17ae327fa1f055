"""Reads the parties of both sides, each once and whole, for the matcher. Nothing is written."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from vmh_sync.background import all_of
from vmh_sync.beteiligte.fields import ESPO_ENTITY, list_attributes
from vmh_sync.beteiligte.master_data.diff import CREATE_MARK
from vmh_sync.beteiligte.master_data.traits import advoware_traits, espo_traits
from vmh_sync.beteiligte.party import ENTITY, espo_betnr
from vmh_sync.beteiligte.twins.twin_search import read_whole, shown
from vmh_sync.engine.failures.isolation import isolated
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.selecting.erased import erased_of
from vmh_sync.first_contact.advoware_list import PartyScope, list_parties
from vmh_sync.matching.traits import Traits
from vmh_sync.store.store import Transaction
from vmh_sync.sync.fields import FieldTable
from vmh_sync.systems.advoware.records import Beteiligter
from vmh_sync.systems.errors import Forbidden, ForeignSystemError
from vmh_sync.systems.espocrm.errors import NotFound
from vmh_sync.systems.espocrm.records import EspoRecord, SpoiltRow
from vmh_sync.watchdog import went_on

AT_ONCE = 100
"""Single reads that are under way at a time; the clients hold back what is more than their own limit."""

LISTING = "Suche in Advoware"
"""What is told while the parties of Advoware are listed, before any is read whole."""

EVERYWHERE = PartyScope()

T = TypeVar("T")

Progress = Callable[[str, int, int], None]


def comparing(progress: Progress) -> Callable[[int, int], None]:
    """Return what the matcher tells: people, and the watch, for which minutes without a call are a standstill."""

    def told(done: int, total: int) -> None:
        went_on()
        progress("Vergleichen", done, total)

    return told


@dataclass(frozen=True, slots=True, repr=False)
class Held:
    """A party as one side holds it: its name for people, what tells it from others, and when it was made."""

    name: str
    traits: Traits
    created_at: str = ""


@dataclass(slots=True, repr=False)
class Sides:
    """Both sides. ``known`` are pairs that are linked, numbered or marked as ours already; they are left alone.

    ``erased``: numbers in Advoware whose person was erased here (Art. 17 DSGVO); on neither side they are looked at.
    """

    espocrm: dict[str, Held] = field(default_factory=dict)
    advoware: dict[int, Held] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    erased: frozenset[int] = frozenset()


async def read_sides(
    context: PassContext,
    table: FieldTable,
    *,
    where: PartyScope = EVERYWHERE,
    progress: Progress = lambda what, done, total: None,
) -> Sides:
    """Read both sides: all of EspoCRM, and ``where`` of Advoware.

    Raises a ``ForeignSystemError`` when a side cannot be read at all; single records that cannot are named.
    """
    sides = Sides()
    records = await _espo_records(context, table, sides)
    listed = await list_parties(context, where, sides.notes, sides.unreadable, partial(progress, LISTING))
    erased = await erased_of(context.store)
    sides.erased = erased.betnrs & set(listed)
    listed = {betnr: party for betnr, party in listed.items() if betnr not in erased.betnrs}
    records = {one.id: one for one in records.values() if not erased.covers(one.id, espo_betnr(one))}
    sides.known = await _known(context, records, listed)
    taken = set(sides.known.values())
    free = [betnr for betnr in listed if betnr not in taken]
    await _read_espocrm(context, table, records, sides, progress)

    async def whole(betnr: int) -> None:
        with isolated(f"Advoware {betnr}", lambda error: sides.unreadable.append(_told(f"Advoware {betnr}", error))):
            listed[betnr] = await read_whole(context, listed[betnr])

    await _in_groups(free, whole, lambda done, total: progress("Advoware", done, total))
    sides.advoware = {one.bet_nr: Held(shown(one), advoware_traits(one, table)) for one in listed.values()}
    return sides


async def _espo_records(context: PassContext, table: FieldTable, sides: Sides) -> dict[str, EspoRecord]:
    rows: list[SpoiltRow] = []
    select = tuple(dict.fromkeys((*list_attributes(table), "geburtsname", "name")))
    found = {one.id: one async for one in context.espo.list_all(ESPO_ENTITY, select=select, spoilt=rows)}
    sides.unreadable += [_told(f"{ESPO_ENTITY} {row.id or '?'}", row.error) for row in rows]
    return found


async def _read_espocrm(
    context: PassContext, table: FieldTable, records: dict[str, EspoRecord], sides: Sides, progress: Progress
) -> None:
    """Lists carry one e-mail and one phone of each record; who is not linked yet is read whole."""

    async def whole(espo_id: str) -> None:
        def blame(error: Exception) -> None:
            sides.unreadable.append(_told(f"{ESPO_ENTITY} {espo_id}", error))

        with isolated(f"{ESPO_ENTITY} {espo_id}", blame):
            records[espo_id] = await context.espo.read(ESPO_ENTITY, espo_id) or records[espo_id]

    free = [espo_id for espo_id in records if espo_id not in sides.known]
    await _in_groups(free, whole, lambda done, total: progress("EspoCRM", done, total))
    accounts = await _children(context, "CBankverbindungen", "iban")
    places = await _children(context, "CAdressen", "adresseCity", "adresseStreet")
    for espo_id, record in records.items():
        traits = espo_traits(record.attributes, table)
        place = places.get(espo_id, {})
        traits = replace(
            traits,
            ibans=frozenset(accounts.get(espo_id, {}).get("iban", ())),
            towns=frozenset(place.get("adresseCity", ())),
            streets=frozenset(place.get("adresseStreet", ())),
        )
        name = str(record.attributes.get("name") or record.attributes.get("lastName") or "")
        sides.espocrm[espo_id] = Held(name, traits, str(record.attributes.get("createdAt") or ""))


async def _children(context: PassContext, entity: str, *names: str) -> dict[str, dict[str, set[str]]]:
    found: dict[str, dict[str, set[str]]] = {}
    try:
        async for record in context.espo.list_all(entity, select=("id", "beteiligteId", *names), spoilt=[]):
            values = found.setdefault(str(record.attributes.get("beteiligteId")), {})
            for name in names:
                if value := record.attributes.get(name):
                    values.setdefault(name, set()).add(str(value))
    except (NotFound, Forbidden):  # an installation without this entity type
        return {}
    return found


async def _known(
    context: PassContext, records: Mapping[str, EspoRecord], listed: Mapping[int, Beteiligter]
) -> dict[str, int]:
    """Return who belongs together already: by number, by link, or by the mark that our own create left."""
    known = {espo_id: betnr for espo_id, one in records.items() if (betnr := espo_betnr(one)) is not None}
    linked = await context.store.read(_links, list(records))
    # However the office has respelled our mark.
    spelled = {espo_id.casefold(): espo_id for espo_id in records}
    start = CREATE_MARK.format(espo_id="").casefold()
    for betnr, party in listed.items():
        marked = (party.bemerkung or "").casefold().partition(start)[2].split()
        espo_id = spelled.get(marked[0]) if marked else None
        if espo_id is not None and espo_id not in known:
            linked.setdefault(espo_id, betnr)
    return linked | known


def _links(tx: Transaction, ids: list[str]) -> dict[str, int]:
    links = tx.links.get_many(ENTITY, ids)
    return {espo_id: link.betnr for espo_id, link in links.items() if link.betnr is not None}


async def _in_groups(
    items: list[T], work: Callable[[T], Awaitable[None]], progress: Callable[[int, int], None]
) -> None:
    progress(0, len(items))
    for start in range(0, len(items), AT_ONCE):
        await all_of(*(work(item) for item in items[start : start + AT_ONCE]))
        progress(min(start + AT_ONCE, len(items)), len(items))


def _told(what: str, error: Exception) -> str:
    said = error.message_for_people if isinstance(error, ForeignSystemError) else "unerwarteter Fehler"
    return f"{what}: {said}"
