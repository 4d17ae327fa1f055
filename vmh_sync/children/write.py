"""Carries out the plan of one child under its party's lease (specification, sync-semantics.md 3)."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vmh_sync.children.commit import Outcome, applied, commit, noted, refusal
from vmh_sync.children.diff import with_stamps, without_false
from vmh_sync.children.fetching import read_children
from vmh_sync.children.kind import ChildKind
from vmh_sync.children.plan import ChildPlan, Step
from vmh_sync.children.status_fields import standing
from vmh_sync.children.sync_state import PartyChildren, key_of
from vmh_sync.engine.create_once import CreateOrder, create_once
from vmh_sync.engine.crm_write import EspoAnswer, create_record, update_record
from vmh_sync.engine.guarded_write import guarded_write
from vmh_sync.engine.part import PartInput
from vmh_sync.engine.pass_context import PassContext, WriteGate
from vmh_sync.store.audit import Change, ChangeKind
from vmh_sync.store.intents import Intent
from vmh_sync.sync.base import Base, Side
from vmh_sync.sync.plan import FieldChange, Finding, TaskKind, TaskWanted
from vmh_sync.sync.values import Value, is_form_of, same
from vmh_sync.systems.advoware.errors import UnexpectedAnswer
from vmh_sync.systems.advoware.records import Created, WireRecord
from vmh_sync.systems.espocrm.records import EspoRecord
from vmh_sync.tasks.manual_tasks import TaskSubject, close_tasks, open_tasks


@dataclass(slots=True)
class ChildWriter:
    """Writes the children of one party."""

    context: PassContext
    gate: WriteGate
    kind: ChildKind
    party: PartInput
    memory: PartyChildren

    async def carry_out(self, plan: ChildPlan) -> bool:
        """Write one child; returns whether it must be looked at again.

        Raises a ``ForeignSystemError`` when it could not; what was written until then is stored.
        """
        if plan.step is Step.CREATE:
            return await self._create(plan)
        if plan.step is Step.IMPORT:
            return await self._import(plan)
        if plan.step is Step.MERGE:
            return await self._merge(plan)
        if plan.step is Step.REFUSED:
            return await self._refuse(plan)
        return await self._note_gone(plan)

    # New ones

    async def _create(self, plan: ChildPlan) -> bool:
        espo = _present(plan.pair.espo)

        async def post() -> Created[Any]:
            await self.gate.before(Side.ADVOWARE)
            return await self.kind.post(self.context, self.memory.betnr, plan.advoware)

        natural = self.kind.natural_key(plan.wanted)
        order = CreateOrder(
            system=Side.ADVOWARE,
            entity=self.kind.entity,
            espo_id=espo.id,
            betnr=self.memory.betnr,
            natural_key={"key": list(natural)} if natural is not None else {},
            payload=plan.advoware,
            post=post,
            find=lambda intent: self._find(espo.id, natural, intent),
        )
        creation = await create_once(self.context, order)
        created, intent = creation.record, creation.intent.id
        # Not before: a read that fails says nothing about the POST.
        child: WireRecord = created.record or await self._child(str(created.key))
        told = self.kind.read_advoware(self.memory.table, child.model_dump())
        changes = plan.operations[0].changes
        # What Advoware got from us beyond the fields of the record, EspoCRM shall show as well. Until it does the base
        # does not know it: a pass that is killed in between leaves it to the next one as an edit made in Advoware.
        plan.espo = self._told_more(espo, plan.wanted, told)
        untold = {name: plan.wanted.get(name) for name in self._names(plan.espo)}
        done = Outcome(plan, espo, child, Base(dict(plan.wanted), {**told, **untold}), plan.pair.link)
        done.rows = applied(self.context, self.kind, self.memory, espo.id, changes, Side.ADVOWARE, "created")
        done.link = await asyncio.to_thread(commit, self.context, self.kind, self.memory, done, intent)
        key = {self.kind.key_attribute: int(key_of(child))}
        plan.bookkeeping = standing(espo.attributes, status="clean", message=None, key=dict(key), gone_since=None)
        answer = await self._write_espo(plan, espo, child)
        done.espo = answer.record
        taken = [name for name in untold if name not in self._names(answer.refused)]
        shown = {name: told[name] for name in taken}
        done.base = Base({**plan.wanted, **shown}, {**told, **untold, **shown})
        await asyncio.to_thread(commit, self.context, self.kind, self.memory, done, None)
        await close_tasks(self.context, self.gate, plan.closing)
        # What EspoCRM refused is left to the merge, which tells of it.
        return len(taken) < len(untold) or self._moved(plan, espo, answer)

    def _told_more(self, espo: EspoRecord, wanted: Mapping[str, Value], told: Mapping[str, Value]) -> dict[str, Any]:
        more = {
            rule.espo: rule.write(Side.ESPOCRM, told[rule.name])
            for rule in self.memory.table.rules
            if rule.espo in espo.attributes and wanted.get(rule.name) is None and told.get(rule.name)
        }
        return self.kind.espo_values(more)

    def _names(self, espo_values: Mapping[str, Any]) -> list[str]:
        return [rule.name for rule in self.memory.table.rules if rule.espo in espo_values]

    async def _find(self, espo_id: str, natural: tuple[str, ...] | None, intent: Intent) -> Created[Any] | None:
        # The record may have been edited since: what was created is found by what was sent.
        sought = {natural, tuple(intent.natural_key.get("key", ())) or None} - {None}
        known = set(self.memory.advoware)
        read = await read_children(self.context, self.kind, self.memory.betnr)
        for child in read.children:
            attributes = child.model_dump()
            if self.kind.marked_for(attributes) == espo_id and key_of(child) not in known:
                return Created(key=int(key_of(child)), record=child)
            told = self.kind.read_advoware(self.memory.table, attributes)
            if key_of(child) not in known and self.kind.natural_key(told) in sought:
                return Created(key=int(key_of(child)), record=child)
        unknown = [error for key, error in read.spoilt.items() if str(key) not in known]
        for error in (*unknown, read.nameless):
            if error is not None:
                raise error  # it may be the one
        return None

    async def _look(self, key: str) -> WireRecord | None:
        read = await read_children(self.context, self.kind, self.memory.betnr)
        spoilt = read.spoilt.get(int(key)) or read.nameless
        found = next((child for child in read.children if key_of(child) == key), None)
        if found is None and spoilt is not None:
            raise spoilt
        return found

    async def _child(self, key: str) -> WireRecord:
        child = await self._look(key)
        if child is None:
            raise UnexpectedAnswer(f"{self.kind.advoware_entity}: an entry is missing right after it was written")
        return child

    async def _import(self, plan: ChildPlan) -> bool:
        child = plan.pair.advoware
        if child is None:
            raise ValueError("an import needs Advoware's record")
        values = {**plan.espo, "beteiligteId": self.party.espo_id}
        assigned = self.party.espo.attributes.get("assignedUserId")
        if assigned:
            values["assignedUserId"] = assigned
        refused: dict[str, str] = {}

        async def post() -> EspoRecord:
            answer = await create_record(self.context, self.gate, self.kind.espo_entity, values)
            refused.update(answer.refused)
            return answer.record

        order = CreateOrder(
            system=Side.ESPOCRM,
            entity=self.kind.entity,
            espo_id=f"{self.memory.betnr}:{key_of(child)}",
            betnr=self.memory.betnr,
            natural_key={},
            payload=values,
            post=post,
            find=lambda _: self._find_imported(child),
        )
        creation = await create_once(self.context, order)
        record, intent = creation.record, creation.intent.id
        left_out = self._names(refused)
        here = {name: None if name in left_out else value for name, value in plan.wanted.items()}
        plan.findings += [Finding(name, Side.ESPOCRM, refused[self.memory.table[name].espo]) for name in left_out]
        if left_out:
            plan.extra["refused"] = sorted(left_out)
        done = Outcome(plan, record, child, Base(here, dict(plan.wanted)), None)
        changes = [change for change in plan.operations[0].changes if change.field not in left_out]
        done.rows = applied(self.context, self.kind, self.memory, record.id, changes, Side.ESPOCRM, "created")
        for reason in refused.values():
            done.rows += noted(self.context, self.kind, self.memory, record.id, "refused", reason)
        await self._open(self._refusals(record.id, refused, here, plan.wanted))
        await asyncio.to_thread(commit, self.context, self.kind, self.memory, done, intent)
        return False

    def _refusals(
        self, espo_id: str, refused: Mapping[str, str], here: Mapping[str, Value], there: Mapping[str, Value]
    ) -> list[TaskWanted]:
        """Return one task per value that EspoCRM did not take."""
        return [
            TaskWanted(
                TaskKind.VALUE_REFUSED,
                (rule.name,),
                {
                    "wanted": there.get(rule.name),
                    "standing": here.get(rule.name),
                    "side": str(Side.ESPOCRM),
                    "why": refused[rule.espo],
                },
                self.kind.entity,
                espo_id,
            )
            for rule in self.memory.table.rules
            if rule.espo in refused
        ]

    async def _find_imported(self, child: WireRecord) -> EspoRecord | None:
        listed = self.context.espo.list_ids_in(
            self.kind.espo_entity, "beteiligteId", [self.party.espo_id], select=self.kind.attributes
        )
        return await anext(
            (r async for r in listed if str(r.attributes.get(self.kind.key_attribute)) == key_of(child)), None
        )

    # Both sides have it

    async def _merge(self, plan: ChildPlan) -> bool:
        espo, child, fields = _present(plan.pair.espo), plan.pair.advoware, plan.fields
        if child is None or fields is None:
            raise ValueError("a merge needs both sides")
        await self._record_losers(plan, espo.id)
        conflict = [task for task in plan.tasks if task.kind not in (self.kind.update_task, self.kind.delete_task)]
        await self._open(conflict)
        done = Outcome(plan, espo, child, None, plan.pair.link)
        if plan.advoware:
            done.advoware, done.rows = await self._put(plan, child, espo.id)
        answer = await self._write_espo(plan, espo, _present_child(done.advoware))
        done.espo = answer.record
        for name in self._names(answer.refused):
            fields.base_espocrm[name] = plan.wanted.get(name)
            reason = answer.refused[self.memory.table[name].espo]
            plan.findings.append(Finding(name, Side.ESPOCRM, reason))
            done.rows += noted(self.context, self.kind, self.memory, espo.id, "refused", f"{name}: {reason}")
        refused = self._refusals(espo.id, answer.refused, fields.base_espocrm, fields.base_advoware)
        if refused:
            plan.extra["refused"] = sorted({*plan.extra.get("refused", ()), *self._names(answer.refused)})
        written = [change for change in fields.to_espocrm if change.field not in self._names(answer.refused)]
        done.rows += applied(self.context, self.kind, self.memory, espo.id, written, Side.ESPOCRM)
        done.rows += applied(self.context, self.kind, self.memory, espo.id, fields.adopted, None)
        for task in plan.tasks:
            done.rows += noted(self.context, self.kind, self.memory, espo.id, "task", str(task.kind))
        done.base = fields.base
        # Before the base learns what stays apart: once it knows, nothing would tell it again.
        await self._open([*(task for task in plan.tasks if task not in conflict), *refused])
        await asyncio.to_thread(commit, self.context, self.kind, self.memory, done, None)
        await close_tasks(self.context, self.gate, plan.closing_after(self._names(answer.refused)))
        ignored = bool(plan.advoware) and any(
            not same(self.memory.table[c.field].kind, fields.base_advoware.get(c.field), c.new)
            for c in fields.to_advoware
        )
        return ignored or self._moved(plan, espo, answer)

    async def _put(self, plan: ChildPlan, child: WireRecord, espo_id: str) -> tuple[WireRecord, list[Change]]:
        fields = plan.fields
        if fields is None:
            raise ValueError("only a merge changes Advoware")
        record = await guarded_write(
            self.gate,
            Side.ADVOWARE,
            look=lambda: self._look(key_of(child)),
            unmoved=lambda now: self._unmoved(child, now),
            send=lambda now: self.kind.put(self.context, self.memory.betnr, now, plan.advoware),
        )
        record = record or await self._child(key_of(child))
        told = self.kind.read_advoware(self.memory.table, record.model_dump())
        before = self.kind.read_advoware(self.memory.table, child.model_dump())
        applied_changes: list[FieldChange] = []
        for change in fields.to_advoware:
            kind, stands = self.memory.table[change.field].kind, told.get(change.field)
            ignored = same(kind, stands, before.get(change.field)) and not same(kind, stands, change.new)
            # A third value is an edit made after ours was taken: the next look finds it against what was sent.
            edited = not (ignored or same(kind, stands, change.new) or is_form_of(stands, change.new))
            fields.base_advoware[change.field] = change.new if edited else stands
            if edited or same(kind, stands, change.new):
                applied_changes.append(change)
        return record, applied(self.context, self.kind, self.memory, espo_id, applied_changes, Side.ADVOWARE)

    def _unmoved(self, planned: WireRecord, now: WireRecord) -> bool:
        table = self.memory.table
        told = [self.kind.read_advoware(table, one.model_dump()) for one in (planned, now)]
        return getattr(now, "row_id", None) == getattr(planned, "row_id", None) and told[0] == told[1]

    async def _record_losers(self, plan: ChildPlan, espo_id: str) -> None:
        fields = plan.fields
        if fields is None or not fields.conflicts:
            return
        to_advoware = {change.field for change in fields.to_advoware}
        rows = []
        for change in fields.conflicts:
            side = Side.ADVOWARE if change.field in to_advoware else Side.ESPOCRM
            what: ChangeKind = "first_contact" if change.reason == "first_contact" else "conflict"
            rows += applied(self.context, self.kind, self.memory, espo_id, [change], side, what)
        await asyncio.to_thread(self._append, espo_id, rows)

    def _append(self, espo_id: str, rows: list[Change]) -> None:
        with self.context.store.transaction() as tx:
            # A crash may let this run twice for the same conflict.
            known = {(r.kind, r.field, repr(r.new), repr(r.losing_value)) for r in tx.audit.for_record(espo_id, 50)}
            new = [r for r in rows if (r.kind, r.field, repr(r.new), repr(r.losing_value)) not in known]
            if new:
                tx.audit.append(new)

    # One side has it, or it is refused

    async def _note_gone(self, plan: ChildPlan) -> bool:
        espo = plan.pair.espo
        await self._open(plan.tasks)
        done = Outcome(plan, espo, plan.pair.advoware, None, plan.pair.link)
        espo_id = plan.espo_id or ""
        done.rows = [
            row
            for operation in plan.operations
            for row in (
                applied(self.context, self.kind, self.memory, espo_id, operation.changes, operation.side)
                or noted(self.context, self.kind, self.memory, espo_id, "task", operation.reason)
            )
        ]
        answer = await self._write_espo(plan, espo, None) if espo is not None else None
        done.espo = answer.record if answer is not None else None
        if plan.step is not Step.NOTHING:
            await asyncio.to_thread(commit, self.context, self.kind, self.memory, done, None)
        await close_tasks(self.context, self.gate, plan.closing)
        return False

    async def _refuse(self, plan: ChildPlan) -> bool:
        espo = _present(plan.pair.espo)
        answer = await self._write_espo(plan, espo, None)
        await asyncio.to_thread(self._store_refusal, answer.record, plan.message or "")
        return False

    def _store_refusal(self, espo: EspoRecord, message: str) -> None:
        with self.context.store.transaction() as tx:
            tx.audit.append(noted(self.context, self.kind, self.memory, espo.id, "refused", message))
            tx.records.upsert([refusal(self.context, self.kind, espo, message)])

    # How it is done

    async def _write_espo(self, plan: ChildPlan, espo: EspoRecord, child: WireRecord | None) -> EspoAnswer:
        row_id = getattr(child, "row_id", None)
        values = with_stamps(plan, espo, row_id, self.memory)
        return await update_record(self.context, self.gate, espo, values) if values else EspoAnswer(espo)

    def _moved(self, plan: ChildPlan, before: EspoRecord, answer: EspoAnswer) -> bool:
        """Whether the answer shows an edit that slipped in between our read and our write."""
        if answer.record is before:
            return False
        then = without_false(self.memory.table.read(Side.ESPOCRM, before.attributes))
        now = without_false(self.memory.table.read(Side.ESPOCRM, answer.record.attributes))
        ours = set(self._names(plan.espo))
        return any(
            not same(self.memory.table[name].kind, value, then.get(name))
            for name, value in now.items()
            if name not in ours
        )

    async def _open(self, tasks: list[TaskWanted]) -> None:
        if not tasks:
            return
        subject = TaskSubject(
            "beteiligte",
            "CBeteiligte",
            self.party.espo_id,
            self.memory.betnr,
            self.party.espo.attributes.get("assignedUserId"),
        )
        await open_tasks(self.context, self.gate, subject, tasks, self.kind.labels)


def _present(record: EspoRecord | None) -> EspoRecord:
    if record is None:
        raise ValueError("this step needs EspoCRM's record")
    return record


def _present_child(child: WireRecord | None) -> WireRecord:
    if child is None:
        raise ValueError("this step needs Advoware's record")
    return child
