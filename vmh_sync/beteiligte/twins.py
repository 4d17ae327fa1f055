"""Whether a party of Advoware may be the one about to be created there (specification, entities.md 1). Pure.

A name alone never makes a twin: a second feature (birth date, e-mail, phone, IBAN; for companies the town or the number
in the register) must agree and none may contradict. Even a certain twin is only shown to a person, never linked.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum

from vmh_sync.sync import values

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "&": " und ", "+": " und ", "'": "", "’": ""})
_TITLES = frozenset({"dr", "prof", "dipl", "ing", "med", "jur", "rer", "nat", "phil", "von", "van", "de", "der", "zu"})
_SLIP_FROM = 5
"""Shorter names that differ in one letter are different names (Jan, Jon)."""

_SPELLED_FORMS = (
    (r"gesellschaft mit beschraenkter haftung|ges m b h|g m b h|m b h|gesmbh|mbh", "gmbh"),
    (r"unternehmergesellschaft|u g", "ug"),
    (r"kommanditgesellschaft|k g", "kg"),
    (r"offene handelsgesellschaft|o h g", "ohg"),
    (r"aktiengesellschaft|a g", "ag"),
    (r"gesellschaft buergerlichen rechts|g b r", "gbr"),
    (r"eingetragener verein|e v|verein", "ev"),
    (r"eingetragene genossenschaft|e g", "eg"),
    (r"e k|e kfm|e kfr", "ek"),
)
_FORMS = frozenset(
    {"gmbh", "ggmbh", "ug", "kg", "ohg", "ag", "gbr", "ev", "eg", "ek", "se", "kgaa", "partg", "partgmbb"}
)
_NO_NAME = frozenset({"und", "co", "gesellschaft", "firma", "fa", "haftungsbeschraenkt"})


class Likeness(IntEnum):
    """How much a party of Advoware looks like the one in EspoCRM."""

    NONE = 0
    LIKELY = 1
    CERTAIN = 2


@dataclass(frozen=True, slots=True, repr=False)
class Traits:
    """What tells a party from others, as one side holds it. ``name`` is a person's family name or a company's name."""

    name: str = ""
    vorname: str = ""
    geburtsname: str = ""
    geburtsdatum: str = ""
    company: bool = False
    rechtsform: str = ""
    register: str = ""
    emails: frozenset[str] = field(default=frozenset())
    phones: frozenset[str] = field(default=frozenset())
    ibans: frozenset[str] = field(default=frozenset())
    towns: frozenset[str] = field(default=frozenset())


@dataclass(frozen=True, slots=True)
class Resemblance:
    """A judgement, and the names of the features that agree."""

    likeness: Likeness
    agreeing: tuple[str, ...] = ()


_NOT_ALIKE = Resemblance(Likeness.NONE)


def compare(ours: Traits, theirs: Traits) -> Resemblance:
    """Judge whether ``theirs`` (Advoware) may be ``ours`` (EspoCRM)."""
    if ours.company:
        return _NOT_ALIKE if theirs.vorname.strip() else _companies(ours, theirs)
    if theirs.company or legal_form(theirs):
        return _NOT_ALIKE
    return _persons(ours, theirs)


def name_fits(ours: Traits, theirs: Traits) -> bool:
    """Whether the names alone allow that both are the same, so that looking closer is worth a call."""
    if ours.company:
        return not theirs.vorname.strip() and _company_names(ours, theirs) and not _forms_differ(ours, theirs)
    return bool(_family(ours, theirs) and _first(ours, theirs) and not _birth_contradicts(ours, theirs))


def legal_form(traits: Traits) -> str:
    """Return a company's legal form in one spelling, empty where neither name nor form says one."""
    in_name = _split_company(traits.name)[1]
    return in_name or _split_company(traits.rechtsform)[1]


def search_word(name: str) -> str:
    """Return what of a name to search for: its longest piece that is spelled alike with and without umlauts.

    ``ller`` finds Müller and Mueller. Legal forms and titles are no pieces; a short name is searched as it stands.
    """
    words = [word for word in re.split(r"[^\w]+", name) if _fold(word) not in _FORMS | _NO_NAME | _TITLES]
    pieces = [piece for word in words for piece in re.split(r"[^A-Za-z0-9]+|ae|oe|ue|ss", word, flags=re.IGNORECASE)]
    longest = max(pieces, key=len, default="")
    return longest if len(longest) >= 4 else max(words, key=len, default="")


# Persons


def _persons(ours: Traits, theirs: Traits) -> Resemblance:
    family, first = _family(ours, theirs), _first(ours, theirs)
    birth = _agree(ours.geburtsdatum, theirs.geburtsdatum)
    channels = _channels(ours, theirs)
    agreeing = (
        *(("name",) if family else ()),
        *(("vorname",) if first and ours.vorname and theirs.vorname else ()),
        *(("geburtsdatum",) if birth else ()),
        *channels,
    )
    if _birth_contradicts(ours, theirs):
        # Father and son share name, phone and e-mail. A slip in one date of the same person stays within the year.
        slip = family == first == 2 and bool(channels) and _date_slip(ours.geburtsdatum, theirs.geburtsdatum)
        return Resemblance(Likeness.LIKELY, agreeing) if slip else _NOT_ALIKE
    if family and first:
        if not birth and not channels:
            return _NOT_ALIKE
        sure = family == first == 2 and (bool(birth) or len(channels) > 1)
        return Resemblance(Likeness.CERTAIN if sure else Likeness.LIKELY, agreeing)
    if family:
        # Families share phones and accounts; an e-mail address mostly belongs to one of them.
        return Resemblance(Likeness.LIKELY, agreeing) if "email" in channels else _NOT_ALIKE
    married = birth and _maiden(ours, theirs)
    personal = "email" in channels or "iban" in channels or (bool(birth) and bool(channels))
    if first == 2 and (married or personal):
        return Resemblance(Likeness.LIKELY, agreeing)
    return _NOT_ALIKE


