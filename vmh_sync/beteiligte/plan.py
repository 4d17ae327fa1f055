"""The plan of a whole party: master data, parts, and what EspoCRM's record must say afterwards."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from vmh_sync.beteiligte.fields import FIELDS
from vmh_sync.beteiligte.master_data.diff import MasterPlan, plan_master, settled_tasks
from vmh_sync.beteiligte.master_data.state import PartyState
from vmh_sync.beteiligte.party import ENTITY, PartyRead
from vmh_sync.beteiligte.status.labels_de import told_different
from vmh_sync.engine.passes.part import Part, PartInput, PartPlan
from vmh_sync.sync.deciding.apart import STAYS_APART, apart_fields
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.planning.plan import RecordPlan, TaskKind, TaskWanted
from vmh_sync.sync.reporting.status import SyncStatus
from vmh_sync.tasks.answered import all_answered

_IN_THE_BASE = STAYS_APART | {TaskKind.CONFLICT}
"""Kinds of tasks about what the base knows once they were decided: no later plan finds it out anew."""


@dataclass(frozen=True, slots=True, repr=False)
class PartyPlan:
    """What is to be done to one party. ``inputs`` is what the parts planned from.

    Writing makes a plan of its own of it: with ``told``, what it found to be told, ``lasting``, what the parts find to
    be so still, and a base that it corrects by what the sides say.
    """

    read: PartyRead
    state: PartyState
    master: MasterPlan
    inputs: PartInput | None = None
    table: FieldTable = FIELDS
    parts: tuple[tuple[Part, PartPlan], ...] = ()
    told: tuple[TaskWanted, ...] = ()
    lasting: tuple[TaskWanted, ...] = ()

    def copy(self) -> "PartyPlan":
        """Return a plan of the writer's own."""
        return replace(self, master=replace(self.master, fields=self.master.fields.copy()))

    @property
    def records(self) -> tuple[RecordPlan, ...]:
        """The plans of all parts that have something to do, the master data first."""
        own, pending = self.master.record, self.pending
        if pending:
            own = replace(own, tasks=(*own.tasks, *pending))
        every = (own, *(plan.record for _, plan in self.parts))
        return tuple(record for record in every if not record.is_empty)

    @property
    def has_work(self) -> bool:
        """Whether anything must be written or remembered, apart from EspoCRM's bookkeeping."""
        return bool(self.records or self.pending) or any(not plan.is_empty for _, plan in self.parts)

    @property
    def agreed(self) -> bool:
        """Whether both sides say the same, nothing is to be done and nothing is open, seen from a list entry."""
        read, link = self.read, self.read.link
        linked = link is not None and link.state == "active" and read.base is not None and read.heir_of is None
        quiet = read.is_calm and not self.has_work and not self.different and not read.espo_full
        return linked and quiet and all(plan.agreed for _, plan in self.parts)

    @property
    def status(self) -> SyncStatus:
        """The status that the record has when all this is done."""
        return SyncStatus.CONFLICT if self.different else SyncStatus.CLEAN

    @property
    def only_tries_again(self) -> bool:
        """Whether there is nothing to do but to send once more what was refused."""
        tries = bool(self.master.espo or self.master.advoware)
        own = self.master.record.is_empty or (tries and self.master.fields.only_tries_again)
        parts = [plan for _, plan in self.parts if not plan.is_empty]
        return own and not self.pending and self.state.base is not None and all(part.only_tries_again for part in parts)

    @property
    def message(self) -> str | None:
        """What EspoCRM's record says to people while both sides stay apart."""
        if not self.different:
            return None
        answered = not [*self._wanted()] and all_answered(self.different, self.read.tasks)
        return told_different(self.different, self.table, answered=answered)

    @property
    def closing(self) -> tuple[int, ...]:
        """The open tasks that reality has settled, by what the base says now: before or after writing."""
        of_parts = tuple(task for _, plan in self.parts for task in plan.record.close_tasks)
        if not (self.read.tasks or self.state.tasks or of_parts):
            return ()
        standing = {(str(task.kind), *sorted(task.fields)) for task in (*self._wanted(), *self.lasting)}
        still = {row.id for row in self.read.tasks if (row.kind, *row.fields) in standing}
        settled = (*settled_tasks(self.state, self.master.fields, self.table), *of_parts)
        return tuple(dict.fromkeys((*(task for task in settled if task not in still), *self._told_otherwise())))

    def _told_otherwise(self) -> Iterator[int]:
        """Tasks about values that stay apart, which another kind of task tells now: refused before, dropped since."""
        new = [(str(task.kind), {*task.fields}) for task in self._wanted() if task.kind in STAYS_APART]
        for row in self.state.tasks:
            if row.kind in STAYS_APART and any(kind != row.kind and {*row.fields} <= names for kind, names in new):
                yield row.id

    @property
    def pending(self) -> tuple[TaskWanted, ...]:
        """Tasks that were decided, of which EspoCRM does not tell yet (killed, not answered), and that still stand.

        Nothing but their row remembers what they tell; before or after writing.
        """
        if not self.read.tasks:
            return ()
        closing, told = set(self.closing), {(str(task.kind), *sorted(task.fields)) for task in self._wanted()}
        return tuple(
            TaskWanted(TaskKind(row.kind), row.fields, row.situation)
            for row in self.read.tasks
            if row.is_untold and row.kind in _IN_THE_BASE and row.id not in closing
            if (row.kind, *row.fields) not in told
        )

    @property
    def different(self) -> tuple[str, ...]:
        """The fields in which both sides stay apart, each with an open task; before or after writing."""
        told = set(self._told_apart())
        fields = self.master.fields
        sides = set(self.state.espocrm) & set(self.state.advoware or ())
        apart = {name for name in apart_fields(self.table, fields.base, told) if name in sides}
        return tuple(sorted({*apart, *fields.held, *(name for name in told if name not in self.table)}))

    def _told_apart(self) -> Iterator[str]:
        closing = self.closing
        for row in self.state.tasks:
            if (row.kind in STAYS_APART or row.held) and row.id not in closing:
                yield from row.fields
        for task in self._wanted():
            if (task.kind in STAYS_APART or task.details.get("held")) and task.entity in (None, ENTITY):
                yield from task.fields

    def _wanted(self) -> Iterator[TaskWanted]:
        for record in (self.master.record, *(plan.record for _, plan in self.parts)):
            yield from record.tasks
        yield from self.told


def map_parts(parts: Sequence[Part], inputs: PartInput | None) -> None:
    """Bring what belongs to a party into canonical form, part by part."""
    if inputs is not None:
        for part in parts:
            part.map(inputs)


def part_input(read: PartyRead) -> PartInput | None:
    """Return the party as its parts see it; ``None`` while it is missing on one side."""
    if read.espo is None or read.advoware is None or read.betnr is None:
        return None
    return PartInput(
        read.espo_id,
        read.betnr,
        read.espo,
        read.espo_full,
        read.advoware,
        just_created=read.just_created,
        retry_refused=read.retry_refused,
    )


def plan_party(
    read: PartyRead, state: PartyState, inputs: PartInput | None, parts: Sequence[Part], table: FieldTable
) -> PartyPlan:
    """Plan a party that may be synced (present in EspoCRM, not refused, read without a problem)."""
    master = plan_master(state, table)
    if inputs is not None:
        inputs.retry_refused = inputs.retry_refused or not master.record.is_empty
    of_parts = ((part, part.plan(inputs)) for part in parts) if inputs is not None else ()
    return PartyPlan(read, state, master, inputs, table, tuple(of_parts))
