"""``vmh-sync first-contact``: matches the parties of both sides by content before anything is created."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from vmh_sync.commands.passes.linked_pass import end_with_pass
from vmh_sync.commands.passes.pass_progress import shown_pass
from vmh_sync.commands.passes.sync import prepare
from vmh_sync.commands.screens.output import fail_pass
from vmh_sync.commands.screens.screen import print_some, sentences
from vmh_sync.commands.screens.unreachable import explained
from vmh_sync.engine.passes.opening import PassSettings, open_context
from vmh_sync.first_contact.advoware_list import NoList
from vmh_sync.first_contact.answers import Answers, write_csv
from vmh_sync.first_contact.plan import ContactPlan
from vmh_sync.first_contact.run import ContactOrder, ContactResult, carry_out, plan_first_contact
from vmh_sync.first_contact.sides import Progress
from vmh_sync.matching.pairing import Pair
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.tasks.answer_list import BadAnswers

SHOWN = 20


def command(order: ContactOrder, *, csv_file: Path | None, as_json: bool) -> None:
    """Run first contact, then the ordinary pass over what was linked; ends the process with 0, 1, 2 or 3."""
    try:
        plan, answers, result = asyncio.run(_contact(order, csv_file, quiet=as_json))
    except BadAnswers as problem:
        fail_pass(str(problem), as_json=as_json, code=2)
    except NoList as problem:
        fail_pass(str(problem), as_json=as_json)
    except ForeignSystemError as error:
        fail_pass(explained(error), as_json=as_json)
    if not as_json:
        _print_plan(plan, answers, result, csv_file)
    ids = [*result.before, *result.linked, *result.somebody_else] if result else []
    report = plan.to_json() | {"plan": order.plan_only} | (result.to_json() if result else {})
    end_with_pass(ids, report, failed=bool(result and result.failures), as_json=as_json)


async def _contact(
    order: ContactOrder, csv_file: Path | None, *, quiet: bool
) -> tuple[ContactPlan, Answers, ContactResult | None]:
    settings = PassSettings.read()
    prepare(settings)
    with progress_lines(quiet=quiet) as progress:
        async with open_context("first-contact", settings) as context:
            context.by_person = True
            plan, answers = await plan_first_contact(context, order, progress)
            if csv_file is not None:
                write_csv(csv_file, plan)
            result = None if order.plan_only else await carry_out(context, plan, answers, progress)
    return plan, answers, result


@contextmanager
def progress_lines(*, quiet: bool) -> Iterator[Progress]:
    """Progress of each step with rate and expected end: what is read, what is compared, what is written."""
    with ExitStack() as stack:
        shown: dict[str, Callable[[int, int], None]] = {}

        def told(what: str, done: int, total: int) -> None:
            if what not in shown:
                stack.close()
                shown[what] = stack.enter_context(shown_pass(what, quiet=quiet)).reached
            shown[what](done, total)

        yield told


def _print_plan(plan: ContactPlan, answers: Answers, result: ContactResult | None, csv_file: Path | None) -> None:
    console, matched = sentences(), plan.matched
    answered = f", davon {len(answers.settled)} beantwortet" if answers.settled else ""
    console.print(
        f"Erster Kontakt: {len(plan.sides.espocrm)} Beteiligte in EspoCRM, {len(plan.sides.advoware)} in Advoware, "
        f"{len(plan.sides.known)} davon schon verknüpft."
    )
    console.print(
        f"  {len(matched.certain)} sichere Paare, {len(matched.likely)} wahrscheinliche "
        f"({len(plan.questions)} Fragen an Menschen{answered}), {len(matched.only_one)} nur in EspoCRM, "
        f"{len(matched.only_other)} nur in Advoware; doppelt: {len(matched.doubled_one)} in EspoCRM, "
        f"{len(matched.doubled_other)} in Advoware; nicht lesbar: {len(plan.sides.unreadable)}."
    )
    for note in plan.sides.notes:
        console.print(f"Hinweis: {note}")
    _pairs(console, "wahrscheinlich", tuple(pair for pair in matched.likely if pair.one not in answers.settled))
    _pairs(console, "doppelt in EspoCRM", _not_told_apart(plan, answers))
    _pairs(console, "doppelt in Advoware", matched.doubled_other)
    for line in plan.sides.unreadable[:SHOWN]:
        console.print(f"  nicht lesbar: {line}")
    if csv_file is not None:
        console.print(f"Liste geschrieben: {csv_file} (enthält Namen; nach der Arbeit löschen).")
    if result is None:
        console.print("Es wurde nichts geschrieben. Ohne --plan werden die sicheren Paare verknüpft.")
        return
    before = f" (dazu {len(result.before)} von einem abgebrochenen Aufruf)" if result.before else ""
    console.print(
        f"Verknüpft: {len(result.linked)}{before}, gefragt: {len(result.asked)}, als neu beantwortet: "
        f"{len(result.somebody_else)}, fehlerhaft: {len(result.failures)}."
    )
    for espo_id, why in list(result.failures.items())[:SHOWN]:
        console.print(f"  {espo_id}: {why}")


def _not_told_apart(plan: ContactPlan, answers: Answers) -> "tuple[Pair[str, str], ...]":
    """Return the doubles in EspoCRM of which no answer says that they are different people."""
    apart = {
        frozenset((espo_id, double.espo_id))
        for espo_id in answers.somebody_else
        for double in plan.questions[espo_id].doubles
    }
    open_ones = (pair for pair in plan.matched.doubled_one if frozenset((pair.one, pair.other)) not in apart)
    # The one that an answer names comes first.
    return tuple(Pair(*plan.whom_to_ask(pair), pair.resemblance) for pair in open_ones)


def _pairs(console: Console, what: str, pairs: "tuple[Pair[Any, Any], ...]") -> None:
    lines = [
        f"{what}: {pair.one} – {pair.other}, {pair.resemblance.score} Punkte: {'; '.join(pair.resemblance.reasons)}"
        for pair in pairs
    ]
    print_some(console, lines, SHOWN, f" ({what}); alle mit --csv oder --json.")
