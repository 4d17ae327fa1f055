"""Events as plain records: what Google sends, what we send. No rule about appointments lives here."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from vmh_sync.systems.json_answers import flaw, sound_part

Json = dict[str, Any]

# A full update would drop these or be refused because of them (a service account may not send attendees), so an
# event that carries one is changed by patch.
PATCH_ONLY = ("attendees", "attachments", "conferenceData")
_TEXTS = ("summary", "description", "location")
_KEPT = (
    "colorId",
    "reminders",
    "transparency",
    "guestsCanInviteOthers",
    "guestsCanModify",
    "guestsCanSeeOtherGuests",
    "anyoneCanAddSelf",
    "source",
    "sequence",
    "iCalUID",
    "eventType",
    "recurringEventId",
    "originalStartTime",
)


@dataclass(frozen=True, slots=True)
class EventTime:
    """Either a whole day (``day``) or a moment (``at``, aware) with the IANA zone it is meant in."""

    day: date | None = None
    at: datetime | None = None
    time_zone: str | None = None

    def __post_init__(self) -> None:
        if (self.day is None) == (self.at is None):
            raise ValueError("EventTime needs exactly one of day and at")
        if self.at is not None and self.at.tzinfo is None:
            raise ValueError("EventTime needs an aware datetime")

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> "EventTime":
        """Read Google's ``EventDateTime``. Raises ValueError when it holds neither date nor dateTime."""
        if wire.get("date"):
            return cls(day=date.fromisoformat(str(wire["date"])))
        if wire.get("dateTime"):
            return cls(at=datetime.fromisoformat(str(wire["dateTime"])), time_zone=wire.get("timeZone"))
        raise ValueError("EventDateTime holds neither date nor dateTime")


class EventContent(Protocol):
    """What we want an event to say, as the bodies of the three ways of writing it."""

    @property
    def only_properties(self) -> bool:
        """Whether nothing but our private extended properties is to be written."""
        ...

    def to_insert(self, event_id: str) -> Json:
        """Return the body of ``events.insert``."""
        ...

    def to_update(self, current: "Event") -> Json:
        """Return the body of ``events.update`` that keeps what others set on ``current``."""
        ...

    def to_patch(self, current: "Event") -> Json:
        """Return the body of ``events.patch`` that makes it of ``current``."""
        ...


@dataclass(frozen=True, slots=True)
class WireContent:
    """Content given as an event body that holds our fields only: texts, start, end, recurrence, visibility, mark.

    ``own_properties`` are the private extended properties that are ours: one that the body does not name is taken
    away; others are left alone. Guests in the body are never sent.
    """

    body: Mapping[str, Any] = field(repr=False)
    own_properties: frozenset[str] = frozenset()
    only_properties = False

    def to_insert(self, event_id: str) -> Json:
        """Return the body of ``events.insert``."""
        return {**self._present(), "id": event_id}

    def to_update(self, current: "Event") -> Json:
        """Return the body of ``events.update``: our fields, and of ``current`` what others set there."""
        kept = {key: current.raw[key] for key in _KEPT if key in current.raw}
        others = {key: text for key, text in current.private_properties.items() if key not in self.own_properties}
        properties: Json = {"private": {**others, **self._properties()}}
        if shared := current.raw.get("extendedProperties", {}).get("shared"):
            properties["shared"] = dict(shared)
        return {**kept, "status": "confirmed", **self._present(), "extendedProperties": properties}

    def to_patch(self, current: "Event") -> Json:
        """Return the body of ``events.patch``: our fields, with null where a value goes away."""
        texts = {key: self.body.get(key) or None for key in _TEXTS}
        no_time: Json = {"date": None, "dateTime": None, "timeZone": None}
        gone = dict.fromkeys(self.own_properties)
        return {
            **texts,
            "start": {**no_time, **self.body["start"]},
            "end": {**no_time, **self.body["end"]},
            "recurrence": list(self.body.get("recurrence") or ()) or None,
            "visibility": self.body.get("visibility", "default"),
            "extendedProperties": {"private": {**gone, **self._properties()}},
        }

    def _present(self) -> Json:
        return {key: value for key, value in self.body.items() if value and key not in PATCH_ONLY}

    def _properties(self) -> dict[str, str]:
        return dict(self.body.get("extendedProperties", {}).get("private", {}))


