"""People who work in the calendars: seeded edits of Termine in the office and of events in Google Calendar."""

import random
import ssl
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from types import TracebackType
from typing import Any, Literal, Self, TypedDict

import httpx

Json = dict[str, Any]
CalendarSide = Literal["office", "google"]
CalendarKind = Literal["text", "place", "move", "new", "gone"]
CALENDAR_KINDS: tuple[CalendarKind, ...] = ("text", "place", "move", "new", "gone")

_ZONE = "Europe/Berlin"
_TRIES_PER_EDIT = 100
_SYSTEM: dict[CalendarSide, str] = {"office": "advoware", "google": "google"}


class CalendarEdit(TypedDict):
    """One edit. ``calendar`` is the Kürzel (office) or the calendar's id (Google), ``id`` the frNr or the event's id.

    ``field`` is that side's name; a new entry has ``*`` and its values as ``new``, a deleted one ``*`` and ``None``.
    """

    side: CalendarSide
    kind: CalendarKind
    calendar: str
    id: str | int
    field: str
    old: Any
    new: Any


class CalendarPeople:
    """People who edit calendars. ``urls`` are the control addresses; ``today`` is around when new entries fall.

    Entries with negative frNr, series (only their text and place change) and single occurrences of a series are left
    as they are. The same seed, systems and calls give the same edits.
    """

    def __init__(
        self, urls: Mapping[str, str], *, today: date, seed: int = 0, client: httpx.AsyncClient | None = None
    ) -> None:
        self._urls = urls
        self._today = today
        self._rng = random.Random(f"calendar-people-{seed}")
        self._client = client or httpx.AsyncClient(
            timeout=120, trust_env=False, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        )
        self._owns_client = client is None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._owns_client:
            await self._client.aclose()

    async def edit_some(
        self,
        count: int,
        *,
        sides: Sequence[CalendarSide] = ("office", "google"),
        kinds: Sequence[CalendarKind] = CALENDAR_KINDS,
    ) -> list[CalendarEdit]:
        """Make ``count`` edits, at most one per entry, and return them in order.

        Returns fewer only when nothing of the wanted kinds is left to do.
        """
        edits: list[CalendarEdit] = []
        touched: set[str | int] = set()
        tries = count * _TRIES_PER_EDIT
        while len(edits) < count and tries > 0:
            tries -= 1
            side, kind = self._rng.choice(sides), self._rng.choice(kinds)
            edit = await (self._in_office(kind, touched) if side == "office" else self._in_google(kind, touched))
            if edit is not None:
                edits.append(edit)
                touched.add(edit["id"])
        return edits

    # office

    async def _in_office(self, kind: CalendarKind, touched: set[str | int]) -> CalendarEdit | None:
        state = await self._state("office")
        if kind == "new":
            return await self._new_termin([row["kuerzel"] for row in state["mitarbeiter"] if row["aktiv"]])
        rows = [row for row in state["termine"] if row["frNr"] > 0 and row["frNr"] not in touched]
        if kind == "move":
            rows = [row for row in rows if row["uhrzeitVon"] and row["uhrzeitBis"] and not row["dauertermin"]]
        if not rows:
            return None
        row = self._rng.choice(rows)
        if kind == "gone":
            await self._edit("office", {"entity": "Termine", "id": row["frNr"], "action": "delete"})
            return self._record("office", kind, row["sb"], row["frNr"], "*", row["text"], None)
        values = self._termin_values(kind)
        await self._edit("office", {"entity": "Termine", "id": row["frNr"], "values": values})
        field = next(iter(values))
        return self._record("office", kind, row["sb"], row["frNr"], field, row[field], values[field])

    async def _new_termin(self, kuerzel: list[str]) -> CalendarEdit | None:
        if not kuerzel:
            return None
        day = f"{self._day().isoformat()}T00:00:00"
        whose = self._rng.choice(kuerzel)
        values = {**self._termin_values("text"), **self._termin_values("move"), "datum": day, "datumBis": day}
        values["sb"] = whose
        answer = await self._edit("office", {"entity": "Termine", "action": "create", "values": values})
        return self._record("office", "new", whose, answer["id"], "*", None, values)

    def _termin_values(self, kind: CalendarKind) -> Json:
        if kind == "move":
            hour = self._rng.randrange(7, 19)
            return {"uhrzeitVon": f"{hour:02d}:10:00", "uhrzeitBis": f"{hour:02d}:55:00"}
        name = "text" if kind == "text" else "ort"
        return {name: f"Geändert {self._rng.randrange(10_000)}"}

    # Google

    async def _in_google(self, kind: CalendarKind, touched: set[str | int]) -> CalendarEdit | None:
        state = await self._state("google")
        calendars = [one for one in state["calendars"] if one["id"] != one["owner"]]  # not an account's own
        if not calendars:
            return None
        calendar = self._rng.choice(calendars)
        if kind == "new":
            return await self._new_event(calendar["id"])
        events = [event for event in calendar["events"].values() if _is_plain(event) and event["id"] not in touched]
        if kind == "move":
            events = [event for event in events if "dateTime" in event["start"] and "recurrence" not in event]
        if not events:
            return None
        event = self._rng.choice(events)
        place: Json = {"calendar": calendar["id"], "id": event["id"]}
        if kind == "gone":
            await self._edit("google", {**place, "action": "delete"})
            return self._record("google", kind, calendar["id"], event["id"], "*", event.get("summary"), None)
        values = self._event_values(kind, event)
        await self._edit("google", {**place, "action": "update", "values": values})
        field = next(iter(values))
        return self._record("google", kind, calendar["id"], event["id"], field, event.get(field), values[field])

    async def _new_event(self, calendar: str) -> CalendarEdit:
        begin = datetime.combine(self._day(), datetime.min.time()) + timedelta(hours=self._rng.randrange(8, 18))
        values = {
            "summary": f"Im Kalender angelegt {self._rng.randrange(10_000)}",
            "start": {"dateTime": begin.isoformat(), "timeZone": _ZONE},
            "end": {"dateTime": (begin + timedelta(minutes=45)).isoformat(), "timeZone": _ZONE},
        }
        answer = await self._edit("google", {"calendar": calendar, "action": "create", "values": values})
        return self._record("google", "new", calendar, answer["id"], "*", None, values)

    def _event_values(self, kind: CalendarKind, event: Json) -> Json:
        if kind != "move":
            return {"summary" if kind == "text" else "location": f"Angepasst {self._rng.randrange(10_000)}"}
        later = timedelta(minutes=15 * self._rng.randrange(1, 8))
        return {
            name: {"dateTime": (datetime.fromisoformat(event[name]["dateTime"]) + later).isoformat(), "timeZone": _ZONE}
            for name in ("start", "end")
        }

    # both

    def _day(self) -> date:
        return self._today + timedelta(days=self._rng.randrange(1, 90))

    async def _state(self, side: CalendarSide) -> Json:
        answer = await self._client.get(f"{self._urls[_SYSTEM[side]]}/_sandbox/state")
        state: Json = answer.raise_for_status().json()
        return state

    async def _edit(self, side: CalendarSide, body: Json) -> Json:
        answer = await self._client.post(f"{self._urls[_SYSTEM[side]]}/_sandbox/edit", json=body)
        done: Json = answer.raise_for_status().json()
        return done

    def _record(
        self, side: CalendarSide, kind: CalendarKind, calendar: str, entry: str | int, field: str, old: Any, new: Any
    ) -> CalendarEdit:
        return CalendarEdit(side=side, kind=kind, calendar=calendar, id=entry, field=field, old=old, new=new)


def _is_plain(event: Json) -> bool:
    return event.get("status") != "cancelled" and "recurringEventId" not in event
