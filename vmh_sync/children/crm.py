"""Writes child records in EspoCRM; a value that EspoCRM refuses is left out, everything else goes on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vmh_sync.runtime.context import PassContext, WriteGate
from vmh_sync.sync.base import Side
from vmh_sync.systems.espocrm.errors import ValidationRejected
from vmh_sync.systems.espocrm.records import EspoRecord


@dataclass(slots=True, repr=False)
class EspoAnswer:
    """The record after the write, and the attributes that were refused with the reason for people."""

    record: EspoRecord
    refused: dict[str, str] = field(default_factory=dict)


async def update_record(
    context: PassContext, gate: WriteGate, before: EspoRecord, values: Mapping[str, Any]
) -> EspoAnswer:
    """PUT ``values``; raises ``VersionConflict`` when somebody changed the record meanwhile."""
    rest = dict(values)
    answer = EspoAnswer(before)
    while rest:
        try:
            await gate.before(Side.ESPOCRM)
            answer.record = await context.espo.update(before.entity, before.id, rest, version=before.version)
            break
        except ValidationRejected as refusal:
            _leave_out(rest, refusal, answer.refused)
    return answer


async def create_record(context: PassContext, gate: WriteGate, entity: str, values: Mapping[str, Any]) -> EspoAnswer:
    """POST a record; raises ``ValidationRejected`` when what remains is not enough."""
    rest = dict(values)
    refused: dict[str, str] = {}
    while True:
        try:
            await gate.before(Side.ESPOCRM)
            return EspoAnswer(await context.espo.create(entity, rest), refused)
        except ValidationRejected as refusal:
            _leave_out(rest, refusal, refused)


def _leave_out(rest: dict[str, Any], refusal: ValidationRejected, refused: dict[str, str]) -> None:
    if refusal.field not in rest:
        raise refusal
    del rest[refusal.field]
    refused[refusal.field] = refusal.message_for_people
