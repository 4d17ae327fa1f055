"""Compares two parties: points for and against, each with its reason, and a judgement.

A name alone never makes a twin: a second feature must agree. :data:`LIKELY_FROM` points ask a person.

*Certain*, which links without a person, is stricter than any sum, because whoever shares a name often shares a house, a
phone and a mailbox (father and son, a couple, the companies of one holding):

- a person: family and first name the same, the birth date the same, and one more feature (e-mail, phone, IBAN,
  street or town; no mere place where the birthday is the first of January), and nothing against it;
- a company: name and legal form the same, the register number or an IBAN or two of e-mail, phone, street, town and
  register the same, and nothing against it.

Whether a certain pair is unique is decided over both sides (:mod:`vmh_sync.matching.pairing`).
"""

from datetime import date
from enum import Enum
from functools import lru_cache

from vmh_sync.matching.companies import core_fit, register_fit
from vmh_sync.matching.comparable import ComparableParty, comparable
from vmh_sync.matching.persons import Fit, family_fit, first_fit
from vmh_sync.matching.spelling import one_letter_apart, sound_alike
from vmh_sync.matching.traits import NOT_ALIKE, Evidence, Likeness, Resemblance, Traits

LIKELY_FROM = 45
"""Points from which a pair is shown to a person. Measured with ``vmh_sync_tests/bench/bench_matching.py``."""

_COMPANYS_WORDS = 2

_UNITS = 9
"""Two birth years that differ in their last digit only are a slip; father and son are further apart."""

_BESIDE_A_PERSONS_NAME = frozenset({"geburtsdatum", "geburtsdatum_aehnlich", "email", "telefon", "iban", "strasse"})
_BESIDE_A_COMPANYS_NAME = frozenset({"handelsregister_nummer", "email", "telefon", "iban", "strasse", "ort"})
"""Features of which one must agree besides the name."""

Feature = tuple[str, int, str]

_ready = lru_cache(maxsize=128)(comparable)
"""One party is compared with several, twice each: first by the names."""


def compare(left: Traits, right: Traits) -> Resemblance:
    """Judge whether two parties may be one."""
    return judge(_ready(left), _ready(right))


def judge(one: ComparableParty, other: ComparableParty) -> Resemblance:
    """Judge whether two parties may be one; the order does not matter."""
    kinds = {_kind(one), _kind(other)}
    if {_Kind.PERSON, _Kind.COMPANY} <= kinds or _born_apart(one, other):
        return NOT_ALIKE
    return _persons(one, other) if _Kind.PERSON in kinds else _companies(one, other)


def name_fits(left: Traits, right: Traits) -> bool:
    """Whether the names alone allow that both are the same, so that looking closer is worth a call."""
    one, other = _ready(left), _ready(right)
    kinds = {_kind(one), _kind(other)}
    if {_Kind.PERSON, _Kind.COMPANY} <= kinds:
        return False
    if _Kind.PERSON not in kinds:
        return (core_fit(one.core, other.core) is not Fit.DIFFERENT and not _forms_differ(one, other)) or _renamed(
            one, other
        )
    family, first = _names(one, other)
    if _swapped(one, other):
        return not _born_apart(one, other)
    return family >= Fit.ALIKE and first is not Fit.DIFFERENT and not _born_apart(one, other)


class _Kind(Enum):
    PERSON = "person"
    COMPANY = "company"
    UNTOLD = "untold"


def _kind(party: ComparableParty) -> _Kind:
    """A first name makes a person, whatever else is said; a legal form in the name makes a company.

    Several words with nothing else may be either: a company whose form one side left out, or a double name.
    """
    if party.traits.vorname.strip():
        return _Kind.PERSON
    if party.company or party.form:
        return _Kind.COMPANY
    return _Kind.PERSON if party.born is not None or len(party.core) < _COMPANYS_WORDS else _Kind.UNTOLD


# Persons

