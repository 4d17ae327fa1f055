"""Which types of EspoCRM's fields can hold what we write (specification, entities.md; espocrm.md B4). Pure."""

from collections.abc import Mapping

_NUMBER = frozenset({"int", "varchar", "text", "autoincrement", "number"})
_HOLDS: Mapping[str, frozenset[str]] = {
    "int": _NUMBER,
    "varchar": frozenset({"varchar", "text", "url", "wysiwyg"}),
    "text": frozenset({"text", "wysiwyg", "varchar"}),
    "enum": frozenset({"enum", "varchar", "text"}),
    "date": frozenset({"date", "datetime", "datetimeOptional"}),
    "datetime": frozenset({"datetime", "datetimeOptional"}),
    "bool": frozenset({"bool"}),
    "address": frozenset({"address"}),
    "personName": frozenset({"personName", "varchar"}),
    "link": frozenset({"link"}),
    "email": frozenset({"email"}),
    "phone": frozenset({"phone"}),
}
"""Wanted type -> types that take its values and give them back, compared by meaning."""

_DIGITS = 10
"""Of the largest number that an ``int`` of EspoCRM holds."""


def fits(wanted: Mapping[str, object], found: Mapping[str, object]) -> bool:
    """Whether a field can hold the values of the wanted definition; a length does not count here."""
    kind = str(wanted.get("type"))
    return found.get("type") in _HOLDS.get(kind, frozenset({kind}))


def misfit(wanted: Mapping[str, object], found: Mapping[str, object]) -> str:
    """Say in German what is wrong: ``ist vom Typ bool statt int``."""
    return f"ist vom Typ {found.get('type')} statt {wanted.get('type')}"


def too_short(wanted: Mapping[str, object], found: Mapping[str, object]) -> tuple[int, int] | None:
    """Return (length that is there, wanted length) when a text field takes less than wanted."""
    if found.get("type") != "varchar":
        return None
    has, needs = found.get("maxLength"), _length(wanted)
    if not isinstance(has, int) or not isinstance(needs, int) or has >= needs:
        return None
    return has, needs


def _length(wanted: Mapping[str, object]) -> object:
    """The longest text that the values of a wanted field need; None where it is not a matter of text."""
    options = wanted.get("options")
    if isinstance(options, list | tuple) and options:
        return max(len(str(option)) for option in options)
    return _DIGITS if wanted.get("type") == "int" else wanted.get("maxLength")
