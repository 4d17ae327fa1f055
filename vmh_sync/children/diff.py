"""From a party's children to the plan of each. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from vmh_sync.children.activity import settle_activity
from vmh_sync.children.difference import (
    settle_refusals,
    still_refused,
)
from vmh_sync.children.kind import ACTIVE, ChildKind, Problem
from vmh_sync.children.pairing import Pair
from vmh_sync.children.pending import differing, not_yet_open, update_tasks, wanted
from vmh_sync.children.plan import ChildPlan, Step
from vmh_sync.children.record_status import CLEAN, FAILED, with_bookkeeping
from vmh_sync.children.status_fields import bookkeeping
from vmh_sync.children.sync_state import PartyChildren, key_of, sent_key
from vmh_sync.engine.failures.isolation import isolated
from vmh_sync.engine.failures.ledger import reported_already
from vmh_sync.engine.writing.sending import taken_back, told_if_taken_back, with_ours
from vmh_sync.store.database.columns import JsonObject
from vmh_sync.store.link_notes import NOBODY, LinkNotes
from vmh_sync.store.pairs.intents import Intent
from vmh_sync.store.pairs.links import LinkState
from vmh_sync.sync.base import Base, Fields, Side
from vmh_sync.sync.deciding.apart import refused_fields, try_again
from vmh_sync.sync.deciding.field_plan import FieldPlan, payload, plan_fields
from vmh_sync.sync.deciding.first_meeting import base_of_created
from vmh_sync.sync.fields import WrongKind
from vmh_sync.sync.merge import Decision, Verdict, merge
from vmh_sync.sync.planning.plan import Action, FieldChange, Finding, Operation, TaskKind, TaskWanted
from vmh_sync.sync.reporting.status_values import Kept
from vmh_sync.sync.values import Value, is_empty
from vmh_sync.systems.espocrm.records import EspoRecord

PARTY_LINK = "beteiligteId"


def plan_children(children: PartyChildren, kind: ChildKind, pairs: Iterable[Pair]) -> tuple[ChildPlan, ...]:
    """Decide what is to be done to each child of a party; children that need nothing are there as well."""
    created: set[tuple[str, ...]] = set()
    return tuple(_plan_alone(children, kind, pair, created) for pair in pairs)


def _plan_alone(children: PartyChildren, kind: ChildKind, pair: Pair, created: set[tuple[str, ...]]) -> ChildPlan:
    """Plan one child; an error about it is its own (``ChildPlan.failed``), and nothing is done to it."""
    failed: list[Exception] = []
    with isolated(f"{kind.entity} {pair.espo_id or '(new)'}", failed.append, foreseen=(WrongKind,)):
        return _Planner(children, kind, pair, created).plan()
    return ChildPlan(pair, Step.NOTHING, failed=failed[0])


def without_false(fields: Fields) -> dict[str, Value]:
    """Treat a flag that is not set as not told: on first contact it is a default, nobody's word."""
    return {name: None if value is False else value for name, value in fields.items()}


