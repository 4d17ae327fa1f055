"""Reading EspoCRM's answers (specification, espocrm.md B3, B6, B8)."""

import json
from typing import Any

import httpx

from vmh_sync.systems.espocrm.errors import DuplicateFound, UnexpectedAnswer, VersionConflict
from vmh_sync.systems.espocrm.records import EspoRecord, Page
from vmh_sync.systems.transport import http_date


def as_page(entity: str, response: httpx.Response, where: str) -> Page:
    """One page of a list. Raises UnexpectedAnswer for anything but a list: a broken answer is no empty list."""
    answer = parse(response, where)
    rows = answer.get("list") if isinstance(answer, dict) else None
    total = answer.get("total") if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not isinstance(total, int):
        raise UnexpectedAnswer(f"{where}: no list in the answer", problems=("list", "total"))
    now = http_date(response.headers.get("Date"))
    records = [EspoRecord.of(entity, row, where=where, server_time=now) for row in rows]
    if total < 0:  # -1: more follow, -2: none
        return Page(records, more=total == -1)
    # A page may be shorter than was asked for: some servers stop at a limit of their own without a word.
    return Page(records, more=total > len(records), total=total)


def parse(response: httpx.Response, where: str) -> Any:
    """The JSON of an answer. Raises UnexpectedAnswer when it is none (an empty body is none either)."""
    try:
        return response.json()
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UnexpectedAnswer(
            f"{where}: answer is not JSON", status=response.status_code, problems=(type(error).__name__,)
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
