"""Writes a party's master data to Advoware and finds out what Advoware made of it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from vmh_sync.beteiligte.master_data.diff import MasterPlan
from vmh_sync.beteiligte.master_data.state import PartyState
from vmh_sync.beteiligte.model import read_advoware
from vmh_sync.engine.passes.pass_context import PassContext, WriteGate
from vmh_sync.engine.writing.field_by_field import send_what_is_taken
from vmh_sync.engine.writing.guarded_write import guarded_write
from vmh_sync.engine.writing.sending import Sending
from vmh_sync.sync.base import Side
from vmh_sync.sync.deciding.read_back import ReadBack, read_back
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.planning.plan import FieldChange
from vmh_sync.sync.values import Value
from vmh_sync.systems.advoware.errors import UnexpectedAnswer
from vmh_sync.systems.advoware.records import Beteiligter


@dataclass(slots=True, repr=False)
class AdvowareWritten:
    """What became of a write to Advoware: the record as it stands now, and what Advoware made of our values."""

    record: Beteiligter
    made: ReadBack


async def write_master(
    context: PassContext,
    gate: WriteGate,
    current: Beteiligter,
    state: PartyState,
    plan: MasterPlan,
    table: FieldTable,
    sending: Sending,
) -> AdvowareWritten:
    """Write the planned changes and correct the plan's base by what Advoware says afterwards.

    A field that Advoware refuses is left out and told to a person; the rest goes on. A field that it silently ignores
    becomes a finding and a task, not an endless rewrite (specification, sync-semantics.md 3). ``sending`` learns what
    has left for Advoware.
    """

    def fields(record: Beteiligter) -> Mapping[str, Value]:
        return read_advoware(record.model_dump(), table, state.form)

    async def send(record: Beteiligter, changes: Sequence[FieldChange]) -> Beteiligter:
        names = {change.field for change in changes}
        sent = {table[name].advoware for name in names}
        values = {name: value for name, value in plan.advoware.items() if name in sent}

        async def put(now: Beteiligter) -> Beteiligter | None:
            with sending.leaves(Side.ADVOWARE, names):
                return await context.advoware.replace_beteiligter(now, values)

        await sending.about_to_leave(Side.ADVOWARE, record, names)
        return await _replace(context, gate, record, put, fields)

    record, refused = await send_what_is_taken(current, plan.fields.to_advoware, send)
    sending.answered(Side.ADVOWARE, record)
    made = read_back(
        plan.fields.to_advoware,
        table,
        Side.ADVOWARE,
        before=state.advoware or {},
        stands=fields(record),
        refused=refused,
        base=plan.fields.base_advoware,
    )
    return AdvowareWritten(record, made)


async def _replace(
    context: PassContext,
    gate: WriteGate,
    planned: Beteiligter,
    put: Callable[[Beteiligter], Awaitable[Beteiligter | None]],
    fields: Callable[[Beteiligter], Mapping[str, Value]],
) -> Beteiligter:
    record = await guarded_write(
        gate,
        Side.ADVOWARE,
        look=lambda: context.advoware.read_beteiligter(planned.bet_nr),
        unmoved=lambda now: now.row_id == planned.row_id and fields(now) == fields(planned),
        send=put,
    )
    record = record or await context.advoware.read_beteiligter(planned.bet_nr)
    if record is None:
        raise UnexpectedAnswer("PUT Beteiligte/{betnr}: the party is gone right after the write")
    # The answer to a write may come without the children.
    if not record.kommunikation_told:
        record.kommunikation = planned.kommunikation
    return record
