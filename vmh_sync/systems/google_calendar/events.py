"""Events as plain records: what Google sends, what we send. No rule about appointments lives here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

Json = dict[str, Any]

# A full update would drop these or be refused because of them (a service account may not send attendees), so an
# event that carries one is changed by patch.
PATCH_ONLY = ("attendees", "attachments", "conferenceData")
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

    def to_wire(self) -> Json:
        """Return Google's ``EventDateTime``."""
        if self.at is not None:
            wire = {"dateTime": self.at.isoformat(timespec="seconds")}
            return {**wire, "timeZone": self.time_zone} if self.time_zone else wire
        return {"date": str(self.day)}


@dataclass(frozen=True, slots=True)
class EventDraft:
    """What we want an event to say. ``end`` is exclusive; ``recurrence`` holds RFC 5545 lines.

    ``private_properties`` replace properties of the same name and leave others alone.
    """

    start: EventTime
    end: EventTime
    summary: str = field(default="", repr=False)
    description: str = field(default="", repr=False)
    location: str = field(default="", repr=False)
    recurrence: tuple[str, ...] = ()
    private: bool = False
    private_properties: Mapping[str, str] = field(default_factory=dict)

    def to_insert(self, event_id: str) -> Json:
        """Return the body of ``events.insert``. Never holds attendees."""
        return {"id": event_id, **self._present()}

    def to_update(self, current: "Event") -> Json:
        """Return the body of ``events.update``: our fields, and of ``current`` what others set there."""
        kept = {key: current.raw[key] for key in _KEPT if key in current.raw}
        body = {**kept, "status": "confirmed", **self._present()}
        body["extendedProperties"] = _merged_properties(current.raw, self.private_properties)
        return body

    def to_patch(self) -> Json:
        """Return the body of ``events.patch``: our fields, with null where a value goes away."""
        texts: Json = {key: value or None for key, value in self._texts().items()}
        return {
            **texts,
            "start": {"date": None, "dateTime": None, "timeZone": None, **self.start.to_wire()},
            "end": {"date": None, "dateTime": None, "timeZone": None, **self.end.to_wire()},
            "recurrence": list(self.recurrence) or None,
            "visibility": self._visibility(),
            "extendedProperties": {"private": dict(self.private_properties)},
        }

    def _present(self) -> Json:
        body: Json = {key: value for key, value in self._texts().items() if value}
        body |= {"start": self.start.to_wire(), "end": self.end.to_wire(), "visibility": self._visibility()}
        if self.recurrence:
            body["recurrence"] = list(self.recurrence)
        if self.private_properties:
            body["extendedProperties"] = {"private": dict(self.private_properties)}
        return body

    def _texts(self) -> dict[str, str]:
        return {"summary": self.summary, "description": self.description, "location": self.location}

    def _visibility(self) -> str:
        return "private" if self.private else "default"


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
    def from_wire(cls, wire: Mapping[str, Any]) -> "Event":
        """Read Google's ``Event`` resource. Raises ValueError when id or etag is missing or a time unreadable."""
        if not wire.get("id"):
            raise ValueError("event without id")
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


def _time(wire: Mapping[str, Any] | None) -> EventTime | None:
    return EventTime.from_wire(wire) if wire else None


def _merged_properties(raw: Mapping[str, Any], private: Mapping[str, str]) -> Json:
    existing = raw.get("extendedProperties", {})
    merged: Json = {"private": {**existing.get("private", {}), **private}}
    return {**merged, "shared": dict(existing["shared"])} if existing.get("shared") else merged