class _Planner:
    def __init__(self, children: PartyChildren, kind: ChildKind, pair: Pair, created: set[tuple[str, ...]]) -> None:
        self.children, self.kind, self.pair, self.table = children, kind, pair, children.table
        self.created = created  # natural keys of what this party's plans create already
        self.rows = children.tasks.get(pair.espo_id or "", [])

    def plan(self) -> ChildPlan:
        pair = self.pair
        if pair.espo is None:
            return self._import() if pair.link is None else self._gone_in_espocrm()
        if pair.advoware is None:
            return self._gone_in_advoware(pair.espo) if pair.link is not None else self._create(pair.espo)
        return self._merge(pair.espo)

    # Only EspoCRM has it

    def _create(self, espo: EspoRecord) -> ChildPlan:
        fields = self.pair.espo_fields
        if espo.attributes.get(ACTIVE) is False:
            return self._stays_in_espocrm(espo)
        natural = self.kind.natural_key(fields)
        if self.pair.twin or natural in self.created:
            return self._refused(espo, self.kind.double)
        problems = self.kind.problems(fields)
        if problems:
            return self._refused(espo, " ".join(problem.message for problem in problems), problems)
        if natural is not None:
            self.created.add(natural)
        return self._post(espo, fields)

    def _stays_in_espocrm(self, espo: EspoRecord) -> ChildPlan:
        # Switched off, it is not created. Nothing else would ever end its waiting, or take back why it was refused.
        waits = espo.attributes.get("syncStatus") in self.kind.due_statuses or espo.attributes.get("syncErrorMessage")
        said = bookkeeping(espo.attributes, status=CLEAN, message=None, key={}, gone_since=None) if waits else {}
        return ChildPlan(self.pair, Step.NOTHING, bookkeeping=said)

    def _post(self, espo: EspoRecord, fields: Fields) -> ChildPlan:
        values: dict[str, Any] = {}
        changes = []
        for rule in self.table.rules:
            value = fields.get(rule.name)
            if rule.on_create and not is_empty(value) and value is not False and rule.can_say(Side.ADVOWARE, value):
                values[rule.advoware] = rule.write(Side.ADVOWARE, value)
                changes.append(FieldChange(rule.name, None, value, "created"))
        values = self.kind.create_values(espo.id, values, fields, self.children.owner)
        operation = Operation(
            Side.ADVOWARE, Action.CREATE, self.kind.advoware_entity, None, values, tuple(changes), "new in EspoCRM"
        )
        notes, link = LinkNotes(active=True), self.pair.link
        if link is not None:
            notes = replace(notes, retired=(*link.notes.retired, str(link.advoware_id)))
        return ChildPlan(
            self.pair,
            Step.CREATE,
            wanted=fields,
            advoware=values,
            notes=notes,
            operations=(operation,),
            open_rows=self.rows,
            closing=tuple(row.id for row in self.rows if row.kind == self.kind.delete_task),
        )

    def _refused(self, espo: EspoRecord, message: str, problems: list[Problem] | None = None) -> ChildPlan:
        known = reported_already(self.children.ledger_rows.get(espo.id), message, espo.modified_at)
        status_values = bookkeeping(espo.attributes, status=FAILED, message=message, key={}, gone_since=None)
        fields = [problem.field for problem in problems] if problems else [""]
        return ChildPlan(
            self.pair,
            Step.REFUSED,
            status=FAILED,
            message=message,
            bookkeeping={} if known else status_values,
            findings=tuple(Finding(name, Side.ADVOWARE, message) for name in fields),
            open_rows=self.rows,
        )

    def _kept(self) -> Kept:
        return self.pair.link.notes.kept_differently if self.pair.link is not None else {}

    def _sending(self) -> JsonObject:
        return self.pair.link.notes.sending if self.pair.link is not None else {}

    # Only Advoware has it

    def _import(self) -> ChildPlan:
        if self.pair.advoware is None or not self.kind.imports(self.children.rules):
            return ChildPlan(self.pair, Step.NOTHING)
        fields = self.pair.advoware_fields
        if all(is_empty(value) or value is False for value in fields.values()):
            return ChildPlan(self.pair, Step.NOTHING)
        table = self.table
        told = {name: one for name, one in fields.items() if one and table[name].can_say(Side.ESPOCRM, one)}
        changes = tuple(FieldChange(name, None, value, "imported") for name, value in told.items())
        values = self.kind.espo_values(payload(changes, self.table, Side.ESPOCRM))
        problems = self.kind.problems(fields)
        message = " ".join(problem.message for problem in problems) or None
        values |= {
            "name": self.kind.espo_name(fields),
            ACTIVE: True,
            self.kind.key_attribute: int(key_of(self.pair.advoware)),
            "syncStatus": FAILED if problems else CLEAN,
        }
        if message:
            values["syncErrorMessage"] = message
        operation = Operation(
            Side.ESPOCRM, Action.CREATE, self.kind.espo_entity, None, values, changes, "new in Advoware"
        )
        return ChildPlan(
            self.pair,
            Step.IMPORT,
            wanted=fields,
            espo=values,
            notes=LinkNotes(active=True),
            message=message,
            operations=(operation,),
            findings=tuple(Finding(problem.field, Side.ESPOCRM, problem.message) for problem in problems),
        )

    # Gone on one side

    def _gone_in_advoware(self, espo: EspoRecord) -> ChildPlan:
        link = self.pair.link
        if link is None:
            raise ValueError("only a linked child can be gone")
        active = espo.attributes.get(ACTIVE) is not False
        reactivated = link.state == "deleted_in_advoware" and active and link.notes.active is False
        task = self.kind.reactivation_task(self.children.rules)
        if reactivated and task is None:
            return self._create(espo)
        kinds = {self.kind.update_task, self.kind.delete_task, TaskKind.CONFLICT, TaskKind.VALUE_REFUSED}
        notes = replace(link.notes, active=False, delete_wanted=False)
        plan = ChildPlan(
            self.pair,
            Step.GONE_IN_ADVOWARE,
            state="deleted_in_advoware",
            notes=notes,
            open_rows=self.rows,
            closing=tuple(row.id for row in self.rows if row.kind in kinds),
            kept=self._kept(),
            link_moves=link.state != "deleted_in_advoware" or notes != link.notes,
        )
        if reactivated and task is not None:
            about = wanted(self.kind, task, espo.id, {"wanted": self.kind.title(self.pair.espo_fields)})
            plan = replace(plan, tasks=not_yet_open([about], self.rows), status=self.kind.waiting_status)
        elif active and ACTIVE in espo.attributes and link.state != "deleted_in_advoware":
            change = FieldChange("aktiv", True, False, "gone in Advoware")
            content = {ACTIVE: False}
            off = Operation(
                Side.ESPOCRM, Action.REMOVE, self.kind.espo_entity, espo.id, content, (change,), change.reason
            )
            plan = replace(plan, espo=content, operations=(off,))
        return with_bookkeeping(self.kind, self.children, plan, espo)

    def _gone_in_espocrm(self) -> ChildPlan:
        link = self.pair.link
        if link is None or link.espo_id in self.children.elsewhere:
            return ChildPlan(self.pair, Step.NOTHING)
        confirmed = link.espo_id in self.children.gone_in_espocrm or link.state == "deleted_in_espocrm"
        if not confirmed:
            return ChildPlan(self.pair, Step.NOTHING)
        child, reported = self.pair.advoware, link.notes.reported
        taken = link.espo_id in self.children.taken_away
        moved_to = NOBODY if taken else link.notes.moved_to
        known = link.state == "deleted_in_espocrm"
        tasks: tuple[TaskWanted, ...] = ()
        settled = self.rows
        if child is None or not self.kind.valid(child.model_dump(), self.children.today):
            reported = False  # should it be prolonged in Advoware, people are told again
        else:
            settled = [row for row in self.rows if row.kind != self.kind.delete_task]
            details: dict[str, Any] = {"standing": self.kind.title(self.pair.advoware_fields), "deleted": True}
            if moved_to is not None:
                details["moved_to"] = moved_to
            # A task that died on its way to EspoCRM has asked nobody.
            asked = reported or any(row.espo_task_id is not None for row in self.rows)
            if not (known and asked):
                task = wanted(self.kind, self.kind.delete_task, link.espo_id, details)
                tasks = not_yet_open([task], self.rows)
            reported = True
        why = f"{'taken from the party' if taken else 'deleted'} in EspoCRM: task, nothing is deleted in Advoware"
        told = Operation(Side.ADVOWARE, Action.REMOVE, self.kind.advoware_entity, link.advoware_id, reason=why)
        notes = replace(link.notes, reported=reported, moved_to=moved_to)
        new_state: LinkState = "deleted_in_espocrm" if child is not None else "tombstone"
        return ChildPlan(
            self.pair,
            Step.GONE_IN_ESPOCRM,
            state=new_state,
            notes=notes,
            tasks=tasks,
            closing=tuple(row.id for row in settled),
            operations=() if known else (told,),
            open_rows=self.rows,
            link_moves=new_state != link.state or notes != link.notes,
        )

    # Both have it

    def _merge(self, espo: EspoRecord) -> ChildPlan:
        said, base = self._said()
        problems = self.kind.problems(said[Side.ESPOCRM])
        bad = {problem.field for problem in problems}
        fields = self._field_plan(espo, said, base, bad)
        merged = self._merged(espo, said[Side.ESPOCRM], fields, problems)
        settled = settle_activity(self.kind, self.children, merged, espo)
        if settled is None:
            return self._create(espo)
        plan = self._with_tasks(settled, espo, fields, bad)
        if self.pair.leftover is not None:
            gone = (row.id for row in self.children.tasks.get(self.pair.leftover.espo_id, ()))
            plan = replace(plan, closing=(*plan.closing, *gone))
        link = self.pair.link
        moves = fields.base_moves and not (fields.only_tries_again and bool(plan.espo or plan.advoware))
        moves = plan.link_moves or link is None or link.state != "active" or moves
        plan = replace(plan, link_moves=moves, operations=self._operations(plan, espo, fields))
        return with_bookkeeping(self.kind, self.children, plan, espo)

    def _said(self) -> tuple[dict[Side, Fields], Base | None]:
        """Return what each side says, and the base: what both agreed on last, and what is under way from us."""
        link = self.pair.link
        said = {Side.ESPOCRM: self.pair.espo_fields, Side.ADVOWARE: self.pair.advoware_fields}
        base = Base.from_json(link.base) if link is not None and link.base else None
        if base is None:
            said = {side: without_false(fields) for side, fields in said.items()}
            base = self._base_of_created(said[Side.ESPOCRM], said[Side.ADVOWARE])
        return said, with_ours(base, self._sending(), self.table, said) if base is not None else None

    def _field_plan(self, espo: EspoRecord, said: Mapping[Side, Fields], base: Base | None, bad: set[str]) -> FieldPlan:
        espocrm, advoware = said[Side.ESPOCRM], said[Side.ADVOWARE]
        decisions = _without_bad(merge(self.table.rules, base=base, espocrm=espocrm, advoware=advoware), bad)
        if self.pair.typed_over:
            decisions = [_told(decision) for decision in decisions]
        now = {Side.ESPOCRM: (espo, espocrm), Side.ADVOWARE: (self.pair.advoware, advoware)}
        back = taken_back(self._sending(), self.table, now)
        decisions = told_if_taken_back(decisions, back, self.table)
        refused = refused_fields(self.rows, self.table, said)
        retried = try_again(decisions, self.table, refused, due=self.children.retries(espo.id))
        fields = plan_fields(_without_bad(retried, bad), self.table, base=base)
        fields.base_moves = fields.base_moves or base is None
        self.kind.complete(fields, {**espocrm, **fields.base_espocrm}, self.children.owner)
        return fields

    def _merged(self, espo: EspoRecord, espocrm: Fields, fields: FieldPlan, problems: Iterable[Problem]) -> ChildPlan:
        content = self.kind.espo_values(payload(fields.to_espocrm, self.table, Side.ESPOCRM))
        remaining = self.kind.problems({**espocrm, **{change.field: change.new for change in fields.to_espocrm}})
        return ChildPlan(
            self.pair,
            Step.MERGE,
            fields,
            wanted=espocrm,
            espo={name: value for name, value in content.items() if name in espo.attributes} | self._moved_party(espo),
            advoware=payload(fields.to_advoware, self.table, Side.ADVOWARE),
            findings=(*fields.findings, *(Finding(one.field, Side.ADVOWARE, one.message) for one in problems)),
            message=" ".join(problem.message for problem in remaining) or None,
            open_rows=self.rows,
            kept=self._kept(),
            begun=self._begun(),
        )

    def _begun(self) -> Intent | None:
        """Return the create by which a killed pass has made one of the two, if one did."""
        espo, advoware = self.pair.espo, self.pair.advoware
        if espo is None or advoware is None or self.pair.link is not None:
            return None
        sent = self.children.attempted.get(espo.id)
        if sent is None or sent.betnr != self.children.betnr:
            return self.children.imported.get(espo.id)
        key, marked = sent_key(sent), self.kind.marked_for(advoware.model_dump())
        matches = marked == espo.id or (key is not None and key == self.kind.natural_key(self.pair.advoware_fields))
        return sent if matches or self.pair.typed_over else None

    def _base_of_created(self, espocrm: Fields, advoware: Fields) -> Base | None:
        """What is known of a record that a killed pass has made: what we sent is nobody's edit."""
        begun = self._begun()
        if begun is None:
            return None
        side = Side(begun.system)
        stands = espocrm if side is Side.ESPOCRM else advoware
        return base_of_created(self.table, without_false(begun.natural_key.get("fields", {})), stands, side)

    def _moved_party(self, espo: EspoRecord) -> dict[str, Any]:
        return {PARTY_LINK: self.children.espo_id} if espo.id in self.children.orphaned else {}

    def _with_tasks(self, plan: ChildPlan, espo: EspoRecord, fields: FieldPlan, bad: set[str]) -> ChildPlan:
        title = self.kind.title(self.pair.espo_fields)
        plan = settle_refusals(plan, fields, self.table, written=False)
        refused = still_refused(self.table, fields.base, self.rows)
        differences = differing(self.table, fields.base, (*bad, *fields.held, *refused))
        others = [
            wanted(self.kind, task.kind, espo.id, {**task.details, "title": title}, task.fields)
            for task in fields.tasks
            if task.kind not in (TaskKind.READONLY_FIELD, self.kind.update_task)
        ]
        updates, settled = update_tasks(self.kind, espo.id, differences, self.rows, title)
        held = set(fields.held)
        decided = (
            row.id
            for row in self.rows
            if row.kind == TaskKind.CONFLICT and row.details.get("held") and not set(row.fields) & held
        )
        return replace(
            plan,
            tasks=(*plan.tasks, *not_yet_open([*others, *updates], self.rows)),
            closing=(*plan.closing, *settled, *decided),
        )

    def _operations(self, plan: ChildPlan, espo: EspoRecord, fields: FieldPlan) -> tuple[Operation, ...]:
        key = key_of(self.pair.advoware) if self.pair.advoware is not None else None
        sides = (
            (Side.ADVOWARE, self.kind.advoware_entity, key, plan.advoware, fields.to_advoware, "edited in EspoCRM"),
            (Side.ESPOCRM, self.kind.espo_entity, espo.id, plan.espo, fields.to_espocrm, "edited in Advoware"),
        )
        return tuple(
            Operation(side, Action.UPDATE, entity, record, content, tuple(changes), why)
            for side, entity, record, content, changes, why in sides
            if content
        )


def _without_bad(decisions: Iterable[Decision], bad: set[str]) -> list[Decision]:
    """A bad value does not leave EspoCRM; it is looked at again once it changes."""
    return [one for one in decisions if not (one.field in bad and one.source is Side.ESPOCRM)]


def _told(decision: Decision) -> Decision:
    """It may be another child than the one that EspoCRM's record stood for: what is replaced there must be told."""
    replaces = decision.verdict is Verdict.COPY and decision.source is Side.ADVOWARE and not is_empty(decision.replaced)
    return replace(decision, verdict=Verdict.CONFLICT) if replaces else decision
