"""A person's answers to the likely pairs: from a CSV file that the plan wrote, or from the command line.

The file is what a German Excel reads and writes: semicolons, UTF-8 with a byte order mark.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vmh_sync.first_contact.plan import ContactPlan
from vmh_sync.first_contact.sides import Held
from vmh_sync.matching.pairing import Pair
from vmh_sync.matching.traits import Resemblance

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
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class BadAnswers(Exception):
    """The answers cannot be used; ``str`` names every problem in German."""


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
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([_plain(cell) for cell in row] for row in _rows(plan))
    path.touch(mode=0o600, exist_ok=True)
    path.write_text(text.getvalue(), encoding="utf-8-sig", newline="")


def _rows(plan: ContactPlan) -> Iterable[Sequence[object]]:
    espocrm, advoware = plan.sides.espocrm, plan.sides.advoware
    for kind, pairs in (("wahrscheinlich", plan.matched.likely), ("sicher", plan.matched.certain)):
        for pair in pairs:
            yield kind, pair.one, *_named(espocrm[pair.one]), pair.other, *_named(advoware[pair.other]), *_why(pair), ""
    for double in plan.matched.doubled_one:
        one, other = espocrm[double.one], espocrm[double.other]
        yield "doppelt in EspoCRM", double.one, *_named(one), double.other, *_named(other), *_why(double), ""
    for twice in plan.matched.doubled_other:
        first, second = advoware[twice.one], advoware[twice.other]
        yield "doppelt in Advoware", twice.one, *_named(first), twice.other, *_named(second), *_why(twice), ""
    for espo_id in plan.matched.only_one:
        yield "nur in EspoCRM", espo_id, *_named(espocrm[espo_id]), "", "", "", "", "", ""
    for betnr in plan.matched.only_other:
        yield "nur in Advoware", "", "", "", betnr, *_named(advoware[betnr]), "", "", ""


def _named(held: Held) -> tuple[str, str]:
    return held.name, held.traits.geburtsdatum


def _why(pair: "Pair[str, int] | Pair[str, str] | Pair[int, int]") -> tuple[int, str]:
    found: Resemblance = pair.resemblance
    return found.score, " | ".join(found.reasons)


def _plain(cell: object) -> object:
    """Let no name be taken for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def read_csv(path: Path) -> list[tuple[str, str, str]]:
    """Return (EspoCRM id, number, decision) of every answered row; raises :class:`BadAnswers`."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadAnswers(f"Die Datei {path} lässt sich nicht lesen ({type(error).__name__}).") from None
    first = text.partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text), delimiter=";" if ";" in first else ",")
    missing = {"espocrm_id", "betnr", "entscheidung"} - set(rows.fieldnames or ())
    if missing:
        raise BadAnswers(f"In der Datei {path} fehlen die Spalten: {', '.join(sorted(missing))}.")
    return [
        (str(row["espocrm_id"] or "").strip(), str(row["betnr"] or "").strip(), decision)
        for row in rows
        if (decision := str(row["entscheidung"] or "").strip().casefold())
    ]


def parse_pairs(given: Iterable[str]) -> list[tuple[str, str, str]]:
    """Read answers of the command line: ``ID=NUMBER`` links, ``ID=neu`` is somebody else; raises ``BadAnswers``."""
    answers = []
    for one in given:
        espo_id, equals, decision = one.partition("=")
        if not equals or not decision:
            raise BadAnswers(f"„{one}“ ist keine Antwort. Erwartet wird EspoCRM-ID=Nummer oder EspoCRM-ID=neu.")
        links = decision.strip().isdigit()
        answers.append((espo_id.strip(), decision.strip() if links else "", "ja" if links else decision.casefold()))
    return answers


def decide(given: Sequence[tuple[str, str, str]], plan: ContactPlan) -> Answers:
    """Check answers against the plan; raises :class:`BadAnswers` that names every one that does not fit.

    ``neu`` for one of several pairs of a record says nothing about the others: it is somebody else only when every
    pair of the record was answered so, or when no number was named at all.
    """
    answers, problems = Answers(), []
    said_new: dict[str, set[str]] = {}
    for espo_id, number, decision in given:
        question = plan.questions.get(espo_id)
        numbers = {str(twin.betnr) for twin in question.twins} if question is not None else set()
        if question is None:
            problems.append(f"{espo_id}: dazu ist keine Frage offen.")
        elif decision in _NEW:
            said_new.setdefault(espo_id, set()).update({number} if number in numbers else numbers)
        elif decision not in _LINK:
            problems.append(f"{espo_id}: „{decision}“ ist keine Entscheidung (verknüpfen oder neu).")
        elif number not in numbers:
            problems.append(f"{espo_id}: Nr. {number or '?'} steht nicht zur Wahl.")
        elif answers.link.setdefault(espo_id, int(number)) != int(number):
            problems.append(f"{espo_id}: soll mit zwei Nummern verknüpft werden.")
    problems += _claimed_twice(answers.link)
    if problems:
        raise BadAnswers("Es wurde nichts geschrieben. " + " ".join(problems))
    for espo_id, numbers in said_new.items():
        asked = {str(twin.betnr) for twin in plan.questions[espo_id].twins}
        if espo_id not in answers.link and asked <= numbers:
            answers.somebody_else.add(espo_id)
    return answers


def _claimed_twice(link: Mapping[str, int]) -> list[str]:
    claimed: dict[int, str] = {}
    return [
        f"Nr. {betnr} soll mit {espo_id} und mit {claimed[betnr]} verknüpft werden."
        for espo_id, betnr in link.items()
        if claimed.setdefault(betnr, espo_id) != espo_id
    ]
