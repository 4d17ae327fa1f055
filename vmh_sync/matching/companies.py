"""Names and legal forms of companies."""

import re
from functools import lru_cache
from typing import NamedTuple

from vmh_sync.matching.persons import Fit
from vmh_sync.matching.spelling import fold, nearly

_SPELLED_FORMS = tuple(
    (re.compile(rf"\b(?:{spelled})\b"), short)
    for spelled, short in (
        (r"gesellschaft mit beschraenkter haftung|ges m b h|g m b h|m b h|gesmbh|mbh", "gmbh"),
        (
            r"(?:partnerschaftsgesellschaft|partnerschaft|part g|partg)(?: von (?:\w+ ){1,3}?(?=mit|m b b|mbb))?",
            "partg ",
        ),
        (r" {2,}", " "),
        (r"mit beschraenkter berufshaftung|m b b|mbb", "mbb"),
        (r"partgmbb", "partg mbb"),
        (r"unternehmergesellschaft|u g", "ug"),
        (r"kommanditgesellschaft|k g", "kg"),
        (r"offene handelsgesellschaft|o h g", "ohg"),
        (r"aktiengesellschaft|a g", "ag"),
        (r"gesellschaft buergerlichen rechts|g b r", "gbr"),
        (r"egbr", "gbr"),
        (r"eingetragener verein|e v|verein", "ev"),
        (r"eingetragene genossenschaft|e g", "eg"),
        (r"eingetragener kaufmann|eingetragene kauffrau|e k|e kfm|e kfr|ekfm|ekfr", "ek"),
        (r"gemeinnuetzige (?:gesellschaft )?gmbh", "ggmbh"),
        (r"limited", "ltd"),
        (r"incorporated", "inc"),
        (r"(?:wohnungs)?eigentuemergemeinschaft|wohnungseigentumsgemeinschaft", "weg"),
    )
)
_JOINED_FORM = re.compile(r"\b(\w{3,}?)ges(?:ellschaft)? (?=gmbh\b)")
"""``Baugesellschaft mbH`` and ``Bauges. mbH`` are ``Bau GmbH``."""
_STREET = re.compile(r"strasse\b")
_FORMERLY = re.compile(r"\b(?:vormals|vorm|frueher|ehemals)\b")
_HOLDER = re.compile(r"\b(?:inh|inhaber|inhaberin)\b")
_PASSING = re.compile(r"\b(?:in liquidation|i l|in abwicklung|in insolvenz|i ins|in gruendung|i g|i gr)$")
_PASSES = "passing"
FORMS = frozenset(
    {"gmbh", "ggmbh", "ug", "kg", "ohg", "ag", "gbr", "ev", "eg", "ek", "se", "kgaa", "partg", "mbb", "ltd", "stiftung"}
    | {"inc", "llc"}
)
NO_NAME = frozenset({"und", "co", "cie", "compagnie", "gesellschaft", "firma", "fa", "haftungsbeschraenkt"})


_REGISTER = re.compile(r"\b(?:(h ?r ?[ab]|vr|gnr|gsr|pr) ?)?0*(\d+)(?: ?(?!ag\b)([a-z]{1,2}))?\b")


class RegisterNumber(NamedTuple):
    """A number in a register: ``HRB 4711 B``. Where several can be made out, ``digits`` is the text."""

    kind: str
    digits: str
    court: str


def register_number(told: str) -> RegisterNumber | None:
    """Read a register number, however it is written (``HRB4711``, ``HR B 04711``, ``Amtsgericht Ulm, HRB 4711``).

    A text without any digit (``keine``, ``beantragt``) tells none.
    """
    plain = fold(told)
    found = _REGISTER.findall(plain)
    if len(found) != 1:
        return RegisterNumber("", plain, "") if any(map(str.isdigit, plain)) else None
    kind, digits, court = found[0]
    return RegisterNumber(kind.replace(" ", ""), digits, court)


def register_fit(one: RegisterNumber | None, other: RegisterNumber | None) -> Fit:
    """Compare register numbers; the kind of register and the letters of the court count where both tell them."""
    if one is None or other is None:
        return Fit.UNTOLD
    if one.digits == other.digits:
        apart = any(a and b and a != b for a, b in ((one.kind, other.kind), (one.court, other.court)))
        return Fit.DIFFERENT if apart else Fit.SAME
    return Fit.DIFFERENT if one.digits.isdigit() and other.digits.isdigit() else Fit.UNTOLD


class CompanyName(NamedTuple):
    """A company's name: the words that make it, the legal form in one spelling, and what it was called before.

    ``form`` is empty where the name tells none, ``former`` where it tells no earlier name. ``addition`` names the
    holder, and whether it is being founded or wound up.
    """

    core: tuple[str, ...]
    form: str
    former: tuple[str, ...]
    addition: tuple[str, ...]


@lru_cache(maxsize=200_000)
def split_company(name: str) -> CompanyName:
    """Take a company's name apart."""
    now, before = _cut(_FORMERLY, fold(name))
    now, holder = _cut(_HOLDER, now)
    alive = _PASSING.sub("", now)
    core, form = _words(alive)
    return CompanyName(core, form, _words(before)[0], (*holder.split(), *((_PASSES,) if alive != now else ())))


def _cut(word: re.Pattern[str], plain: str) -> tuple[str, str]:
    """Return what stands before and after a word; everything where nothing stands before it."""
    before, *after = word.split(plain, maxsplit=1)
    return (before.strip(), after[0].strip()) if after and before.strip() else (plain, "")


def _words(plain: str) -> tuple[tuple[str, ...], str]:
    for spelled, short in _SPELLED_FORMS:
        plain = spelled.sub(short, plain)
    words = _STREET.sub("str", _JOINED_FORM.sub(r"\1 ", plain)).split()
    core = tuple(word for word in words if word not in FORMS and word not in NO_NAME)
    return core, " ".join(word for word in words if word in FORMS)


def core_fit(one: tuple[str, ...], other: tuple[str, ...]) -> Fit:
    """Compare names without legal forms; a name that the other one contains counts as not told."""
    left, right = "".join(one), "".join(other)
    if not left or not right:
        return Fit.DIFFERENT
    if left == right:
        return Fit.SAME
    if nearly(left, right) or sorted(one) == sorted(other):
        return Fit.ALIKE
    return Fit.UNTOLD if set(one) < set(other) or set(other) < set(one) else Fit.DIFFERENT
