"""One first contact from reading to writing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from vmh_sync.background import all_of
from vmh_sync.beteiligte.batch import party_table
from vmh_sync.beteiligte.party import ENTITY
from vmh_sync.coordination.errors import LeaseLost
from vmh_sync.engine.failures.isolation import isolated
from vmh_sync.engine.failures.outage import concerns_all
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.writing.noted_meetings import never_agreed
from vmh_sync.first_contact.advoware_list import PartyScope
from vmh_sync.first_contact.answers import Answers, decide, parse_pairs, read_csv
from vmh_sync.first_contact.carry_out import BUSY, MOVED, LeftAlone, Linker
from vmh_sync.first_contact.plan import ContactPlan, plan_contact
from vmh_sync.first_contact.sides import Progress, comparing, read_sides
from vmh_sync.store.errors import LinkTaken, StaleRow
from vmh_sync.systems.errors import ForeignSystemError

CONCURRENT = 8
WRITING = "Verknüpfen und fragen"


@dataclass(frozen=True, slots=True)
class ContactOrder:
    """What a person asked for. ``numbers`` is where to look in Advoware, None for its search."""

    plan_only: bool = True
    numbers: Sequence[int] | None = None
    answers_file: Path | None = None
    answers: Sequence[str] = ()


@dataclass(slots=True)
class ContactResult:
    """What was done: EspoCRM ids that are linked now, asked about, answered with "create anew", and failures.

    ``before``: numbered by an earlier call that was ended before both sides agreed.
    """

    linked: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    somebody_else: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the part of ``--json`` that tells what was written."""
        return {
            "linked": self.linked,
            "asked": self.asked,
            "somebody_else": self.somebody_else,
            "linked_before": self.before,
            "failures": [{"id": espo_id, "error": why} for espo_id, why in self.failures.items()],
        }


async def plan_first_contact(
    context: PassContext, order: ContactOrder, progress: Progress
) -> tuple[ContactPlan, Answers]:
    """Read both sides and match them; nothing is written. Raises ``NoList``, ``BadAnswers``, ``ForeignSystemError``."""
    given = parse_pairs(order.answers) + (read_csv(order.answers_file) if order.answers_file else [])
    sides = await read_sides(context, party_table(context), where=PartyScope(numbers=order.numbers), progress=progress)
    plan = await asyncio.to_thread(plan_contact, sides, comparing(progress))
    return plan, decide(given, plan)


async def carry_out(context: PassContext, plan: ContactPlan, answers: Answers, progress: Progress) -> ContactResult:
    """Link what is certain or answered, ask about the rest; one party's failure is its own."""
    linker, result = Linker(context, party_table(context)), ContactResult()
    result.before = await context.store.read(never_agreed, ENTITY, plan.sides.known)

    async def link(espo_id: str, betnr: int, by_person: bool) -> None:
        linked = await linker.link(espo_id, betnr, by_person=by_person)
        (result.linked if linked else result.somebody_else).append(espo_id)

    async def settle(espo_id: str) -> None:
        question = plan.questions[espo_id]
        if espo_id in answers.link:
            await link(espo_id, answers.link[espo_id], True)
        elif espo_id in answers.somebody_else:
            await linker.somebody_else(espo_id, question)
            result.somebody_else.append(espo_id)
        elif await linker.ask(espo_id, question):
            result.asked.append(espo_id)
        else:
            result.somebody_else.append(espo_id)

    work: list[tuple[str, Callable[[], Awaitable[None]]]] = [
        (pair.one, partial(link, pair.one, pair.other, False)) for pair in plan.matched.certain
    ]
    work += [(espo_id, partial(settle, espo_id)) for espo_id in plan.questions]
    await each(work, result.failures, progress)
    return result


async def each(
    work: Iterable[tuple[str, Callable[[], Awaitable[None]]]], failures: dict[str, str], progress: Progress
) -> None:
    """Do what is to be done per party, some at once; why one was left alone goes to ``failures``."""
    limit, todo = asyncio.Semaphore(CONCURRENT), list(work)
    done = 0
    progress(WRITING, done, len(todo))

    async def one(espo_id: str, act: Callable[[], Awaitable[None]]) -> None:
        nonlocal done
        async with limit:
            with isolated(f"first contact {espo_id}", lambda e: _blame(failures, espo_id, e), foreseen=(LeftAlone,)):
                await act()
        done += 1
        progress(WRITING, done, len(todo))

    await all_of(*(one(espo_id, act) for espo_id, act in todo))


def _blame(failures: dict[str, str], espo_id: str, error: Exception) -> None:
    if concerns_all(error):
        raise error
    failures[espo_id] = _words(error)


def _words(error: Exception) -> str:
    if isinstance(error, ForeignSystemError):
        return error.message_for_people
    if isinstance(error, LeftAlone):
        return str(error)
    if isinstance(error, LeaseLost):
        return BUSY
    return MOVED if isinstance(error, StaleRow | LinkTaken) else "unerwarteter Fehler"
