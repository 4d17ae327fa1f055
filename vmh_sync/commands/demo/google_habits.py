"""How people work in Google Calendar, as the demo shows it: one event is copied, one moved, one formatted."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

Json = dict[str, Any]

_ZONE = "Europe/Berlin"
_NOT_COPIED = ("id", "etag", "kind", "created", "updated", "creator", "organizer", "htmlLink", "iCalUID", "sequence")
_FORMATTED: Json = {
    "summary": "Besprechung mit Formatierung",
    "description": '<b>Wichtig</b><br>Bitte <a href="https://example.org/akte">Akte</a> mitbringen',
    "status": "tentative",
    "colorId": "11",
}
_COPY_TITLE = "Kopie mit eigenem Titel"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line of the closing table: what was looked at, and whether it is as it should be."""

    what: str
    good: bool


class GoogleHabits:
    """Does the three things, and looks afterwards at what became of them. ``urls`` are the control addresses."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        self._urls = urls
        self._copied = self._original = self._moved = self._formatted = ""
        self._from = self._to = ""
        self._mark = ""

    def act(self, touched: Collection[str | int]) -> None:
        """Copy, move and format; needs two calendars, one of them with two plain events that nobody has ``touched``."""
        termine = {str(row["frNr"]): row for row in self._state("advoware")["termine"]}
        calendars = self._calendars()
        free = {one["id"]: _plain(one, termine, {str(one) for one in touched}) for one in calendars}
        first = next(one for one in calendars if len(free[one["id"]]) >= 2)
        second = next(one for one in calendars if one["id"] != first["id"])
        self._from, self._to = first["id"], second["id"]
        original, moving = free[self._from][:2]
        self._original = original["id"]
        copy = {key: value for key, value in original.items() if key not in _NOT_COPIED}
        self._copied = self._edit(self._from, "create", values={**copy, "summary": _COPY_TITLE, **_times(11)})
        self._moved, self._mark = moving["id"], _mark(moving)
        self._edit(self._from, "move", id=self._moved, to=self._to)
        self._formatted = self._edit(self._from, "create", values={**_FORMATTED, **_times(13)})

    def verdicts(self) -> list[Verdict]:
        """Return what became of the three, read from both sides."""
        calendars = {one["id"]: one["events"] for one in self._calendars()}
        termine = {str(row["frNr"]): row for row in self._state("advoware")["termine"]}
        source, target = calendars[self._from], calendars[self._to]
        copied, original = source.get(self._copied, {}), source.get(self._original, {})
        moved, formatted = target.get(self._moved, {}), source.get(self._formatted, {})
        owner = self._name(self._to).removeprefix("AW-")
        return [
            Verdict(
                "kopiertes Ereignis: ein eigener Termin",
                _mark(copied) != _mark(original) and termine.get(_mark(copied), {}).get("text") == _COPY_TITLE,
            ),
            Verdict(
                "zum Kollegen verschobenes Ereignis: derselbe Termin, jetzt seiner",
                _mark(moved) == self._mark
                and termine.get(self._mark, {}).get("sb") == owner
                and source.get(self._moved, {}).get("status") == "cancelled",
            ),
            Verdict(
                "formatiertes Ereignis: Formatierung, Farbe und Status bleiben",
                _mark(formatted) in termine and all(formatted.get(key) == value for key, value in _FORMATTED.items()),
            ),
        ]

    def _calendars(self) -> list[Json]:
        return [one for one in self._state("google")["calendars"] if one["summary"].startswith("AW-")]

    def _name(self, calendar_id: str) -> str:
        return next(str(one["summary"]) for one in self._calendars() if one["id"] == calendar_id)

    def _state(self, system: str) -> Json:
        answer = httpx.get(f"{self._urls[system]}/_sandbox/state", timeout=60, trust_env=False)
        state: Json = answer.raise_for_status().json()
        return state

    def _edit(self, calendar: str, action: str, **more: Any) -> str:
        body = {"entity": "-", "calendar": calendar, "action": action, **more}
        answer = httpx.post(f"{self._urls['google']}/_sandbox/edit", json=body, timeout=60, trust_env=False)
        return str(answer.raise_for_status().json()["id"])


def _plain(calendar: Json, termine: Mapping[str, Json], touched: Collection[str]) -> list[Json]:
    """Single timed events of this employee alone that are synced and that nobody edits, in the order of their ids."""
    owner = str(calendar["summary"]).removeprefix("AW-")

    def own(event: Json) -> bool:
        row = termine.get(_mark(event), {})
        return row.get("sb") == owner and row.get("anwalt") in (None, "", owner) and row["frNr"] > 0

    events = [calendar["events"][key] for key in sorted(calendar["events"])]
    return [
        event
        for event in events
        if event["status"] != "cancelled"
        and "dateTime" in event["start"]
        and "recurrence" not in event
        and "recurringEventId" not in event
        and own(event)
        and not {event["id"], _mark(event)} & set(touched)
    ]


def _mark(event: Json) -> str:
    return str(event.get("extendedProperties", {}).get("private", {}).get("frNr", ""))


def _times(hour: int) -> Json:
    begin = (datetime.now(UTC) + timedelta(days=10)).replace(hour=hour, minute=15, second=0, microsecond=0, tzinfo=None)
    end = begin + timedelta(minutes=50)
    return {
        edge: {"dateTime": moment.isoformat(), "timeZone": _ZONE} for edge, moment in (("start", begin), ("end", end))
    }
