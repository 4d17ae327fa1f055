"""Names and legal forms of companies."""

import re
from functools import lru_cache

from vmh_sync.matching.persons import Fit
from vmh_sync.matching.spelling import fold, nearly

_SPELLED_FORMS = tuple(
    (re.compile(rf"\b(?:{spelled})\b"), short)
    for spelled, short in (
        (r"gesellschaft mit beschraenkter haftung|ges m b h|g m b h|m b h|gesmbh|mbh", "gmbh"),
        (r"partnerschaftsgesellschaft|partnerschaft|part g|partg", "partg"),
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
    )
)
_JOINED_FORM = re.compile(r"\b(\w{3,}?)gesellschaft (?=gmbh\b)")
"""``Baugesellschaft mbH`` is ``Bau GmbH``."""
FORMS = frozenset(
    {"gmbh", "ggmbh", "ug", "kg", "ohg", "ag", "gbr", "ev", "eg", "ek", "se", "kgaa", "partg", "mbb", "ltd", "stiftung"}
)
NO_NAME = frozenset({"und", "co", "gesellschaft", "firma", "fa", "haftungsbeschraenkt"})


@lru_cache(maxsize=200_000)
def split_company(name: str) -> tuple[tuple[str, ...], str]:
    """Return the words that make the name, and the legal form in one spelling, empty where it names none."""
    plain = fold(name)
    for spelled, short in _SPELLED_FORMS:
        plain = spelled.sub(short, plain)
    plain = _JOINED_FORM.sub(r"\1 ", plain)
    words = plain.split()
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
