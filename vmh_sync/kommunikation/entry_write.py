"""Writes single entries to Advoware, each with its pair and audit rows stored directly afterwards.

Creates are not idempotent over there: an intent is stored before the POST, and while its outcome is unknown the entry
is looked for by kind and value before anything is created again (specification, sync-semantics.md 3).
"""

import asyncio
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from vmh_sync.engine.create_once import CreatePutOff, give_up_if_not_done, send_now
from vmh_sync.engine.guarded_write import TargetMoved, guarded_write
from vmh_sync.engine.pass_context import PassContext, WriteGate
from vmh_sync.kommunikation.model import AdvowareEntry
from vmh_sync.kommunikation.pairs import ENTITY, store_delta
from vmh_sync.kommunikation.plan import EntryWrite, KommunikationPlan
from vmh_sync.kommunikation.planning import entries_of, entry_of, find_created
from vmh_sync.kommunikation.readback import as_read
from vmh_sync.kommunikation.tracing import applied_rows
from vmh_sync.store.intents import Intent
from vmh_sync.sync.base import Side
from vmh_sync.systems.advoware.errors import (
    AdvowareError,
    OutcomeUnknown,
    Rejected,
    UnexpectedAnswer,
)
from vmh_sync.systems.advoware.records import Beteiligter, Kommunikation

LOOK_AGAIN_AFTER = (0.0, 0.3, 1.0)
"""Seconds before each look for an entry whose create was not confirmed."""


@dataclass(slots=True, repr=False)
class EntryWriter:
    """Carries out a plan's writes to Advoware.

    ``done`` and ``refused`` hold the steps as ``KommunikationPlan.pairs_after`` wants them, ``entries`` Advoware's
    entries as they stand now, ``moved`` whether an entry was edited since the plan was made.
    """

    context: PassContext
    gate: WriteGate
    espo_id: str
    betnr: int
    plan: KommunikationPlan
    known: set[int | None]
    intents: list[Intent]
    entries: dict[int, AdvowareEntry] = field(default_factory=dict)
    done: dict[str, int | None] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    moved: bool = False
    _wire: dict[int, Kommunikation] = field(default_factory=dict)
    _planned: dict[int, AdvowareEntry] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._planned = dict(self.entries)

    async def run(self) -> None:
        """Write every entry that still is as the plan saw it; raises an ``AdvowareError`` when one could not be."""
        later: CreatePutOff | None = None
        for write in self.plan.writes:
            try:
                await self._one(write)
            except CreatePutOff as waits:
                later = waits
            except Rejected:
                self.refused.add(write.step)
            except TargetMoved:
                self.moved = True
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
        unsettled = self._intent_for(write)
        if unsettled is not None and unsettled.sent_at is not None:
            self._take(await self._read())
            found = self._find(write)
            if found is not None:
                await asyncio.to_thread(self._store, write, found.id, unsettled)
                return
        intent = unsettled if unsettled is not None else await asyncio.to_thread(self._start, write)
        await send_now(self.context, intent)
        number = await self._post(write, intent)
        await asyncio.to_thread(self._store, write, number, intent)

    async def _post(self, write: EntryWrite, intent: Intent) -> int:
        payload = write.operation.payload
        try:
            created = await guarded_write(
                self.gate,
                Side.ADVOWARE,
                look=self._read_all,
                unmoved=lambda _: self._find(write) is None,
                send=lambda _: self.context.advoware.create_kommunikation(self.betnr, payload),
            )
        except TargetMoved:
            # Somebody has just typed the same value: the next plan pairs it.
            await asyncio.to_thread(self._abandon, intent)
            raise
        except OutcomeUnknown:
            found = await self._look_repeatedly(write)
            if found is None:
                raise
            return found.id
        except AdvowareError as error:
            await give_up_if_not_done(self.context, intent.id, error)
            raise
        if created.record is not None:
            self._know(created.record)
        return created.key

    async def _look_repeatedly(self, write: EntryWrite) -> AdvowareEntry | None:
        for seconds in LOOK_AGAIN_AFTER:
            await asyncio.sleep(seconds)
            self._take(await self._read())
            found = self._find(write)
            if found is not None:
                return found
        return None

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
        self.entries = {one.id: one for one in entries_of(party) or ()}

    def _know(self, record: Kommunikation) -> None:
        self._wire[record.id] = record
        self.entries[record.id] = entry_of(record)

    async def _look(self, number: int) -> Kommunikation | None:
        self._take(await self._read())
        return self._wire.get(number)

    def _as_planned(self, now: Kommunikation) -> bool:
        planned = self._planned.get(now.id)
        return planned is None or planned == entry_of(now)

    # Our database

    def _intent_for(self, write: EntryWrite) -> Intent | None:
        key = _natural_key(write)
        return next((one for one in self.intents if one.natural_key == key), None)

    def _start(self, write: EntryWrite) -> Intent:
        text = json.dumps(dict(write.operation.payload), sort_keys=True, default=str)
        with self.context.store.transaction() as tx:
            return tx.intents.start(
                system=str(Side.ADVOWARE),
                entity=ENTITY,
                espo_id=self.espo_id,
                betnr=self.betnr,
                natural_key=_natural_key(write),
                payload_hash=hashlib.sha256(text.encode()).hexdigest(),
                run_id=self.context.run_id,
                claim=json.dumps(_natural_key(write), sort_keys=True),
            )

    def _abandon(self, intent: Intent) -> None:
        with self.context.store.transaction() as tx:
            tx.intents.abandon(intent.id)

    def _store(self, write: EntryWrite, number: int | None, intent: Intent | None) -> None:
        """Store the pair of a step that is done, with what Advoware says of the entry, and the audit of it."""
        self.done[write.step] = number
        if number is not None:
            self.known.add(number)
        delta = as_read(self.plan.pairs_after({write.step: number}), self.entries.values()).delta
        with self.context.store.transaction() as tx:
            store_delta(tx, self.espo_id, self.betnr, delta)
            tx.audit.append(applied_rows(self.context.run_id, self.espo_id, self.betnr, write, number))
            if intent is not None and number is not None:
                tx.intents.complete(intent.id, str(number))


def _natural_key(write: EntryWrite) -> dict[str, Any]:
    payload = write.operation.payload
    return {"kind": payload["komm_kz"], "value": payload["tlf"], "online": bool(payload["online"])}


def _holds(record: Kommunikation, payload: Any) -> bool:
    return (record.tlf or "") == (payload["tlf"] or "") and record.online == payload["online"]
