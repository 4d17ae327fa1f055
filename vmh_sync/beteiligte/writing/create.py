"""Creates a party in Advoware exactly once, whatever is killed when (specification, sync-semantics.md 3).

How is :mod:`vmh_sync.engine.writing.create_once`; here stands what a party adds. Before anything was sent, a likely
twin is looked for (:mod:`vmh_sync.beteiligte.twins.twin_search`), and what was sent without an answer by
:mod:`vmh_sync.beteiligte.twins.unanswered`.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial

from vmh_sync.beteiligte.master_data.diff import CREATE_MARK, MasterPlan
from vmh_sync.beteiligte.party import ENTITY, PartyRead, carries
from vmh_sync.beteiligte.reading.sent_create import base_of_found
from vmh_sync.beteiligte.twins.twin_search import look_before_create
from vmh_sync.beteiligte.twins.unanswered import find_unanswered
from vmh_sync.engine.passes.pass_context import PassContext, WriteGate
from vmh_sync.engine.writing.audit_rows import Audited
from vmh_sync.engine.writing.create_once import LOOK_AGAIN_AFTER, CreateOrder, Creation, create_once
from vmh_sync.engine.writing.create_what_is_taken import Needed, create_what_is_taken
from vmh_sync.store.pairs.intents import Intent
from vmh_sync.store.pairs.links import Link
from vmh_sync.store.store import Transaction
from vmh_sync.sync.base import Base, Fields, Side
from vmh_sync.sync.fields import FieldTable, WrongKind
from vmh_sync.sync.values import Value, alike, date, is_empty, is_form_of, text
from vmh_sync.systems.advoware.errors import OutcomeUnknown
from vmh_sync.systems.advoware.records import Beteiligter, Created
from vmh_sync.systems.errors import ForeignSystemError


async def ensure_created(
    context: PassContext, gate: WriteGate, party: PartyRead, plan: MasterPlan, table: FieldTable
) -> PartyRead:
    """Return a party that now exists in Advoware, found or created: with its stored link and Advoware's record.

    The record is missing when Advoware did not show it at once.

    Raises ``CreateOutcomeUnknown`` and ``TwinSuspected`` when a person must look first, and a ``ForeignSystemError``
    when the create failed or stays unanswered.
    """
    creation = await create_once(context, _order(context, gate, party, plan, table))
    return await _linked(context, party, creation, table)


def _order(
    context: PassContext, gate: WriteGate, party: PartyRead, plan: MasterPlan, table: FieldTable
) -> CreateOrder[Created[Beteiligter]]:
    # An unanswered create is found again by its mark, or by its name.
    needed = Needed({name: plan.advoware[name] for name in ("name", "bemerkung") if name in plan.advoware})

    async def post(*, whole: bool = False) -> Created[Beteiligter]:
        made = await create_what_is_taken(gate, plan.advoware, needed, context.advoware.create_beteiligter, whole=whole)
        return made if made.record is not None else await _shown(context, party, plan, made.key)

    async def find(intent: Intent) -> Created[Beteiligter] | None:
        return _as_created(await find_unanswered(context, party, intent, table))

    async def look_first() -> Created[Beteiligter] | None:
        return _as_created(await look_before_create(context, party, table))

    return CreateOrder(
        system=Side.ADVOWARE,
        entity=ENTITY,
        espo_id=party.espo_id,
        natural_key={"fields": {change.field: change.new for change in plan.fields.to_advoware}},
        payload=plan.advoware,
        post=post,
        find=find,
        look_first=look_first,
        post_whole=partial(post, whole=True),
    )


async def _shown(context: PassContext, party: PartyRead, plan: MasterPlan, betnr: int) -> Created[Beteiligter]:
    """Return the party that an answer named by its number alone.

    Raises ``OutcomeUnknown`` where Advoware shows nobody or somebody else under it (a connector may count rows): taken
    for ours, another party would be overwritten. One that is not shown at once is looked for again: without a search
    a person would have to look for it.
    """
    record = None
    try:
        for wait in LOOK_AGAIN_AFTER:
            await asyncio.sleep(wait)
            record = await context.advoware.read_beteiligter(betnr)
            if record is not None:
                break
    except ForeignSystemError:
        return Created(key=betnr)  # the number is known, whatever happens next
    if record is None or not _may_be(record, plan.advoware, CREATE_MARK.format(espo_id=party.espo_id)):
        raise OutcomeUnknown("POST Beteiligte: the number in the answer is not the new party's")
    return Created(key=betnr, record=record)


def _may_be(record: Beteiligter, sent: Mapping[str, object], mark: str) -> bool:
    """Whether a party may be the one just sent: by our mark, or where its remark was not taken, by all that tells it.

    A relative and a namesake are somebody else.
    """
    if carries(record, mark):
        return True
    if not is_empty(record.bemerkung) and not is_form_of(record.bemerkung, mark):
        return False
    born = date(record.geburtsdatum)
    return (
        _is_spelling(record.name, sent.get("name"))
        and (is_empty(record.vorname) or _is_spelling(record.vorname, sent.get("vorname")))
        and (born is None or born == date(sent.get("geburtsdatum")))
    )


def _is_spelling(stands: str | None, sent: object) -> bool:
    wanted = text(sent)
    return is_form_of(stands, wanted) and is_form_of(wanted, stands)


async def _linked(
    context: PassContext, party: PartyRead, creation: Creation[Created[Beteiligter]], table: FieldTable
) -> PartyRead:
    """Store the number and, as soon as Advoware's record is known, the base."""
    created, intent = creation.record, creation.intent
    record = created.record
    base = None
    if record is not None and record.kommunikation_told:
        with suppress(WrongKind):  # told below, when the number is known
            base = _base_after(intent, record, table, fresh=creation.answered)
    if record is not None and base is not None:
        link = await context.store.write(_store_number, context, party, intent, created.key, base, record.row_id)
        return replace(party, link=link, advoware=record, just_created=creation.answered)
    # The answer to a create may come without the children. The number first: whatever happens next, it is known.
    # Until Advoware was read, what was sent stands for what both sides say.
    as_sent = Base(_sent(intent), _sent(intent))
    link = await context.store.write(_store_number, context, party, intent, created.key, as_sent, None)
    record = await context.advoware.read_beteiligter(created.key)
    if record is not None:
        base = _base_after(intent, record, table, fresh=creation.answered)
        link = await context.store.write(_store_base, link, base, record.row_id)
    return replace(party, link=link, advoware=record, just_created=creation.answered)


