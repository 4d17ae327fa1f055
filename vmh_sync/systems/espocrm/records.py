"""EspoCRM's records and its notation of dates (specification, espocrm.md B4)."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vmh_sync.clock import foreign_moment
from vmh_sync.systems import spoilt_row
from vmh_sync.systems.espocrm.errors import SpoiltRecord, UnexpectedAnswer
from vmh_sync.systems.json_answers import flaw

_FORMAT = "%Y-%m-%d %H:%M:%S"
_USUAL = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "betnr": (int, str),
    "beteiligteId": str,
    "assignedUserId": str,
    "modifiedById": str,
    "modifiedAt": str,
    "versionNumber": int,
    "deleted": bool,
    "syncStatus": str,
}
_CONTACT_LISTS: Mapping[str, str] = {"emailAddressData": "emailAddress", "phoneNumberData": "phoneNumber"}
"""The lists of a record and the name of each item's value: a wrong item is no item that a person took away."""


def parse_datetime(text: Any) -> dt.datetime | None:
    """Read ``YYYY-MM-DD HH:MM:SS`` (always UTC) as an aware datetime; None for null or anything else."""
    if not isinstance(text, str):
        return None
    if _USUAL.fullmatch(text):
        # A thirtieth of what strptime takes, for each row of each list.
        try:
            return foreign_moment(dt.datetime.fromisoformat(f"{text}+00:00"))
        except ValueError:
            return None
    try:
        return foreign_moment(dt.datetime.strptime(text, _FORMAT).replace(tzinfo=dt.UTC))
    except ValueError:
        return None


def format_datetime(moment: dt.datetime) -> str:
    """Write an aware datetime as EspoCRM takes it: UTC, whole seconds (microseconds would be refused)."""
    if moment.tzinfo is None:
        raise ValueError("EspoCRM times are made from aware datetimes (with time zone); got a naive one")
    return moment.astimezone(dt.UTC).strftime(_FORMAT)


def json_value(value: Any) -> Any:
    """Turn a value into what stands on the wire: dates and times as text, everything else as it is."""
    if isinstance(value, dt.datetime):
        return format_datetime(value)
    return value.isoformat() if isinstance(value, dt.date) else value


@dataclass(frozen=True, slots=True)
class EspoRecord:
    """A record as one answer told it.

    From a list only the selected attributes are there, never ``emailAddressData`` or ``phoneNumberData`` (B1.7);
    the answer to a create holds only attributes with a value, and the answer to an update echoes sent e-mail and
    phone lists instead of what is stored (B5): read back where that matters.
    """

    entity: str
    id: str
    attributes: dict[str, Any] = field(repr=False)
    modified_at: dt.datetime | None = None
    """Aware UTC, whole seconds. Moves with our own writes too (B1.1)."""
    version: int | None = None
    """``versionNumber``; None where optimistic concurrency is off, or the record is older than the switch (B8)."""
    modified_by_id: str | None = None
    server_time: dt.datetime | None = None
    """What the clock of the CRM's stamps had reached at least when it answered (``stamp_clock``), aware UTC."""
    deleted: bool = False
    unusable: Mapping[str, UnexpectedAnswer] = field(default_factory=dict)
    """Lists of e-mails and phones that were left out of ``attributes`` because an item of theirs cannot be used."""

    @classmethod
    def of(cls, entity: str, attributes: Any, *, where: str, server_time: dt.datetime | None) -> "EspoRecord":
        """Wrap one JSON object of an answer. Raises UnexpectedAnswer when it is no record."""
        if not isinstance(attributes, dict):
            raise UnexpectedAnswer(f"{where}: expected an object, got {type(attributes).__name__}")
        key = attributes.get("id")
        if not isinstance(key, str) or not key:
            raise SpoiltRecord(f"{where}: record without id", problems=(f"id ({type(key).__name__})",))
        attributes, unusable = _lists_apart(attributes, where)
        spoilt = flaw(attributes) or _misfit(attributes)
        if spoilt is not None:
            raise SpoiltRecord(f"{where}: unusable record", problems=(spoilt,))
        version = attributes.get("versionNumber")
        return cls(
            entity=entity,
            id=key,
            attributes=attributes,
            modified_at=parse_datetime(attributes.get("modifiedAt")),
            version=version if isinstance(version, int) else None,
            modified_by_id=attributes.get("modifiedById"),
            server_time=server_time,
            deleted=attributes.get("deleted") is True,
            unusable=unusable,
        )


def _misfit(attributes: Mapping[str, object]) -> str | None:
    """Return which attribute that we decide by is of a kind that EspoCRM never gives it."""
    for name, kinds in _KINDS.items():
        value = attributes.get(name)
        if value is not None and (not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool)):
            return f"{name} ({type(value).__name__})"
    return None


def _lists_apart(attributes: dict[str, Any], where: str) -> tuple[dict[str, Any], dict[str, UnexpectedAnswer]]:
    """Leave out the lists of which an item cannot be used: they spoil nothing else of the record."""
    unusable: dict[str, UnexpectedAnswer] = {}
    for name in _CONTACT_LISTS:
        items = attributes.get(name)
        if items is None:
            continue
        wrong = _wrong_item(name, items) if isinstance(items, list) else "no list"
        wrong = wrong or flaw({name: items})
        if wrong is not None:
            unusable[name] = SpoiltRecord(f"{where}: unusable list", problems=(f"{name} ({wrong})",))
    if not unusable:
        return attributes, {}
    return {name: value for name, value in attributes.items() if name not in unusable}, unusable


def _wrong_item(name: str, items: list[Any]) -> str | None:
    key = _CONTACT_LISTS[name]
    for item in items:
        if not isinstance(item, dict):
            return "item"
        if not isinstance(item.get(key), str):
            return key
        if any(item.get(flag) not in (None, True, False) for flag in ("primary", "optOut", "invalid")):
            return "flag"
        if not isinstance(item.get("type", ""), str | None):
            return "type"
    return None


@dataclass(frozen=True, slots=True)
class SpoiltRow(spoilt_row.SpoiltRow):
    """A row of a list of EspoCRM that cannot be used."""

    error: UnexpectedAnswer

    @property
    def id(self) -> str | None:
        """The record's id, ``None`` where the row names none."""
        return self.text("id")

    def stub(self, entity: str) -> EspoRecord | None:
        """Return the record with nothing but its id and stamp, ``None`` where the row names no id."""
        if self.id is None:
            return None
        return EspoRecord(entity, self.id, {"id": self.id}, parse_datetime(self.attributes.get("modifiedAt")))


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list."""

    records: list[EspoRecord]
    more: bool
    """Whether further records follow (may be wrongly True where the CRM does not say)."""
    total: int | None = None
    """Exact number of all matching records, only where it was asked for."""
    spoilt: list[SpoiltRow] = field(default_factory=list)
    """Rows that cannot be used."""
    last_id: str | None = None
    """The id of the last row, by which the next page is asked for."""


def json_object(values: Mapping[str, object]) -> dict[str, Any]:
    """The body of a write."""
    return {name: json_value(value) for name, value in values.items()}
