"""What every write of a child needs: both sides of one party's children, its tasks, and the gate before each write."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace

from vmh_sync.children.commit import Outcome, commit
from vmh_sync.children.diff import without_false
from vmh_sync.children.fetching import read_children
from vmh_sync.children.kind import ChildKind
from vmh_sync.children.plan import ChildPlan
from vmh_sync.children.record_status import with_stamps
from vmh_sync.children.sync_state import PartyChildren, key_of
from vmh_sync.engine.passes.part import PartInput
from vmh_sync.engine.passes.pass_context import PassContext, WriteGate
from vmh_sync.engine.writing.audit_rows import Audited
from vmh_sync.engine.writing.crm_write import EspoAnswer, update_record
from vmh_sync.store.pairs.links import Link
from vmh_sync.sync.base import Side
from vmh_sync.sync.planning.plan import Finding, TaskWanted
from vmh_sync.sync.reporting.status_values import kept_after, newly_kept
from vmh_sync.sync.values import Value, same
from vmh_sync.systems.advoware.errors import UnexpectedAnswer
from vmh_sync.systems.advoware.records import WireRecord
from vmh_sync.systems.espocrm.records import EspoRecord
from vmh_sync.tasks.manual_tasks import TaskSubject, open_tasks


@dataclass(slots=True)
class ChildAccess:
    """The children of one party, to be written. ``findings``: what a person must know of what was written."""

    context: PassContext
    gate: WriteGate
    kind: ChildKind
    party: PartInput
    children: PartyChildren
    findings: list[Finding] = field(default_factory=list)

    # What the sides say

    def from_espocrm(self, espo: EspoRecord) -> dict[str, Value]:
        """Return EspoCRM's canonical fields."""
        return self.children.table.read(Side.ESPOCRM, espo.attributes)

    def from_advoware(self, child: WireRecord) -> dict[str, Value]:
        """Return Advoware's canonical fields."""
        return self.kind.read_advoware(self.children.table, child.model_dump())

    def names(self, attributes: Iterable[str]) -> list[str]:
        """Return the canonical names of EspoCRM's attributes."""
        among = set(attributes)
        return [rule.name for rule in self.children.table.rules if rule.espo in among]

    def by_field(self, refused: Mapping[str, str]) -> dict[str, str]:
        """Return EspoCRM's refusals by canonical name."""
        return {rule.name: refused[rule.espo] for rule in self.children.table.rules if rule.espo in refused}

    async def look(self, key: str) -> WireRecord | None:
        """Read a child in Advoware anew; raises why, when what may be it cannot be used."""
        read = await read_children(self.context, self.kind, self.children.betnr)
        spoilt = read.spoilt.get(int(key)) or read.nameless
        found = next((child for child in read.children if key_of(child) == key), None)
        if found is None and spoilt is not None:
            raise spoilt
        return found

    async def child(self, key: str) -> WireRecord:
        """Read a child that must be there; raises ``UnexpectedAnswer``."""
        child = await self.look(key)
        if child is None:
            raise UnexpectedAnswer(f"{self.kind.advoware_entity}: an entry is missing right after it was written")
        return child

    # Writing

    async def write_espo(self, done: Outcome, espo: EspoRecord) -> EspoAnswer:
        """Write content and bookkeeping to EspoCRM; note what leaves and what it makes of the bookkeeping."""
        plan = done.plan
        values = with_stamps(plan, espo, getattr(done.advoware, "row_id", None), self.children)
        if not values:
            return EspoAnswer(espo)
        # What a list told may be minutes old: an edit since must not be covered by our word that both sides agree.
        planned_from = self.kind.attributes(self.children.table) if espo is plan.pair.espo else ()

        def leaving(sent: Collection[str]) -> AbstractAsyncContextManager[None]:
            noted = done.sending
            return noted.leaving(Side.ESPOCRM, espo, self.names(sent)) if noted is not None else nullcontext()

        answer = await update_record(self.context, self.gate, espo, values, planned_from=planned_from, leaving=leaving)
        if done.sending is not None:
            done.sending.answered(Side.ESPOCRM, answer.record)
        self._note_kept(done, {name: value for name, value in values.items() if name in plan.bookkeeping}, answer)
        return answer

    def _note_kept(self, done: Outcome, sent: Mapping[str, object], answer: EspoAnswer) -> None:
        """Remember which bookkeeping values EspoCRM did not take as sent, and tell what is new about that."""
        before = done.plan.kept
        kept = kept_after(sent, answer.record.attributes, before)
        if kept == before:
            return
        done.plan = replace(done.plan, kept=kept)
        self.findings += newly_kept(before, kept)

    def moved(self, plan: ChildPlan, before: EspoRecord, answer: EspoAnswer) -> bool:
        """Whether the answer shows an edit that slipped in between our read and our write."""
        if answer.record is before:
            return False
        then, now = without_false(self.from_espocrm(before)), without_false(self.from_espocrm(answer.record))
        mapped = set(self.names(plan.espo))
        return any(
            not same(self.children.table[name].kind, value, then.get(name))
            for name, value in now.items()
            if name not in mapped
        )

    async def store(self, done: Outcome, intent: str | None = None) -> Link:
        """Store a child's link and audit rows; ``intent`` is the create that this settles."""
        return await self.context.store.write(commit, self.context, self.kind, self.children, done, intent)

    def audited(self, espo_id: str) -> Audited:
        """Return a child as its rows of the audit log name it."""
        return Audited(self.kind.entity, espo_id, self.children.betnr, self.context.run_id)

    async def open(self, tasks: Sequence[TaskWanted]) -> None:
        """Make sure that these tasks are open."""
        if not tasks:
            return
        subject = TaskSubject(
            "beteiligte",
            "CBeteiligte",
            self.party.espo_id,
            self.children.betnr,
            self.party.espo.attributes.get("assignedUserId"),
        )
        await open_tasks(self.context, self.gate, subject, tasks, self.children.table.labels)

    def about(self, espo_id: str, tasks: Iterable[TaskWanted]) -> tuple[TaskWanted, ...]:
        """Return tasks as tasks about this child."""
        return tuple(replace(task, entity=self.kind.entity, espo_id=espo_id) for task in tasks)


def present(record: EspoRecord | None) -> EspoRecord:
    """Return the record that a step cannot do without."""
    if record is None:
        raise ValueError("this step needs EspoCRM's record")
    return record