def _as_created(found: Beteiligter | None) -> Created[Beteiligter] | None:
    return Created(key=found.bet_nr, record=found) if found is not None else None


def _store_number(
    tx: Transaction,
    context: PassContext,
    party: PartyRead,
    intent: Intent,
    betnr: int,
    base: Base,
    row_id: str | None,
) -> Link:
    sent: Fields = intent.natural_key.get("fields", {})
    tx.intents.complete(intent.id, str(betnr))
    link = tx.links.save(
        Link(
            entity=ENTITY,
            espo_id=party.espo_id,
            betnr=betnr,
            advoware_id=str(betnr),
            base=base.to_json(),
            advoware_row_id=row_id,
        )
    )
    made = Audited(ENTITY, party.espo_id, betnr, context.run_id).noted("created", "no betnr yet", side=Side.ADVOWARE)
    tx.audit.append([replace(made, field=name, new=value) for name, value in sent.items()] or [made])
    return link


def _store_base(tx: Transaction, link: Link, base: Base, row_id: str | None) -> Link:
    return tx.links.save(replace(link, base=base.to_json(), advoware_row_id=row_id))


def _base_after(intent: Intent, record: Beteiligter, table: FieldTable, *, fresh: bool) -> Base:
    """Return the base after a create, corrected by what Advoware made of it.

    ``fresh``: nobody can have edited it yet, so everything it says is its form of what was sent. What it did not take
    is still to be carried over, by a PUT or by a person.
    """
    if not fresh:
        return base_of_found(_sent(intent), record, table)
    told = table.read(Side.ADVOWARE, record.model_dump(), missing_is_empty=True)
    sent = _sent(intent).items()
    espo = {name: value if alike(table[name].kind, told.get(name), value) else told.get(name) for name, value in sent}
    return Base(espo, {name: told.get(name) for name, _ in sent})


def _sent(intent: Intent) -> dict[str, Value]:
    """Return what was sent: nothing, where the party was found by its mark before we sent anything."""
    return dict(intent.natural_key.get("fields", {})) if intent.sent_at is not None else {}