_FAMILY = {
    Fit.SAME: ("name", 30, "Name gleich"),
    Fit.ALIKE: ("name", 22, "Name ähnlich geschrieben oder Teil eines Doppelnamens"),
    Fit.UNTOLD: ("name", 0, "Name fehlt auf einer Seite"),
    Fit.DIFFERENT: ("name", -30, "anderer Familienname"),
}
_FIRST = {
    Fit.SAME: ("vorname", 25, "Vorname gleich"),
    Fit.ALIKE: ("vorname", 15, "Vorname ähnlich, abgekürzt oder einer von mehreren"),
    Fit.UNTOLD: ("vorname", 0, "Vorname fehlt auf einer Seite"),
    Fit.DIFFERENT: ("vorname", -40, "anderer Vorname"),
}
_FAMILY_SLIP: Feature = ("name", 0, "kurzer Name, ein Buchstabe anders oder nur nach dem Klang gleich")
_FIRST_SLIP: Feature = ("vorname", -10, "kurzer Vorname, ein Buchstabe anders oder nur nach dem Klang gleich")
_MAIDEN: Feature = ("geburtsname", 15, "Geburtsname der einen Seite ist der Name der anderen")
_SWAPPED: Feature = ("name", 37, "Vor- und Nachname vertauscht")
_BORN: Feature = ("geburtsdatum", 45, "Geburtsdatum gleich")
_BORN_SLIP: Feature = ("geburtsdatum_aehnlich", 5, "Geburtsdatum ähnlich (Tag und Monat vertauscht oder eine Ziffer)")
_GENERATIONS: Feature = ("name", -60, "senior und junior")
_NEW_YEAR = (1, 1)
"""A birthday that stands in papers where nobody knows the day: many share it."""
_ONE_GENERATION: Feature = ("name", -1, "Zusatz senior oder junior nur auf einer Seite")


def _persons(one: ComparableParty, other: ComparableParty) -> Resemblance:
    family, first = _names(one, other)
    swapped = _swapped(one, other)
    if max(family, first) < Fit.ALIKE and not swapped:
        return NOT_ALIKE
    married = family is Fit.DIFFERENT and _married(one, other)
    found: list[Feature] = (
        [_SWAPPED] if swapped else [_MAIDEN if married else _family(one, other, family), _first_name(one, other, first)]
    )
    found += _birth(one, other) + _reached(one, other, email=60, phone=20, iban=50)
    found += _places(one, other, street=20, town=5)
    if one.generation != other.generation:
        found.append(_GENERATIONS if one.generation and other.generation else _ONE_GENERATION)
    evidence = _evidence(found)
    same_names = family is first is Fit.SAME and not swapped and not _initials(one, other)
    papers = one.born is not None and (one.born.month, one.born.day) == _NEW_YEAR
    more = _REACHED if papers else (*_REACHED, "strasse", "ort")
    sure = same_names and one.generation == other.generation and _agree(evidence, "geburtsdatum")
    sure = sure and any(_agree(evidence, feature) for feature in more)
    return _judged(evidence, _BESIDE_A_PERSONS_NAME, sure=sure)


def _family(one: ComparableParty, other: ComparableParty, fit: Fit) -> Feature:
    slip = fit is Fit.DIFFERENT and _slip("".join(one.family), "".join(other.family))
    return _FAMILY_SLIP if slip else _FAMILY[fit]


def _first_name(one: ComparableParty, other: ComparableParty, fit: Fit) -> Feature:
    slip = fit is Fit.DIFFERENT and _slip("".join(one.first), "".join(other.first))
    return _FIRST_SLIP if slip else _FIRST[fit]


def _slip(one: str, other: str) -> bool:
    return one_letter_apart(one, other) or sound_alike(one, other)


def _names(one: ComparableParty, other: ComparableParty) -> tuple[Fit, Fit]:
    family = family_fit(list(one.family), list(other.family))
    if family is Fit.DIFFERENT and one.in_one_word == other.in_one_word:
        family = Fit.ALIKE
    return family, first_fit(list(one.first), list(other.first))


def _swapped(one: ComparableParty, other: ComparableParty) -> bool:
    """Whether family and first name stand in each other's field."""
    if not one.first or not other.first or one.family == other.family:
        return False
    return one.family == other.first and one.first == other.family


def _married(one: ComparableParty, other: ComparableParty) -> bool:
    pairs = ((one.maiden, other.family), (one.family, other.maiden))
    return any(family_fit(list(a), list(b)) >= Fit.ALIKE for a, b in pairs if a and b)


def _initials(one: ComparableParty, other: ComparableParty) -> bool:
    return all(len(word) == 1 for word in (*one.first, *other.first))


def _birth(one: ComparableParty, other: ComparableParty) -> list[Feature]:
    if one.born is None or other.born is None:
        return []
    if one.born == other.born:
        return [_BORN]
    return [_BORN_SLIP] if _date_slip(one.born, other.born) else []


def _born_apart(one: ComparableParty, other: ComparableParty) -> bool:
    """Whether both birth dates are told and are no slip of one another: they are two people, whatever they share."""
    told = one.born is not None and other.born is not None and one.born != other.born
    return told and not _birth(one, other)


def _date_slip(one: date, other: date) -> bool:
    """Whether day and month are changed round, or one digit differs, in the year the last one only."""
    if one.year != other.year:
        tens = one.year // 10 == other.year // 10
        return tens and abs(one.year - other.year) <= _UNITS and (one.month, one.day) == (other.month, other.day)
    if (one.month, one.day) == (other.day, other.month):
        return True
    return sum(a != b for a, b in zip(one.isoformat(), other.isoformat(), strict=True)) == 1


# Companies

