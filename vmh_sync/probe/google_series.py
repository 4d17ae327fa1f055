"""Tries on a series of three weeks what the calendars rest on (specification, kalender.md 1). Blocks."""

import secrets
from datetime import datetime, timedelta

from vmh_sync.probe.google_calls import GoogleCalls, Json, answered, items
from vmh_sync.probe.texts import EVENT_PREFIX, TEXT

_WEEKS = 3
_RULE = [f"RRULE:FREQ=WEEKLY;COUNT={_WEEKS}"]
_ZONE = "Europe/Berlin"


def try_series(calls: GoogleCalls, begin: datetime) -> frozenset[str]:
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
    read = answered(calls.get("series_get", key))
    if read.get("id") == key:
        single = [one for one in items(calls.pages(singleEvents=True, q=TEXT)) if one.get("recurringEventId") == key]
        told = read.get("recurrence") == _RULE and len(single) == _WEEKS
        told = told and all("originalStartTime" in one for one in single)
        calls.found("google_series", told, f"{len(single)} von {_WEEKS} Vorkommen")
        if single:
            _call_off(calls, key, str(single[1 % len(single)]["id"]))
    page = answered(calls.page(maxResults=1))
    calls.found("google_list_limit", len(page.get("items", ())) <= 1 and bool(page.get("nextPageToken")))
    return frozenset({key, begins, ends, _ZONE, *_RULE})


def _call_off(calls: GoogleCalls, key: str, instance: str) -> None:
    token = answered(calls.pages()[-1]).get("nextSyncToken")
    calls.delete("series_delete_one", instance, kept=False)
    changed = {one["id"]: one for one in items(calls.pages(syncToken=token))} if token else {}
    off = changed.get(instance, {})
    calls.found("google_series_skipped", off.get("status") == "cancelled" and off.get("recurringEventId") == key)
