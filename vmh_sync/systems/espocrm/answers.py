"""Reading EspoCRM's answers (specification, espocrm.md B3, B6, B8)."""

from typing import Any

import httpx

from vmh_sync.systems.espocrm.errors import DuplicateFound, UnexpectedAnswer, VersionConflict
from vmh_sync.systems.espocrm.records import EspoRecord, Page, SpoiltRow
from vmh_sync.systems.json_answers import UnreadableJson, read_json, sound_part
from vmh_sync.systems.transport import http_date


def as_page(entity: str, response: httpx.Response, where: str) -> Page:
    """One page of a list. Raises UnexpectedAnswer for anything but a list: a broken answer is no empty list."""
    answer = parse(response, where)
    rows = answer.get("list") if isinstance(answer, dict) else None
    total = answer.get("total") if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not isinstance(total, int) or isinstance(total, bool):
        raise UnexpectedAnswer(f"{where}: no list in the answer", problems=("list", "total"))
    now = http_date(response.headers.get("Date"))
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


def as_record(entity: str, response: httpx.Response, where: str) -> EspoRecord:
    """The one record of an answer. Raises UnexpectedAnswer when it is none."""
    now = http_date(response.headers.get("Date"))
    return EspoRecord.of(entity, parse(response, where), where=where, server_time=now)


def duplicate(entity: str, response: httpx.Response, where: str) -> DuplicateFound | UnexpectedAnswer:
    """What a 409 on a create stands for: the array of the records found."""
    rows = parse(response, where)
    if not isinstance(rows, list):
        return UnexpectedAnswer(f"{where}: a 409 without records", status=409)
    now = http_date(response.headers.get("Date"))
    records = [EspoRecord.of(entity, row, where=where, server_time=now) for row in rows]
    return DuplicateFound(f"{where}: {len(records)} duplicates", records=records, status=409)


def conflict(response: httpx.Response, where: str) -> VersionConflict | UnexpectedAnswer:
    """What a 409 on an update stands for: an object with the stored values of what was to be written."""
    answer = parse(response, where)
    values = answer.get("values") if isinstance(answer, dict) else None
    if not isinstance(values, dict):
        return UnexpectedAnswer(f"{where}: a 409 without current values", status=409)
    version = answer.get("versionNumber")
    fields = ", ".join(sorted(values))
    return VersionConflict(
        f"{where}: modified meanwhile ({fields})",
        values=values,
        version=version if isinstance(version, int) else None,
        status=409,
    )
