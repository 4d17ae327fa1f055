"""The plan of a whole party: master data, parts, and what EspoCRM's record must say afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from vmh_sync.beteiligte.diff import MasterPlan, plan_master
from vmh_sync.beteiligte.party import PartyRead
from vmh_sync.beteiligte.state import PartyState, party_state
from vmh_sync.runtime.part import Part, PartInput, PartPlan
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.merge import Stamps
from vmh_sync.sync.plan import RecordPlan
from vmh_sync.sync.status import SyncStatus
from vmh_sync.systems.advoware import wire


@dataclass(slots=True, repr=False)
class PartyPlan:
    """What is to be done to one party. ``inputs`` is what the parts planned from."""

    read: PartyRead
    state: PartyState
    master: MasterPlan
    inputs: PartInput | None = None
    parts: list[tuple[Part, PartPlan]] = field(default_factory=list)

    @property
    def records(self) -> tuple[RecordPlan, ...]:
        """The plans of all parts that have something to do, the master data first."""
        every = (self.master.record, *(plan.record for _, plan in self.parts))
        return tuple(record for record in every if not record.is_empty)

    @property
    def has_work(self) -> bool:
        """Whether anything must be written or remembered, apart from EspoCRM's bookkeeping."""
        return not self.master.record.is_empty or any(not plan.is_empty for _, plan in self.parts)

    @property
    def status(self) -> SyncStatus:
        """The status that the record has when all this is done."""
        return SyncStatus.CONFLICT if self.master.fields.held else SyncStatus.CLEAN


def map_party(read: PartyRead, table: FieldTable, zone: ZoneInfo) -> PartyState:
    """Bring what was read into canonical form. ``zone`` is the time zone of Advoware's local times."""
    attributes = read.espo.attributes if read.espo is not None else {}
    advoware = read.advoware.model_dump() if read.advoware is not None else None
    return party_state(
        espo_id=read.espo_id,
        betnr=read.betnr,
        espo_attributes=attributes,
        advoware_attributes=advoware,
        base=read.base,
        table=table,
        stamps=Stamps(
            espocrm=read.espo.modified_at if read.espo is not None else None,
            advoware=wire.local_moment(read.advoware.geaendert_am, zone) if read.advoware is not None else None,
        ),
        tasks=read.open_tasks,
    )


def part_input(read: PartyRead) -> PartInput | None:
    """Return the party as its parts see it; ``None`` while it is missing on one side."""
    if read.espo is None or read.advoware is None or read.betnr is None:
        return None
    return PartInput(read.espo_id, read.betnr, read.espo, read.espo_full, read.advoware)


def plan_party(
    read: PartyRead, state: PartyState, inputs: PartInput | None, parts: Sequence[Part], table: FieldTable
) -> PartyPlan:
    """Plan a party that may be synced (present in EspoCRM, not refused, read without a problem)."""
    plan = PartyPlan(read, state, plan_master(state, table), inputs)
    if inputs is not None:
        plan.parts = [(part, part.plan(inputs)) for part in parts]
    return plan
