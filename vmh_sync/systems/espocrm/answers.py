"""Reading EspoCRM's answers (specification, espocrm.md B3, B6, B8)."""

import re
from typing import Any

import httpx

from vmh_sync.systems.espocrm.errors import (
    REASON,
    DuplicateFound,
    EspoError,
    NameTaken,
    RecordLocked,
    UnexpectedAnswer,
    VersionConflict,
    reason_for_log,
)
from vmh_sync.systems.espocrm.records import EspoRecord, Page, SpoiltRow
from vmh_sync.systems.espocrm.stamp_clock import StampClock
from vmh_sync.systems.json_answers import UnreadableJson, read_json, sound_part
from vmh_sync.systems.transport import http_date

_CANNOT_MODIFY = "cannotModifyLockedRecord"
_CANNOT_REMOVE = "cannotRemoveLockedRecord"
_NAME_LABELS = frozenset({"nameIsAlreadyUsed", "fieldAlreadyExists", "linkWithSameNameAlreadyExists"})
_TAKEN = re.compile(r"already (exists|used)|is already used")


def as_page(entity: str, response: httpx.Response, where: str, clock: StampClock) -> Page:
    """One page of a list. Raises UnexpectedAnswer for anything but a list: a broken answer is no empty list."""
    answer = parse(response, where)
    rows = answer.get("list") if isinstance(answer, dict) else None
    total = answer.get("total") if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not isinstance(total, int) or isinstance(total, bool):
        raise UnexpectedAnswer(f"{where}: no list in the answer", problems=("list", "total"))
    now = clock.at(http_date(response.headers.get("Date")))
    records: list[EspoRecord] = []
    spoilt: list[SpoiltRow] = []
    for row in rows:
        try:
            records.append(EspoRecord.of(entity, row, where=where, server_time=now))
        except UnexpectedAnswer as error:
            spoilt.append(SpoiltRow(sound_part(row) if isinstance(row, dict) else {}, error))
    known = [row["id"] for row in rows[-1:] if isinstance(row, dict) and isinstance(row.get("id"), str)]
    # -1: more follow, -2: none. A page may be shorter than was asked for: some servers stop at a limit of their own
    # without a word.
    more = total == -1 if total < 0 else total > len(rows)
    return Page(
        records, more=more, total=total if total >= 0 else None, spoilt=spoilt, last_id=known[0] if known else None
    )


def parse(response: httpx.Response, where: str) -> Any:
    """The JSON of an answer. Raises UnexpectedAnswer when it is none (an empty body is none either)."""
    try:
        return read_json(response.content)
    except UnreadableJson as error:
        raise UnexpectedAnswer(
            f"{where}: answer is not JSON", status=response.status_code, problems=(str(error),)
        ) from None


def as_record(entity: str, response: httpx.Response, where: str, clock: StampClock) -> EspoRecord:
    """The one record of an answer. Raises UnexpectedAnswer when it is none."""
    now = clock.at(http_date(response.headers.get("Date")))
    return EspoRecord.of(entity, parse(response, where), where=where, server_time=now)


def as_written(entity: str, response: httpx.Response, where: str, clock: StampClock) -> EspoRecord:
    """The record as a write's answer tells it; ``clock`` learns from it. Raises UnexpectedAnswer when it is none."""
    record = as_record(entity, response, where, clock)
    clock.learn(http_date(response.headers.get("Date")), record.modified_at)
    return record


def refused_create(entity: str, response: httpx.Response, where: str) -> EspoError:
    """What a 409 on a create stands for: mostly the array of the records found."""
    answer = _body(response)
    if not isinstance(answer, list):
        return conflict(response, where)
    ids = [EspoRecord.of(entity, row, where=where, server_time=None).id for row in answer]
    return DuplicateFound(f"{where}: {len(ids)} duplicates", ids=ids, status=409)


def conflict(response: httpx.Response, where: str) -> EspoError:
    """What a 409 on anything else stands for; told apart by body, label and reason, never guessed.

    An object with the stored values of what was to be written: changed meanwhile. Two labels of EspoCRM 10: locked,
    and the delete of a locked record. The managers of entity types and fields: the name is taken.
    """
    answer = _body(response)
    values = answer.get("values") if isinstance(answer, dict) else None
    if isinstance(answer, dict) and isinstance(values, dict):
        version = answer.get("versionNumber")
        fields = ", ".join(sorted(values))
        return VersionConflict(
            f"{where}: modified meanwhile ({fields})",
            values=values,
            version=version if isinstance(version, int) else None,
            status=409,
        )
    reason, label, data = response.headers.get(REASON, ""), *_message(answer)
    if _CANNOT_MODIFY in (label, reason):
        field = data.get("field")
        return RecordLocked(f"{where}: locked", field=field if isinstance(field, str) else None, status=409)
    if _CANNOT_REMOVE in (label, reason):
        return RecordLocked(f"{where}: locked, cannot be deleted", field=None, status=409)
    if label in _NAME_LABELS or _TAKEN.search(reason):
        return NameTaken(f"{where}: the name is taken", status=409)
    return UnexpectedAnswer(f"{where}: a 409 of no known kind{reason_for_log(response.headers)}", status=409)


def _body(response: httpx.Response) -> Any:
    """The JSON of a refusal, None for an empty or unreadable one: the reason then stands in the header alone."""
    try:
        return read_json(response.content) if response.content.strip() else None
    except UnreadableJson:
        return None


def _message(answer: Any) -> tuple[str, dict[str, Any]]:
    message = answer.get("messageTranslation") if isinstance(answer, dict) else None
    if not isinstance(message, dict):
        return "", {}
    data = message.get("data")
    return str(message.get("label") or ""), data if isinstance(data, dict) else {}
