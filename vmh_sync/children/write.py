"""Carries out the plan of one child under its party's lease (specification, sync-semantics.md 3)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from vmh_sync.children.access import ChildAccess, present
from vmh_sync.children.commit import Outcome, refusal
from vmh_sync.children.difference import difference_text, different
from vmh_sync.children.fetching import read_children
from vmh_sync.children.merge_write import merge_child
from vmh_sync.children.pending import differing
from vmh_sync.children.plan import ChildPlan, Step
from vmh_sync.children.status_fields import bookkeeping
from vmh_sync.children.sync_state import import_name, key_of, sent_key
from vmh_sync.engine.failures.ledger import reported_already
from vmh_sync.engine.selecting.selection import enqueue
from vmh_sync.engine.writing.create_once import CreateOrder, create_once
from vmh_sync.engine.writing.create_what_is_taken import create_what_is_taken
from vmh_sync.engine.writing.crm_write import EspoAnswer, create_record
from vmh_sync.store.pairs.intents import Intent
from vmh_sync.store.store import Transaction
from vmh_sync.sync.base import Base, Side
from vmh_sync.sync.deciding.read_back import Fate, learned, not_taken, read_back
from vmh_sync.sync.planning.plan import FieldChange, TaskWanted
from vmh_sync.sync.values import Value, alike, is_empty
from vmh_sync.systems.advoware.errors import Rejected
from vmh_sync.systems.advoware.records import Created, WireRecord
from vmh_sync.systems.espocrm.records import EspoRecord
from vmh_sync.tasks.manual_tasks import close_tasks


class ChildWriter(ChildAccess):
    """Writes the children of one party."""

    __slots__ = ()

    async def carry_out(self, plan: ChildPlan) -> bool:
        """Write one child; returns whether it must be looked at again.

        Raises a ``ForeignSystemError`` when it could not; what was written until then is stored.
        """
        if plan.step is Step.CREATE:
            return await self._create(plan)
        if plan.step is Step.IMPORT:
            return await self._import(plan)
        if plan.step is Step.MERGE:
            return await merge_child(self, plan)
        if plan.step is Step.REFUSED:
            return await self._refuse(plan)
        return await self._note_gone(plan)

    # New ones

    async def _create(self, plan: ChildPlan) -> bool:
        espo = present(plan.pair.espo)
        try:
            creation = await create_once(self.context, self._create_order(plan, espo))
        except Rejected as refused:
            await self._tell_refused(plan, espo, refused)
            raise
        created = creation.record
        # Not before: a read that fails says nothing about the POST.
        child: WireRecord = created.record or await self.child(str(created.key))
        return await self._agree_on_created(plan, espo, child, creation.intent.id)

    def _create_order(self, plan: ChildPlan, espo: EspoRecord) -> CreateOrder[Created[Any]]:
        needed = self.kind.needed(espo.id, plan.advoware)

        async def create(values: Mapping[str, object]) -> Created[Any]:
            return await self.kind.post(self.context, self.children.betnr, values)

        async def post(*, whole: bool = False) -> Created[Any]:
            return await create_what_is_taken(self.gate, plan.advoware, needed, create, whole=whole)

        natural = self.kind.natural_key(plan.wanted)
        return CreateOrder(
            system=Side.ADVOWARE,
            entity=self.kind.entity,
            espo_id=espo.id,
            betnr=self.children.betnr,
            natural_key={
                "key": list(natural or ()),
                "fields": dict(plan.wanted),
                "seen": sorted(map(int, self.children.advoware)),
            },
            payload=plan.advoware,
            post=post,
            find=lambda intent: self._find(espo.id, natural, intent),
            post_whole=partial(post, whole=True),
        )

    async def _agree_on_created(self, plan: ChildPlan, espo: EspoRecord, child: WireRecord, intent: str) -> bool:
        """Store the link, tell EspoCRM what it does not know yet, and store what it made of that."""
        changes = plan.operations[0].changes
        told, base = self._after_post(changes, child)
        sent = {**plan.wanted, **self._not_taken(changes, told), **self._unsaid(plan.wanted, Side.ADVOWARE, told)}
        # What Advoware got from us beyond the fields of the record, EspoCRM shall show as well. Until it does the base
        # does not know it: a pass that is killed in between leaves it to the next one as an edit made in Advoware.
        plan = replace(plan, espo=self._told_more(espo, plan.wanted, told))
        untold = {name: plan.wanted.get(name) for name in self.names(plan.espo)}
        done = Outcome(plan, espo, child, Base(sent, {**base, **untold}), plan.pair.link)
        made = [change for change in changes if not is_empty(told.get(change.field))]
        done.rows = self.audited(espo.id).rows(made, Side.ADVOWARE, "created")
        done.link = await self.store(done, intent)
        key = {self.kind.key_attribute: int(key_of(child))}
        status_values = bookkeeping(espo.attributes, status="clean", message=None, key=dict(key), gone_since=None)
        done.plan = replace(plan, bookkeeping=status_values)
        answer = await self.write_espo(done, espo)
        done.espo = answer.record
        shown, reported = self._after_telling(espo.id, untold, told, answer)
        done.plan = replace(done.plan, reported=reported)
        await self.open(reported)
        done.rows = self.audited(espo.id).tasks(reported)
        done.base = Base({**sent, **shown}, {**base, **untold, **{name: told[name] for name in shown}})
        await self.store(done)
        await close_tasks(self.context, self.gate, plan.closing)
        # What either side did not take as it was sent is left to the merge, which tells of it.
        apart = differing(self.children.table, Base({**plan.wanted, **shown}, done.base.advoware))
        return bool(reported or apart) or len(shown) < len(untold) or self.moved(plan, espo, answer)

    async def _tell_refused(self, plan: ChildPlan, espo: EspoRecord, refused: Rejected) -> None:
        """Let the child's own record say why it is not in Advoware; the party's only says that something failed."""
        why = f" ({refused.said})" if refused.said else ""
        message = f"{self.kind.label}: Advoware nimmt die Angaben nicht an{why}. Bitte berichtigen."
        if not reported_already(self.children.ledger_rows.get(espo.id), message, espo.modified_at):
            status_values = bookkeeping(espo.attributes, status="failed", message=message, key={}, gone_since=None)
            await self._refuse(replace(plan, message=message, bookkeeping=status_values))

    def _after_telling(
        self, espo_id: str, untold: Mapping[str, Value], told: Mapping[str, Value], answer: EspoAnswer
    ) -> tuple[dict[str, Value], tuple[TaskWanted, ...]]:
        """Return what EspoCRM made of what it was told beyond its own fields, and tasks where it made something else.

        What it refused or dropped is left out: the merge sends it once more and tells of it.
        """
        shown: dict[str, Value] = {}
        reported: list[TaskWanted] = []
        stands, refused = self.from_espocrm(answer.record), self.by_field(answer.refused)
        for name, before in untold.items():
            rule, change = self.children.table[name], FieldChange(name, before, told[name])
            one = learned(rule.kind, before=before, sent=told[name], stands=stands.get(name), refused=name in refused)
            if one.fate in (Fate.REFUSED, Fate.IGNORED):
                continue
            shown[name] = one.base
            if one.fate is Fate.ALTERED:
                finding, task = not_taken(Side.ESPOCRM, change, one.base, None, label=rule.label)
                self.findings.append(finding)
                reported.append(task)
        return shown, self.about(espo_id, reported)

    def _after_post(
        self, changes: Sequence[FieldChange], child: WireRecord
    ) -> tuple[dict[str, Value], dict[str, Value]]:
        """Return what Advoware says of a child that was just created, and the base that follows from it."""
        told = self.from_advoware(child)
        base = dict(told)
        read_back(changes, self.children.table, Side.ADVOWARE, before={}, stands=told, refused={}, base=base)
        return told, base

    def _not_taken(self, changes: Sequence[FieldChange], told: Mapping[str, Value]) -> dict[str, Value]:
        """Return what the base says of EspoCRM's values that Advoware did not take but may take by a PUT: as its own.

        So the merge carries them over.
        """
        table = self.children.table
        later = [change for change in changes if table[change.field].on_update and change.field in told]
        return {
            change.field: told[change.field]
            for change in later
            if not alike(table[change.field].kind, told[change.field], change.new)
        }

    def _unsaid(self, fields: Mapping[str, Value], side: Side, told: Mapping[str, Value]) -> dict[str, Value]:
        """Return, for values that were not sent because ``side`` can hold no such, what it says instead.

        As the base of their own side: so the merge takes them for an edit and tells of them.
        """
        rules = self.children.table.rules
        return {rule.name: told.get(rule.name) for rule in rules if not rule.can_say(side, fields.get(rule.name))}

    def _told_more(self, espo: EspoRecord, wanted: Mapping[str, Value], told: Mapping[str, Value]) -> dict[str, Any]:
        more = {
            rule.espo: rule.write(Side.ESPOCRM, told[rule.name])
            for rule in self.children.table.rules
            if rule.espo in espo.attributes and wanted.get(rule.name) is None and told.get(rule.name)
            if rule.can_say(Side.ESPOCRM, told[rule.name])
        }
        return self.kind.espo_values(more)

    async def _find(self, espo_id: str, natural: tuple[str, ...] | None, intent: Intent) -> Created[Any] | None:
        # The record may have been edited since: what was created is found by what was sent.
        sought = {natural, sent_key(intent)} - {None}
        known = set(self.children.advoware)
        read = await read_children(self.context, self.kind, self.children.betnr)
        for child in read.children:
            attributes = child.model_dump()
            if self.kind.marked_for(attributes) == espo_id and key_of(child) not in known:
                return Created(key=int(key_of(child)), record=child)
            told = self.kind.read_advoware(self.children.table, attributes)
            if key_of(child) not in known and self.kind.natural_key(told) in sought:
                return Created(key=int(key_of(child)), record=child)
        unknown = [error for key, error in read.spoilt.items() if str(key) not in known]
        for error in (*unknown, read.nameless):
            if error is not None:
                raise error  # it may be the one
        return None

    async def _import(self, plan: ChildPlan) -> bool:
        child = plan.pair.advoware
        if child is None:
            raise ValueError("an import needs Advoware's record")
        values = {**plan.espo, "beteiligteId": self.party.espo_id}
        assigned = self.party.espo.attributes.get("assignedUserId")
        if assigned:
            values["assignedUserId"] = assigned
        refused: dict[str, str] = {}
        creation = await create_once(self.context, self._import_order(plan, child, values, refused))
        record = creation.record
        changes = [change for change in plan.operations[0].changes if self.children.table[change.field].espo in values]
        if not self._stands(record, changes):
            # The answer to a create leaves out what is empty: only a read shows the whole record.
            record = await self.context.espo.read(self.kind.espo_entity, record.id) or record
        espo_fields: dict[str, Value] = dict(plan.wanted)
        made = read_back(
            changes,
            self.children.table,
            Side.ESPOCRM,
            before={},
            stands=self.from_espocrm(record),
            refused=self.by_field(refused),
            base=espo_fields,
        )
        unsaid = self._unsaid(plan.wanted, Side.ESPOCRM, {})
        espo_fields |= unsaid
        self.findings += made.findings
        plan = replace(plan, reported=self.about(record.id, made.tasks), espo={})
        plan = replace(plan, bookkeeping=self._status_of_import(plan, record))
        await self.open(plan.reported)
        done = Outcome(plan, record, child, Base(espo_fields, {**plan.wanted, **unsaid}), None)
        done.espo = (await self.write_espo(done, record)).record
        audited = self.audited(record.id)
        done.rows = audited.rows(made.applied, Side.ESPOCRM, "created") + audited.tasks(plan.reported)
        await self.store(done, creation.intent.id)
        return bool(unsaid)

    def _import_order(
        self, plan: ChildPlan, child: WireRecord, values: Mapping[str, object], refused: dict[str, str]
    ) -> CreateOrder[EspoRecord]:
        """Return the create in EspoCRM; what it refuses is noted in ``refused``."""

        async def post(*, whole: bool = False) -> EspoRecord:
            answer = await create_record(self.context, self.gate, self.kind.espo_entity, values, whole=whole)
            refused.update(answer.refused)
            return answer.record

        return CreateOrder(
            system=Side.ESPOCRM,
            entity=self.kind.entity,
            espo_id=import_name(self.children.betnr, key_of(child)),
            betnr=self.children.betnr,
            natural_key={"fields": dict(plan.wanted)},
            payload=values,
            post=post,
            find=lambda _: self._find_imported(child),
            post_whole=partial(post, whole=True),
        )

    def _stands(self, record: EspoRecord, changes: Sequence[FieldChange]) -> bool:
        espo_fields, table = self.from_espocrm(record), self.children.table
        return all(alike(table[change.field].kind, espo_fields.get(change.field), change.new) for change in changes)

    def _status_of_import(self, plan: ChildPlan, record: EspoRecord) -> dict[str, Any]:
        apart = different(self.kind, plan)
        if plan.message or not apart or plan.pair.advoware is None:
            return {}
        return bookkeeping(
            record.attributes,
            status=self.kind.different_status,
            message=difference_text(self.kind, apart),
            key={self.kind.key_attribute: int(key_of(plan.pair.advoware))},
            gone_since=None,
        )

    async def _find_imported(self, child: WireRecord) -> EspoRecord | None:
        listed = self.context.espo.list_ids_in(
            self.kind.espo_entity,
            "beteiligteId",
            [self.party.espo_id],
            select=self.kind.attributes(self.children.table),
        )
        return await anext(
            (r async for r in listed if str(r.attributes.get(self.kind.key_attribute)) == key_of(child)), None
        )

    # One side has it, or it is refused

    async def _note_gone(self, plan: ChildPlan) -> bool:
        espo = plan.pair.espo
        await self.open(plan.tasks)
        done = Outcome(plan, espo, plan.pair.advoware, None, plan.pair.link)
        espo_id = plan.espo_id or ""
        audited = self.audited(espo_id)
        for one in plan.operations:
            done.rows += audited.rows(one.changes, one.side) or [audited.noted("task", one.reason)]
        if espo is not None:
            done.espo = (await self.write_espo(done, espo)).record
        if espo_id in self.children.taken_away:
            # Its own pass tells on the record that it belongs to nobody. Before the link: once that says that it is
            # gone, no pass asks after it any more.
            await enqueue(self.context, self.kind.entity, [espo_id], "moved")
        if plan.step is not Step.NOTHING:
            await self.store(done)
        await close_tasks(self.context, self.gate, plan.closing)
        return False

    async def _refuse(self, plan: ChildPlan) -> bool:
        espo = present(plan.pair.espo)
        answer = await self.write_espo(Outcome(plan, espo, None, None, None), espo)
        await self.context.store.write(self._store_refusal, answer.record, plan.message or "")
        return False

    def _store_refusal(self, tx: Transaction, espo: EspoRecord, message: str) -> None:
        tx.audit.append([self.audited(espo.id).noted("refused", message)])
        tx.records.upsert([refusal(self.context, self.kind, espo, message)])
