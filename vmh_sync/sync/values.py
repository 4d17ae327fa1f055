"""How values are compared: normal forms per kind of value.

Values are compared in their normal form and written in the notation of the side that owns the edit
(specification, sync-semantics.md 1).
"""

import datetime
import re
import unicodedata
from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache

import phonenumbers

Value = str | int | bool | None
"""A canonical value: text, number, flag, or ``None`` for empty."""

_BLANKS = re.compile(r"[ \t\u00a0]+")
_ISO_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(?:Z|[+-]\d{2}:?\d{2})?)?")
_NO_DATES = frozenset({"0000-00-00", "0001-01-01"})
"""What a database, or a program of .NET, says where there is none."""
_SET = frozenset({"1", "true", "ja", "j", "yes", "y"})
_NOT_SET = frozenset({"", "0", "false", "nein", "n", "no"})
_EXTENSION = re.compile(r"(?i)[\s;,]*(?:ext\.?|durchwahl|dw\.?|app\.?|apparat|nst\.?|x|#)\s*[.:=]?\s*(\d{1,6})\s*$")
_TRUNK_ZERO = re.compile(r"\(\s*0\s*\)")
_NO_DIGIT = re.compile(r"\D")
_BEFORE_NUMBER = re.compile(r"^[^\d+]+")
_LONGEST_AREA_CODE = 5
_BIC_OF_BANK = 8
_COUNTRIES = {
    word: name
    for name, words in {
        "deutschland": ("d", "de", "deu", "germany", "bundesrepublik deutschland"),
        "österreich": ("a", "at", "aut", "austria"),
        "schweiz": ("ch", "che", "switzerland"),
    }.items()
    for word in words
}
_WHOLE_BANK = re.compile(r"[A-Z0-9]{8}XXX")


class Kind(StrEnum):
    """What a field holds, which decides how two values of it are compared."""

    TEXT = "text"
    EMAIL = "email"
    PHONE = "phone"
    IBAN = "iban"
    BIC = "bic"
    COUNTRY = "country"
    DATE = "date"
    FLAG = "flag"
    NUMBER = "number"


def text(value: object) -> str | None:
    """Return ``value`` as trimmed NFC text with LF line ends, or ``None`` when nothing is left."""
    if value is None:
        return None
    plain = str(value)
    if not plain.isascii():
        plain = unicodedata.normalize("NFC", plain)
    if "\n" not in plain and "\r" not in plain:  # nearly all
        return plain.strip() or None
    plain = plain.replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(line.rstrip() for line in plain.split("\n")).strip() or None


def visible(value: object) -> str:
    """Return a text without what nobody sees in it: direction marks, blanks of no width, soft hyphens.

    Copied from an address book or a web page they come along, and mean nothing in a number or an address.
    """
    plain = text(value) or ""
    return plain if plain.isascii() else "".join(c for c in plain if unicodedata.category(c) != "Cf").strip()


def date(value: object) -> str | None:
    """Return the date part ``YYYY-MM-DD`` of a date or local date-time text; other text stays as it is.

    No zone shift: a birthday has no zone (specification, entities.md 1).
    """
    plain = text(value)
    match = _ISO_DATE.fullmatch(plain) if plain else None
    if match is None:
        return plain
    return match.group(1) if match.group(1) not in _NO_DATES else None


def is_date(value: Value) -> bool:
    """Whether a canonical value is a day that the calendar has."""
    try:
        return isinstance(value, str) and bool(datetime.date.fromisoformat(value))
    except ValueError:
        return False


def email(value: object) -> str | None:
    """Return the case-folded, trimmed address, or ``None`` when empty."""
    return visible(value).casefold() or None


def iban(value: object) -> str | None:
    """Return the IBAN in upper case without blanks, or ``None`` when empty."""
    return re.sub(r"\s+", "", visible(value)).upper() or None


def bic(value: object) -> str | None:
    """Return the BIC in upper case without blanks, or ``None`` when empty; ``XXX`` (the head office) is left out."""
    plain = iban(value)
    return plain[:_BIC_OF_BANK] if plain is not None and _WHOLE_BANK.fullmatch(plain) else plain


def country(value: object) -> str | None:
    """Return the country case-folded, the neighbours' codes and English names as German names, ``None`` when empty."""
    plain = text(value)
    folded = plain.casefold() if plain is not None else None
    return _COUNTRIES.get(folded, folded) if folded is not None else None


def phone(value: object, region: str = "DE") -> str | None:
    """Return a number as E.164 (with ``;ext=`` where it names an extension), default region Germany.

    Extensions are taken off first: the library would read their letters as digits ("App. 12" would become 27712;
    design.md 8). What is no single complete number stays what it is: a text with other letters or with two numbers
    is compared without blanks, a number without area code or a short one (``110``) by its digits, never as +49…,
    which would be somebody else's line.
    """
    plain = visible(value)
    return _phone(plain, region) if plain else None


