"""``vmh-sync import beteiligte``: creates parties in EspoCRM that exist only in Advoware, when a person wants it."""

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from vmh_sync.beteiligte.batch import party_table
from vmh_sync.beteiligte.party import ENTITY
from vmh_sync.commands.joining.first_contact import progress_lines
from vmh_sync.commands.passes.linked_pass import end_with_pass
from vmh_sync.commands.passes.sync import prepare
from vmh_sync.commands.screens.output import fail_pass
from vmh_sync.commands.screens.screen import print_some, sentences
from vmh_sync.commands.screens.unreachable import explained
from vmh_sync.engine.passes.opening import PassSettings, open_context
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.writing.noted_meetings import never_agreed
from vmh_sync.first_contact.advoware_list import NoList, PartyScope
from vmh_sync.first_contact.carry_out import Linker
from vmh_sync.first_contact.import_plan import ImportPlan, plan_import
from vmh_sync.first_contact.importing import Importer
from vmh_sync.first_contact.run import each
from vmh_sync.first_contact.sides import Progress, comparing, read_sides
from vmh_sync.matching.pairing import Pair
from vmh_sync.systems.errors import ForeignSystemError

SHOWN = 20
SWITCHED_OFF = (
    "Das Anlegen von Beteiligten aus Advoware ist ausgeschaltet. Einschalten: VMH_IMPORT_PARTIES=true; "
    "mit --plan wird nur gezeigt, was angelegt würde."
)


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """What a person asked for."""

    where: PartyScope
    plan_only: bool = False
    confirmed: frozenset[int] = frozenset()


@dataclass(slots=True)
class Imported:
    """What was done: EspoCRM ids created and linked, records asked about, and failures by number or id.

    ``before``: created or linked by an earlier call that was ended before both sides agreed.
    """

    created: list[str] = field(default_factory=list)
    linked: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the part of ``--json`` that tells what was written."""
        failures = [{"id": name, "error": why} for name, why in self.failures.items()]
        done = {"created": self.created, "linked": self.linked, "asked": self.asked, "done_before": self.before}
        return {**done, "failures": failures}


async def import_parties(context: PassContext, order: ImportOrder, progress: Progress) -> tuple[ImportPlan, Imported]:
    """Plan the import, and carry it out unless only the plan is wanted."""
    table = party_table(context)
    sides = await read_sides(context, table, where=order.where, progress=progress)
    numbers = order.where.numbers
    named = set(numbers) if numbers is not None and not isinstance(numbers, range) else None
    plan = await asyncio.to_thread(plan_import, sides, named, order.confirmed, comparing(progress))
    done = Imported()
    if order.plan_only:
        return plan, done
    importer, linker = Importer(context, table), Linker(context, table)
    unnoted = await context.store.read(importer.unsettled, list(plan.present))
    present = {espo_id: betnr for betnr, espo_id in plan.present.items()}
    done.before = await context.store.read(never_agreed, ENTITY, present)

    async def create(betnr: int) -> None:
        done.created.append(await importer.bring(betnr))

    async def link(pair: Pair[str, int]) -> None:
        if await linker.link(pair.one, pair.other, by_person=False):
            done.linked.append(pair.one)

    async def ask(espo_id: str) -> None:
        if await linker.ask(espo_id, plan.questions[espo_id]):
            done.asked.append(espo_id)

    work = [(str(betnr), partial(create, betnr)) for betnr in (*plan.create, *unnoted)]
    work += [(pair.one, partial(link, pair)) for pair in plan.link]
    work += [(espo_id, partial(ask, espo_id)) for espo_id in plan.questions]
    await each(work, done.failures, progress)
    return plan, done


def command(order: ImportOrder, *, as_json: bool) -> None:
    """Run the import, then the ordinary pass over what is new; ends the process with 0, 1 or 3."""
    try:
        plan, done = asyncio.run(_run(order, as_json=as_json))
    except NoList as problem:
        fail_pass(str(problem), as_json=as_json)
    except ForeignSystemError as error:
        fail_pass(explained(error), as_json=as_json)
    if not as_json:
        _print(plan, None if order.plan_only else done)
    report = {"plan": order.plan_only} | plan.to_json() | ({} if order.plan_only else done.to_json())
    ids = [*done.before, *done.created, *done.linked]
    end_with_pass(ids, report, failed=bool(done.failures), as_json=as_json)


async def _run(order: ImportOrder, *, as_json: bool) -> tuple[ImportPlan, Imported]:
    settings = PassSettings.read()
    if not order.plan_only and not settings.sync.import_parties:
        fail_pass(SWITCHED_OFF, as_json=as_json)
    prepare(settings)
    with progress_lines(quiet=as_json) as progress:
        async with open_context("import", settings) as context:
            context.by_person = True
            return await import_parties(context, order, progress)


def _print(plan: ImportPlan, done: Imported | None) -> None:
    console = sentences()
    console.print(
        f"Import: {len(plan.create)} anzulegen, {len(plan.link)} zu verknüpfen, {len(plan.questions)} Fragen an "
        f"Menschen, {len(plan.left)} bleiben liegen, {len(plan.present)} sind schon in EspoCRM; nicht lesbar: "
        f"{len(plan.sides.unreadable)}."
    )
    for note in plan.sides.notes:
        console.print(f"Hinweis: {note}")
    print_some(console, [f"Nr. {betnr}: {why}" for betnr, why in plan.left.items()], SHOWN, "; alle mit --json.")
    if done is None:
        console.print("Es wurde nichts geschrieben.")
        return
    before = f" (dazu {len(done.before)} von einem abgebrochenen Aufruf)" if done.before else ""
    console.print(
        f"Angelegt: {len(done.created)}, verknüpft: {len(done.linked)}{before}, gefragt: {len(done.asked)}, "
        f"fehlerhaft: {len(done.failures)}."
    )
    for name, why in list(done.failures.items())[:SHOWN]:
        console.print(f"  {name}: {why}")
