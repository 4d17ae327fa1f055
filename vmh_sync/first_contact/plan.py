"""What first contact would do: certain pairs, questions, who stands alone, who is there twice. Pure."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from vmh_sync.beteiligte.twins.twin_question import Double, Twin, TwinSuspected
from vmh_sync.first_contact.sides import Sides
from vmh_sync.matching.pairing import Matched, Pair, match


@dataclass(slots=True, repr=False)
class ContactPlan:
    """Both sides matched. ``questions`` are what people are asked, per EspoCRM record; each is asked once."""

    sides: Sides
    matched: Matched[str, int]
    questions: dict[str, TwinSuspected] = field(default_factory=dict)

    @property
    def twice_in_espocrm(self) -> frozenset[str]:
        """The ids of records that may be there twice in EspoCRM."""
        return frozenset(espo_id for pair in self.matched.doubled_one for espo_id in (pair.one, pair.other))

    def whom_to_ask(self, double: Pair[str, str]) -> tuple[str, str]:
        """Of two records of one party in EspoCRM, the one that the question hangs on, and the other."""
        return _whom_to_ask(self.sides, double.one, double.other)

    def doubt(self, espo_id: str) -> None:
        """Make a question of a certain pair, because a person says that they are two."""
        if espo_id in self.questions:
            return
        matched, doubted = self.matched, [pair for pair in self.matched.certain if pair.one == espo_id]
        if doubted:
            left = tuple(pair for pair in matched.certain if pair.one != espo_id)
            self.matched = replace(matched, certain=left, likely=(*matched.likely, *doubted))
            self.questions[espo_id] = TwinSuspected(espo_id, [_twin(self.sides, pair) for pair in doubted])

    def to_json(self) -> dict[str, Any]:
        """Return the plan with ids, points and reasons; no values of people."""
        matched = self.matched
        return {
            "espocrm": len(self.sides.espocrm),
            "advoware": len(self.sides.advoware),
            "known": len(self.sides.known),
            "certain": [_row(pair, "espo_id", "betnr") for pair in matched.certain],
            "likely": [_row(pair, "espo_id", "betnr") for pair in matched.likely],
            "only_espocrm": list(matched.only_one),
            "only_advoware": list(matched.only_other),
            "doubled_espocrm": [_row(pair, "espo_id", "other_espo_id") for pair in matched.doubled_one],
            "doubled_advoware": [_row(pair, "betnr", "other_betnr") for pair in matched.doubled_other],
            "questions": len(self.questions),
            "unreadable": self.sides.unreadable,
            "notes": self.sides.notes,
        }


def _row(pair: Pair[Any, Any], one: str, other: str) -> dict[str, Any]:
    found = pair.resemblance
    return {one: pair.one, other: pair.other, "score": found.score, "reasons": list(found.reasons)}


def plan_contact(sides: Sides, progress: Callable[[int, int], None] = lambda done, total: None) -> ContactPlan:
    """Match both sides and decide who has to be asked about whom."""
    matched = match(
        {espo_id: held.traits for espo_id, held in sides.espocrm.items()},
        {betnr: held.traits for betnr, held in sides.advoware.items()},
        known=sides.known,
        progress=progress,
    )
    twins: dict[str, list[Twin]] = defaultdict(list)
    doubles: dict[str, list[Double]] = defaultdict(list)
    for pair in matched.likely:
        twins[pair.one].append(_twin(sides, pair))
    for double in matched.doubled_one:
        asked, other = _whom_to_ask(sides, double.one, double.other)
        doubles[asked].append(Double(other, sides.espocrm[other].name, double.resemblance))
    questions = {
        espo_id: TwinSuspected(espo_id, twins.get(espo_id, ()), doubles.get(espo_id, ()))
        for espo_id in sorted({*twins, *doubles})
    }
    return ContactPlan(sides, matched, questions)


def _twin(sides: Sides, pair: Pair[str, int]) -> Twin:
    return Twin(pair.other, sides.advoware[pair.other].name, pair.resemblance)


def _whom_to_ask(sides: Sides, one: str, other: str) -> tuple[str, str]:
    """Of two records of one party in EspoCRM, the one without a number is asked about; of two such, the younger."""
    if one in sides.known:
        return other, one
    if other in sides.known:
        return one, other
    younger = max(one, other, key=lambda espo_id: (sides.espocrm[espo_id].created_at, espo_id))
    return younger, other if younger == one else one