_CORE = {
    Fit.SAME: ("name", 30, "Firmenname gleich"),
    Fit.ALIKE: ("name", 25, "Firmenname ähnlich geschrieben"),
    Fit.UNTOLD: ("name", 10, "ein Firmenname enthält den anderen"),
    Fit.DIFFERENT: ("name", -70, "anderer Firmenname"),
}
_REGISTER: Feature = ("handelsregister_nummer", 120, "Handelsregisternummer gleich")
_OTHER_REGISTER: Feature = ("handelsregister_nummer", -100, "andere Handelsregisternummer")
_RENAMED: Feature = ("name", 25, "früherer Firmenname der einen Seite ist der Name der anderen")
_OTHER_ADDITION: Feature = (
    "name",
    -1,
    "in Liquidation, Insolvenz oder Gründung nur auf einer Seite, oder Inhaber anders",
)
_OTHER_FORM: Feature = ("rechtsform", -1, "andere Rechtsform")
_SECOND = ("handelsregister_nummer", "email", "telefon", "strasse", "ort")


def _companies(one: ComparableParty, other: ComparableParty) -> Resemblance:
    fit, renamed = core_fit(one.core, other.core), _renamed(one, other)
    register = register_fit(one.register, other.register)
    changed_form = register is Fit.SAME and fit >= Fit.ALIKE
    if (_forms_differ(one, other) and not renamed and not changed_form) or not one.core or not other.core:
        return NOT_ALIKE
    found: list[Feature] = [_RENAMED if renamed else _CORE[fit], *_reached(one, other, email=25, phone=20, iban=40)]
    found += _places(one, other, street=25, town=20)
    if register is not Fit.UNTOLD:
        found.append(_REGISTER if register is Fit.SAME else _OTHER_REGISTER)
    if _forms_differ(one, other) and not renamed:
        found.append(_OTHER_FORM)
    if one.addition != other.addition:
        found.append(_OTHER_ADDITION)
    evidence = _evidence(found)
    firm_ground = _agree(evidence, "iban") or sum(_agree(evidence, name) for name in _SECOND) > 1
    sure = fit is Fit.SAME and one.form == other.form and firm_ground
    sure = sure and (bool(one.form) or _agree(evidence, "handelsregister_nummer"))
    return _judged(evidence, _BESIDE_A_COMPANYS_NAME, sure=sure)


def _renamed(one: ComparableParty, other: ComparableParty) -> bool:
    """Whether one is called today what the other says it was called before."""
    pairs = ((one.former, other.core), (one.core, other.former))
    return core_fit(one.core, other.core) is Fit.DIFFERENT and any(
        core_fit(a, b) >= Fit.ALIKE for a, b in pairs if a and b
    )


def _forms_differ(one: ComparableParty, other: ComparableParty) -> bool:
    return bool(one.form and other.form) and one.form != other.form


# What both have in common

_REACHED = ("email", "telefon", "iban")


def _reached(one: ComparableParty, other: ComparableParty, *, email: int, phone: int, iban: int) -> list[Feature]:
    found: list[Feature] = []
    if one.emails & other.emails:
        found.append(("email", email, "E-Mail-Adresse gleich"))
    if one.phones & other.phones:
        found.append(("telefon", phone, "Telefonnummer gleich"))
    if one.ibans & other.ibans:
        found.append(("iban", iban, "IBAN gleich"))
    return found


def _places(one: ComparableParty, other: ComparableParty, *, street: int, town: int) -> list[Feature]:
    """The same street counts only in the same town."""
    if not one.towns or not other.towns:
        return []
    if not any(_same_town(a, b) for a in one.towns for b in other.towns):
        return [("ort", 0, "anderer Ort (vielleicht umgezogen)")]
    found: list[Feature] = [("ort", town, "Ort gleich")]
    if one.streets & other.streets:
        found.append(("strasse", street, "Straße und Hausnummer gleich"))
    return found


def _same_town(one: str, other: str) -> bool:
    first, second = one.split(), other.split()
    shorter = min(len(first), len(second))
    return shorter > 0 and first[:shorter] == second[:shorter]


def _evidence(found: list[Feature]) -> tuple[Evidence, ...]:
    return tuple(Evidence(*feature) for feature in found)


def _agree(evidence: tuple[Evidence, ...], feature: str) -> bool:
    return any(one.feature == feature and one.agrees for one in evidence)


def _judged(evidence: tuple[Evidence, ...], second: frozenset[str], *, sure: bool) -> Resemblance:
    found = Resemblance(Likeness.NONE, evidence)
    if found.score < LIKELY_FROM or not any(one.agrees and one.feature in second for one in evidence):
        return found
    against = any(one.points < 0 for one in evidence)
    return Resemblance(Likeness.CERTAIN if sure and not against else Likeness.LIKELY, evidence)
