"""Writes single entries to Advoware, each with its pair and audit rows stored directly afterwards.

Creates go through :mod:`vmh_sync.engine.writing.create_once`: an entry whose create was not answered is looked for by
kind and value (specification, sync-semantics.md 3).
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vmh_sync.coordination.errors import LeaseLost
from vmh_sync.engine.passes.pass_context import PassContext, WriteGate
from vmh_sync.engine.writing.audit_rows import Audited
from vmh_sync.engine.writing.create_once import CreateOrder, CreatePutOff, Creation, create_once
from vmh_sync.engine.writing.guarded_write import TargetMoved, guarded_write
from vmh_sync.kommunikation.kinds import channel_of
from vmh_sync.kommunikation.model import AdvowareEntry, Channel, Pair
from vmh_sync.kommunikation.pairs import ENTITY, store_delta
from vmh_sync.kommunikation.plan import EntryWrite, KommunikationPlan, PairDelta
from vmh_sync.kommunikation.planning import entries_of, entry_of
from vmh_sync.kommunikation.readback import as_read
from vmh_sync.kommunikation.tracing import applied_rows
from vmh_sync.kommunikation.unreadable import may_be_new
from vmh_sync.kommunikation.unsettled import (
    Arriving,
    claim_of,
    filled_by,
    in_the_way,
    natural_key,
    sent_by,
    what_is_sent,
)
from vmh_sync.store.pairs.intents import Intent
from vmh_sync.store.store import Transaction
from vmh_sync.sync.base import Side
from vmh_sync.systems.advoware.errors import (
    OutcomeUnknown,
    Rejected,
    UnexpectedAnswer,
)
from vmh_sync.systems.advoware.records import Beteiligter, Kommunikation
from vmh_sync.systems.errors import ForeignSystemError


@dataclass(slots=True, repr=False)
class EntryWriter:
    """Carries out a plan's writes to Advoware.

    ``in_flight`` are the requests of killed runs that may still fill an entry. ``done`` and ``refused`` hold the steps
    as ``KommunikationPlan.pairs_after`` wants them, ``entries`` Advoware's entries as they stand now, ``planned`` as
    they stood, ``moved`` whether an entry was edited since the plan was made.
    """

    context: PassContext
    gate: WriteGate
    espo_id: str
    betnr: int
    plan: KommunikationPlan
    pairs: tuple[Pair, ...]
    entries: dict[int, AdvowareEntry] = field(default_factory=dict)
    just_created: bool = False
    in_flight: tuple[Intent, ...] = ()
    done: dict[str, int | None] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    moved: bool = False
    known: set[int | None] = field(init=False)
    _wire: dict[int, Kommunikation] = field(default_factory=dict)
    planned: dict[int, AdvowareEntry] = field(init=False)

    def __post_init__(self) -> None:
        self.planned = dict(self.entries)
        self.known = {pair.advoware_id for pair in self.pairs}

    async def run(self) -> None:
        """Write every entry that still is as the plan saw it; raises an ``AdvowareError`` when one could not be."""
        later: CreatePutOff | None = None
        for write in self.plan.writes:
            try:
                await self._one(write)
            except CreatePutOff as waits:
                later = waits
            except Rejected as refusal:
                self.refused[write.step] = refusal.said
            except TargetMoved:
                self.moved = True
        if any(number is not None and number not in self._wire for number in self.done.values()):
            self._take(await self._read())  # an answer that is only a number does not say what became of the value
        if later is not None:
            raise later

    async def _one(self, write: EntryWrite) -> None:
        self._let_arrive(write)
        if write.operation.key is None:
            await self._fill(write, self._post)
        elif write.must_be_empty:
            await self._fill(write, self._put)
        else:
            await self._change(write)

    def _let_arrive(self, write: EntryWrite) -> None:
        """Raise ``CreatePutOff`` while an earlier request may bring this value elsewhere, or another one here."""
        now, longest = self.context.clock.now(), self.context.longest_request
        key, value = write.operation.key, write.operation.payload["tlf"]
        claim = claim_of(self.betnr, what_is_sent(write, self._kind(write))) if value else None
        earlier = in_the_way(self.in_flight, claim, int(key) if key is not None else None)
        arriving = Arriving.at(now, longest)
        sent = [one.sent_at for one in earlier if one.sent_at is not None and arriving.may(one)]
        if sent:
            raise CreatePutOff(max(sent) + longest)

    async def _change(self, write: EntryWrite) -> None:
        pair = next((one for one in self.pairs if str(one.advoware_id) == write.operation.key), None)
        value, planned = write.operation.payload["tlf"], self.planned[int(write.operation.key or 0)]
        if pair is not None and (value or "") != (planned.tlf or ""):
            online = bool(write.operation.payload["online"])
            known = pair.as_sent(channel_of(pair.kind) or Channel.PHONE, planned)
            await self._keep(known.about_to_send(value, write.expected_row_id, online=online))
        try:
            await self._put(write)
        except OutcomeUnknown:
            if await self._find_filled(write) is None:
                raise
        except (ForeignSystemError, LeaseLost) as error:
            # A lost lease is noticed before anything leaves.
            if pair is not None and (isinstance(error, LeaseLost) or error.certainly_not_done):
                await self._keep(pair)
            raise
        await self.context.store.write(self._store, write, None, None)

    async def _keep(self, pair: Pair) -> None:
        delta = PairDelta((), (pair,))
        await self.context.store.write(lambda tx: store_delta(tx, self.espo_id, self.betnr, delta))

    async def _fill(self, write: EntryWrite, send: Callable[[EntryWrite], Awaitable[int]]) -> None:
        """Bring a value into Advoware that stands in no entry there: what was sent is known after a crash."""
        sent = what_is_sent(write, self._kind(write))
        order = CreateOrder(
            system=Side.ADVOWARE,
            entity=ENTITY,
            espo_id=self.espo_id,
            claim=claim_of(self.betnr, sent),
            betnr=self.betnr,
            natural_key=natural_key(sent, write, self.entries),
            payload=write.operation.payload,
            post=lambda: send(write),
            find=lambda intent: self._find_sent(intent, sent),
        )
        creation = await create_once(self.context, order)
        number = creation.record if write.operation.key is None else None
        await self.context.store.write(self._store, write, number, creation)

    def _kind(self, write: EntryWrite) -> int:
        known = (change.after.kind for change in self.plan.pairs if change.after and write.step in change.needs)
        return int(write.operation.payload.get("komm_kz") or next(known))

    async def _put(self, write: EntryWrite) -> int:
        number = int(write.operation.key or 0)
        record = await guarded_write(
            self.gate,
            Side.ADVOWARE,
            look=lambda: self._look(number),
            unmoved=lambda now: (
                now.row_id == write.expected_row_id
                and self._as_planned(now)
                and not (write.must_be_empty and self._typed_elsewhere(write))
            ),
            send=lambda now: self.context.advoware.update_kommunikation(self.betnr, now, write.operation.payload),
        )
        if record is not None:
            self._know(record)
        else:
            self._take(await self._read())
        return number

    async def _find_filled(self, write: EntryWrite) -> int | None:
        self._take(await self._read())
        now = self._wire.get(int(write.operation.key or 0))
        return now.id if now is not None and _holds(now, write.operation.payload) else None

    async def _post(self, write: EntryWrite) -> int:
        payload = write.operation.payload
        if self.just_created:
            # Nobody can have typed the same value into a party that we have just created.
            async with self.gate.sending(Side.ADVOWARE):
                made = await self.context.advoware.create_kommunikation(self.betnr, payload)
            if made.record is not None:
                self._know(made.record)
            return made.key
        # Where somebody has just typed the same value nothing is sent (TargetMoved): the next plan pairs it.
        created = await guarded_write(
            self.gate,
            Side.ADVOWARE,
            look=self._read_all,
            unmoved=lambda _: not self._typed_elsewhere(write),
            send=lambda _: self.context.advoware.create_kommunikation(self.betnr, payload),
        )
        if created.record is not None:
            self._know(created.record)
        return created.key

    async def _find_sent(self, intent: Intent, sent: Mapping[str, Any]) -> int | None:
        """Return the entry that holds what an earlier request sent; raises ``TargetMoved`` if ``sent`` is not that."""
        party = await self._read_all()
        found = filled_by(intent, self.entries.values(), self.known)
        strange = may_be_new(party, self.known) if found is None else None
        if strange is not None:
            raise strange
        if found is not None and sent_by(intent) != sent:
            raise TargetMoved("an earlier request has brought the value otherwise: the next plan knows it")
        return found.id if found is not None else None

    def _typed_elsewhere(self, write: EntryWrite) -> bool:
        """Whether somebody has typed the value into another entry since the plan was made."""
        channel = channel_of(self._kind(write))
        if channel is None:
            return False
        value = channel.normal(write.operation.payload["tlf"])
        return any(
            channel.normal(one.tlf) == value
            and (not one.komm_kz or channel_of(one.komm_kz) is channel)
            and str(one.id) != write.operation.key
            and (one.id not in self.planned or channel.normal(self.planned[one.id].tlf) != value)
            for one in self.entries.values()
        )

    async def _read(self) -> Beteiligter:
        party = await self.context.advoware.read_beteiligter(self.betnr)
        if party is None or not party.kommunikation_told:
            raise UnexpectedAnswer("GET Beteiligte/{betnr}: no list of Kommunikation although it was there just now")
        return party

    async def _read_all(self) -> Beteiligter:
        party = await self._read()
        self._take(party)
        return party

    def _take(self, party: Beteiligter) -> None:
        self._wire = {one.id: one for one in party.kommunikation}
        self.entries = {one.id: one for one in entries_of(party, self.pairs) or ()}

    def _know(self, record: Kommunikation) -> None:
        self._wire[record.id] = record
        self.entries[record.id] = entry_of(record)

    async def _look(self, number: int) -> Kommunikation | None:
        self._take(await self._read())
        return self._wire.get(number)

    def _as_planned(self, now: Kommunikation) -> bool:
        planned = self.planned.get(now.id)
        return planned is None or planned == entry_of(now)

    # Our database

    def _store(self, tx: Transaction, write: EntryWrite, number: int | None, filled: Creation[int] | None) -> None:
        """Store the pair of a step that is done, with what Advoware says of the entry, and the audit of it."""
        self.done[write.step] = number
        if number is not None:
            self.known.add(number)
        read = as_read(self.plan.pairs_after({write.step: number}), self.entries.values(), self.planned.values())
        store_delta(tx, self.espo_id, self.betnr, read.delta)
        if not read.not_taken:
            audited = Audited(ENTITY, self.espo_id, self.betnr, self.context.run_id)
            tx.audit.append(applied_rows(audited, write, number))
        if filled is not None:
            tx.intents.complete(filled.intent.id, str(filled.record))


def _holds(record: Kommunikation, payload: Any) -> bool:
    return (record.tlf or "") == (payload["tlf"] or "") and record.online == payload["online"]
