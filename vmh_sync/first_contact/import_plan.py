"""Which parties of Advoware would be created in EspoCRM, linked, asked about or left alone. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from vmh_sync.beteiligte.twins.twin_question import Twin, TwinSuspected
from vmh_sync.engine.selecting.erased import SAYS
from vmh_sync.first_contact.sides import Sides
from vmh_sync.matching.pairing import Pair, match


@dataclass(slots=True, repr=False)
class ImportPlan:
    """What the import would do. ``create`` are numbers; ``left`` says per number, in German, why nothing is
    done; ``present`` are those that stand in EspoCRM already, with their ids.
    """

    sides: Sides
    create: list[int] = field(default_factory=list)
    link: list[Pair[str, int]] = field(default_factory=list)
    questions: dict[str, TwinSuspected] = field(default_factory=dict)
    left: dict[int, str] = field(default_factory=dict)
    present: dict[int, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the plan with ids and reasons; no values of people."""
        return {
            "create": self.create,
            "link": [
                {"espo_id": pair.one, "betnr": pair.other, "reasons": list(pair.resemblance.reasons)}
                for pair in self.link
            ],
            "questions": [
                {"espo_id": espo_id, "betnr": [twin.betnr for twin in asked.twins]}
                for espo_id, asked in self.questions.items()
            ],
            "left": [{"betnr": betnr, "reason": reason} for betnr, reason in self.left.items()],
            "here": [{"betnr": betnr, "espo_id": espo_id} for betnr, espo_id in self.present.items()],
            "unreadable": self.sides.unreadable,
            "notes": self.sides.notes,
        }


def plan_import(
    sides: Sides, chosen: set[int] | None, confirmed: frozenset[int], progress: Callable[[int, int], None]
) -> ImportPlan:
    """Decide about every party of Advoware in ``sides``.

    ``chosen`` are the numbers a person named, if any; ``confirmed`` are to be created although they resemble somebody.
    """
    plan = ImportPlan(sides)
    taken = {betnr: espo_id for espo_id, betnr in sides.known.items()}
    for betnr in sorted((chosen or set()) - set(sides.advoware)):
        plan.left[betnr] = SAYS if betnr in sides.erased else "gibt es in Advoware nicht, oder ist nicht lesbar"
    for betnr in sides.advoware:
        if betnr in taken:
            plan.present[betnr] = taken[betnr]
    new = {betnr: held.traits for betnr, held in sides.advoware.items() if betnr not in taken}
    espocrm = {espo_id: held.traits for espo_id, held in sides.espocrm.items()}
    matched = match(espocrm, new, progress=progress)
    alike: dict[int, list[Pair[str, int]]] = {}
    for pair in (*matched.certain, *matched.likely):
        alike.setdefault(pair.other, []).append(pair)
    certain = {pair.other: pair for pair in matched.certain if pair.one not in sides.known}
    again: dict[int, list[int]] = {}
    for double in matched.doubled_other:
        again.setdefault(double.one, []).append(double.other)
        again.setdefault(double.other, []).append(double.one)
    for betnr in new:
        if betnr in confirmed or (betnr not in alike and betnr not in again):
            plan.create.append(betnr)
        elif betnr in certain:
            plan.link.append(certain[betnr])
        else:
            plan.left[betnr] = _why(betnr, alike.get(betnr, ()), again.get(betnr, ()))
    _ask(plan, [pair for pair in matched.likely if pair.one not in sides.known and pair.other not in confirmed])
    return plan


def _why(betnr: int, alike: Sequence[Pair[str, int]], again: Sequence[int]) -> str:
    if alike:
        ids = ", ".join(pair.one for pair in alike)
        return f"ist vielleicht schon in EspoCRM (ID {ids}); wenn es jemand anderes ist: --trotzdem {betnr}"
    others = ", ".join(map(str, sorted(again)))
    return f"steht in Advoware vielleicht mehrmals (auch Nr. {others}); wenn es mehrere sind: --trotzdem {betnr}"


def _ask(plan: ImportPlan, pairs: list[Pair[str, int]]) -> None:
    twins: dict[str, list[Twin]] = {}
    for pair in pairs:
        twins.setdefault(pair.one, []).append(Twin(pair.other, plan.sides.advoware[pair.other].name, pair.resemblance))
    plan.questions = {espo_id: TwinSuspected(espo_id, found) for espo_id, found in twins.items()}
