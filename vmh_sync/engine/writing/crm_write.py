"""Writes records in EspoCRM: content and bookkeeping in one request.

A value that EspoCRM refuses is left out and told to a person, everything else goes on. The answer shows the record
as it stands: if a person's edit slipped in between our read and our write, it shows there.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from vmh_sync.engine.passes.pass_context import PassContext, WriteGate
from vmh_sync.engine.writing.guarded_write import guarded_write
from vmh_sync.sync.base import Side
from vmh_sync.systems.espocrm.errors import UnexpectedAnswer, ValidationRejected
from vmh_sync.systems.espocrm.records import EspoRecord

_LISTS = {"emailAddress": "emailAddressData", "phoneNumber": "phoneNumberData"}
"""The list that a refusal of its primary value is about."""

_SINGLE = {name: single for single, name in _LISTS.items()}


@dataclass(slots=True, repr=False)
class EspoAnswer:
    """The record after the write, and the attributes that were refused with the reason for people."""

    record: EspoRecord
    refused: dict[str, str] = field(default_factory=dict)


async def update_record(
    context: PassContext,
    gate: WriteGate,
    before: EspoRecord,
    values: Mapping[str, object],
    *,
    planned_from: Collection[str] = (),
    leaving: Callable[[Collection[str]], AbstractAsyncContextManager[None]] = lambda _: nullcontext(),
) -> EspoAnswer:
    """PUT ``values`` planned from ``before``; returns the record as it stands afterwards.

    ``planned_from``: where there is no version, these attributes must stand as ``before`` told them, too. Each request
    is sent within ``leaving``, which is told its attributes.

    Raises ``Conflict`` when somebody changed the record meanwhile, ``ValidationRejected`` when EspoCRM refuses a field
    that was not written at all (it must be mended by a person first).
    """
    rest = dict(values)
    answer = EspoAnswer(before)
    while rest:
        try:
            async with leaving(rest):
                record = await put_unmoved(context, gate, before, rest, planned_from=planned_from)
        except ValidationRejected as refusal:
            _leave_out(rest, refusal, answer.refused)
            continue
        answer.record = await _with_lists(context, record, rest)
        break
    return answer


async def put_unmoved(
    context: PassContext,
    gate: WriteGate,
    before: EspoRecord,
    values: Mapping[str, object],
    *,
    planned_from: Collection[str] = (),
) -> EspoRecord:
    """PUT ``values`` unless one of them has moved since ``before``; returns the answer as it came.

    The version tells, where EspoCRM keeps one (espocrm.md B8). A record without, and the lists, whose rows move with
    other records too, are looked at directly before. Raises ``Conflict`` and any other ``EspoError``.
    """

    async def send() -> EspoRecord:
        return await context.espo.update(before.entity, before.id, values, version=before.version)

    if before.version is not None and not any(name in values for name in _SINGLE):
        async with gate.sending(Side.ESPOCRM):
            return await send()
    compared = {name: told for name, told in before.attributes.items() if name in values or name in planned_from}
    return await guarded_write(
        gate,
        Side.ESPOCRM,
        look=lambda: _look(context, before, compared),
        unmoved=lambda now: _says(now, compared),
        send=lambda _: send(),
    )


async def _look(context: PassContext, before: EspoRecord, compared: Mapping[str, Any]) -> EspoRecord | None:
    """Look at a record, in one list with those that are about to be written as well: as many as can be sent at once.

    The lists of e-mails and phones are told by a single read alone; so is it whether a record is gone or has moved.
    """
    names = tuple(sorted(compared))
    if not any(name in names for name in _SINGLE):

        async def ask(ids: Sequence[str]) -> Mapping[str, EspoRecord]:
            spoilt: dict[str, UnexpectedAnswer] = {}
            listed = context.espo.list_ids_in(before.entity, "id", ids, select=names, spoilt=spoilt)
            return {record.id: record async for record in listed}

        question = f"look {before.entity} {' '.join(names)}"
        at_once = context.espo_settings.concurrency
        seen = await context.together.now(question, before.id, ask, most=at_once)
        if seen is not None and _says(seen, compared):
            return seen
    return await context.espo.read(before.entity, before.id)


def _says(record: EspoRecord, compared: Mapping[str, Any]) -> bool:
    return all(record.attributes.get(name) == told for name, told in compared.items())


async def create_record(
    context: PassContext,
    gate: WriteGate,
    entity: str,
    values: Mapping[str, object],
    *,
    skip_duplicate_check: bool = False,
    whole: bool = False,
) -> EspoAnswer:
    """POST a record; raises ``ValidationRejected`` when what remains is not enough.

    ``skip_duplicate_check``: we have looked for doubles ourselves, better than by the same name. ``whole``:
    nothing less is tried (``CreateOrder.post_whole``).
    """
    rest = dict(values)
    refused: dict[str, str] = {}
    while True:
        try:
            async with gate.sending(Side.ESPOCRM):
                record = await context.espo.create(entity, rest, skip_duplicate_check=skip_duplicate_check)
            return EspoAnswer(record, refused)
        except ValidationRejected as refusal:
            if whole:
                raise
            _leave_out(rest, refusal, refused)


def _leave_out(rest: dict[str, Any], refusal: ValidationRejected, refused: dict[str, str]) -> None:
    attribute = _LISTS.get(refusal.field, refusal.field)
    if attribute not in rest:
        raise refusal
    del rest[attribute]
    # A list goes with its primary value (espocrm.md B1.6): alone, that would be written as a list of one.
    rest.pop(_SINGLE.get(attribute, attribute), None)
    refused[attribute] = refusal.message_for_people


async def _with_lists(context: PassContext, record: EspoRecord, sent: Mapping[str, object]) -> EspoRecord:
    # After sending a list the answer only echoes it (specification, espocrm.md B5): read back.
    if not any(name in sent for name in _SINGLE):
        return record
    return await context.espo.read(record.entity, record.id) or record
