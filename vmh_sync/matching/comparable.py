"""A party made ready to be compared with many: everything in its normal form, once."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from vmh_sync.matching.companies import FORMS, NO_NAME, RegisterNumber, register_number, split_company
from vmh_sync.matching.persons import TITLES, generation, in_one_word, name_words
from vmh_sync.matching.spelling import bare, fold
from vmh_sync.matching.traits import Traits
from vmh_sync.sync import values


@dataclass(frozen=True, slots=True, repr=False)
class ComparableParty:
    """Normal forms of a party's traits. ``company`` is true, too, where the name alone says a legal form."""

    traits: Traits
    company: bool
    family: tuple[str, ...]
    in_one_word: str
    first: tuple[str, ...]
    maiden: tuple[str, ...]
    generation: int
    born: date | None
    core: tuple[str, ...]
    form: str
    former: tuple[str, ...]
    addition: tuple[str, ...]
    register: RegisterNumber | None
    emails: frozenset[str]
    phones: frozenset[str]
    ibans: frozenset[str]
    towns: frozenset[str]
    streets: frozenset[str]


def comparable(traits: Traits) -> ComparableParty:
    """Bring a party into its normal forms."""
    company = split_company(traits.name)
    return ComparableParty(
        traits=traits,
        company=traits.company,
        family=tuple(name_words(traits.name)),
        in_one_word=in_one_word(traits.name),
        first=tuple(name_words(traits.vorname)),
        maiden=tuple(name_words(traits.geburtsname)),
        generation=generation(f"{traits.name}") or generation(f"- {traits.vorname}"),
        born=_date(traits.geburtsdatum),
        core=company.core,
        form=company.form or split_company(traits.rechtsform).form,
        former=company.former,
        addition=company.addition,
        register=register_number(traits.register),
        emails=_normal(values.email, traits.emails),
        phones=_normal(values.phone, traits.phones),
        ibans=_normal(values.iban, traits.ibans),
        towns=frozenset(filter(None, map(fold, traits.towns))),
        streets=frozenset(filter(None, map(_street, traits.streets))),
    )


def search_word(name: str) -> str:
    """Return what of a name to search for: its longest piece that is spelled alike with and without umlauts.

    ``ller`` finds Müller and Mueller. Legal forms and titles are no pieces; a short name is searched as it stands.
    """
    words = [word for word in re.split(r"[^\w]+", name) if fold(word) not in FORMS | NO_NAME | TITLES]
    pieces = [piece for word in words for piece in re.split(r"[^A-Za-z0-9]+|ae|oe|ue|ss", word, flags=re.IGNORECASE)]
    longest = max(pieces, key=len, default="")
    return longest if len(longest) >= 4 else max(words, key=len, default="")


_AS_ONE_LETTER = (("ae", "ä"), ("oe", "ö"), ("ue", "ü"), ("ss", "ß"))


def search_words(name: str) -> list[str]:
    """Return what to search for, one text where it is spelled alike everywhere.

    A short name with an umlaut or accent leaves no piece to search for (Krüger, Yıldız): each way to write it is one.
    """
    word = search_word(name)
    umlauts = word.lower()
    for two, one in _AS_ONE_LETTER:
        umlauts = umlauts.replace(two, one)
    ways = [word, *(way.capitalize() for way in (fold(word), umlauts, fold(bare(word)), word.replace("ß", "ss")))]
    # Not case-folded: to Advoware ß and ss may be two.
    return list({way.lower(): way for way in reversed(ways) if way}.values())[::-1]


_NO_BIRTHDAYS = frozenset({date.min, date(1753, 1, 1), date(1899, 12, 30), date(1899, 12, 31), date(1900, 1, 1)})
"""What databases and people put where nobody knows the day: it tells nobody from others."""


def _date(told: str) -> date | None:
    try:
        day = date.fromisoformat(told)
    except ValueError:
        return None
    return None if day in _NO_BIRTHDAYS else day


def _normal(form: Callable[[object], values.Value], told: Iterable[str]) -> frozenset[str]:
    return frozenset(str(normal) for one in told if (normal := form(one)) is not None)


def _street(told: str) -> str:
    """Return a street in one spelling: ``Haupt-Straße 5 a`` is ``hauptstr5a``."""
    joined = fold(told).replace(" ", "")
    return joined.replace("strasse", "str")
