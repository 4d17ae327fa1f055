"""A person's answers to the likely pairs: from a CSV file that the plan wrote, or from the command line."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from vmh_sync.first_contact.plan import ContactPlan
from vmh_sync.first_contact.sides import Held
from vmh_sync.matching.pairing import Pair
from vmh_sync.matching.traits import Resemblance
from vmh_sync.systems.espocrm.record_id import record_id
from vmh_sync.tasks.answer_list import BadAnswers, read_list, write_list

COLUMNS = (
    "art",
    "espocrm_id",
    "espocrm_name",
    "espocrm_geburtsdatum",
    "betnr",
    "advoware_name",
    "advoware_geburtsdatum",
    "punkte",
    "gruende",
    "entscheidung",
)
_LINK = frozenset({"verknüpfen", "verknuepfen", "verknüpft", "ja", "j", "link"})
_NEW = frozenset({"neu", "nein", "n", "getrennt", "new"})
_TURNED_INTO_A_NUMBER = re.compile(r"\d([.,]\d+)?E\+\d+", re.IGNORECASE)


class Given(NamedTuple):
    """One answer as it was given; ``where`` is its row or the option of the command line."""

    espo_id: str
    number: str
    decision: str
    where: str


@dataclass(slots=True)
class Answers:
    """What a person decided: ``link`` per EspoCRM id the number, ``somebody_else`` the ids that are none of those."""

    link: dict[str, int] = field(default_factory=dict)
    somebody_else: set[str] = field(default_factory=set)

    @property
    def settled(self) -> frozenset[str]:
        """The EspoCRM ids about which nothing is to be asked any more."""
        return frozenset({*self.link, *self.somebody_else})


def write_csv(path: Path, plan: ContactPlan) -> None:
    """Write the plan with names for people, to be answered in the last column. Only the owner may read the file."""
    write_list(path, COLUMNS, _rows(plan))


def _rows(plan: ContactPlan) -> Iterable[Sequence[object]]:
    espocrm, advoware = plan.sides.espocrm, plan.sides.advoware
    for kind, pairs in (("wahrscheinlich", plan.matched.likely), ("sicher", plan.matched.certain)):
        for pair in pairs:
            yield kind, pair.one, *_named(espocrm[pair.one]), pair.other, *_named(advoware[pair.other]), *_why(pair), ""
    for double in plan.matched.doubled_one:
        asked, beside = plan.whom_to_ask(double)
        one, other = espocrm[asked], espocrm[beside]
        yield "doppelt in EspoCRM", asked, *_named(one), beside, *_named(other), *_why(double), ""
    for twice in plan.matched.doubled_other:
        first, second = advoware[twice.one], advoware[twice.other]
        yield "doppelt in Advoware", twice.one, *_named(first), twice.other, *_named(second), *_why(twice), ""
    in_both_rows = plan.twice_in_espocrm
    for espo_id in plan.matched.only_one:
        if espo_id in in_both_rows:
            continue  # has its row above, and its question there
        yield "nur in EspoCRM", espo_id, *_named(espocrm[espo_id]), "", "", "", "", "", ""
    for betnr in plan.matched.only_other:
        yield "nur in Advoware", "", "", "", betnr, *_named(advoware[betnr]), "", "", ""


def _named(held: Held) -> tuple[str, str]:
    return held.name, held.traits.geburtsdatum


def _why(pair: "Pair[str, int] | Pair[str, str] | Pair[int, int]") -> tuple[int, str]:
    found: Resemblance = pair.resemblance
    return found.score, " | ".join(found.reasons)


def read_csv(path: Path) -> list[Given]:
    """Return every answered row of the list, as Excel saved it; raises :class:`BadAnswers`."""
    rows = read_list(path, ("espocrm_id", "betnr"), "entscheidung")
    return [
        Given(record_id(one.cells.get("espocrm_id", "")), one.cells.get("betnr", ""), one.answer, one.where)
        for one in rows
    ]


def parse_pairs(given: Iterable[str]) -> list[Given]:
    """Read answers of the command line: ``ID=NUMBER`` links, ``ID=neu`` is somebody else; raises ``BadAnswers``."""
    answers = []
    for one in given:
        espo_id, equals, decision = one.partition("=")
        if not equals or not decision:
            raise BadAnswers(f"„{one}“ ist keine Antwort. Erwartet wird EspoCRM-ID=Nummer oder EspoCRM-ID=neu.")
        told = decision.strip().casefold()
        number, meant = (told, "ja") if told.isdecimal() else ("", told)
        answers.append(Given(record_id(espo_id), number, meant, f"--answer {one}"))
    return answers


def decide(given: Sequence[Given], plan: ContactPlan) -> Answers:
    """Check answers against the plan; raises :class:`BadAnswers` that names every one that does not fit.

    ``neu`` for one of several pairs of a record says nothing about the others: it is somebody else only when every
    pair of the record was answered so, or when none was named at all. A certain pair answered with ``neu`` becomes a
    question of the plan, answered. What an earlier call has carried out already is no fault.
    """
    answers, problems = Answers(), []
    said_new: dict[str, set[str]] = {}
    for one in given:
        try:
            _take(one, plan, answers, said_new)
        except BadAnswers as problem:
            problems.append(f"{one.where}: {problem}")
    problems += _claimed_twice(answers.link)
    if problems:
        raise BadAnswers("Es wurde nichts geschrieben. " + " ".join(problems))
    for espo_id, numbers in said_new.items():
        if espo_id not in answers.link and _choices(plan, espo_id) <= numbers:
            plan.doubt(espo_id)
            answers.somebody_else.add(espo_id)
    return answers


def _take(one: Given, plan: ContactPlan, answers: Answers, said_new: dict[str, set[str]]) -> None:
    espo_id, number, decision, _ = one
    if decision not in _NEW | _LINK:
        raise BadAnswers(f"„{decision}“ ist keine Entscheidung (verknüpfen oder neu).")
    new, choices = decision in _NEW, _choices(plan, espo_id)
    if not choices:
        _require_settled(one, plan, new=new)
    elif (number or not new) and number not in choices:
        raise BadAnswers(f"Nr. {number or '?'} steht bei {espo_id} nicht zur Wahl.")
    elif not new and not number.isdecimal():
        raise BadAnswers(f"{espo_id} und {number} bitte in EspoCRM zusammenführen; hier lautet die Antwort nur „neu“.")
    elif new:
        said_new.setdefault(espo_id, set()).update({number} if number else choices)
    elif espo_id in plan.questions and answers.link.setdefault(espo_id, int(number)) != int(number):
        raise BadAnswers(f"{espo_id} soll mit zwei Nummern verknüpft werden.")
    if str(answers.link.get(espo_id)) in said_new.get(espo_id, ()):
        raise BadAnswers(f"{espo_id} ist mit verknüpfen und mit neu beantwortet.")


def _choices(plan: ContactPlan, espo_id: str) -> set[str]:
    """Return what a record may be paired with: numbers of Advoware, ids of its doubles in EspoCRM."""
    if (question := plan.questions.get(espo_id)) is not None:
        return {str(twin.betnr) for twin in question.twins} | {double.espo_id for double in question.doubles}
    return {str(pair.other) for pair in plan.matched.certain if pair.one == espo_id}


def _require_settled(one: Given, plan: ContactPlan, *, new: bool) -> None:
    """Make sure that an answer to what is no question says only what is so anyway."""
    known = plan.sides.known.get(one.espo_id)
    stands_alone = one.espo_id in plan.matched.only_one and one.espo_id not in plan.twice_in_espocrm
    if new and (known is not None or stands_alone):
        return
    if known is not None and one.number in ("", str(known)):
        return
    if known is not None:
        raise BadAnswers(f"{one.espo_id} ist schon mit Nr. {known} verknüpft.")
    if not one.espo_id:
        raise BadAnswers("Diesen gibt es nur in Advoware; geholt wird er mit `vmh-sync import beteiligte`.")
    if _TURNED_INTO_A_NUMBER.fullmatch(one.espo_id):
        raise BadAnswers(
            f"Excel hat die ID in die Zahl {one.espo_id} verwandelt; bitte mit --answer ID=Nummer oder --answer ID=neu "
            "antworten."
        )
    raise BadAnswers(f"Zu {one.espo_id} ist keine Frage offen.")


def _claimed_twice(link: Mapping[str, int]) -> list[str]:
    claimed: dict[int, str] = {}
    return [
        f"Nr. {betnr} soll mit {espo_id} und mit {claimed[betnr]} verknüpft werden."
        for espo_id, betnr in link.items()
        if claimed.setdefault(betnr, espo_id) != espo_id
    ]
