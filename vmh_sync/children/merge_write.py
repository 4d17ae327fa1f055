"""Carries out the merge of a child that both sides have.

Order as for every record: losers and their tasks, Advoware, EspoCRM, tasks about what stays apart, base and link in one
transaction, then the tasks that are settled (specification, sync-semantics.md 3).
"""

from collections.abc import Sequence
from dataclasses import replace

from vmh_sync.children.access import ChildAccess, present
from vmh_sync.children.commit import Outcome
from vmh_sync.children.difference import settle_refusals
from vmh_sync.children.plan import ChildPlan
from vmh_sync.children.record_status import with_bookkeeping
from vmh_sync.children.sync_state import key_of
from vmh_sync.coordination.errors import LeaseLost
from vmh_sync.engine.writing.audit_rows import append_losers
from vmh_sync.engine.writing.crm_write import EspoAnswer
from vmh_sync.engine.writing.field_by_field import send_what_is_taken
from vmh_sync.engine.writing.guarded_write import guarded_write
from vmh_sync.engine.writing.sending import Sending, Told
from vmh_sync.store.store import Transaction
from vmh_sync.sync.base import Fields, Side
from vmh_sync.sync.deciding.apart import news
from vmh_sync.sync.deciding.field_plan import FieldPlan
from vmh_sync.sync.deciding.read_back import ReadBack, read_back
from vmh_sync.sync.planning.plan import FieldChange, TaskKind
from vmh_sync.sync.values import same
from vmh_sync.systems.advoware.records import WireRecord
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.systems.espocrm.records import EspoRecord
from vmh_sync.tasks.manual_tasks import close_tasks


async def merge_child(access: ChildAccess, plan: ChildPlan) -> bool:
    """Write one child; returns whether it must be looked at again. Raises the ``ForeignSystemError`` of either side."""
    espo, child = present(plan.pair.espo), plan.pair.advoware
    if child is None or plan.fields is None:
        raise ValueError("a merge needs both sides")
    context, kind, children = access.context, access.kind, access.children
    fields, audited = plan.fields.copy(), access.audited(espo.id)
    now: dict[Side, tuple[Told, Fields]] = {
        Side.ESPOCRM: (espo, plan.pair.espo_fields),
        Side.ADVOWARE: (child, plan.pair.advoware_fields),
    }
    sending = Sending(context.store, plan.pair.link, children.table, fields, now)
    await _note_beforehand(access, fields, espo, sending)
    later = [task for task in plan.tasks if task.kind in (kind.update_task, kind.delete_task)]
    await access.open([task for task in plan.tasks if task not in later])
    done = Outcome(replace(plan, fields=fields), espo, child, None, None, sending=sending)
    in_advoware = ReadBack()
    try:
        if plan.advoware:
            done.advoware, in_advoware = await _put(access, plan, fields, child, sending)
            done.rows += audited.rows(in_advoware.applied, Side.ADVOWARE)
            _learn(access, done, fields, espo, in_advoware)
        answer, in_espocrm = await _write_espo(access, done, fields, espo)
    except (ForeignSystemError, LeaseLost):
        await sending.failed()
        raise
    done.link = sending.link
    done.rows += audited.rows(in_espocrm.applied, Side.ESPOCRM)
    done.rows += audited.rows(fields.adopted, None)
    done.espo = answer.record
    again = _edited(access, fields, done.advoware, answer) or access.moved(plan, espo, answer)
    done.rows += audited.tasks([*plan.tasks, *done.plan.reported])
    done.base = fields.base
    # Before the base learns what stays apart: once it knows, nothing would tell it again.
    await access.open([*later, *done.plan.reported])
    begun = plan.begun.id if plan.begun is not None else None
    await access.store(done, begun)
    await close_tasks(context, access.gate, done.plan.closing)
    return again or any(task.kind is TaskKind.READONLY_FIELD for task in in_advoware.tasks)