@dataclass(frozen=True, slots=True)
class Event:
    """An event as Google sent it. A cancelled one may hold nothing but its id.

    ``updated`` is Google's clock, UTC. ``raw`` is the whole resource.
    """

    id: str
    etag: str
    status: str
    start: EventTime | None
    end: EventTime | None
    summary: str = field(repr=False)
    description: str = field(repr=False)
    location: str = field(repr=False)
    recurrence: tuple[str, ...]
    visibility: str
    updated: datetime | None
    recurring_event_id: str | None
    original_start: EventTime | None
    private_properties: Mapping[str, str]
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def cancelled(self) -> bool:
        """True for a deleted event and for a cancelled occurrence of a living series."""
        return self.status == "cancelled"

    @property
    def is_exception(self) -> bool:
        """True for a changed or cancelled occurrence of a series: it is no event of its own."""
        return self.recurring_event_id is not None

    @property
    def deleted(self) -> bool:
        """True when the event itself is gone (not just one occurrence of its series)."""
        return self.cancelled and not self.is_exception

    @property
    def private(self) -> bool:
        """True when only people with write access see the content."""
        return self.visibility in {"private", "confidential"}

    @property
    def needs_patch(self) -> bool:
        """True when a full update would harm what a person added (guests, attachments, a conference)."""
        return any(self.raw.get(key) for key in PATCH_ONLY)

    @classmethod
    def as_told(cls, wire: Any) -> "Event":
        """Read an item of a list; one that cannot be used comes without content, so that nothing is decided about it.

        Raises ValueError when not even its id can be read.
        """
        spoilt = flaw(wire)
        if spoilt is None:
            with suppress(ValueError, TypeError, AttributeError, OverflowError):
                return cls.from_wire(wire)
        sound = sound_part(wire) if isinstance(wire, dict) else {}
        named = {name: sound[name] for name in ("id", "recurringEventId") if isinstance(sound.get(name), str)}
        return cls.from_wire(named)

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> "Event":
        """Read Google's ``Event`` resource.

        Raises ValueError when the id is missing, a time unreadable, or a field of a kind that Google never gives it.
        """
        if not wire.get("id") or not isinstance(wire["id"], str):
            raise ValueError("event without id")
        _require_kinds(wire)
        return cls(
            id=str(wire["id"]),
            etag=str(wire.get("etag", "")),
            status=str(wire.get("status", "confirmed")),
            start=_time(wire.get("start")),
            end=_time(wire.get("end")),
            summary=str(wire.get("summary", "")),
            description=str(wire.get("description", "")),
            location=str(wire.get("location", "")),
            recurrence=tuple(wire.get("recurrence", ())),
            visibility=str(wire.get("visibility", "default")),
            updated=datetime.fromisoformat(wire["updated"]) if wire.get("updated") else None,
            recurring_event_id=wire.get("recurringEventId"),
            original_start=_time(wire.get("originalStartTime")),
            private_properties=dict(wire.get("extendedProperties", {}).get("private", {})),
            raw=dict(wire),
        )


_ALWAYS_TEXT = ("etag", "status", *_TEXTS, "visibility", "eventType", "updated", "recurringEventId")


def _require_kinds(wire: Mapping[str, Any]) -> None:
    wrong = [name for name in _ALWAYS_TEXT if not isinstance(wire.get(name), str | None)]
    lines = wire.get("recurrence") or ()
    if wrong or not isinstance(lines, list | tuple) or not all(isinstance(line, str) for line in lines):
        raise ValueError(f"event with {', '.join(wrong or ['recurrence'])} of a wrong kind")


def _time(wire: Mapping[str, Any] | None) -> EventTime | None:
    return EventTime.from_wire(wire) if wire else None
