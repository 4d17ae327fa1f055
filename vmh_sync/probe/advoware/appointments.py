"""Tries on an appointment of the employee that the operator names (specification, kalender.md 2)."""

from datetime import date, timedelta

from vmh_sync.probe.advoware.calls import Calls, Json, rows, same
from vmh_sync.probe.recording import Exchange
from vmh_sync.probe.texts import TEXT
from vmh_sync.systems.advoware import wire

KEYS = ("termin_post", "termin_filter", "termin_put", "termin_delete")
_AHEAD = timedelta(days=300)


async def try_appointment(calls: Calls, kuerzel: str, today: date) -> str | None:
    """Create, read, change and delete an appointment; returns what is left of it, ``None`` if nothing is.

    What a probe left that was killed is deleted first.
    """
    day = today + _AHEAD
    await _clean(calls, kuerzel, today)
    values = _values(kuerzel, day)
    made = await calls.call("termin_post", "POST", wire.TERMINE, body=values)
    number = _number(made.answer.body)
    listed = [row for row in await _listed(calls, kuerzel, day) if row.get("text") == TEXT]
    if number is None and len(listed) == 1:
        number = listed[0].get("frNr")
    if number is None:
        calls.found("termin_post", False, f"Antwort {made.answer.status}; keine frNr")
        for key in KEYS[1:]:
            calls.not_tried(key, "kein Termin")
        return None if not listed else "ein Termin"
    in_list = any(row.get("frNr") == number for row in listed)
    one = (await _read(calls, number, "termin_read")).record
    calls.found("termin_post", in_list and one.get("frNr") == number, "" if in_list else "er fehlt im Kalender")
    calls.found("termin_filter", bool(one))
    afterwards = {"text": f"{TEXT} 2", "notiz": f"{TEXT} 2", "ort": f"{TEXT} 2", "uhrzeitVon": "11:00:00"}
    afterwards["uhrzeitBis"] = "12:00:00"
    await calls.call("termin_put", "PUT", wire.TERMINE, params={wire.QUERY_FRNR: number}, body=one | afterwards)
    shown = (await _read(calls, number, "termin_put_read")).record
    unlike = tuple(name for name, value in afterwards.items() if not same(value, shown.get(name)))
    calls.fields("termin_put", unlike, "nicht übernommen")
    deleted = await calls.call("termin_delete", "DELETE", wire.TERMINE, params={wire.QUERY_FRNR: number})
    gone = not (await _read(calls, number, "termin_delete_read")).record
    calls.found("termin_delete", deleted.succeeded and gone, f"Antwort {deleted.answer.status}")
    return None if gone else "ein Termin"


async def _read(calls: Calls, number: int, name: str) -> Exchange:
    return await calls.call(name, "GET", wire.TERMINE, params={wire.QUERY_FRNR: number})


async def _clean(calls: Calls, kuerzel: str, today: date) -> None:
    # Not in the recording: these are all the appointments of ten months.
    path, params = wire.TERMINE.path(), _window(kuerzel, today, today + _AHEAD + timedelta(days=1))
    answer = await calls.client.exchange("GET", path, params=params)
    for row in rows(Exchange("termin_clean", "GET", path, answer)) or []:
        if str(row.get("text") or "").startswith(TEXT) and row.get("frNr"):
            await calls.client.exchange("DELETE", path, params={wire.QUERY_FRNR: row["frNr"]})


async def _listed(calls: Calls, kuerzel: str, day: date) -> list[Json]:
    params = _window(kuerzel, day, day + timedelta(days=1))
    return rows(await calls.call("termin_list", "GET", wire.TERMINE, params=params)) or []


def _window(kuerzel: str, start: date, end: date) -> Json:
    return {
        wire.QUERY_KUERZEL: kuerzel,
        wire.QUERY_FROM: f"{start.isoformat()}T00:00:00",
        wire.QUERY_TO: f"{end.isoformat()}T00:00:00",
    }


def _number(body: object) -> int | None:
    """Return the number that a write answers with: an object, a list with it, or the bare number."""
    if isinstance(body, list):
        body = body[0] if len(body) == 1 else None
    if isinstance(body, dict):
        body = body.get("frNr")
    return body if isinstance(body, int) and not isinstance(body, bool) else None


def _values(kuerzel: str, day: date) -> Json:
    return {
        "text": TEXT,
        "notiz": TEXT,
        "ort": TEXT,
        "datum": f"{day.isoformat()}T00:00:00",
        "datumBis": f"{day.isoformat()}T00:00:00",
        "uhrzeitVon": "09:00:00",
        "uhrzeitBis": "10:00:00",
        "sb": kuerzel,
        "anwalt": kuerzel,
        "dauertermin": 0,
    }
