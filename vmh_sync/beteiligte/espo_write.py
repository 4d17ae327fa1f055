"""Writes a party's record in EspoCRM: content and bookkeeping in one PUT.

A value that EspoCRM refuses is left out and told to a person, everything else goes on. The answer shows the record
as it stands: if a person's edit slipped in between our read and our write, it shows there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vmh_sync.beteiligte.fields import ESPO_ENTITY
from vmh_sync.runtime.context import PassContext, WriteGate
from vmh_sync.sync.base import Side
from vmh_sync.systems.espocrm.errors import ValidationRejected
from vmh_sync.systems.espocrm.records import EspoRecord

_LISTS = {
    "emailAddress": "emailAddressData",
    "phoneNumber": "phoneNumberData",
    "emailAddressData": "emailAddressData",
    "phoneNumberData": "phoneNumberData",
}
_SINGLE = {"emailAddressData": "emailAddress", "phoneNumberData": "phoneNumber"}


@dataclass(slots=True, repr=False)
class EspoWritten:
    """The record after the write, and the attributes that were refused with the reason for people."""

    record: EspoRecord
    refused: dict[str, str] = field(default_factory=dict)


async def write_espo(
    context: PassContext, gate: WriteGate, before: EspoRecord, values: Mapping[str, Any]
) -> EspoWritten:
    """PUT ``values`` to the party; returns the record as it stands afterwards.

    Raises ``VersionConflict`` when somebody changed the record meanwhile, ``ValidationRejected`` when EspoCRM refuses
    a field that was not written at all (it must be mended by a person first).
    """
    rest = dict(values)
    written = EspoWritten(before)
    while rest:
        try:
            await gate.before(Side.ESPOCRM)
            record = await context.espo.update(ESPO_ENTITY, before.id, rest, version=before.version)
        except ValidationRejected as refusal:
            attribute = _LISTS.get(refusal.field, refusal.field)
            if attribute not in rest:
                raise
            del rest[attribute]
            # A list goes with its primary value (espocrm.md B1.6): alone, that would be written as a list of one.
            rest.pop(_SINGLE.get(attribute, attribute), None)
            written.refused[attribute] = refusal.message_for_people
            continue
        written.record = await _with_lists(context, record, rest)
        break
    return written


async def _with_lists(context: PassContext, record: EspoRecord, sent: Mapping[str, Any]) -> EspoRecord:
    # After sending a list the answer only echoes it (specification, espocrm.md B5): read back.
    if not any(name in sent for name in ("emailAddressData", "phoneNumberData")):
        return record
    return await context.espo.read(ESPO_ENTITY, record.id) or record
