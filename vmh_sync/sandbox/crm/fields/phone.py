"""The rule for phone numbers, with and without "international only" (specification, espocrm.md B1.6)."""

import re
from functools import lru_cache

import phonenumbers

_EXTENSION = re.compile(r"\s+ext\.?\s*\d+$", re.IGNORECASE)
_LOOSE = re.compile(r"[0-9_@:#+().\- ]+")


@lru_cache(maxsize=65536)
def stored_number(number: str, *, international: bool) -> str | None:
    """Return the number as it is stored, or ``None`` if it is refused.

    With ``international`` it must begin with ``+`` and be possible; it is stored as E.164 and an extension is
    dropped silently. Without, it is stored as sent, but ``/`` and letters (save an extension) are refused.
    """
    number = number.strip()
    if not international:
        return number if _LOOSE.fullmatch(_EXTENSION.sub("", number)) else None
    if not number.startswith("+"):
        return None
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
