"""The question to a person whether a party of EspoCRM is there already, in Advoware or a second time in EspoCRM.

A person answers with the task: the number in ``betnr`` links, merging the records in EspoCRM ends a double, closing the
task means that it is somebody else and is created. Until then nothing is created.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from vmh_sync.beteiligte.fields import ESPO_ENTITY
from vmh_sync.beteiligte.party import ENTITY, PartyRead
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.matching.traits import Resemblance
from vmh_sync.store.history.tasks import ManualTask
from vmh_sync.sync.planning.plan import TaskKind, TaskWanted
from vmh_sync.systems.espocrm.errors import UnexpectedAnswer
from vmh_sync.tasks.posting import TASK_ENTITY
from vmh_sync.tasks.settled import is_settled
from vmh_sync.tasks.task_texts import MOST_NAMED

QUESTION = ("betnr",)
"""What the question is about: the number that a person may enter."""


@dataclass(frozen=True, slots=True, repr=False)
class Twin:
    """A party in Advoware that may be the one to be created. ``unheard``: by a create of ours without an answer."""

    betnr: int
    name: str
    resemblance: Resemblance
    unheard: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Double:
    """Another record in EspoCRM that may be the same party."""

    espo_id: str
    name: str
    resemblance: Resemblance


class TwinSuspected(Exception):
    """The party may exist already; a person decides. Not a failure of the record.

    ``looked`` is what a look for a create without an answer notes with the question for the next one.
    """

    def __init__(
        self,
        espo_id: str,
        twins: Sequence[Twin],
        doubles: Sequence[Double] = (),
        looked: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(f"{ENTITY} {espo_id}: may exist already")
        self.twins, self.doubles, self.looked = tuple(twins), tuple(doubles), looked

    @property
    def message_for_people(self) -> str:
        """One German sentence, without personal values."""
        if not self.twins:
            ids = ", ".join(double.espo_id for double in self.doubles)
            return (
                f"In EspoCRM gibt es diesen Beteiligten vielleicht schon (ID {ids}). Bitte in der Aufgabe dazu "
                "entscheiden: zusammenführen oder beide behalten."
            )
        named = [str(twin.betnr) for at, twin in enumerate(self.twins) if at < MOST_NAMED or not twin.unheard]
        more = len(self.twins) - len(named)
        numbers = ", ".join(named) + (f" und {more} weitere" if more else "")
        return (
            f"In Advoware gibt es vielleicht schon diesen Beteiligten (Nr. {numbers}). Bitte in der Aufgabe dazu "
            "entscheiden: verknüpfen oder neu anlegen."
        )

    @property
    def task(self) -> TaskWanted:
        """The question to a person."""
        details: dict[str, object] = {
            "found": [
                {"betnr": twin.betnr, "name": twin.name, "agreeing": list(twin.resemblance.agreeing)}
                | ({"unheard": True} if twin.unheard else {})
                for twin in self.twins
            ]
        }
        if self.looked:
            details["looked"] = dict(self.looked)
        if self.doubles:
            details["same_side"] = [
                {"espo_id": double.espo_id, "name": double.name, "agreeing": list(double.resemblance.agreeing)}
                for double in self.doubles
            ]
        return TaskWanted(TaskKind.TWIN_SUSPECTED, QUESTION, details)


def question_of(tasks: Iterable[ManualTask]) -> ManualTask | None:
    """Return the question that a party's tasks hold, answered or not."""
    return next((task for task in tasks if task.kind == TaskKind.TWIN_SUSPECTED), None)


def asked_numbers(question: ManualTask | None) -> set[int]:
    """Return the parties in Advoware that a question names."""
    return {int(entry["betnr"]) for entry in question.details.get("found", ())} if question else set()


def asked_doubles(question: ManualTask | None) -> set[str]:
    """Return the records in EspoCRM that a question names."""
    return {str(entry["espo_id"]) for entry in question.details.get("same_side", ())} if question else set()


async def answered_already(
    context: PassContext, party: PartyRead, twins: Iterable[Twin], doubles: Iterable[Double] = ()
) -> bool:
    """Whether a person was asked about all of these and closed the task: it is created, although they exist.

    The answer lives in the task, which stays on our list until the party is linked: no crash forgets it.
    """
    question = question_of(party.tasks)
    if question is None or question.espo_task_id is None:
        return False
    if not {twin.betnr for twin in twins} <= asked_numbers(question):
        return False
    if not {double.espo_id for double in doubles} <= asked_doubles(question):
        return False
    task = await context.espo.read(TASK_ENTITY, question.espo_task_id)
    if task is None:
        # Deleted, which is no answer: it is asked again.
        await context.store.write(lambda tx: tx.tasks.close(question.id))
        return False
    return await is_settled(context, task)


async def answered(context: PassContext) -> list[str]:
    """Return the EspoCRM ids of the parties whose question a person has answered.

    That is a closed task, or a record in question that is gone: merged into the other one, or deleted. Two lists, and
    only if any question is open.
    """
    questions = [task for task in await asyncio.to_thread(open_questions, context) if task.espo_task_id]
    if not questions:
        return []
    asked = {str(question.espo_task_id): question.espo_id for question in questions}
    listed = context.espo.list_ids_in(TASK_ENTITY, "id", sorted(asked), select=("id", "status"))
    closed = [asked[task.id] async for task in listed if await is_settled(context, task)]
    named = {question.espo_id: {question.espo_id, *asked_doubles(question)} for question in questions}
    everybody = sorted({espo_id for ids in named.values() for espo_id in ids})
    spoilt: dict[str, UnexpectedAnswer] = {}
    records = context.espo.list_ids_in(ESPO_ENTITY, "id", everybody, select=("id",), spoilt=spoilt)
    # What the list says nothing reliable of is not gone.
    living = {record.id async for record in records} | set(spoilt)
    return list(dict.fromkeys((*closed, *(espo_id for espo_id, ids in named.items() if not ids <= living))))


def open_questions(context: PassContext) -> list[ManualTask]:
    """Return all questions whose party is not linked yet."""
    with context.store.reading() as tx:
        return [task for task in tx.tasks.not_closed(ENTITY) if task.kind == TaskKind.TWIN_SUSPECTED]
