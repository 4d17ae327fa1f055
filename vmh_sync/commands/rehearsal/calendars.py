"""A copy of the employees' appointments, held in memory only, for the simulated Advoware and Google."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from vmh_sync.engine.failures.isolation import isolated
from vmh_sync.kalender.context import CalendarContext, CalendarSettings, open_calendar
from vmh_sync.kalender.form.window import Window, window_at
from vmh_sync.kalender.reading.employees import Employee, active_employees
from vmh_sync.settings import SettingsError
from vmh_sync.systems.google_calendar.changes import read_changes
from vmh_sync.systems.google_calendar.events import Event
from vmh_sync.systems.spoilt_row import SpoiltRow

Json = dict[str, Any]


@dataclass(slots=True, repr=False)
class CalendarCopy:
    """``calendars``: Kürzel → what to know of the calendar, with its events; who has none yet stands with ``None``.

    ``unreadable`` names what is not in the copy, without values.
    """

    mitarbeiter: list[Json] = field(default_factory=list)
    termine: dict[int, Json] = field(default_factory=dict)
    calendars: dict[str, Json | None] = field(default_factory=dict)
    events: dict[str, tuple[Event, ...]] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)

    def count(self) -> int:
        """Return how many events stand in the copy, single occurrences of series not counted."""
        return sum(1 for events in self.events.values() for event in events if not _is_occurrence(event))


async def copy_calendars() -> CalendarCopy | None:
    """Read the appointments of all active employees on both sides; ``None`` where no Google is set up.

    Raises the clients' errors when not even the employees can be read; one employee's trouble stays his own.
    """
    try:
        settings = CalendarSettings.read()
    except SettingsError:
        return None
    copied = CalendarCopy()
    async with open_calendar("rehearsal", settings) as context:
        window = window_at(context.clock.now(), context.rules)
        for employee in (await active_employees(context)).employees:
            failed: list[Exception] = []
            with isolated(f"calendar {employee.kuerzel}", failed.append):
                await _copy_one(context, employee, window, copied)
            copied.unreadable += [f"Kalender {employee.kuerzel}"] * len(failed)
    return copied


async def _copy_one(context: CalendarContext, employee: Employee, window: Window, copied: CalendarCopy) -> None:
    kuerzel, google = employee.kuerzel, context.google
    spoilt: list[SpoiltRow] = []
    termine = await context.advoware.list_termine(kuerzel, window.start, window.end, spoilt=spoilt)
    found = await google.run(lambda: google.directory.look_up(kuerzel))
    events: tuple[Event, ...] = ()
    if found is not None:
        read = await google.run(lambda: read_changes(google.client, found, None))
        events = read.events
        copied.unreadable += [f"Kalender {kuerzel}: ein Ereignis"] * len(read.nameless)
    # Only what was read as a whole comes into the copy: half a calendar would look like deletions.
    copied.mitarbeiter.append({"kuerzel": kuerzel, "name": kuerzel})
    copied.unreadable += [f"Kalender {kuerzel}: ein Termin"] * len(spoilt)
    copied.termine |= {termin.fr_nr: dict(termin.raw) for termin in termine}
    copied.calendars[kuerzel] = None if found is None else {"id": found, "summary": google.directory.title(kuerzel)}
    copied.events[kuerzel] = events


def advoware_seed(copied: CalendarCopy) -> Json:
    """Return what the simulated Advoware is filled with."""
    return {"mitarbeiter": copied.mitarbeiter, "termine": list(copied.termine.values())}


async def fill_google(copied: CalendarCopy, http: httpx.AsyncClient, url: str) -> None:
    """Put the calendars into the simulated Google; what it does not take is named in ``copied.unreadable``."""
    control = f"{url}/_sandbox"
    calendars = [one for one in copied.calendars.values() if one is not None]
    (await http.post(f"{control}/seed", json={"calendars": calendars})).raise_for_status()
    for kuerzel, calendar in copied.calendars.items():
        if calendar is None:
            continue
        for event in sorted(copied.events[kuerzel], key=_is_occurrence):  # a series before what deviates from it
            body = _edit(event) | {"calendar": calendar["id"]}
            if (await http.post(f"{control}/edit", json=body)).is_error:
                copied.unreadable.append(f"Kalender {kuerzel}: Ereignis {event.id}")


def _edit(event: Event) -> Json:
    if not _is_occurrence(event):
        return {"action": "create", "values": dict(event.raw)}
    if event.cancelled:
        return {"action": "delete", "id": event.id}
    return {"action": "update", "id": event.id, "values": dict(event.raw)}


def _is_occurrence(event: Event) -> bool:
    return bool(event.raw.get("recurringEventId"))
