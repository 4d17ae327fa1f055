"""Looks for a party in Advoware before one is created there, and asks a person where it may exist already.

Two searches per create: by the name, and by the first name (which finds a married name or a slip in the family name),
or by our mark where there is no first name. Only where a name fits does it cost more. A person answers with the task:
the number in ``betnr`` links, closing the task creates. Nothing is ever linked without a person.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from vmh_sync.beteiligte.diff import CREATE_MARK, MasterPlan
from vmh_sync.beteiligte.fields import ESPO_ENTITY
from vmh_sync.beteiligte.model import is_company, read_advoware
from vmh_sync.beteiligte.party import ENTITY, PartyRead
from vmh_sync.beteiligte.twins import Likeness, Resemblance, Traits, compare, name_fits, search_word
from vmh_sync.engine.pass_context import PassContext
from vmh_sync.store.tasks import ManualTask
from vmh_sync.sync.base import Side
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.plan import TaskKind, TaskWanted
from vmh_sync.systems.advoware.errors import CapabilityMissing, NotFound
from vmh_sync.systems.advoware.records import Beteiligter
from vmh_sync.systems.errors import Forbidden
from vmh_sync.systems.espocrm.errors import NotFound as EspoNotFound
from vmh_sync.tasks.manual_tasks import TASK_ENTITY, is_settled

MOST_LOOKED_AT = 5
"""Parties of the same name that are looked at closely; the others are judged by what the search told."""

QUESTION = ("betnr",)
"""What the question is about: the number that a person may enter."""


@dataclass(frozen=True, slots=True, repr=False)
class Twin:
    """A party in Advoware that may be the one to be created."""

    betnr: int
    name: str
    resemblance: Resemblance


class TwinSuspected(Exception):
    """The party may exist in Advoware already; a person decides. Not a failure of the record."""

    def __init__(self, espo_id: str, twins: Sequence[Twin]) -> None:
        super().__init__(f"{ENTITY} {espo_id}: may exist in Advoware already")
        self.twins = tuple(twins)

    @property
    def message_for_people(self) -> str:
        """One German sentence, without personal values."""
        numbers = ", ".join(str(twin.betnr) for twin in self.twins)
        return (
            f"In Advoware gibt es vielleicht schon diesen Beteiligten (Nr. {numbers}). Bitte in der Aufgabe dazu "
            "entscheiden: verknüpfen oder neu anlegen."
        )

    @property
    def task(self) -> TaskWanted:
        """The question to a person."""
        found = [
            {"betnr": twin.betnr, "name": twin.name, "agreeing": list(twin.resemblance.agreeing)} for twin in self.twins
        ]
        return TaskWanted(TaskKind.TWIN_SUSPECTED, QUESTION, {"found": found})


async def look_before_create(
    context: PassContext, party: PartyRead, plan: MasterPlan, table: FieldTable
) -> Beteiligter | None:
    """Return the party that carries our mark already (our database was lost), ``None`` to create.

    Raises :class:`TwinSuspected` unless a person has answered that it shall be created all the same. Without a search
    in this installation nothing can be found: it is created.
    """
    ours = _ours(party, plan, table)
    mark = CREATE_MARK.format(espo_id=party.espo_id)
    try:
        told = await _search(context, ours, mark)
    except CapabilityMissing:
        return None
    marked = [one for one in told if mark in (one.bemerkung or "")]
    if marked:
        return min(marked, key=lambda one: one.bet_nr)
    twins = await _twins(context, party, ours, told, table)
    if not twins or await _answered_already(context, party, twins):
        return None
    raise TwinSuspected(party.espo_id, twins)


async def answered(context: PassContext) -> list[str]:
    """Return the EspoCRM ids of the parties whose question a person has closed; one list, and only if any is open."""
    questions = await asyncio.to_thread(_questions, context)
    asked = {question.espo_task_id: question.espo_id for question in questions if question.espo_task_id}
    if not asked:
        return []
    listed = context.espo.list_ids_in(TASK_ENTITY, "id", sorted(asked), select=("id", "status"))
    return [asked[task.id] async for task in listed if is_settled(task)]


def _questions(context: PassContext) -> list[ManualTask]:
    with context.store.reading() as tx:
        return [task for task in tx.tasks.not_closed(ENTITY) if task.kind == TaskKind.TWIN_SUSPECTED]


async def _search(context: PassContext, ours: Traits, mark: str) -> list[Beteiligter]:
    texts = dict.fromkeys((search_word(ours.name), search_word(ours.vorname) or mark))
    # What the search tells of other parties is allowed to be unusable: it is no reason not to create this one.
    answers = [await context.advoware.search_beteiligte(text, spoilt=[]) for text in texts if text]
    return list({one.bet_nr: one for answer in answers for one in answer}.values())


async def _twins(
    context: PassContext, party: PartyRead, ours: Traits, told: Sequence[Beteiligter], table: FieldTable
) -> list[Twin]:
    """Judge what was found; the better ones first."""
    theirs = {one.bet_nr: (one, _theirs(one, table)) for one in told}
    fitting = [betnr for betnr, (_, traits) in theirs.items() if name_fits(ours, traits)]
    alike = {betnr for betnr, (_, traits) in theirs.items() if compare(ours, traits).likeness}
    free = await _free(context, [theirs[betnr][0] for betnr in sorted({*fitting, *alike})])
    undecided = [betnr for betnr in fitting if betnr in free and betnr not in alike]
    if undecided:
        ours = await _with_children(context, party, ours)
        for betnr in undecided[:MOST_LOOKED_AT]:
            theirs[betnr] = await _closer(context, theirs[betnr][0], ours, table)
    judged = [
        Twin(betnr, _shown(theirs[betnr][0]), found)
        for betnr in sorted(free)
        if (found := compare(ours, theirs[betnr][1])).likeness is not Likeness.NONE
    ]
    return sorted(judged, key=lambda twin: -twin.resemblance.likeness)


async def _free(context: PassContext, found: Sequence[Beteiligter]) -> set[int]:
    """Return which of them no living record of EspoCRM stands for: linked, made for one, or typed into one."""
    numbers = [one.bet_nr for one in found]
    if not numbers:
        return set()
    links = await asyncio.to_thread(_states, context, numbers)
    anybodys = CREATE_MARK.format(espo_id="")
    free = {
        one.bet_nr
        for one in found
        if links.get(one.bet_nr, "deleted_in_espocrm") == "deleted_in_espocrm"
        and (one.bet_nr in links or anybodys not in (one.bemerkung or ""))
    }
    if free:
        async for record in context.espo.list_ids_in(ESPO_ENTITY, "betnr", sorted(free), select=("id", "betnr")):
            free.discard(int(record.attributes.get("betnr") or 0))
    return free


def _states(context: PassContext, betnrs: Sequence[int]) -> dict[int, str]:
    with context.store.reading() as tx:
        return {betnr: link.state for betnr, link in tx.links.get_many_by_betnr(betnrs).items()}


async def _answered_already(context: PassContext, party: PartyRead, twins: Iterable[Twin]) -> bool:
    """Whether a person was asked about all of these and closed the task: it is created, although they exist.

    The answer lives in the task, which stays on our list until the party is linked: no crash forgets it.
    """
    question = next((task for task in party.tasks if task.kind == TaskKind.TWIN_SUSPECTED), None)
    if question is None or question.espo_task_id is None:
        return False
    asked = {entry.get("betnr") for entry in question.details.get("found", ())}
    if not {twin.betnr for twin in twins} <= asked:
        return False
    task = await context.espo.read(TASK_ENTITY, question.espo_task_id)
    if task is None:
        # Deleted, which is no answer: it is asked again.
        await asyncio.to_thread(_forget, context, question.id)
        return False
    return is_settled(task)


def _forget(context: PassContext, task_id: int) -> None:
    with context.store.transaction() as tx:
        tx.tasks.close(task_id)


# What both sides tell


def _ours(party: PartyRead, plan: MasterPlan, table: FieldTable) -> Traits:
    told = party.espo.attributes if party.espo is not None else {}
    fields = {change.field: str(change.new) for change in plan.fields.to_advoware}
    return replace(
        _from_fields(fields, company=is_company(told, None, table)),
        geburtsname=str(told.get("geburtsname") or ""),
        emails=_listed(told, "emailAddressData", "emailAddress"),
        phones=_listed(told, "phoneNumberData", "phoneNumber"),
    )


def _listed(told: Mapping[str, object], many: str, one: str) -> frozenset[str]:
    entries = told.get(many)
    listed = [entry.get(one) for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return frozenset(str(value) for value in (*listed, told.get(one)) if value)


async def _with_children(context: PassContext, party: PartyRead, ours: Traits) -> Traits:
    """Add what EspoCRM keeps in records of its own: the accounts, and for a company the towns."""
    ibans = await _children(context, party.espo_id, "CBankverbindungen", "iban")
    towns = await _children(context, party.espo_id, "CAdressen", "adresseCity") if ours.company else frozenset()
    return replace(ours, ibans=ibans, towns=towns)


async def _children(context: PassContext, espo_id: str, entity: str, attribute: str) -> frozenset[str]:
    told = set()
    with suppress(EspoNotFound, Forbidden):  # an installation without this entity type
        listed = context.espo.list_ids_in(entity, "beteiligteId", [espo_id], select=("id", "beteiligteId", attribute))
        async for record in listed:
            told.add(str(record.attributes.get(attribute) or ""))
    return frozenset(told - {""})


async def _closer(
    context: PassContext, found: Beteiligter, ours: Traits, table: FieldTable
) -> tuple[Beteiligter, Traits]:
    """Read what the search left out of a party whose name fits."""
    if not found.kommunikation_told or found.adressen is None or found.bankverbindungen is None:
        found = await context.advoware.read_beteiligter(found.bet_nr) or found
    traits = _theirs(found, table)
    with suppress(NotFound, CapabilityMissing):
        if ours.towns and found.adressen is None:
            towns = await context.advoware.list_adressen(found.bet_nr)
            traits = replace(traits, towns=frozenset(one.ort for one in towns if one.ort))
    with suppress(NotFound, CapabilityMissing):
        if ours.ibans and found.bankverbindungen is None:
            accounts = await context.advoware.list_bankverbindungen(found.bet_nr)
            traits = replace(traits, ibans=frozenset(one.iban for one in accounts if one.iban))
    return found, traits


def _theirs(found: Beteiligter, table: FieldTable) -> Traits:
    company = False
    if "rechtsform" in table:
        rechtsform = table["rechtsform"].read(Side.ADVOWARE, found.rechtsform)
        company = is_company({}, rechtsform, table)
    fields = read_advoware(found.model_dump(), table, company=False)
    entries = [entry.tlf for entry in found.kommunikation]
    reached = (*entries, found.tel_gesch, found.tel_privat, found.mobil, found.email_gesch, found.email)
    return replace(
        _from_fields({name: str(value) for name, value in fields.items() if value is not None}, company=company),
        geburtsname=found.geburtsname or "",
        emails=frozenset(one for one in reached if one and "@" in one),
        phones=frozenset(one for one in reached if one and "@" not in one),
        ibans=frozenset(one.iban for one in found.bankverbindungen or () if one.iban),
        towns=frozenset(one.ort for one in found.adressen or () if one.ort),
    )


def _from_fields(fields: Mapping[str, str], *, company: bool) -> Traits:
    return Traits(
        name=fields.get("name", ""),
        vorname=fields.get("vorname", ""),
        geburtsdatum=fields.get("geburtsdatum", ""),
        rechtsform=fields.get("rechtsform", ""),
        register=fields.get("handelsregister_nummer", ""),
        company=company,
    )


def _shown(found: Beteiligter) -> str:
    return ", ".join(part for part in (found.name, found.vorname) if part)
