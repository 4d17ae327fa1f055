"""Tries on lists, and on records that the probe makes and deletes (specification, espocrm.md B1.3, B6, B7)."""

import re

from vmh_sync.probe.espocrm.calls import ACCOUNT, PARTY, EspoCalls, Json, ids, reason, rows
from vmh_sync.probe.texts import IBAN, NOBODY, TEXT
from vmh_sync.systems.espocrm.query import IDS_PER_REQUEST, LIST_LIMIT, equals, in_

_LIMIT = re.compile(r"should not exceed (\d+)")
_FEWER = (50, 25, 10)
_UNKNOWN_ID = "0f5f2c0f5f2c0f5f2"
_STATUS_GONE, _STATUS_CONFLICT = 404, 409
_MADE: Json = {"firstName": NOBODY, "lastName": TEXT}
_MADE_ACCOUNT: Json = {"name": NOBODY, "iban": IBAN}
_SKIP = {"X-Skip-Duplicate-Check": "true"}
NO_DELETE = "der API-Benutzer darf in EspoCRM nicht löschen; was angelegt würde, bliebe stehen"
_KEYS = ("child", "duplicate", "duplicate_skipped", "delete", "restore")
_NEED_A_DELETE = tuple(f"espocrm_{key}" for key in _KEYS)


async def clean(calls: EspoCalls) -> int:
    """Delete what a probe made that was killed; returns how much."""
    found = 0
    for entity, where in ((PARTY, _MADE), (ACCOUNT, {"name": NOBODY})):
        wanted = [equals(name, value) for name, value in where.items()]
        for key in ids(await calls.listed("clean", wanted, entity=entity, kept=False)) - {calls.record_id}:
            found += (await calls.call("clean", "DELETE", f"{entity}/{key}", kept=False)).succeeded
    return found


async def try_lists(calls: EspoCalls) -> None:
    """Ask for lists: their form, their longest page, how many values they can be filtered by."""
    own = [equals("id", calls.record_id)]
    page = await calls.listed("list_form", own)
    total = page.record.get("total")
    form = rows(page) is not None and isinstance(total, int) and not isinstance(total, bool)
    calls.found("espocrm_list", form and ids(page) == {calls.record_id}, f"Antwort {page.answer.status}")
    longest = await calls.listed("list_limit", own, size=LIST_LIMIT)
    told = _LIMIT.search(reason(longest))
    if longest.succeeded or told:
        limit = LIST_LIMIT if told is None else int(told.group(1))
        calls.found("espocrm_list_limit", longest.succeeded, f"höchstens {limit}", number=limit)
    else:
        calls.not_tried("espocrm_list_limit", f"Antwort {longest.answer.status} ohne Grenze")
    await _values(calls)


async def _values(calls: EspoCalls) -> None:
    for number in (IDS_PER_REQUEST, *_FEWER):
        made_up = [f"{index:017x}" for index in range(number - 1)]
        page = await calls.listed(f"list_values_{number}", [in_("id", [calls.record_id, *made_up])])
        if ids(page) == {calls.record_id}:
            right = number == IDS_PER_REQUEST
            calls.found("espocrm_list_values", right, f"bis zu {number}", number=number)
            return
    calls.not_tried("espocrm_list_values", f"Antwort {page.answer.status}")


async def try_records(calls: EspoCalls) -> None:
    """Create records, double and delete them."""
    unknown = await calls.call("read_unknown", "GET", f"{PARTY}/{_UNKNOWN_ID}")
    gone = unknown.answer.status == _STATUS_GONE and "X-Status-Reason".lower() in {
        name.lower() for name in unknown.answer.headers
    }
    calls.found("espocrm_unknown_id", gone, f"Antwort {unknown.answer.status}")
    if not await _may_delete(calls):
        for untried in _NEED_A_DELETE:
            calls.not_tried(untried, NO_DELETE)
        return
    await _child(calls)
    made = await calls.call("create", "POST", PARTY, body=_MADE, headers=_SKIP)
    key = made.record.get("id")
    if not isinstance(key, str):
        return
    await _double(calls)
    await calls.call("delete", "DELETE", f"{PARTY}/{key}")
    read = await calls.call("delete_read", "GET", f"{PARTY}/{key}")
    listed = await calls.listed("delete_list", [equals("id", key)])
    right = read.answer.status == _STATUS_GONE and rows(listed) == []
    calls.found("espocrm_delete", right, f"Antwort {read.answer.status}")
    restored = await calls.call("restore", "POST", f"{PARTY}/action/restoreDeleted", body={"id": key})
    calls.found("espocrm_restore", not restored.succeeded, f"Antwort {restored.answer.status}")
    if restored.succeeded:
        await calls.call("restore_delete", "DELETE", f"{PARTY}/{key}")


async def _may_delete(calls: EspoCalls) -> bool:
    """Whether what is made here could be taken away again: the role that ``crm setup`` makes may not."""
    table = ((await calls.client.app_user()).get("acl") or {}).get("table") or {}
    return all(isinstance(table.get(name), dict) and table[name].get("delete") != "no" for name in (PARTY, ACCOUNT))


async def _double(calls: EspoCalls) -> None:
    """Create the same once more, without and with the header that skips the check; what came is deleted."""
    plain = await calls.call("create_double", "POST", PARTY, body=_MADE)
    listed = plain.answer.body
    named = plain.answer.status == _STATUS_CONFLICT and isinstance(listed, list) and bool(listed)
    calls.found("espocrm_duplicate", named, f"Antwort {plain.answer.status}")
    skipped = await calls.call("create_double_skipped", "POST", PARTY, body=_MADE, headers=_SKIP)
    calls.found("espocrm_duplicate_skipped", skipped.succeeded, f"Antwort {skipped.answer.status}")
    for one in (plain, skipped):
        if key := one.record.get("id"):
            await calls.call("delete_double", "DELETE", f"{PARTY}/{key}")


async def _child(calls: EspoCalls) -> None:
    body = {**_MADE_ACCOUNT, "beteiligteId": calls.record_id}
    key = (await calls.call("child_create", "POST", ACCOUNT, body=body)).record.get("id")
    if not isinstance(key, str):
        return
    listed = await calls.listed("child_list", [in_("beteiligteId", [calls.record_id])], entity=ACCOUNT)
    calls.found("espocrm_child", key in ids(listed))
    await calls.call("child_delete", "DELETE", f"{ACCOUNT}/{key}")