def _family(ours: Traits, theirs: Traits) -> int:
    """Family names: 2 the same, 1 alike (a slip, one half of a double name), 0 different."""
    return _alike(_words(ours.name), _words(theirs.name))


def _first(ours: Traits, theirs: Traits) -> int:
    """First names: 2 the same, 1 alike or not told, 0 different."""
    here, there = _words(ours.vorname), _words(theirs.vorname)
    if not here or not there:
        return 1
    alike = _alike(here, there)
    if alike:
        return alike
    short, long = sorted((here[0], there[0]), key=len)
    return 1 if long.startswith(short) and (len(short) == 1 or len(short) >= 3) else 0


def _maiden(ours: Traits, theirs: Traits) -> bool:
    pairs = ((ours.geburtsname, theirs.name), (ours.name, theirs.geburtsname))
    return any(one and other and _alike(_words(one), _words(other)) for one, other in pairs)


def _birth_contradicts(ours: Traits, theirs: Traits) -> bool:
    return bool(ours.geburtsdatum and theirs.geburtsdatum) and ours.geburtsdatum != theirs.geburtsdatum


def _date_slip(one: str, other: str) -> bool:
    """Whether two dates of one year differ by one digit, or by day and month changed round."""
    if len(one) != 10 or len(other) != 10 or one[:4] != other[:4]:
        return False
    turned = f"{one[:4]}-{one[8:]}-{one[5:7]}" == other
    return turned or sum(a != b for a, b in zip(one, other, strict=True)) == 1


# Companies


def _companies(ours: Traits, theirs: Traits) -> Resemblance:
    if not _company_names(ours, theirs) or _forms_differ(ours, theirs):
        return _NOT_ALIKE
    channels = _channels(ours, theirs)
    register = _agree(_fold(ours.register), _fold(theirs.register))
    town = any(_same_town(one, other) for one in ours.towns for other in theirs.towns)
    second = (*(("ort",) if town else ()), *(("handelsregister_nummer",) if register else ()), *channels)
    if not second:
        return _NOT_ALIKE
    sure = len(second) > 1 and legal_form(ours) == legal_form(theirs)
    return Resemblance(Likeness.CERTAIN if sure else Likeness.LIKELY, ("name", *second))


def _company_names(ours: Traits, theirs: Traits) -> bool:
    here, there = ("".join(_split_company(one.name)[0]) for one in (ours, theirs))
    return bool(here) and (here == there or _one_slip(here, there))


def _forms_differ(ours: Traits, theirs: Traits) -> bool:
    here, there = legal_form(ours), legal_form(theirs)
    return bool(here and there) and here != there


def _split_company(name: str) -> tuple[list[str], str]:
    """Return the words that make the name, and the legal form in one spelling."""
    plain = _fold(name)
    for spelled, short in _SPELLED_FORMS:
        plain = re.sub(rf"\b(?:{spelled})\b", short, plain)
    words = plain.split()
    core = [word for word in words if word not in _FORMS and word not in _NO_NAME]
    return core, " ".join(word for word in words if word in _FORMS)


def _same_town(one: str, other: str) -> bool:
    here, there = _fold(one).split(), _fold(other).split()
    shorter = min(len(here), len(there))
    return shorter > 0 and here[:shorter] == there[:shorter]


# What both have in common


def _channels(ours: Traits, theirs: Traits) -> tuple[str, ...]:
    pairs = {
        "email": (_normal(values.email, ours.emails), _normal(values.email, theirs.emails)),
        "telefon": (_normal(values.phone, ours.phones), _normal(values.phone, theirs.phones)),
        "iban": (_normal(values.iban, ours.ibans), _normal(values.iban, theirs.ibans)),
    }
    return tuple(name for name, (here, there) in pairs.items() if here & there)


def _normal(form: Callable[[object], values.Value], told: Iterable[str]) -> set[values.Value]:
    return {normal for one in told if (normal := form(one)) is not None}


def _agree(one: str, other: str) -> bool:
    return bool(one) and one == other


def _fold(text: str) -> str:
    """Return small letters and digits without accents, words apart by one blank; umlauts written out."""
    plain = unicodedata.normalize("NFC", text).casefold().translate(_UMLAUTS)
    bare = "".join(char for char in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(char))
    return " ".join(re.split(r"[\W_]+", bare)).strip()


def _words(name: str) -> list[str]:
    words = _fold(name).split()
    return [word for word in words if word not in _TITLES] or words


def _alike(here: list[str], there: list[str]) -> int:
    if not here or not there:
        return 0
    if sorted(here) == sorted(there) or "".join(here) == "".join(there):
        return 2
    return 1 if set(here) < set(there) or set(there) < set(here) or _one_slip("".join(here), "".join(there)) else 0


def _one_slip(one: str, other: str) -> bool:
    """Whether one letter was left out, doubled, mistyped or changed round with its neighbour."""
    if min(len(one), len(other)) < _SLIP_FROM or abs(len(one) - len(other)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    one, other = one[start:], other[start:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    return max(len(one), len(other)) <= 1 or (len(one) == 2 and one == other[::-1])
