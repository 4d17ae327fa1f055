"""Looks for a party in Advoware before one is created there, and asks a person where it may exist already.

Two searches per create: by the name, and by the first name (which finds a married name or a slip in the family name),
or by our mark where there is no first name; more for short names with umlauts, and where a name fits. A person answers
with the task: the number in ``betnr`` links, closing the task creates. Nothing is ever linked without a person.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from vmh_sync.background import all_of
from vmh_sync.beteiligte.fields import ESPO_ENTITY
from vmh_sync.beteiligte.master_data.diff import CREATE_MARK
from vmh_sync.beteiligte.master_data.traits import advoware_traits, espo_traits
from vmh_sync.beteiligte.party import PartyRead, carries, espo_betnr
from vmh_sync.beteiligte.twins.twin_question import (
    Double,
    Twin,
    TwinSuspected,
    answered_already,
    asked_doubles,
    asked_numbers,
    question_of,
)
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.passes.together import Ask
from vmh_sync.matching.comparable import search_words
from vmh_sync.matching.compare import compare, name_fits
from vmh_sync.matching.traits import Likeness, Traits
from vmh_sync.sync.fields import FieldTable
from vmh_sync.systems.advoware.errors import CapabilityMissing, NotFound
from vmh_sync.systems.advoware.records import Beteiligter
from vmh_sync.systems.errors import Forbidden
from vmh_sync.systems.espocrm.errors import NotFound as EspoNotFound
from vmh_sync.systems.espocrm.errors import UnexpectedAnswer
from vmh_sync.systems.espocrm.records import EspoRecord

T = TypeVar("T")

MOST_LOOKED_AT = 5
"""Parties of the same name that are looked at closely; the others are judged by what the search told."""


async def look_before_create(context: PassContext, party: PartyRead, table: FieldTable) -> Beteiligter | None:
    """Return the party that carries our mark already (our database was lost), ``None`` to create.

    Raises :class:`TwinSuspected` unless a person has answered that it shall be created all the same. Without a search
    in this installation nothing can be found: it is created.
    """
    espocrm = espo_traits(party.espo.attributes if party.espo is not None else {}, table)
    mark = CREATE_MARK.format(espo_id=party.espo_id)
    question = question_of(party.tasks)
    try:
        told = await _search(context, espocrm, mark)
    except CapabilityMissing:
        told = []
    free = await free_with_mark(context, party, told, mark)
    marked = await unclaimed(context, party, free or with_mark(told, mark), table)
    if marked is not None:
        return marked
    asked = asked_numbers(question)
    told += await _read_missing(context, asked - {one.bet_nr for one in told})
    twins = await _twins(context, party, espocrm, told, asked, table)
    doubles = await _doubles(context, party, espocrm, asked_doubles(question), table)
    if (not twins and not doubles) or await answered_already(context, party, twins, doubles):
        return None
    raise TwinSuspected(party.espo_id, twins, doubles)


def with_mark(parties: Iterable[Beteiligter], mark: str) -> Beteiligter | None:
    """Return the first party whose remark holds our mark, however the office has respelled it."""
    return min((one for one in parties if carries(one, mark)), key=lambda one: one.bet_nr, default=None)


async def free_with_mark(
    context: PassContext, party: PartyRead, parties: Iterable[Beteiligter], mark: str
) -> Beteiligter | None:
    """Return the first party whose remark holds our mark, and that no other record stands for."""
    marked = [one for one in parties if carries(one, mark)]
    numbers = [one.bet_nr for one in marked]
    links = await context.store.read(lambda tx: tx.links.get_many_by_betnr(numbers)) if numbers else {}
    taken = {betnr for betnr, link in links.items() if link.espo_id != party.espo_id}
    return with_mark((one for one in marked if one.bet_nr not in taken), mark)


async def unclaimed(
    context: PassContext, party: PartyRead, found: Beteiligter | None, table: FieldTable
) -> Beteiligter | None:
    """Return the party that was made for ``party``, unless another record stands for it by now.

    Somebody has entered its number there. Raises :class:`TwinSuspected` unless a person has answered that both are
    kept: then there is nothing for ``party`` in Advoware.
    """
    link = await context.store.read(lambda tx: tx.links.get_by_betnr(found.bet_nr)) if found is not None else None
    if found is None or link is None or link.espo_id == party.espo_id:
        return found
    espocrm = espo_traits(party.espo.attributes if party.espo is not None else {}, table)
    doubles = await _doubles(context, party, espocrm, [link.espo_id], table, alike=False)
    twins = [] if doubles else [Twin(found.bet_nr, shown(found), compare(espocrm, advoware_traits(found, table)))]
    if await answered_already(context, party, twins, doubles):
        return None
    raise TwinSuspected(party.espo_id, twins, doubles)


async def _read_missing(context: PassContext, asked: Iterable[int]) -> list[Beteiligter]:
    """Read what a question names and the search does not find: first contact sees more than a search for names."""
    read = [await context.advoware.read_beteiligter(betnr) for betnr in sorted(asked)]
    return [one for one in read if one is not None]


async def _doubles(
    context: PassContext,
    party: PartyRead,
    espocrm: Traits,
    asked: Iterable[str],
    table: FieldTable,
    *,
    alike: bool = True,
) -> list[Double]:
    """Judge anew the records in EspoCRM that a question names: they may be merged, deleted or edited by now.

    With ``alike``, those that look like nobody any more are left out.
    """
    found = []
    for espo_id in sorted(asked):
        other = await context.espo.read(ESPO_ENTITY, espo_id)
        if other is None:
            continue
        whole = await read_children(context, party.espo_id, espocrm)
        resemblance = compare(whole, await read_children(context, espo_id, espo_traits(other.attributes, table)))
        if resemblance.likeness is not Likeness.NONE or not alike:
            found.append(Double(espo_id, str(other.attributes.get("name") or ""), resemblance))
    return found


async def _search(context: PassContext, espocrm: Traits, mark: str) -> list[Beteiligter]:
    texts = dict.fromkeys((*search_words(espocrm.name), *(search_words(espocrm.vorname) or [mark])))
    # What the search tells of other parties is allowed to be unusable: it is no reason not to create this one.
    answers = [await context.advoware.search_beteiligte(text, spoilt=[]) for text in texts if text]
    return list({one.bet_nr: one for answer in answers for one in answer}.values())


async def _twins(
    context: PassContext,
    party: PartyRead,
    espocrm: Traits,
    told: Sequence[Beteiligter],
    asked: set[int],
    table: FieldTable,
) -> list[Twin]:
    """Judge what was found; the better ones first. What a person was ``asked`` about is always looked at closely."""
    advoware = {one.bet_nr: (one, advoware_traits(one, table)) for one in told}
    fitting = [betnr for betnr, (_, traits) in advoware.items() if betnr in asked or name_fits(espocrm, traits)]
    fitting.sort(key=lambda betnr: betnr not in asked)
    alike = {betnr for betnr, (_, traits) in advoware.items() if compare(espocrm, traits).likeness}
    free = await free_numbers(context, [advoware[betnr][0] for betnr in sorted({*fitting, *alike})])
    undecided = [betnr for betnr in fitting if betnr in free and betnr not in alike]
    if undecided:
        espocrm = await read_children(context, party.espo_id, espocrm)
        for betnr in undecided[: max(MOST_LOOKED_AT, len(asked))]:
            whole = await read_whole(context, advoware[betnr][0])
            advoware[betnr] = (whole, advoware_traits(whole, table))
    judged = [
        Twin(betnr, shown(advoware[betnr][0]), found)
        for betnr in sorted(free)
        if (found := compare(espocrm, advoware[betnr][1])).likeness is not Likeness.NONE
    ]
    return sorted(judged, key=lambda twin: -twin.resemblance.score)


async def free_numbers(context: PassContext, found: Sequence[Beteiligter]) -> set[int]:
    """Return which of them no living record of EspoCRM stands for: linked, made for one, or typed into one."""
    numbers = [one.bet_nr for one in found]
    if not numbers:
        return set()
    links = await context.store.read(lambda tx: tx.links.get_many_by_betnr(numbers))
    living = await _living(context, [link.espo_id for link in links.values() if link.state != "deleted_in_espocrm"])
    anybodys = CREATE_MARK.format(espo_id="")
    free = {
        one.bet_nr
        for one in found
        if (links[one.bet_nr].espo_id not in living if one.bet_nr in links else not carries(one, anybodys))
    }
    numbered = await all_of(*(_is_numbered(context, betnr) for betnr in free))
    return {betnr for betnr, taken in zip(free, numbered, strict=True) if not taken}


async def _is_numbered(context: PassContext, betnr: int) -> bool:
    """Whether a record of EspoCRM carries the number now; parties that are looked at together ask together."""

    async def ask(numbers: Sequence[str]) -> Mapping[str, bool | UnexpectedAnswer]:
        spoilt: dict[str, UnexpectedAnswer] = {}
        wanted = [int(one) for one in numbers]
        listed = context.espo.list_ids_in(ESPO_ENTITY, "betnr", wanted, select=("id", "betnr"), spoilt=spoilt)
        return {str(espo_betnr(record)): True async for record in listed} | spoilt

    return bool(await _asked_together(context, "who has a number", str(betnr), ask))


async def _asked_together(context: PassContext, question: str, key: str, ask: Ask[T | UnexpectedAnswer]) -> T | None:
    """Ask together with those who ask the same now; raises what makes the answer about ``key`` unusable."""
    told = await context.together.now(question, key, ask, most=context.espo_settings.concurrency)
    if isinstance(told, UnexpectedAnswer):
        raise told
    return told


async def _living(context: PassContext, espo_ids: Sequence[str]) -> set[str]:
    """Return which of these records EspoCRM has: one may have been deleted or merged since, and we not know of it."""
    return {record.id async for record in context.espo.list_ids_in(ESPO_ENTITY, "id", espo_ids, select=("id",))}


# What both sides tell


async def read_children(context: PassContext, espo_id: str, espocrm: Traits) -> Traits:
    """Add what EspoCRM keeps in records of its own: accounts and addresses."""
    ibans, places = await all_of(
        _children(context, espo_id, "CBankverbindungen", "iban"),
        _children(context, espo_id, "CAdressen", "adresseCity", "adresseStreet"),
    )
    return replace(espocrm, ibans=ibans["iban"], towns=places["adresseCity"], streets=places["adresseStreet"])


async def _children(context: PassContext, espo_id: str, entity: str, *names: str) -> dict[str, frozenset[str]]:
    async def ask(ids: Sequence[str]) -> Mapping[str, list[EspoRecord] | UnexpectedAnswer]:
        told: dict[str, list[EspoRecord]] = defaultdict(list)
        spoilt: dict[str, UnexpectedAnswer] = {}
        select = ("id", "beteiligteId", *names)
        with suppress(EspoNotFound, Forbidden):  # an installation without this entity type
            async for record in context.espo.list_ids_in(entity, "beteiligteId", ids, select=select, spoilt=spoilt):
                told[str(record.attributes.get("beteiligteId"))].append(record)
        return {**told, **spoilt}

    found = await _asked_together(context, f"{entity} of parties", espo_id, ask) or []
    return {name: frozenset(str(one.attributes.get(name) or "") for one in found) - {""} for name in names}


async def read_whole(context: PassContext, found: Beteiligter) -> Beteiligter:
    """Read what the search left out of a party, as far as this installation tells it."""
    if not found.kommunikation_told or found.adressen is None or found.bankverbindungen is None:
        found = await context.advoware.read_beteiligter(found.bet_nr) or found
    with suppress(NotFound, CapabilityMissing):
        if found.adressen is None:
            found = found.model_copy(update={"adressen": await context.advoware.list_adressen(found.bet_nr)})
    with suppress(NotFound, CapabilityMissing):
        if found.bankverbindungen is None:
            accounts = await context.advoware.list_bankverbindungen(found.bet_nr)
            found = found.model_copy(update={"bankverbindungen": accounts})
    return found


def shown(found: Beteiligter) -> str:
    """Return the name of a party in Advoware as people read it; for tasks and lists only."""
    return ", ".join(part for part in (found.name, found.vorname) if part)