@lru_cache(maxsize=8192)
def _phone(plain: str, region: str) -> str:
    # A pass compares the same number ten times and more: when all of its batch are planned, and when each is written.
    extension = _EXTENSION.search(plain)
    main = plain[: extension.start()] if extension else plain
    number = _BEFORE_NUMBER.sub("", main)
    if any(char.isalpha() for char in main) or not any(char.isdigit() for char in main) or _is_several(number):
        return _BLANKS.sub("", plain)
    suffix = f";ext={extension.group(1)}" if extension else ""
    if not number.startswith(("+", "0")):
        return _NO_DIGIT.sub("", main) + suffix
    if number.startswith(("+", "00")):
        main = _TRUNK_ZERO.sub("", main)
    try:
        parsed = phonenumbers.parse(main, region)
    except phonenumbers.NumberParseException:
        return _BLANKS.sub("", plain)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) + suffix


def _is_several(main: str) -> bool:
    """Tell whether a text that begins with a digit or plus lists two numbers ("0711 123456 / 78").

    The library would join them to one.
    """
    if ";" in main or "," in main or "\n" in main or main.count("/") > 1 or main.count("+") > 1:
        return True
    before, slash, _ = main.partition("/")
    if not slash:
        return False
    digits = _NO_DIGIT.sub("", _TRUNK_ZERO.sub("", before))
    if before.startswith("+") or digits.startswith("00"):
        return len(digits.removeprefix("00")) > 3 + _LONGEST_AREA_CODE
    return len(digits.removeprefix("0")) > _LONGEST_AREA_CODE


def flag(value: object) -> bool | str:
    """Return a flag; nothing, ``""``, ``"false"`` and ``0`` are false. Text that says neither stays as it stands."""
    if isinstance(value, str):
        word = value.strip().lower()
        return word in _SET if word in _SET | _NOT_SET else value.strip()
    return bool(value)


def number(value: object) -> int | str | None:
    """Return a whole number, or the text as it stands when it is none."""
    plain = text(value)
    if plain is None:
        return None
    return int(plain) if re.fullmatch(r"[+-]?\d{1,18}", plain) else plain  # more digits are no number of anything


_NORMAL: dict[Kind, Callable[[object], Value]] = {
    Kind.TEXT: text,
    Kind.EMAIL: email,
    Kind.PHONE: phone,
    Kind.IBAN: iban,
    Kind.BIC: bic,
    Kind.COUNTRY: country,
    Kind.DATE: date,
    Kind.FLAG: flag,
    Kind.NUMBER: number,
}


def normal(kind: Kind, value: object) -> Value:
    """Return the normal form of ``value``: what two notations of the same thing have in common."""
    return _NORMAL[kind](value)


def same(kind: Kind, one: object, other: object) -> bool:
    """Tell whether two values mean the same."""
    if one == other and type(one) is type(other):
        return True
    return normal(kind, one) == normal(kind, other)


_MARKS = str.maketrans(
    dict.fromkeys('"`\u00ab\u00b4\u00bb\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2039\u203a', "'")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-")
)


def spelling(value: object) -> str | None:
    """Return a text as any server may spell it: without case, double blanks, kinds of quotes and dashes.

    Its lines stay lines: a letter prints them.
    """
    plain = text(value)
    if plain is None:
        return None
    marked = unicodedata.normalize("NFC", plain.casefold()).translate(_MARKS)
    return "\n".join(" ".join(line.split()) for line in marked.split("\n")) or None


def alike(kind: Kind, one: object, other: object) -> bool:
    """Tell whether both sides may rest with these two: they mean the same, or are one text in two spellings.

    An edit that only respells is carried over; a side that keeps a spelling of its own does not stay apart for it, or
    its task could never be solved.
    """
    if same(kind, one, other):
        return True
    return kind is Kind.TEXT and isinstance(one, str) and isinstance(other, str) and spelling(one) == spelling(other)


def is_empty(value: object) -> bool:
    """Tell whether a value says nothing (``None`` or blank text)."""
    return value is None or (isinstance(value, str) and not value.strip())


_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


def _skeletons(plain: str) -> set[str]:
    """Return what is left of a text without case, blanks, punctuation and accents, in both ways to spell umlauts."""
    folded = plain.casefold()
    forms = (folded, folded.translate(_UMLAUTS), _without_accents(folded), _without_accents(folded, drop=True))
    return {kept for form in forms if (kept := "".join(char for char in form if char.isalnum()))}


def _without_accents(plain: str, *, drop: bool = False) -> str:
    if drop:
        return "".join(char for char in plain if char.isascii())
    return "".join(char for char in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(char))


def is_form_of(stands: Value, sent: Value) -> bool:
    """Tell whether a side made ``stands`` of what it was ``sent``: cut off, other case, blanks, marks or umlauts.

    Such a value is nobody's edit, although it is not what was sent.
    """
    standing_text, sent_text = text(stands), text(sent)
    if standing_text is None or sent_text is None:
        return False
    return any(whole.startswith(plain) for plain in _skeletons(standing_text) for whole in _skeletons(sent_text))