def _learn(access: ChildAccess, done: Outcome, fields: FieldPlan, espo: EspoRecord, made: ReadBack) -> None:
    """Take over what a side made of our values: tasks about what it refused, and what the record must say of itself.

    What Advoware dropped without a word becomes the task that a person has to do there, when it is planned again.
    """
    refused = [task for task in made.tasks if task.kind is TaskKind.VALUE_REFUSED]
    plan = done.plan
    standing = [(row.kind, row.fields, row.details) for row in plan.open_rows if row.espo_task_id is not None]
    plan = replace(plan, reported=(*plan.reported, *news(access.about(espo.id, refused), standing)))
    access.findings += made.findings
    plan = settle_refusals(plan, fields, access.children.table, written=True)
    done.plan = with_bookkeeping(access.kind, access.children, plan, espo)


async def _put(
    access: ChildAccess, plan: ChildPlan, fields: FieldPlan, child: WireRecord, sending: Sending
) -> tuple[WireRecord, ReadBack]:
    async def send(current: WireRecord, changes: Sequence[FieldChange]) -> WireRecord:
        names = {change.field for change in changes}
        sent = {access.children.table[name].advoware for name in names}
        values = {name: value for name, value in plan.advoware.items() if name in sent}

        async def put(now: WireRecord) -> WireRecord | None:
            with sending.leaves(Side.ADVOWARE, names):
                return await access.kind.put(access.context, access.children.betnr, now, values)

        await sending.about_to_leave(Side.ADVOWARE, current, names)
        record = await guarded_write(
            access.gate,
            Side.ADVOWARE,
            look=lambda: access.look(key_of(child)),
            unmoved=lambda now: _unmoved(access, current, now),
            send=put,
        )
        return record or await access.child(key_of(child))

    record, refused = await send_what_is_taken(child, fields.to_advoware, send)
    sending.answered(Side.ADVOWARE, record)
    made = read_back(
        fields.to_advoware,
        access.children.table,
        Side.ADVOWARE,
        before=access.from_advoware(child),
        stands=access.from_advoware(record),
        refused=refused,
        base=fields.base_advoware,
    )
    return record, made


def _unmoved(access: ChildAccess, planned: WireRecord, now: WireRecord) -> bool:
    same_row = getattr(now, "row_id", None) == getattr(planned, "row_id", None)
    return same_row and access.from_advoware(planned) == access.from_advoware(now)


async def _write_espo(
    access: ChildAccess, done: Outcome, fields: FieldPlan, espo: EspoRecord
) -> tuple[EspoAnswer, ReadBack]:
    content = done.plan.espo
    answer = await access.write_espo(done, espo)
    sent = [change for change in fields.to_espocrm if access.children.table[change.field].espo in content]
    if not sent:
        return answer, ReadBack()
    made = read_back(
        sent,
        access.children.table,
        Side.ESPOCRM,
        before=access.from_espocrm(espo),
        stands=access.from_espocrm(answer.record),
        refused=access.by_field(answer.refused),
        base=fields.base_espocrm,
    )
    _learn(access, done, fields, answer.record, made)
    if done.plan.bookkeeping:
        # The status went along as if every value were taken.
        done.plan = replace(done.plan, espo={})
        answer.record = (await access.write_espo(done, answer.record)).record
    return answer, made


def _edited(access: ChildAccess, fields: FieldPlan, child: WireRecord | None, answer: EspoAnswer) -> bool:
    """Whether a side shows something else than was learned of it: somebody edited it after our write."""
    table, advoware_fields = access.children.table, access.from_advoware(child) if child is not None else {}
    espo_fields = access.from_espocrm(answer.record)
    return any(
        name in said and not same(table[name].kind, said[name], base.get(name))
        for changes, said, base in (
            (fields.to_advoware, advoware_fields, fields.base_advoware),
            (fields.to_espocrm, espo_fields, fields.base_espocrm),
        )
        for name in (change.field for change in changes)
    )


async def _note_beforehand(access: ChildAccess, fields: FieldPlan, espo: EspoRecord, sending: Sending) -> None:
    """Store the losers of conflicts and what is about to be sent."""
    losers = access.audited(espo.id).losers(fields.conflicts, fields.to_advoware)

    def note(tx: Transaction) -> None:
        append_losers(tx, espo.id, losers)
        sending.note(tx)

    if losers or fields.to_espocrm or fields.to_advoware:
        await access.context.store.write(note)
