"""Creates a party of Advoware in EspoCRM, once, whatever is killed when (sync-semantics.md 3).

The new record carries the number, by which it is looked for before anything is sent. Everything else, with its phones,
addresses and accounts, follows with the ordinary pass.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vmh_sync.beteiligte.fields import ESPO_ENTITY
from vmh_sync.beteiligte.model import Form, espo_payload, is_company, read_advoware
from vmh_sync.beteiligte.party import ENTITY
from vmh_sync.beteiligte.writing.write import LEASE_WAIT_SECONDS
from vmh_sync.engine.passes.pass_context import PassContext, WriteGate
from vmh_sync.engine.selecting.erased import SAYS, erased_of
from vmh_sync.engine.writing.audit_rows import Audited
from vmh_sync.engine.writing.create_once import CreateOrder, Creation, create_once
from vmh_sync.engine.writing.crm_write import create_record
from vmh_sync.engine.writing.noted_meetings import note_meeting
from vmh_sync.first_contact.carry_out import BUSY, LeftAlone
from vmh_sync.store.store import Transaction
from vmh_sync.sync.base import Base, Fields, Side
from vmh_sync.sync.deciding.first_meeting import FirstMeeting
from vmh_sync.sync.fields import FieldTable, Unrepresentable
from vmh_sync.sync.values import is_empty
from vmh_sync.systems.advoware.records import Beteiligter
from vmh_sync.systems.espocrm.records import EspoRecord


@dataclass(frozen=True, slots=True)
class Importer:
    """Imports single parties."""

    context: PassContext
    table: FieldTable

    async def bring(self, betnr: int) -> str:
        """Return the EspoCRM id of the party, created now or found; raises ``LeftAlone`` or a ``ForeignSystemError``.

        A record that carries the number already is taken as it is: the ordinary pass links it.
        """
        async with self.context.leases.hold(f"{ENTITY}:import:{betnr}", wait=LEASE_WAIT_SECONDS) as lease:
            if lease is None:
                raise LeftAlone(BUSY)
            if (await erased_of(self.context.store)).covers(betnr=betnr):
                raise LeftAlone(SAYS)
            party = await self.context.advoware.read_beteiligter(betnr)
            if party is None or not (party.name or "").strip():
                raise LeftAlone("gibt es in Advoware nicht mehr, oder ohne Namen")
            creation = await self._create(WriteGate(lease), party)
            await self.context.store.write(self._note, creation, party)
            return creation.record.id

    def unsettled(self, tx: Transaction, numbers: Sequence[int]) -> list[int]:
        """Return those of the numbers whose import was begun and whose end was never noted."""
        begun = tx.intents.having_open((ENTITY,), [_claim(betnr) for betnr in numbers])
        return [betnr for betnr in numbers if _claim(betnr) in begun]

    async def _create(self, gate: WriteGate, party: Beteiligter) -> Creation[EspoRecord]:
        values = new_record(party, self.table)

        async def post() -> EspoRecord:
            answer = await create_record(self.context, gate, ESPO_ENTITY, values, skip_duplicate_check=True)
            return answer.record

        async def find() -> EspoRecord | None:
            found = self.context.espo.list_ids_in(ESPO_ENTITY, "betnr", [party.bet_nr], select=("id", "betnr"))
            return min([record async for record in found], key=lambda record: record.id, default=None)

        order = CreateOrder(
            system=Side.ESPOCRM,
            entity=ENTITY,
            espo_id=_claim(party.bet_nr),
            betnr=party.bet_nr,
            natural_key={"betnr": party.bet_nr},
            payload=values,
            post=post,
            find=lambda _: find(),
            look_first=find,
        )
        return await create_once(self.context, order)

    def _note(self, tx: Transaction, creation: Creation[EspoRecord], party: Beteiligter) -> None:
        betnr = party.bet_nr
        tx.intents.complete(creation.intent.id, creation.record.id)
        # The first pass has no base: our own copy of what Advoware said is nobody's edit.
        sent = canonical(party, self.table)
        meeting = FirstMeeting(Base({}, sent), Base(sent, sent))
        note_meeting(tx, meeting, entity=ENTITY, espo_id=creation.record.id, betnr=betnr, run_id=self.context.run_id)
        audited = Audited(ENTITY, creation.record.id, betnr, self.context.run_id)
        tx.audit.append([audited.noted("created", "imported from Advoware", side=Side.ESPOCRM)])


def _claim(betnr: int) -> str:
    return f"import:{betnr}"


def canonical(party: Beteiligter, table: FieldTable) -> Fields:
    """Return what Advoware says of a party, in canonical form."""
    return read_advoware(party.model_dump(), table, _form(party, table))


def _form(party: Beteiligter, table: FieldTable) -> Form:
    rechtsform = table["rechtsform"].read(Side.ADVOWARE, party.rechtsform) if "rechtsform" in table else None
    return Form(is_company({}, rechtsform, table), new=True)


def new_record(party: Beteiligter, table: FieldTable) -> Mapping[str, object]:
    """Return the attributes of a new CBeteiligte; what EspoCRM has no word for is left to the first pass."""
    form = _form(party, table)
    values: dict[str, Any] = {"betnr": party.bet_nr}
    for name, value in canonical(party, table).items():
        if is_empty(value):
            continue
        try:
            values |= espo_payload(name, value, table, form, {"firmenname": None})
        except Unrepresentable:
            continue
    return values
