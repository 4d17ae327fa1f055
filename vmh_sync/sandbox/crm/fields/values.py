"""What happens to a value on its way in: trimming, conversion, refusal (specification, espocrm.md B4)."""

import re
from datetime import UTC, date, datetime

from vmh_sync.sandbox.crm.errors import crash
from vmh_sync.sandbox.crm.fields.layout import Attribute

MAX_INT = 2147483647
MAX_TEXT_BYTES = 16 * 1024 * 1024

_STORED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(Z|[+-]\d\d:\d\d)")
_INT = re.compile(r"\s*-?\d+\s*")
_FLOAT = re.compile(r"\s*-?\d+(\.\d+)?\s*")
_BAD_CHARACTERS = re.compile(r"[<>=]")


class InvalidValueError(Exception):
    """A value breaks a rule of its field; ``rule`` is EspoCRM's name for it (``valid``, ``maxLength``, …)."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


def convert(attribute: Attribute, value: object) -> object:
    """Return ``value`` as it is stored; raises :class:`InvalidValueError` if EspoCRM would answer 400.

    Date-times come back as ``YYYY-MM-DD HH:MM:SS`` in UTC, dates as ``YYYY-MM-DD``.
    """
    kind = attribute.kind
    if kind == "enum":
        return _enum(attribute, value)
    if kind == "bool":
        return _bool(value)
    if value is None:
        return None
    if kind in {"varchar", "name"}:
        return _varchar(attribute, value)
    if kind == "text":
        return _text(attribute, value)
    if kind == "int":
        return _int(value)
    if kind == "float":
        return _float(value)
    if kind in {"date", "datetime", "datetimeOptional"}:
        return _moment(kind, value)
    if kind == "id":
        return value or None
    return value


def _enum(attribute: Attribute, value: object) -> object:
    options = attribute.definition.get("options") or []
    if value in {None, ""} if isinstance(value, str | None) else False:
        if "" not in options:
            raise InvalidValueError("valid")
        return None
    if value not in options:
        raise InvalidValueError("valid")
    return value


def _bool(value: object) -> bool:
    if isinstance(value, str):
        return value.strip().lower() not in {"", "false", "0"}
    return bool(value)


def _as_text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InvalidValueError("valid")
    return str(value)


def _varchar(attribute: Attribute, value: object) -> str | None:
    text = _as_text(value).strip()
    limit = attribute.definition.get("maxLength")
    if limit is not None and len(text) > int(limit):
        raise InvalidValueError("maxLength")
    if attribute.definition.get("pattern") == "$noBadCharacters" and _BAD_CHARACTERS.search(text):
        raise InvalidValueError("pattern")
    return text or None


def _text(attribute: Attribute, value: object) -> str | None:
    text = _as_text(value)
    if len(text) * 4 > MAX_TEXT_BYTES and len(text.encode()) > MAX_TEXT_BYTES:
        raise crash()
    limit = attribute.definition.get("maxLength")
    if limit is not None and len(text) > int(limit):
        raise InvalidValueError("maxLength")
    return text or None


def _int(value: object) -> int | None:
    if isinstance(value, str):
        if value.strip() == "":
            return None
        if not _INT.fullmatch(value):
            raise InvalidValueError("valid")
        value = int(value)
    if isinstance(value, float):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidValueError("valid")
    if not -MAX_INT - 1 <= value <= MAX_INT:
        raise InvalidValueError("rangeInternal")
    return value


def _float(value: object) -> float | None:
    if isinstance(value, str):
        if value.strip() == "":
            return None
        if not _FLOAT.fullmatch(value):
            raise InvalidValueError("valid")
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidValueError("valid")
    return float(value)


def _moment(kind: str, value: object) -> str | None:
    if not isinstance(value, str):
        raise InvalidValueError("valid")
    if value == "":
        return None
    text = _date(value) if kind == "date" else normal_moment(value)
    if text is None:
        raise InvalidValueError("valid")
    return text


def _date(value: str) -> str | None:
    if len(value) != len("2025-01-02"):
        return None
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        return None


def normal_moment(value: str) -> str | None:
    """Return a date-time as stored (UTC, seconds), or ``None`` if EspoCRM does not take this notation."""
    try:
        if _STORED.fullmatch(value):
            datetime.fromisoformat(value)
            return value
        if _ISO.fullmatch(value):
            return stamp(datetime.fromisoformat(value))
    except ValueError:
        return None
    return None


def stamp(moment: datetime) -> str:
    """Write an aware moment as EspoCRM does: UTC, ``YYYY-MM-DD HH:MM:SS``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
