"""Carries out first contact for one party: links it, or asks a person about it.

A link is the number in ``betnr``, written under the party's lease after both records were read and judged again; the
ordinary pass then reads both sides and stores link and base. Killed in between, the next run finds the number.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from vmh_sync.beteiligte.master_data.traits import advoware_traits, espo_traits
from vmh_sync.beteiligte.party import ENTITY, PartyRead
from vmh_sync.beteiligte.reading.fetch import read_again
from vmh_sync.beteiligte.reading.own_touch import note_own_touch
from vmh_sync.beteiligte.status.task_subject import subject
from vmh_sync.beteiligte.twins.twin_question import Twin, TwinSuspected, answered_already, question_of
from vmh_sync.beteiligte.twins.twin_search import free_numbers, read_children, read_whole
from vmh_sync.beteiligte.twins.waiting import wait_for_person
from vmh_sync.beteiligte.writing.write import LEASE_WAIT_SECONDS
from vmh_sync.engine.passes.pass_context import PassContext, WriteGate
from vmh_sync.engine.writing.audit_rows import Audited
from vmh_sync.engine.writing.crm_write import update_record
from vmh_sync.matching.compare import compare
from vmh_sync.matching.traits import Likeness
from vmh_sync.sync.fields import FieldTable
from vmh_sync.tasks.manual_tasks import complete_in_espocrm, open_tasks

BUSY = "wird gerade von einem anderen Lauf bearbeitet; bitte später noch einmal"
MOVED = "hat sich inzwischen geändert; bitte noch einmal aufrufen"


class LeftAlone(Exception):
    """The party was left alone; ``str`` is the German reason."""


@dataclass(frozen=True, slots=True)
class Linker:
    """Links and asks; holds what every party needs."""

    context: PassContext
    table: FieldTable

    async def link(self, espo_id: str, betnr: int, *, by_person: bool) -> bool:
        """Write the number into EspoCRM; raises :class:`LeftAlone`, or the ``ForeignSystemError`` of a side.

        What no person chose must still be certain when both are read again; false when a person has answered already
        that they are two.
        """
        async with self._unlinked(espo_id) as (gate, fresh):
            found = await self.context.advoware.read_beteiligter(betnr)
            if found is None or fresh.espo is None:
                raise LeftAlone(f"die Nummer {betnr} gibt es in Advoware nicht")
            if betnr not in await free_numbers(self.context, [found]):
                raise LeftAlone(f"die Nummer {betnr} gehört in EspoCRM schon zu einem anderen Beteiligten")
            advoware = advoware_traits(await read_whole(self.context, found), self.table)
            espocrm = await read_children(self.context, espo_id, espo_traits(fresh.espo.attributes, self.table))
            judged = compare(espocrm, advoware)
            if not by_person and judged.likeness is not Likeness.CERTAIN:
                raise LeftAlone(MOVED)
            if not by_person and await answered_already(self.context, fresh, [Twin(betnr, "", judged)]):
                return False
            numbered = replace(fresh, advoware=found)
            await self.context.store.write(note_own_touch, self.context, numbered, betnr)
            answer = await update_record(self.context, gate, fresh.espo, {"betnr": betnr})
            if "betnr" in answer.refused:
                raise LeftAlone(f"EspoCRM nimmt die Nummer {betnr} nicht an: {answer.refused['betnr']}")
            why = "first contact, a person decided" if by_person else "first contact, certain pair"
            await asyncio.to_thread(self._note, espo_id, betnr, why)
            return True

    async def ask(self, espo_id: str, question: TwinSuspected) -> bool:
        """Make sure that the question is open; false when a person has answered it already with "create anew"."""
        async with self._unlinked(espo_id) as (gate, fresh):
            if await answered_already(self.context, fresh, question.twins, question.doubles):
                return False
            await self._ask(gate, fresh, question)
            return True

    async def somebody_else(self, espo_id: str, question: TwinSuspected) -> None:
        """Note a person's answer that the party is none of those: the question stands as done, and it is created."""
        async with self._unlinked(espo_id) as (gate, fresh):
            if await answered_already(self.context, fresh, question.twins, question.doubles):
                return
            await self._ask(gate, fresh, question)
            asked = question_of((await read_again(self.context, fresh)).tasks)
            if asked is not None and asked.espo_task_id is not None:
                await complete_in_espocrm(self.context, gate, asked.espo_task_id)

    async def _ask(self, gate: WriteGate, fresh: PartyRead, question: TwinSuspected) -> None:
        await open_tasks(self.context, gate, subject(fresh), [question.task], {})
        await wait_for_person(self.context, gate, fresh, question.message_for_people)

    @asynccontextmanager
    async def _unlinked(self, espo_id: str) -> AsyncIterator[tuple[WriteGate, PartyRead]]:
        """Hold the party's lease and read it anew; raises :class:`LeftAlone` when it is to be left alone."""
        async with self.context.leases.hold(f"{ENTITY}:{espo_id}", wait=LEASE_WAIT_SECONDS) as lease:
            if lease is None:
                raise LeftAlone(BUSY)
            fresh = await read_again(self.context, PartyRead(espo_id))
            if fresh.espo is None:
                raise LeftAlone("gibt es in EspoCRM nicht mehr")
            if fresh.betnr is not None or fresh.link is not None:
                raise LeftAlone("ist inzwischen verknüpft")
            if await self.context.store.read(lambda tx: tx.intents.open_for(ENTITY, espo_id)):
                raise LeftAlone("wird gerade in Advoware angelegt; die Antwort steht noch aus")
            yield WriteGate(lease), fresh

    def _note(self, espo_id: str, betnr: int, why: str) -> None:
        with self.context.store.transaction() as tx:
            tx.audit.append([Audited(ENTITY, espo_id, betnr, self.context.run_id).noted("linked", why)])
