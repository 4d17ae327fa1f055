"""An address's own rules: the mark in the remark, the printed block, and what makes an address. Pure."""

import re
from datetime import date

from vmh_sync.sync.base import Fields
from vmh_sync.sync.reporting.reported_text import nameable
from vmh_sync.sync.values import Value, is_date, text, visible
from vmh_sync.sync.values import date as day_of

NAME_LIMIT = 100
EMPTY = "Die Adresse ist leer. Bitte mindestens Straße, Ort oder Postfach eintragen."
INVERTED = "Die Gültigkeit endet, bevor sie beginnt. Bitte „Gültig von“ und „Gültig bis“ berichtigen."

_MARK = re.compile(r"[ \t]*EspoCRM-ID:[ \t]*([0-9A-Za-z]+)[ \t]*\r?\n?", re.IGNORECASE)
_CUT_MARK = re.compile(r"\s*EspoCRM-(I|ID|ID:)?\s*", re.IGNORECASE)
_BLANKS = re.compile(r"[\s.,\-]+")
_STREET = re.compile(r"stra(?:ß|ss)e\b")


def marked_for(remark: object) -> str | None:
    """Return the EspoCRM id that an Advoware remark names (it can never be changed there through the interface)."""
    match = _MARK.search(str(remark or ""))
    if match is None:
        return None
    return (
        match.group(1) if "EspoCRM-ID:" in match.group(0) else match.group(1).lower()
    )  # respelled: ids are lower case


def without_mark(remark: object) -> str | None:
    """Return what people wrote into a remark; an office may have respelled our mark, or cut it off."""
    said = str(remark or "")
    return None if _CUT_MARK.fullmatch(said) else text(_MARK.sub("", said, count=1))


def with_mark(espo_id: str, remark: Value) -> str:
    """Return the remark of a new address: our mark, then what people wrote."""
    mark = f"EspoCRM-ID: {espo_id}"
    return f"{mark}\n{remark}" if remark else mark


def natural_key(fields: Fields) -> tuple[str, ...] | None:
    """Two addresses are the same when street, code and town are; spelling of "Straße" and case do not matter."""
    key = tuple(_normal(fields.get(name)) for name in ("strasse", "plz", "ort"))
    if not any(key):
        box = tuple(_normal(fields.get(name)) for name in ("postfach", "postfach_plz"))
        return ("postfach", *box) if any(box) else None
    return key if key[0] else (*key, "postfach", _normal(fields.get("postfach")))


def _normal(value: Value) -> str:
    plain = visible(value).casefold()
    return _BLANKS.sub(" ", _STREET.sub("str", plain)).replace("ß", "ss").strip()


def block(owner: str, fields: Fields) -> str:
    """Return the address as printed on letters, lines joined by CRLF."""
    street = text(fields.get("strasse"))
    box = text(fields.get("postfach"))
    town = " ".join(part for name in ("plz", "ort") if (part := text(fields.get(name))))
    lines = [owner, street or (f"Postfach {box}" if box else None), town, text(fields.get("land"))]
    return "\r\n".join(line for line in lines if line)


def problems(fields: Fields) -> list[tuple[str, str]]:
    """Return field and German sentence for everything that is wrong with an address."""
    found = []
    if not any(text(fields.get(name)) for name in ("strasse", "ort", "postfach")):
        found.append(("strasse", EMPTY))
    begins, ends = fields.get("gueltig_von"), fields.get("gueltig_bis")
    if is_date(begins) and is_date(ends) and str(ends) < str(begins):
        found += [("gueltig_von", INVERTED), ("gueltig_bis", INVERTED)]
    return found


def is_valid(ends: object, today: date) -> bool:
    """Whether an address has not ended. ``ends`` is Advoware's local date-time, its last day counts."""
    last = day_of(ends)
    return last is None or last[:10] >= today.isoformat()


def title(fields: Fields) -> str:
    """Return an address in one line."""
    town = " ".join(part for name in ("plz", "ort") if (part := text(fields.get(name))))
    box = text(fields.get("postfach"))
    parts = (text(fields.get("strasse")), f"Postfach {box}" if box else None, town, text(fields.get("land")))
    return ", ".join(part for part in parts if part)


def espo_name(fields: Fields) -> str:
    """Return the ``name`` of a new EspoCRM record."""
    parts = (text(fields.get("strasse")) or text(fields.get("postfach")), text(fields.get("ort")))
    name = nameable(", ".join(part for part in parts if part)).strip()
    return name[:NAME_LIMIT] or "Adresse"
