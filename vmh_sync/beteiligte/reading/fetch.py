"""Reads a batch of parties from EspoCRM, Advoware and our database.

EspoCRM is read by list (one call per 100 ids), Advoware once per party, our database once per batch. What cannot be
read or must not be synced is noted on the party; it never harms the others.
"""

import asyncio
from collections.abc import Iterable, Sequence

from vmh_sync.background import all_of, let_end
from vmh_sync.beteiligte.errors import EmptierThanAParty
from vmh_sync.beteiligte.fields import ESPO_ENTITY, FIELDS, list_attributes
from vmh_sync.beteiligte.party import ENTITY, PartyRead, espo_betnr, unusable_betnr
from vmh_sync.beteiligte.reading.claims import settle_claims
from vmh_sync.beteiligte.reading.left_party import find_settled
from vmh_sync.beteiligte.reading.recognise import Recognition
from vmh_sync.beteiligte.reading.sent_create import SentCreate, sent_creates
from vmh_sync.engine.counting.pass_progress import Step, went_through
from vmh_sync.engine.failures.isolation import isolated, together_or_alone
from vmh_sync.engine.failures.ledger import retry_is_due
from vmh_sync.engine.failures.outage import common_outage
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.selecting.erased import Erased, erased_of, read_erased
from vmh_sync.engine.writing.noted_meetings import noted_meetings
from vmh_sync.store.pairs.intents import Intent
from vmh_sync.store.store import Transaction
from vmh_sync.sync.reporting.words_de import BETNR_FIELD
from vmh_sync.systems.advoware.answers import PartyAnswer
from vmh_sync.systems.espocrm.errors import UnexpectedAnswer
from vmh_sync.systems.espocrm.records import EspoRecord
from vmh_sync.tasks.answered import note_answers


async def fetch_parties(
    context: PassContext, ids: Sequence[str], recognition: Recognition | None = None
) -> list[PartyRead]:
    """Return one :class:`PartyRead` per id, in the order of ``ids`` without repetitions.

    With ``recognition``, the answer about a party that is recognised is not looked into. Raises a
    ``ForeignSystemError`` only when EspoCRM cannot list at all, or Advoware answers for none of several.
    """
    parties = await context.store.read(_with_children, context, list(dict.fromkeys(ids)))
    await _fetch(context, [party for party in parties if not party.erased], recognition)
    return parties


async def _fetch(context: PassContext, parties: list[PartyRead], recognition: Recognition | None) -> None:
    # What is linked has its number already: both systems are read at the same time.
    linked = [party for party in parties if party.betnr is not None]
    reading = [asyncio.ensure_future(_ask_early(context, party)) for party in linked]
    preparing = [asyncio.ensure_future(recognition.prepare(linked))] if recognition is not None else []
    try:
        listed, spoilt = await _list(context, [party.espo_id for party in parties])
        await all_of(*preparing, *reading)
    except BaseException:
        for task in (*preparing, *reading):
            task.cancel()
        await let_end(*preparing, *reading)
        raise
    answers = {party.espo_id: task.result() for party, task in zip(linked, reading, strict=True)}
    erased = await erased_of(context.store)
    for party in parties:
        party.espo = listed.get(party.espo_id)
        party.erased = _is_erased(party, erased)
    parties = [party for party in parties if not party.erased]
    for party in parties:
        party.problem = spoilt.get(party.espo_id) or party.problem
        party.read_at = context.clock.now()
        answer = answers.pop(party.espo_id, None)
        party.recognised = recognition is not None and recognition.look(party, answer)
        if party.recognised:
            continue
        if party.link is not None and party.problem is None:
            _take_answer(party, answer)
        _distrust_nameless(party)
    await all_of(*(_confirm_missing(context, party) for party in parties if _is_missing(party)))
    await together_or_alone(
        f"claims of {ENTITY}",
        parties,
        lambda some: settle_claims(context, some),
        lambda party, error: party.blame(error),
    )
    read_already = {party.espo_id for party in linked if party.heir_of is None}
    await all_of(*(read_advoware(context, p) for p in parties if p.espo_id not in read_already))
    asked = [party for party in parties if party.betnr is not None and party.refusal is None]
    outage = common_outage([party.problem for party in asked])
    if outage is not None:
        raise outage
    for party in linked:
        _refuse_changed_number(party)
    await _recall_meetings(context, parties)
    await all_of(*(find_settled(context, party) for party in linked if party.tasks and party.problem is None))
    await note_answers(context, (party.tasks for party in parties))
    went_through(Step.READ, len(parties) - len(linked))


async def _recall_meetings(context: PassContext, parties: Iterable[PartyRead]) -> None:
    """Find out what earlier first contacts and creates of those without a base were about to write."""
    strangers = {party.espo_id: party for party in parties if _is_stranger(party)}
    if strangers:
        noted, sent = await context.store.read(_noted, list(strangers))
        for espo_id, meeting in noted.items():
            strangers[espo_id].meeting = meeting
        for espo_id, create in sent.items():
            party = strangers[espo_id]
            with isolated(f"{ENTITY} {espo_id}", party.blame):
                create.recall(party, context.table(ENTITY, FIELDS), context.zone)


def _is_stranger(party: PartyRead) -> bool:
    """Whether a party has no base: met for the first time, or deleted in EspoCRM before it got to Advoware."""
    if party.espo is None:
        return party.link is None and party.problem is None
    return party.advoware is not None and party.base is None


def _noted(tx: Transaction, espo_ids: Sequence[str]) -> tuple[dict[str, Intent], dict[str, SentCreate]]:
    return noted_meetings(tx, ENTITY, espo_ids), sent_creates(tx, espo_ids)


