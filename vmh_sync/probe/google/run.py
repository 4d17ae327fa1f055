"""A whole probe of Google Calendar, on events of its own in a calendar that the operator names. Blocks."""

import secrets
from datetime import datetime, timedelta

from vmh_sync.probe.findings import Probed
from vmh_sync.probe.google.assumptions import GOOGLE_ASSUMPTIONS
from vmh_sync.probe.google.calls import GoogleCalls, Json, items
from vmh_sync.probe.recording import Exchange
from vmh_sync.probe.texts import EVENT_PREFIX, HTML, TEXT
from vmh_sync.systems.google_calendar.channels import STOP, WATCH
from vmh_sync.systems.google_calendar.client import GoogleCalendarClient

NO_EVENT = "kein Ereignis"
NO_CALENDAR = "der Kalender ist nicht lesbar oder nicht beschreibbar"
NO_QUOTA = "es auszuschöpfen hielte die anderen Programme der Kanzlei auf"
_AHEAD = timedelta(days=300)
_MARK = {"vmhProbe": "1"}
_TAKEN, _CHANGED, _GONE, _MISSING, _BAD, _REFUSED = 409, 412, 410, 404, 400, 403
_NOBODY = "niemand@vmh-sync-probe.invalid"
"""A guest whom no mail can reach."""
_WEEKS = 3
_RULE = [f"RRULE:FREQ=WEEKLY;COUNT={_WEEKS}"]
_ZONE = "Europe/Berlin"


def probe_google(client: GoogleCalendarClient, calendar: str, push_url: str | None, now: datetime) -> Probed:
    """Try every assumption; what a probe left that was killed is deleted first. Raises what the client raises."""
    calls = GoogleCalls(client, calendar)
    done = Probed(calls.findings, calls.exchanges)
    for left in _left_events(calls):
        calls.delete("clean", left, kept=False)
    pages = calls.pages()
    token, role = pages[-1].record.get("nextSyncToken"), pages[-1].record.get("accessRole")
    right = bool(token) and role in ("owner", "writer")
    calls.found("google_read", right, f"Rolle {role}" if role else f"Antwort {pages[-1].answer.status}")
    if right:
        try:
            done.own_words = _try_event(calls, str(token), now) | _try_series(calls, now + _AHEAD)
            _try_token_and_guests(calls, now)
            _try_channel(calls, push_url)
        finally:
            for left in _left_events(calls):
                calls.delete("clean", left, kept=False)
    calls.not_tried("google_quota", NO_QUOTA)
    calls.rest_not_tried(GOOGLE_ASSUMPTIONS, NO_EVENT if right else NO_CALENDAR)
    return done


def _left_events(calls: GoogleCalls) -> list[str]:
    """Return the ids of living events that a probe made, by their ids: the search by mark is what is tried."""
    return [
        item["id"]
        for item in items(calls.pages(q=TEXT))
        if str(item.get("id")).startswith(EVENT_PREFIX) and item.get("status") != "cancelled"
    ]


def _try_event(calls: GoogleCalls, token: str, now: datetime) -> frozenset[str]:
    """Create, change and delete an event; returns what a recording may show of it as it is."""
    key = f"{EVENT_PREFIX}{secrets.token_hex(8)}"
    start = (now + _AHEAD).replace(minute=0, second=0, microsecond=0)
    begins, ends = start.isoformat(), (start + timedelta(hours=1)).isoformat()
    body: Json = {
        "id": key,
        "summary": TEXT,
        "description": HTML,
        "start": {"dateTime": begins},
        "end": {"dateTime": ends},
        "extendedProperties": {"private": _MARK},
    }
    made = calls.insert("insert", body).record
    calls.found("google_own_id", made.get("id") == key)
    own = frozenset({key, begins, ends})
    if made.get("id") != key:
        return own
    again = calls.insert("insert_again", body)
    calls.found("google_id_taken", again.answer.status == _TAKEN, f"Antwort {again.answer.status}")
    read = calls.get("get", key).record
    found = {item["id"] for item in items(calls.pages(privateExtendedProperty="vmhProbe=1"))}
    private = (read.get("extendedProperties") or {}).get("private")
    calls.found("google_private", private == _MARK and found == {key})
    calls.found("google_html", read.get("description") == HTML)
    first = calls.update("update", key, {**body, "summary": f"{TEXT} 2"}, str(read.get("etag")))
    stale = calls.update("update_stale", key, {**body, "summary": f"{TEXT} 3"}, str(read.get("etag")))
    statuses = f"Antworten {first.answer.status} und {stale.answer.status}"
    calls.found("google_if_match", first.succeeded and stale.answer.status == _CHANGED, statuses)
    changed = calls.pages(syncToken=token)
    _try_delete(calls, key, body, changed)
    return own


