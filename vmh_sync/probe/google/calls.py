"""The calls of a probe of Google Calendar: each is taken down with its answer, whatever the answer is. Blocks."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from vmh_sync.probe.findings import Notes
from vmh_sync.probe.recording import Exchange
from vmh_sync.systems.google_calendar.client import (
    DELETE,
    GET,
    INSERT,
    LIST,
    SILENT,
    UPDATE,
    GoogleCalendarClient,
    Operation,
)

Json = dict[str, Any]
Build = Callable[[Any], Any]


@dataclass(slots=True)
class GoogleCalls(Notes):
    """Calls of Google with their answers as they came, and what was found out so far."""

    client: GoogleCalendarClient
    calendar: str

    def call(self, name: str, operation: Operation, build: Build, *, kept: bool = True, **said: Any) -> Exchange:
        """Make a call. Raises what the client raises where there is no answer."""
        answer = self.client.exchange(operation, build)
        path = operation.route.replace("{calendarId}", self.calendar).replace("{eventId}", said.get("event", ""))
        headers = {"If-Match": said["etag"]} if "etag" in said else {}
        made = Exchange(name, operation.verb, path, answer, said.get("params", {}), said.get("body"), "google", headers)
        if kept:
            self.exchanges.append(made)
        return made

    def insert(self, name: str, body: Json, *, kept: bool = True) -> Exchange:
        """Create an event."""
        return self.call(
            name,
            INSERT,
            lambda s: s.events().insert(calendarId=self.calendar, body=body, **SILENT),
            kept=kept,
            body=body,
            params=SILENT,
        )

    def get(self, name: str, event: str) -> Exchange:
        """Read an event."""
        return self.call(name, GET, lambda s: s.events().get(calendarId=self.calendar, eventId=event), event=event)

    def update(self, name: str, event: str, body: Json, etag: str) -> Exchange:
        """Replace an event that stands as ``etag`` says."""

        def build(service: Any) -> Any:
            request = service.events().update(calendarId=self.calendar, eventId=event, body=body, **SILENT)
            request.headers["If-Match"] = etag
            return request

        return self.call(name, UPDATE, build, event=event, body=body, etag=etag, params=SILENT)

    def delete(self, name: str, event: str, *, kept: bool = True) -> Exchange:
        """Delete an event."""
        return self.call(
            name,
            DELETE,
            lambda s: s.events().delete(calendarId=self.calendar, eventId=event, **SILENT),
            kept=kept,
            event=event,
            params=SILENT,
        )

    def page(self, **params: Any) -> Exchange:
        """Ask for one page of events; not in the recording either."""
        asked = {"calendarId": self.calendar, "singleEvents": False, **params}
        return self.call("list", LIST, partial(_list, asked), kept=False)

    def pages(self, **params: Any) -> list[Exchange]:
        """List events, page by page; not in the recording: how many there are is the firm's."""
        made: list[Exchange] = []
        page: Json = {}
        while not made or page:
            made.append(self.page(**params, **page))
            token = made[-1].record.get("nextPageToken")
            page = {"pageToken": token} if token else {}
        return made


def _list(asked: Json, service: Any) -> Any:
    return service.events().list(**asked)


def items(pages: list[Exchange]) -> list[Json]:
    """Return the events of all pages."""
    return [item for page in pages for item in page.record.get("items", ())]
