"""Tries on the scratch record itself: what a change does (specification, espocrm.md B1, B4, B5, B8)."""

from typing import Any

from vmh_sync.clock import Clock
from vmh_sync.probe.espocrm.calls import EspoCalls, Json, ids, reason, rows
from vmh_sync.probe.texts import EMAIL, EMAIL_AFTERWARDS, PHONE, PHONE_NATIONAL, TEXT
from vmh_sync.systems.espocrm.query import equals, greater_or_equals
from vmh_sync.systems.espocrm.records import parse_datetime

CHANGED = ("firstName", "lastName", "dateOfBirth", "emailAddressData", "phoneNumberData")
"""What the probe changes and puts back."""
_DAY = "1980-05-17"
_TOO_LONG = 20 * TEXT
_STATUS_CONFLICT, _STATUS_INVALID = 409, 400


async def try_changes(calls: EspoCalls, record: Json, clock: Clock) -> None:
    """Change the record in every way that the passes do; the caller puts everything back."""
    await _texts(calls, record, clock)
    await _versions(calls)
    await _emails(calls)
    await _phones(calls)
    long = await calls.change("put_too_long", {"lastName": _TOO_LONG})
    named = long.answer.status == _STATUS_INVALID and "field: lastName" in reason(long)
    calls.found("espocrm_too_long", named, f"Antwort {long.answer.status}")
    await _day(calls, record)


async def put_back(calls: EspoCalls, original: Json) -> tuple[str, ...]:
    """Write the record as it was; returns the fields that are not as they were. Not in the recording."""
    left = _unlike(original, await calls.record("put_back", kept=False))
    for name in left:
        # One by one: a number that was stored under older rules must not hinder the rest.
        await calls.change("put_back", {name: original[name]}, kept=False)
    return _unlike(original, await calls.record("put_back", kept=False)) if left else ()


def _unlike(original: Json, shown: Json) -> tuple[str, ...]:
    return tuple(name for name in CHANGED if name in original and not _same(original[name], shown.get(name)))


async def _texts(calls: EspoCalls, record: Json, clock: Clock) -> None:
    wanted = f"{TEXT} 2" if record.get("firstName") == TEXT else TEXT
    put = await calls.change("put_text", {"firstName": wanted})
    answer, shown = put.record, await calls.record("put_text_read")
    calls.found("espocrm_put", shown.get("firstName") == wanted, f"Antwort {put.answer.status}")
    emptied = tuple(name for name in _unlike(record, shown) if name != "firstName")
    calls.fields("espocrm_put_partial", emptied, "nicht stehen geblieben")
    whole = answer.get("id") == calls.record_id and {"firstName", "lastName", "modifiedAt"} <= answer.keys()
    calls.found("espocrm_put_answer", whole)
    calls.clock("espocrm_clock", "modifiedAt", parse_datetime(shown.get("modifiedAt")), clock)
    own = ((await calls.call("app_user", "GET", "App/user", kept=False)).record.get("user") or {}).get("id")
    calls.found("espocrm_modified_by", bool(own) and shown.get("modifiedById") == own)
    since = [greater_or_equals("modifiedAt", shown.get("modifiedAt") or ""), equals("id", calls.record_id)]
    seen = await calls.listed("list_modified", since)
    calls.found("espocrm_seen", calls.record_id in ids(seen))
    inside = {"emailAddressData", "phoneNumberData"} & set().union(*(row.keys() for row in rows(seen) or []))
    calls.found("espocrm_list_contacts", not inside)


async def _versions(calls: EspoCalls) -> None:
    version = (await calls.record("version_read")).get("versionNumber")
    if not isinstance(version, int):
        calls.found("espocrm_version", False, "ausgeschaltet")
        return
    header = {"X-Version-Number": str(version)}
    first = await calls.change("version_first", {"firstName": f"{TEXT} 3"}, header)
    second = await calls.change("version_second", {"firstName": f"{TEXT} 4"}, header)
    statuses = f"Antworten {first.answer.status} und {second.answer.status}"
    calls.found("espocrm_version", first.succeeded and second.answer.status == _STATUS_CONFLICT, statuses)


async def _emails(calls: EspoCalls) -> None:
    sent = [_entry("emailAddress", EMAIL, primary=False), _entry("emailAddress", EMAIL_AFTERWARDS, primary=True)]
    put = await calls.change("put_emails", {"emailAddressData": sent})
    shown = (await calls.record("put_emails_read")).get("emailAddressData")
    if not put.succeeded:
        # These two are refused, and that says nothing of others.
        calls.not_tried("espocrm_emails", f"Antwort {put.answer.status}")
        return
    told = [entry.get("emailAddress") for entry in shown] if isinstance(shown, list) else None
    right = told is not None and set(told) == {EMAIL, EMAIL_AFTERWARDS} and told[0] == EMAIL_AFTERWARDS
    calls.found("espocrm_emails", right, f"Antwort {put.answer.status}")


async def _phones(calls: EspoCalls) -> None:
    put = await calls.change("put_phone", {"phoneNumberData": [_entry("phoneNumber", PHONE, primary=True)]})
    shown = (await calls.record("put_phone_read")).get("phoneNumberData")
    told = ["".join(filter(str.isdigit, str(entry.get("phoneNumber")))) for entry in shown or []]
    calls.found("espocrm_phone", told == ["".join(filter(str.isdigit, PHONE))], f"Antwort {put.answer.status}")
    national = [_entry("phoneNumber", PHONE_NATIONAL, primary=True)]
    put = await calls.change("put_phone_national", {"phoneNumberData": national})
    calls.found("espocrm_phone_national", put.answer.status == _STATUS_INVALID, f"Antwort {put.answer.status}")


async def _day(calls: EspoCalls, record: Json) -> None:
    if "dateOfBirth" not in record:
        calls.not_tried("espocrm_day", "das Feld dateOfBirth gibt es nicht")
        return
    await calls.change("put_day", {"dateOfBirth": _DAY})
    shown = (await calls.record("put_day_read")).get("dateOfBirth")
    calls.found("espocrm_day", shown == _DAY)


def _entry(name: str, value: str, *, primary: bool) -> Json:
    return {name: value, "primary": primary, "optOut": False, "invalid": False}


def _same(before: Any, shown: Any) -> bool:
    if isinstance(before, list) and isinstance(shown, list):
        return [_told(entry) for entry in before] == [_told(entry) for entry in shown]
    return (before or None) == (shown or None)


def _told(entry: Any) -> Any:
    """Return an item of a list without its spelling in small letters, which EspoCRM adds."""
    return {name: value for name, value in entry.items() if name != "lower"} if isinstance(entry, dict) else entry