def _is_erased(party: PartyRead, erased: Erased) -> bool:
    """Whether this is an erased person, also in a new record that carries the number."""
    return erased.covers(party.espo_id, party.betnr or espo_betnr(party.espo))


async def _ask_early(context: PassContext, party: PartyRead) -> PartyAnswer | None:
    answer = await _ask_number(context, party)
    went_through(Step.READ)
    return answer


async def _list(context: PassContext, ids: Sequence[str]) -> tuple[dict[str, EspoRecord], dict[str, UnexpectedAnswer]]:
    spoilt: dict[str, UnexpectedAnswer] = {}
    select = list_attributes(context.table(ENTITY, FIELDS))
    records = context.espo.list_ids_in(ESPO_ENTITY, "id", ids, select=select, spoilt=spoilt)
    return {record.id: record async for record in records}, spoilt


def _distrust_nameless(party: PartyRead) -> None:
    """EspoCRM demands a name: a record without any is a fault, and nothing of it may be carried on (invariant 5)."""
    told = party.espo.attributes if party.espo is not None else {}
    names = [told[name] for name in ("name", "lastName", "firmenname") if name in told]
    if names and not any(isinstance(name, str) and name.strip() for name in names):
        party.blame(EmptierThanAParty(f"{ENTITY} {party.espo_id}"))


def _is_missing(party: PartyRead) -> bool:
    return party.espo is None and party.problem is None


def _with_children(tx: Transaction, context: PassContext, ids: Sequence[str]) -> list[PartyRead]:
    erased = read_erased(tx)
    links = tx.links.get_many(ENTITY, ids)
    ledger_rows = tx.records.get_many(ENTITY, ids)
    tasks = tx.tasks.open_for_many(ENTITY, ids)
    return [
        PartyRead(
            espo_id,
            link=links.get(espo_id),
            ledger_row=ledger_rows.get(espo_id),
            retry_refused=context.by_person or retry_is_due(ledger_rows.get(espo_id), context.clock.now()),
            tasks=tasks.get(espo_id, []),
            erased=erased.covers(espo_id),
        )
        for espo_id in ids
    ]


async def _confirm_missing(context: PassContext, party: PartyRead) -> None:
    # A missing line in a list is not yet a deletion: only a direct read says so (invariant 5).
    with isolated(f"{ENTITY} {party.espo_id}", party.blame):
        party.espo = await context.espo.read(ESPO_ENTITY, party.espo_id)
        party.espo_full = party.espo is not None


async def read_advoware(context: PassContext, party: PartyRead) -> None:
    """Read the party in Advoware, if it has a number and may be synced."""
    if party.link is None and unusable_betnr(party.espo):
        # Whoever typed it means a party that is there: creating another one would double it.
        party.refusal = (
            f"Im Feld {BETNR_FIELD} steht keine Nummer. Bitte berichtigen, oder das Feld leeren: dann wird der "
            "Beteiligte in Advoware angelegt."
        )
    if party.betnr is None or party.espo is None or party.problem is not None:
        return
    if party.refusal is None:
        await _read_number(context, party)
    _refuse_changed_number(party)


async def _read_number(context: PassContext, party: PartyRead) -> None:
    answer = await _ask_number(context, party)
    if party.betnr is not None and party.problem is None:
        _take_answer(party, answer)


async def _ask_number(context: PassContext, party: PartyRead) -> PartyAnswer | None:
    if party.betnr is not None:
        with isolated(f"{ENTITY} {party.espo_id}", party.blame):
            return await context.advoware.ask_beteiligter(party.betnr)
    return None


def _take_answer(party: PartyRead, answer: PartyAnswer | None) -> None:
    with isolated(f"{ENTITY} {party.espo_id}", party.blame):
        found = answer.party() if answer is not None else None
        if found is not None and not (found.name or "").strip():
            raise EmptierThanAParty(f"{ENTITY} {party.espo_id}")
        party.advoware, party.gone_in_advoware = found, found is None and party.link is not None
        if found is None and party.link is None:
            # Never read over there: a slip of the pen, not a deletion, and no link before the first successful read.
            party.refusal = (
                f"Die Nummer {party.betnr} gibt es in Advoware nicht. Bitte die Nummer berichtigen, oder das Feld "
                f"{BETNR_FIELD} leeren: dann wird der Beteiligte in Advoware angelegt."
            )


def _refuse_changed_number(party: PartyRead) -> None:
    if party.changed_number and party.refusal is None and not party.gone_in_advoware:
        party.refusal = (
            f"Das Feld {BETNR_FIELD} wurde geändert; verknüpft ist die Nummer {party.betnr}. "
            "Bitte die alte Nummer wieder eintragen."
        )


async def read_again(context: PassContext, party: PartyRead) -> PartyRead:
    """Return the party as it stands at this moment, with EspoCRM's full record; for the check before a write.

    Raises the ``ForeignSystemError`` of either side.
    """
    (fresh,) = await context.store.read(_with_children, context, [party.espo_id])
    if fresh.erased:
        return fresh
    fresh.espo = await context.espo.read(ESPO_ENTITY, party.espo_id)
    fresh.erased = _is_erased(fresh, await erased_of(context.store))
    if fresh.erased:
        return fresh
    fresh.espo_full = fresh.espo is not None
    fresh.read_at = context.clock.now()
    _distrust_nameless(fresh)
    await settle_claims(context, [fresh])
    await read_advoware(context, fresh)
    if fresh.problem is not None:
        raise fresh.problem
    await _recall_meetings(context, [fresh])
    await find_settled(context, fresh)
    await note_answers(context, [fresh.tasks])
    return fresh
