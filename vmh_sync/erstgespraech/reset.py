"""Which records are reset, and the writing. EspoCRM's date-times are UTC texts, so they are compared as texts."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from vmh_sync.settings import ErstgespraechSettings
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.systems.espocrm.client import EspoClient
from vmh_sync.systems.espocrm.query import before, in_
from vmh_sync.systems.espocrm.records import EspoRecord


@dataclass(slots=True)
class ResetResult:
    """Ids of records: found with a past call, written, left because a person was quicker, failed."""

    found: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def is_due(record: EspoRecord, rules: ErstgespraechSettings, now: str) -> bool:
    """Whether a record is in one of the states, its call lies before ``now``, and the new value differs."""
    call = record.attributes.get(rules.call_field)
    in_state = record.attributes.get(rules.state_field) in rules.states
    return in_state and isinstance(call, str) and call < now and call != rules.new_value


async def reset_past_calls(espo: EspoClient, rules: ErstgespraechSettings, at: datetime) -> ResetResult:
    """Reset every past call, or only find them in a dry run.

    Each record is read again directly before its write: a person may have typed a new call in the meantime. One
    record's failure does not stop the others; a fault that concerns all of them is raised (``EspoError``).
    """
    result = ResetResult()
    if not rules.states:
        return result
    now = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    result.found = await _past(espo, rules, now)
    if rules.dry_run:
        return result
    for record_id in result.found:
        try:
            await _reset(espo, rules, record_id, now, result)
        except ForeignSystemError as problem:
            if problem.concerns_all:
                raise
            result.failed.append(record_id)
    return result


async def _past(espo: EspoClient, rules: ErstgespraechSettings, now: str) -> list[str]:
    where = [in_(rules.state_field, list(rules.states)), before(rules.call_field, now)]
    select = ["id", rules.state_field, rules.call_field]
    found = espo.list_all(rules.entity, where=where, select=select)
    return [record.id async for record in found if is_due(record, rules, now)]


async def _reset(espo: EspoClient, rules: ErstgespraechSettings, record_id: str, now: str, result: ResetResult) -> None:
    fresh = await espo.read(rules.entity, record_id)
    if fresh is None or not is_due(fresh, rules, now):
        result.left.append(record_id)
        return
    await espo.update(rules.entity, record_id, {rules.call_field: rules.new_value})
    result.written.append(record_id)