def _try_delete(calls: GoogleCalls, key: str, body: Json, changed: list[Exchange]) -> None:
    calls.delete("delete", key)
    gone = calls.get("get_deleted", key)
    second = calls.delete("delete_again", key)
    fort = gone.answer.status in (_MISSING, _GONE) or gone.record.get("status") == "cancelled"
    statuses = f"Antworten {gone.answer.status} und {second.answer.status}"
    calls.found("google_delete", fort and second.answer.status in (_MISSING, _GONE), statuses)
    told = {item["id"]: item.get("status") for item in items(changed)}
    token = changed[-1].record.get("nextSyncToken")
    after = items(calls.pages(syncToken=token)) if token else []
    deleted = {item["id"]: item.get("status") for item in after}
    calls.found("google_token", told.get(key) == "confirmed" and deleted.get(key) == "cancelled")
    again = calls.insert("insert_deleted", body)
    calls.found("google_deleted_id", again.answer.status == _TAKEN, f"Antwort {again.answer.status}")


def _try_token_and_guests(calls: GoogleCalls, now: datetime) -> None:
    answer = calls.page(syncToken=secrets.token_hex(16)).answer
    calls.found("google_unknown_token", answer.status in (_BAD, _GONE), f"Antwort {answer.status}")
    start = now + _AHEAD
    body: Json = {
        "id": f"{EVENT_PREFIX}{secrets.token_hex(8)}",
        "summary": TEXT,
        "start": {"dateTime": start.isoformat()},
        "end": {"dateTime": (start + timedelta(hours=1)).isoformat()},
        "attendees": [{"email": _NOBODY}],
    }
    invited = calls.insert("insert_guest", body, kept=False).answer
    if invited.status == _BAD:
        calls.not_tried("google_guests", "Google nimmt die Adresse zum Ausprobieren nicht an")
        return
    calls.found("google_guests", invited.status == _REFUSED, f"Antwort {invited.status}")


def _try_channel(calls: GoogleCalls, push_url: str | None) -> None:
    if not push_url:
        calls.not_tried("google_channel", "CALENDAR_SYNC_PUSH_URL ist nicht gesetzt")
        return
    body: Json = {"id": secrets.token_hex(16), "type": "web_hook", "address": push_url, "token": secrets.token_hex(16)}
    opened = calls.call("watch", WATCH, lambda s: s.events().watch(calendarId=calls.calendar, body=body), kept=False)
    calls.found("google_channel", opened.succeeded, f"Antwort {opened.answer.status}")
    resource = opened.record.get("resourceId")
    if resource:
        stop = {"id": body["id"], "resourceId": resource}
        calls.call("stop", STOP, lambda s: s.channels().stop(body=stop), kept=False)


def _try_series(calls: GoogleCalls, begin: datetime) -> frozenset[str]:
    """Create a series, call one week off; the caller deletes it. Returns what a recording may show of it as it is."""
    key = f"{EVENT_PREFIX}{secrets.token_hex(8)}"
    start = begin.replace(minute=0, second=0, microsecond=0)
    begins, ends = start.isoformat(), (start + timedelta(hours=1)).isoformat()
    body: Json = {
        "id": key,
        "summary": TEXT,
        "start": {"dateTime": begins, "timeZone": _ZONE},
        "end": {"dateTime": ends, "timeZone": _ZONE},
        "recurrence": _RULE,
    }
    calls.insert("series_insert", body)
    read = calls.get("series_get", key).record
    if read.get("id") == key:
        single = [one for one in items(calls.pages(singleEvents=True, q=TEXT)) if one.get("recurringEventId") == key]
        told = read.get("recurrence") == _RULE and len(single) == _WEEKS
        told = told and all("originalStartTime" in one for one in single)
        calls.found("google_series", told, f"{len(single)} von {_WEEKS} Vorkommen")
        if single:
            _call_off(calls, key, str(single[1 % len(single)]["id"]))
    page = calls.page(maxResults=1).record
    calls.found("google_list_limit", len(page.get("items", ())) <= 1 and bool(page.get("nextPageToken")))
    return frozenset({key, begins, ends, _ZONE, *_RULE})


def _call_off(calls: GoogleCalls, key: str, instance: str) -> None:
    token = calls.pages()[-1].record.get("nextSyncToken")
    calls.delete("series_delete_one", instance, kept=False)
    changed = {one["id"]: one for one in items(calls.pages(syncToken=token))} if token else {}
    off = changed.get(instance, {})
    calls.found("google_series_skipped", off.get("status") == "cancelled" and off.get("recurringEventId") == key)
