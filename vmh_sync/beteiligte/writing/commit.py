"""Stores what became of a party: base and link, audit, in one transaction."""

from dataclasses import dataclass, field, replace

from vmh_sync.beteiligte.party import ENTITY
from vmh_sync.beteiligte.plan import PartyPlan
from vmh_sync.beteiligte.status.task_subject import subject
from vmh_sync.beteiligte.writing.master_write import AdvowareWritten
from vmh_sync.engine.passes.part import Part, PartDone
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.writing.audit_rows import Audited, append_losers
from vmh_sync.engine.writing.noted_meetings import note_meeting
from vmh_sync.engine.writing.sending import Sending, Told, still_held
from vmh_sync.store.history.audit import Change
from vmh_sync.store.pairs.links import Link
from vmh_sync.store.store import Transaction
from vmh_sync.sync.base import Base, Fields, Side
from vmh_sync.sync.deciding.first_meeting import FirstMeeting
from vmh_sync.sync.deciding.read_back import ReadBack
from vmh_sync.sync.planning.plan import FieldChange, Finding, TaskWanted
from vmh_sync.sync.reporting.status_values import Kept
from vmh_sync.systems.advoware.records import Beteiligter
from vmh_sync.systems.espocrm.records import EspoRecord
from vmh_sync.tasks.manual_tasks import note_tasks


@dataclass(slots=True, repr=False)
class Written:
    """What has been written so far, and both records as they stand now."""

    plan: PartyPlan
    advoware: Beteiligter
    espo: EspoRecord
    sending: Sending
    applied: list[FieldChange] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    tasks: list[TaskWanted] = field(default_factory=list)
    parts: list[tuple[Part, PartDone]] = field(default_factory=list)
    failed: Exception | None = None
    link: Link | None = None
    kept: Kept = field(default_factory=dict)
    noted: set[int] = field(default_factory=set)
    """The rows of tasks that writing found to be needed."""
    meeting: str | None = None
    """What is noted of the first contact, until the base stands."""

    def __post_init__(self) -> None:
        """Take over what is known of EspoCRM's bookkeeping fields."""
        self.kept = self.plan.read.kept
        self.meeting = self.plan.read.meeting.id if self.plan.read.meeting is not None else None

    @property
    def conflicts(self) -> int:
        """How many conflicts a rule decided."""
        return len(self.plan.master.record.conflicts) + sum(done.conflicts for _, done in self.parts)

    def take_advoware(self, result: AdvowareWritten) -> None:
        """Take over what became of the write to Advoware."""
        self.advoware = result.record
        self.take(result.made)

    def take(self, made: ReadBack) -> None:
        """Take over what a side made of our values."""
        self.applied += made.applied
        self.findings += made.findings
        self.tasks += made.tasks


def begin(context: PassContext, plan: PartyPlan, advoware: Beteiligter, espo: EspoRecord) -> Written:
    """Return what has been written before anything is: both records as the plan saw them."""
    link = plan.read.link if plan.state.base is not None else None  # a first contact is noted otherwise
    now: dict[Side, tuple[Told, Fields]] = {
        Side.ESPOCRM: (espo, plan.state.espocrm),
        Side.ADVOWARE: (advoware, plan.state.advoware or {}),
    }
    return Written(plan, advoware, espo, Sending(context.store, link, plan.table, plan.master.fields, now))


async def record_beforehand(context: PassContext, written: Written) -> None:
    """Write the losing values of conflicts into the audit log, before they are overwritten; on first contact, what both
    sides said and are going to say, else what is about to be sent.

    A crash may let this run twice for the same conflict: what the log says already is not said again.
    """
    plan = written.plan
    meets = plan.state.base is None and bool(plan.master.advoware or plan.master.espo)
    if plan.master.record.conflicts or plan.master.espo or plan.master.advoware:
        await context.store.write(_record_beforehand, context, written, meets)


def _record_beforehand(tx: Transaction, context: PassContext, written: Written, meets: bool) -> None:
    plan = written.plan
    losers = _audited(context, plan).losers(plan.master.record.conflicts, plan.master.fields.to_advoware)
    append_losers(tx, plan.read.espo_id, losers)
    if not meets:
        written.sending.note(tx)
        return
    read, state = plan.read, plan.state
    meeting = FirstMeeting(Base(state.espocrm, state.advoware or {}), plan.master.fields.base, state.stamps)
    written.meeting = note_meeting(
        tx, meeting, entity=ENTITY, espo_id=read.espo_id, betnr=read.betnr, run_id=context.run_id
    )


def _audited(context: PassContext, plan: PartyPlan) -> Audited:
    return Audited(ENTITY, plan.read.espo_id, plan.read.betnr, context.run_id)


def commit_party(tx: Transaction, context: PassContext, written: Written, *, bookkeeping_only: bool = False) -> None:
    """Store base, link and audit of a party, and what its parts have to store.

    ``bookkeeping_only``: only EspoCRM's own stamps moved since the last commit.
    """
    written.link = tx.links.save(_link(context, written, tx))
    if bookkeeping_only:
        return
    if written.meeting is not None:
        tx.intents.complete(written.meeting, str(written.plan.read.betnr))
        written.meeting = None
    unanswered = written.plan.read.unanswered
    if unanswered is not None:
        tx.intents.complete(unanswered.id, str(written.plan.read.betnr))  # a person has said which party it is
    rows = _applied(context, written)
    if rows:
        tx.audit.append(rows)
    for _, done in written.parts:
        done.commit(tx, written.espo)
    found = (*written.tasks, *(task for _, done in written.parts for task in done.tasks))
    written.noted = note_tasks(tx, subject(written.plan.read), found)


def _link(context: PassContext, written: Written, tx: Transaction) -> Link:
    plan = written.plan
    link = written.link or written.sending.link or plan.read.link
    if link is None:
        link = Link(entity=ENTITY, espo_id=plan.read.espo_id, betnr=plan.read.betnr, advoware_id=str(plan.read.betnr))
        tx.audit.append([_audited(context, plan).noted("linked", "same betnr on both sides")])
    held = still_held(link.notes.sending, plan.master.fields.held)
    assignee = written.espo.attributes.get("assignedUserId") or None
    return replace(
        link,
        state="active",
        base=plan.master.fields.base.to_json(),
        notes=replace(link.notes, assigned_user_id=assignee, kept_differently=written.kept, sending=held, own_word={}),
        advoware_row_id=written.advoware.row_id,
        espo_version=written.espo.version,
        espo_modified_at=written.espo.modified_at,
        # The answer to a write may hide what a person changed just before it: the next pass reads once more.
        espo_read_at=written.espo.server_time if written.espo is plan.read.espo else None,
        verified_at=context.clock.now(),
    )


def _applied(context: PassContext, written: Written) -> list[Change]:
    plan, audited = written.plan, _audited(context, written.plan)
    fields = plan.master.fields
    to_advoware = {change.field for change in fields.to_advoware}
    rows = [
        audited.row(change, Side.ADVOWARE if change.field in to_advoware else Side.ESPOCRM)
        for change in written.applied
    ]
    rows += audited.rows(fields.adopted, None)
    return rows + audited.tasks((*plan.master.record.tasks, *written.tasks))
