"""Writes single entries to Advoware, each with its pair and audit rows stored directly afterwards.

Creates go through :mod:`vmh_sync.engine.writing.create_once`: an entry whose create was not answered is looked for by
kind and value (specification, sync-semantics.md 3).
"""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from vmh_sync.engine.passes.pass_context import PassContext, WriteGate
from vmh_sync.engine.writing.create_once import CreateOrder, CreatePutOff, create_once
from vmh_sync.engine.writing.guarded_write import TargetMoved, guarded_write
from vmh_sync.kommunikation.model import AdvowareEntry, Pair
from vmh_sync.kommunikation.pairs import ENTITY, store_delta
from vmh_sync.kommunikation.plan import EntryWrite, KommunikationPlan
from vmh_sync.kommunikation.planning import entries_of, entry_of, find_created
from vmh_sync.kommunikation.readback import as_read
from vmh_sync.kommunikation.tracing import applied_rows
from vmh_sync.kommunikation.unreadable import may_be_new
from vmh_sync.store.intents import Intent
from vmh_sync.sync.base import Side
from vmh_sync.systems.advoware.errors import (
    OutcomeUnknown,
    Rejected,
    UnexpectedAnswer,
)
from vmh_sync.systems.advoware.records import Beteiligter, Kommunikation


@dataclass(slots=True, repr=False)
class EntryWriter:
    """Carries out a plan's writes to Advoware.

    ``done`` and ``refused`` hold the steps as ``KommunikationPlan.pairs_after`` wants them, ``entries`` Advoware's
    entries as they stand now, ``planned`` as they stood, ``moved`` whether an entry was edited since the plan was made.
    """

    context: PassContext
    gate: WriteGate
    espo_id: str
    betnr: int
    plan: KommunikationPlan
    pairs: tuple[Pair, ...]
    entries: dict[int, AdvowareEntry] = field(default_factory=dict)
    just_created: bool = False
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
        if write.operation.key is None:
            await self._create(write)
            return
        number = int(write.operation.key)
        payload = write.operation.payload

        async def send(current: Kommunikation) -> Kommunikation | None:
            return await self.context.advoware.update_kommunikation(self.betnr, current, payload)

        try:
            record = await guarded_write(
                self.gate,
                Side.ADVOWARE,
                look=lambda: self._look(number),
                unmoved=lambda now: now.row_id == write.expected_row_id and self._as_planned(now),
                send=send,
            )
        except OutcomeUnknown:
            self._take(await self._read())
            if self._wire.get(number) is None or not _holds(self._wire[number], payload):
                raise
            record = None
        if record is not None:
            self._know(record)
        else:
            self._take(await self._read())
        await asyncio.to_thread(self._store, write, None, None)

    async def _create(self, write: EntryWrite) -> None:
        natural = _natural_key(write)
        order = CreateOrder(
            system=Side.ADVOWARE,
            entity=ENTITY,
            espo_id=self.espo_id,
            claim=json.dumps(natural, sort_keys=True),
            betnr=self.betnr,
            natural_key=natural,
            payload=write.operation.payload,
            post=lambda: self._post(write),
            find=lambda _: self._find_created(write),
        )
        creation = await create_once(self.context, order)
        await asyncio.to_thread(self._store, write, creation.record, creation.intent)

    async def _post(self, write: EntryWrite) -> int:
        payload = write.operation.payload
        if self.just_created:
            # Nobody can have typed the same value into a party that we have just created.
            await self.gate.before(Side.ADVOWARE)
            made = await self.context.advoware.create_kommunikation(self.betnr, payload)
            if made.record is not None:
                self._know(made.record)
            return made.key
        # Where somebody has just typed the same value nothing is sent (TargetMoved): the next plan pairs it.
        created = await guarded_write(
            self.gate,
            Side.ADVOWARE,
            look=self._read_all,
            unmoved=lambda _: self._find(write) is None,
            send=lambda _: self.context.advoware.create_kommunikation(self.betnr, payload),
        )
        if created.record is not None:
            self._know(created.record)
        return created.key

    async def _find_created(self, write: EntryWrite) -> int | None:
        party = await self._read()
        self._take(party)
        found = self._find(write)
        strange = may_be_new(party, self.known) if found is None else None
        if strange is not None:
            raise strange
        return found.id if found is not None else None

    def _find(self, write: EntryWrite) -> AdvowareEntry | None:
        payload = write.operation.payload
        return find_created(int(payload["komm_kz"]), str(payload["tlf"]), self.entries.values(), self.known)

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

    def _store(self, write: EntryWrite, number: int | None, intent: Intent | None) -> None:
        """Store the pair of a step that is done, with what Advoware says of the entry, and the audit of it."""
        self.done[write.step] = number
        if number is not None:
            self.known.add(number)
        read = as_read(self.plan.pairs_after({write.step: number}), self.entries.values(), self.planned.values())
        with self.context.store.transaction() as tx:
            store_delta(tx, self.espo_id, self.betnr, read.delta)
            if not read.not_taken:
                tx.audit.append(applied_rows(self.context.run_id, self.espo_id, self.betnr, write, number))
            if intent is not None and number is not None:
                tx.intents.complete(intent.id, str(number))


def _natural_key(write: EntryWrite) -> dict[str, Any]:
    payload = write.operation.payload
    return {"kind": payload["komm_kz"], "value": payload["tlf"], "online": bool(payload["online"])}


def _holds(record: Kommunikation, payload: Any) -> bool:
    return (record.tlf or "") == (payload["tlf"] or "") and record.online == payload["online"]
