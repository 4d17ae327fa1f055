"""``events.list`` and ``events.instances``: filters, pages, sync tokens with all their rules."""

import base64
import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vmh_sync.sandbox.google.content import shown_in_list
from vmh_sync.sandbox.google.errors import (
    bad_request,
    full_sync_required,
    invalid,
    time_range_empty,
    updated_min_too_long_ago,
)
from vmh_sync.sandbox.google.events import EventBook
from vmh_sync.sandbox.google.recurrence import HORIZON, occurrences
from vmh_sync.sandbox.google.times import moment, utc, zone
from vmh_sync.sandbox.google.world import StoredCalendar, StoredEvent, World

Json = dict[str, Any]
Query = dict[str, list[str]]

WITH_TOKEN_FORBIDDEN = (
    "iCalUID",
    "orderBy",
    "privateExtendedProperty",
    "q",
    "sharedExtendedProperty",
    "timeMin",
    "timeMax",
    "updatedMin",
)
# These make the first request one that no delta can continue.
_NO_TOKEN_AFTER = ("iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "updatedMin")
_COMPARED = ("singleEvents", "maxResults", "eventTypes", "timeZone", "maxAttendees", "showHiddenInvitations")
_DEFAULT_PAGE, _LARGEST_PAGE = 250, 2500


@dataclass(slots=True)
class _Cursor:
    """A list under way: what is still to come, and the counter when it began."""

    calendar_id: str
    query: Query
    events: list[StoredEvent]
    offset: int
    began_at: int
    epoch: int
    was_empty: bool = False


class EventLists:
    """Lists events page by page."""

    def __init__(self, world: World, book: EventBook) -> None:
        self._world = world
        self._book = book
        self._cursors: dict[str, _Cursor] = {}
        self._rng = random.Random(world.config.seed + 1)

    def events(self, calendar: StoredCalendar, query: Query, account: str, role: str) -> Json:
        """Answer one ``events.list`` request. Raises 400 and 410."""
        page_token = _one(query, "pageToken")
        cursor = self._continued(calendar, query, page_token) if page_token else self._begin(calendar, query)
        return self._page(calendar, cursor, query, account, role, with_token=not _any(query, _NO_TOKEN_AFTER))

    def instances(self, calendar: StoredCalendar, event_id: str, query: Query, account: str, role: str) -> Json:
        """Answer one ``events.instances`` request. Raises 400 and 404."""
        page_token = _one(query, "pageToken")
        if page_token:
            cursor = self._continued(calendar, query, page_token)
        else:
            master = self._book.find(calendar, event_id)
            found = self._book.instances(calendar, master) if "recurrence" in master.content else [master]
            if not _flag(query, "showDeleted"):
                found = [event for event in found if not event.cancelled]
            found = [event for event in found if self._in_window(event, calendar, query)]
            cursor = _Cursor(calendar.id, query, found, 0, self._world.counter, calendar.epoch)
        return self._page(calendar, cursor, query, account, role, with_token=False)

    # where a list begins

    def _begin(self, calendar: StoredCalendar, query: Query) -> _Cursor:
        self._check(query)
        began_at = self._world.counter
        sync_token = _one(query, "syncToken")
        events = self._since(calendar, query, sync_token) if sync_token else self._selected(calendar, query)
        return _Cursor(calendar.id, query, events, 0, began_at, calendar.epoch)

    def _continued(self, calendar: StoredCalendar, query: Query, token: str) -> _Cursor:
        cursor = self._cursors.get(token)
        if cursor is None or cursor.calendar_id != calendar.id:
            raise invalid("Invalid page token value.", "pageToken")
        if _without_page(cursor.query) != _without_page(query):
            raise invalid("Invalid page token value.", "pageToken")
        if cursor.epoch != calendar.epoch and _one(query, "syncToken"):
            raise full_sync_required()
        return cursor

    def _check(self, query: Query) -> None:
        if "syncToken" in query:
            for name in WITH_TOKEN_FORBIDDEN:
                if name in query:
                    raise bad_request(f"Sync token cannot be combined with {name}.")
            if "showDeleted" in query and not _flag(query, "showDeleted"):
                raise bad_request("Sync token cannot be combined with showDeleted=false.")
        order = _one(query, "orderBy")
        if order == "startTime" and not _flag(query, "singleEvents"):
            raise bad_request("The requested ordering is not available for the particular query.")
        lower, upper = _one(query, "timeMin"), _one(query, "timeMax")
        if lower and upper and moment(lower, "timeMin") >= moment(upper, "timeMax"):
            raise time_range_empty()
        oldest = self._world.config.clock.now() - timedelta(days=self._world.config.updated_min_days)
        updated_min = _one(query, "updatedMin")
        if updated_min and moment(updated_min, "updatedMin") < oldest:
            raise updated_min_too_long_ago()

    # which events

    def _since(self, calendar: StoredCalendar, query: Query, token: str) -> list[StoredEvent]:
        try:
            claims = json.loads(base64.urlsafe_b64decode(token.encode("ascii")))
            since, epoch, params = int(claims["n"]), int(claims["e"]), claims["p"]
        except (ValueError, KeyError, TypeError):
            raise invalid("Invalid sync token value.", "syncToken") from None
        if claims.get("c") != calendar.id or epoch != calendar.epoch:
            raise full_sync_required()
        if params != _fingerprint(query):
            raise bad_request("All query parameters must be the same as for the initial synchronization.")
        changed = [event for event in calendar.events.values() if event.change > since and not event.hidden]
        changed.sort(key=lambda event: event.change)
        return list(self._unfolded(calendar, changed)) if _flag(query, "singleEvents") else changed

    def _selected(self, calendar: StoredCalendar, query: Query) -> list[StoredEvent]:
        single = _flag(query, "singleEvents")
        events: Iterable[StoredEvent] = (event for event in calendar.events.values() if not event.hidden)
        if single:
            events = self._unfolded(calendar, events)
        chosen = [event for event in events if self._wanted(event, calendar, query, single=single)]
        order = _one(query, "orderBy")
        if order == "updated":
            chosen.sort(key=lambda event: (event.content["updated"], event.change))
        elif order == "startTime":
            chosen.sort(key=lambda event: utc(event.content["start"], calendar.time_zone))
        return chosen

    def _unfolded(self, calendar: StoredCalendar, events: Iterable[StoredEvent]) -> Iterable[StoredEvent]:
        for event in list(events):
            if event.master_id:
                continue  # comes with its series
            if "recurrence" in event.content and not event.cancelled:
                yield from self._book.instances(calendar, event)
            else:
                yield event

    def _wanted(self, event: StoredEvent, calendar: StoredCalendar, query: Query, *, single: bool) -> bool:
        updated_min = _one(query, "updatedMin")
        if updated_min and datetime.fromisoformat(event.content["updated"]) < moment(updated_min, "updatedMin"):
            return False
        # A cancelled occurrence of a living series belongs to the series' content.
        is_content = event.master_id is not None and not single
        if event.cancelled and not (_flag(query, "showDeleted") or updated_min or is_content):
            return False
        return self._in_window(event, calendar, query) and _matches(event, query)

    def _in_window(self, event: StoredEvent, calendar: StoredCalendar, query: Query) -> bool:
        lower, upper = _one(query, "timeMin"), _one(query, "timeMax")
        if not lower and not upper:
            return True
        after = moment(lower, "timeMin") if lower else None
        before = moment(upper, "timeMax") if upper else None
        spans: Iterable[tuple[Json, Json]] = [(event.content["start"], event.content["end"])]
        if "recurrence" in event.content:
            until = before or (after or self._world.config.clock.now()) + HORIZON
            spans = occurrences(event.content, calendar.time_zone, until)
        return any(
            (after is None or utc(end, calendar.time_zone) > after)
            and (before is None or utc(start, calendar.time_zone) < before)
            for start, end in spans
        )

    # pages

    def _page(
        self, calendar: StoredCalendar, cursor: _Cursor, query: Query, account: str, role: str, *, with_token: bool
    ) -> Json:
        asked = _size(query)
        rest = len(cursor.events) - cursor.offset
        size = self._cut(asked, cursor)
        chunk = cursor.events[cursor.offset : cursor.offset + size]
        name = _one(query, "timeZone")
        zone_name = str(zone(name)) if name else None
        body: Json = {
            "kind": "calendar#events",
            "etag": f'"p{self._world.counter}"',
            "summary": calendar.summary,
            "updated": self._world.now_text(),
            "timeZone": zone_name or calendar.time_zone,
            "accessRole": role,
            "defaultReminders": [],
            "items": [shown_in_list(event, calendar, account, role, zone_name) for event in chunk],
        }
        if size < rest or self._one_more(cursor, rest):
            body["nextPageToken"] = self._remember(cursor, size)
        elif with_token:
            body["nextSyncToken"] = _sync_token(cursor)
        return body

    def _cut(self, asked: int, cursor: _Cursor) -> int:
        if self._world.config.paging == "full":
            return asked
        choices = [1, max(1, asked // 2), asked] if cursor.was_empty else [0, 1, max(1, asked // 2), asked]
        return self._rng.choice(choices)

    def _one_more(self, cursor: _Cursor, rest: int) -> bool:
        """A last page that is empty although the page before promised more."""
        return self._world.config.paging == "short" and rest > 0 and self._rng.random() < 0.5

    def _remember(self, cursor: _Cursor, size: int) -> str:
        token = base64.urlsafe_b64encode(self._rng.randbytes(18)).decode("ascii")
        self._cursors[token] = _Cursor(
            cursor.calendar_id,
            cursor.query,
            cursor.events,
            cursor.offset + size,
            cursor.began_at,
            cursor.epoch,
            was_empty=size == 0,
        )
        return token


def _sync_token(cursor: _Cursor) -> str:
    claims = {"c": cursor.calendar_id, "n": cursor.began_at, "e": cursor.epoch, "p": _fingerprint(cursor.query)}
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode("ascii")


def _fingerprint(query: Query) -> Json:
    return {name: query[name] for name in _COMPARED if name in query and query[name] != ["false"]}


def _matches(event: StoredEvent, query: Query) -> bool:
    content = event.content
    uid, text = _one(query, "iCalUID"), _one(query, "q")
    if uid and content.get("iCalUID") != uid:
        return False
    texts = " ".join(str(content.get(key, "")) for key in ("summary", "description", "location"))
    if text and text.lower() not in texts.lower():
        return False
    properties = content.get("extendedProperties", {})
    return all(
        properties.get(kind, {}).get(name) == value
        for kind in ("private", "shared")
        for name, _, value in (pair.partition("=") for pair in query.get(f"{kind}ExtendedProperty", ()))
    )


def _size(query: Query) -> int:
    try:
        size = int(_one(query, "maxResults") or _DEFAULT_PAGE)
    except ValueError:
        raise invalid("Invalid integer value.", "maxResults") from None
    if size < 1:
        raise invalid("Invalid value.", "maxResults")
    return min(size, _LARGEST_PAGE)


def _without_page(query: Query) -> Query:
    return {name: values for name, values in query.items() if name != "pageToken"}


def _one(query: Query, name: str) -> str | None:
    values = query.get(name)
    return values[0] if values else None


def _flag(query: Query, name: str) -> bool:
    return _one(query, name) == "true"


def _any(query: Query, names: Iterable[str]) -> bool:
    return any(name in query for name in names)
