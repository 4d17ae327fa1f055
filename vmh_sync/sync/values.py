"""How values are compared: normal forms per kind of value.

Values are compared in their normal form and written in the notation of the side that owns the edit
(specification, sync-semantics.md 1).
"""

import re
import unicodedata
from collections.abc import Callable
from enum import StrEnum

import phonenumbers

Value = str | int | bool | None
"""A canonical value: text, number, flag, or ``None`` for empty."""

_BLANKS = re.compile(r"[ \t\u00a0]+")
_ISO_DATE = re.compile(r"^(\d{4}-\d{2}-\d{2})")
_EXTENSION = re.compile(r"(?i)\s*(?:ext\.?|durchwahl|dw\.?|app\.?|apparat|nst\.?|x)\s*\.?:?\s*(\d{1,6})\s*$")
_PHONE_WORDS = re.compile(r"[A-Za-zÄÖÜäöüß]")


class Kind(StrEnum):
    """What a field holds, which decides how two values of it are compared."""

    TEXT = "text"
    EMAIL = "email"
    PHONE = "phone"
    IBAN = "iban"
    DATE = "date"
    FLAG = "flag"
    NUMBER = "number"


def text(value: object) -> str | None:
    """Return ``value`` as trimmed NFC text with LF line ends, or ``None`` when nothing is left."""
    if value is None:
        return None
    plain = unicodedata.normalize("NFC", str(value)).replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(line.rstrip() for line in plain.split("\n")).strip() or None


def date(value: object) -> str | None:
    """Return the date part ``YYYY-MM-DD`` of a date or local date-time text; other text stays as it is.

    No zone shift: a birthday has no zone (specification, entities.md 1).
    """
    plain = text(value)
    match = _ISO_DATE.match(plain) if plain else None
    return match.group(1) if match else plain


def email(value: object) -> str | None:
    """Return the case-folded, trimmed address, or ``None`` when empty."""
    plain = text(value)
    return plain.casefold() if plain else None


def iban(value: object) -> str | None:
    """Return the IBAN or BIC in upper case without blanks, or ``None`` when empty."""
    plain = text(value)
    return re.sub(r"\s+", "", plain).upper() if plain else None


def phone(value: object, region: str = "DE") -> str | None:
    """Return a number as E.164 (with ``;ext=`` where it names an extension), default region Germany.

    What libphonenumber cannot read is compared as text without blanks. Words and extensions are taken off first:
    the library would read letters as digits ("App. 12" would become 27712; design.md 8).
    """
    plain = text(value)
    if plain is None:
        return None
    extension = _EXTENSION.search(plain)
    main = plain[: extension.start()] if extension else plain
    main = main.replace("(0)", "") if main.lstrip().startswith(("+", "00")) else main
    if _PHONE_WORDS.search(main):
        return _BLANKS.sub("", plain)
    try:
        parsed = phonenumbers.parse(main, region)
    except phonenumbers.NumberParseException:
        return _BLANKS.sub("", plain)
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return f"{number};ext={extension.group(1)}" if extension else number


def flag(value: object) -> bool:
    """Return a flag; nothing, ``""``, ``"false"`` and ``0`` are false."""
    if isinstance(value, str):
        return value.strip().lower() in {"1", "true", "ja", "yes"}
    return bool(value)


def number(value: object) -> int | str | None:
    """Return a whole number, or the text as it stands when it is none."""
    plain = text(value)
    if plain is None:
        return None
    return int(plain) if re.fullmatch(r"[+-]?\d+", plain) else plain


_NORMAL: dict[Kind, Callable[[object], Value]] = {
    Kind.TEXT: text,
    Kind.EMAIL: email,
    Kind.PHONE: phone,
    Kind.IBAN: iban,
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


def is_empty(value: object) -> bool:
    """Tell whether a value says nothing (``None`` or blank text)."""
    return value is None or (isinstance(value, str) and not value.strip())
