"""From a party's children to the plan of each. Pure."""

from collections.abc import Iterable
from typing import Any

from vmh_sync.children.activity import settle_activity
from vmh_sync.children.difference import (
    difference_text,
    different,
    settle_refusals,
    still_refused,
)
from vmh_sync.children.kind import ACTIVE, ChildKind, Problem
from vmh_sync.children.pairing import Pair, pair_up
from vmh_sync.children.pending import differing, not_yet_open, update_tasks, wanted
from vmh_sync.children.plan import ChildPlan, Step
from vmh_sync.children.status_fields import stamps, standing
from vmh_sync.children.sync_state import PartyChildren, key_of
from vmh_sync.engine.isolation import isolated
from vmh_sync.engine.ledger import reported_already
from vmh_sync.sync.apart import refused_fields, try_again
from vmh_sync.sync.base import Base, Fields, Side
from vmh_sync.sync.field_plan import FieldPlan, payload, plan_fields
from vmh_sync.sync.fields import WrongKind
from vmh_sync.sync.merge import Decision, merge
from vmh_sync.sync.plan import Action, FieldChange, Finding, Operation, TaskKind
from vmh_sync.sync.status_values import KEPT, Kept, kept_from
from vmh_sync.sync.values import Value, is_empty
from vmh_sync.systems.espocrm.records import EspoRecord

FAILED = "failed"
CLEAN = "clean"


def plan_children(memory: PartyChildren, kind: ChildKind) -> list[ChildPlan]:
    """Decide what is to be done to each child of a party; children that need nothing are there as well."""
    created: set[tuple[str, ...]] = set()
    return [_plan_alone(memory, kind, pair, created) for pair in pair_up(memory, kind)]


def _plan_alone(memory: PartyChildren, kind: ChildKind, pair: Pair, created: set[tuple[str, ...]]) -> ChildPlan:
    """Plan one child; an error about it is its own (``ChildPlan.failed``), and nothing is done to it."""
    failed: list[Exception] = []
    with isolated(f"{kind.entity} {pair.espo_id or '(new)'}", failed.append, foreseen=(WrongKind,)):
        return _Planner(memory, kind, pair, created).plan()
    return ChildPlan(pair, Step.NOTHING, failed=failed[0])


def without_false(fields: Fields) -> dict[str, Value]:
    """Treat a flag that is not set as not told: on first contact it is a default, nobody's word."""
    return {name: None if value is False else value for name, value in fields.items()}


class _Planner:
    def __init__(self, memory: PartyChildren, kind: ChildKind, pair: Pair, created: set[tuple[str, ...]]) -> None:
        self.memory, self.kind, self.pair, self.table = memory, kind, pair, memory.table
        self.created = created  # natural keys of what this party's plans create already
        self.rows = memory.tasks.get(pair.espo_id or "", [])

    def plan(self) -> ChildPlan:
        pair = self.pair
        if pair.espo is None:
            return self._import() if pair.link is None else self._gone_here()
        if pair.espo.id in self.memory.foreign_links:
            text = f"{self.kind.label}: Der Datensatz wurde einem anderen Beteiligten zugeordnet."
            return self._refused(pair.espo, f"{text} Bitte wieder zurückordnen oder neu anlegen.")
        if pair.advoware is None:
            return self._gone_there(pair.espo) if pair.link is not None else self._create(pair.espo)
        return self._merge(pair.espo)

    # Only EspoCRM has it

    def _create(self, espo: EspoRecord) -> ChildPlan:
        fields = self.table.read(Side.ESPOCRM, espo.attributes)
        if espo.attributes.get(ACTIVE) is False:
            return ChildPlan(self.pair, Step.NOTHING)
        natural = self.kind.natural_key(fields)
        if self.pair.twin or natural in self.created:
            return self._refused(espo, self.kind.double)
        problems = self.kind.problems(fields)
        if problems:
            return self._refused(espo, " ".join(problem.message for problem in problems), problems)
        if natural is not None:
            self.created.add(natural)
        return self._post(espo, fields)

    def _post(self, espo: EspoRecord, fields: Fields) -> ChildPlan:
        values: dict[str, Any] = {}
        changes = []
        for rule in self.table.rules:
            value = fields.get(rule.name)
            if rule.on_create and not is_empty(value) and value is not False:
                values[rule.advoware] = rule.write(Side.ADVOWARE, value)
                changes.append(FieldChange(rule.name, None, value, "created"))
        values = self.kind.create_values(espo.id, values, fields, self.memory.owner)
        operation = Operation(
            Side.ADVOWARE, Action.CREATE, self.kind.advoware_entity, None, values, tuple(changes), "new in EspoCRM"
        )
        extra: dict[str, Any] = {"active": True, "delete_wanted": False}
        if self.pair.link is not None:
            retired = [*self.pair.link.extra.get("retired", ()), self.pair.link.advoware_id]
            extra["retired"] = retired
        return ChildPlan(
            self.pair,
            Step.CREATE,
            wanted=fields,
            advoware=values,
            extra=extra,
            operations=[operation],
            open_rows=self.rows,
            closing=[row.id for row in self.rows if row.kind == self.kind.delete_task],
        )

    def _refused(self, espo: EspoRecord, message: str, problems: list[Problem] | None = None) -> ChildPlan:
        plan = ChildPlan(self.pair, Step.REFUSED, status=FAILED, message=message, open_rows=self.rows)
        if not reported_already(self.memory.standings.get(espo.id), message, espo.modified_at):
            plan.bookkeeping = standing(espo.attributes, status=FAILED, message=message, key={}, gone_since=None)
        fields = [problem.field for problem in problems] if problems else [""]
        plan.findings = [Finding(name, Side.ADVOWARE, message) for name in fields]
        return plan

    def _kept(self) -> Kept:
        return kept_from(self.pair.link.extra.get(KEPT)) if self.pair.link is not None else {}

    # Only Advoware has it

    def _import(self) -> ChildPlan:
        if self.pair.advoware is None or not self.kind.imports(self.memory.rules):
            return ChildPlan(self.pair, Step.NOTHING)
        fields = self.kind.read_advoware(self.table, self.pair.advoware.model_dump())
        if all(is_empty(value) or value is False for value in fields.values()):
            return ChildPlan(self.pair, Step.NOTHING)
        changes = tuple(FieldChange(name, None, value, "imported") for name, value in fields.items() if value)
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
        plan = ChildPlan(
            self.pair,
            Step.IMPORT,
            wanted=fields,
            espo=values,
            extra={"active": True, "delete_wanted": False},
            message=message,
        )
        plan.operations = [operation]
        plan.findings = [Finding(problem.field, Side.ESPOCRM, problem.message) for problem in problems]
        return plan

    # Gone on one side

    def _gone_there(self, espo: EspoRecord) -> ChildPlan:
        link = self.pair.link
        if link is None:
            raise ValueError("only a linked child can be gone")
        active = espo.attributes.get(ACTIVE) is not False
        fields = self.table.read(Side.ESPOCRM, espo.attributes)
        reactivated = link.state == "deleted_in_advoware" and active and link.extra.get("active") is False
        task = self.kind.reactivation_task(self.memory.rules)
        if reactivated and task is None:
            return self._create(espo)
        plan = ChildPlan(
            self.pair, Step.GONE_THERE, state="deleted_in_advoware", open_rows=self.rows, kept=self._kept()
        )
        plan.extra = {**link.extra, "active": False, "delete_wanted": False}
        kinds = {self.kind.update_task, self.kind.delete_task, TaskKind.CONFLICT, TaskKind.VALUE_REFUSED}
        plan.closing = [row.id for row in self.rows if row.kind in kinds]
        if reactivated and task is not None:
            plan.tasks = not_yet_open(
                [wanted(self.kind, task, espo.id, {"wanted": self.kind.title(fields)})], self.rows
            )
            plan.status = self.kind.waiting_status
        elif active and ACTIVE in espo.attributes and link.state != "deleted_in_advoware":
            plan.espo = {ACTIVE: False}
            change = FieldChange("aktiv", True, False, "gone in Advoware")
            plan.operations = [
                Operation(
                    Side.ESPOCRM, Action.REMOVE, self.kind.espo_entity, espo.id, plan.espo, (change,), change.reason
                )
            ]
        plan.link_moves = link.state != "deleted_in_advoware" or plan.extra != dict(link.extra)
        keep_books(self.kind, self.memory, plan, espo)
        return plan

    def _gone_here(self) -> ChildPlan:
        link = self.pair.link
        if link is None or link.espo_id in self.memory.elsewhere:
            return ChildPlan(self.pair, Step.NOTHING)
        confirmed = link.espo_id in self.memory.gone_here or link.state == "deleted_in_espocrm"
        if not confirmed:
            return ChildPlan(self.pair, Step.NOTHING)
        plan = ChildPlan(self.pair, Step.GONE_HERE, state="deleted_in_espocrm", open_rows=self.rows)
        plan.extra = dict(link.extra)
        there = self.pair.advoware
        if there is None or not self.kind.valid(there.model_dump(), self.memory.today):
            plan.closing = [row.id for row in self.rows]
            plan.state = "tombstone" if there is None else "deleted_in_espocrm"
            plan.extra.pop("reported", None)  # should it be prolonged over there, people are told again
        else:
            fields = self.kind.read_advoware(self.table, there.model_dump())
            plan.closing = [row.id for row in self.rows if row.kind != self.kind.delete_task]
            details = {"standing": self.kind.title(fields), "deleted": True}
            if link.state != "deleted_in_espocrm" or not self.rows:
                reported = link.state == "deleted_in_espocrm" and link.extra.get("reported")
                task = wanted(self.kind, self.kind.delete_task, link.espo_id, details)
                plan.tasks = [] if reported else not_yet_open([task], self.rows)
            plan.extra["reported"] = True
        plan.link_moves = plan.state != link.state or plan.extra != dict(link.extra)
        if link.state != "deleted_in_espocrm":
            plan.operations = [
                Operation(
                    Side.ADVOWARE,
                    Action.REMOVE,
                    self.kind.advoware_entity,
                    link.advoware_id,
                    reason="deleted in EspoCRM: task, nothing is deleted over there",
                )
            ]
        return plan

    # Both have it

    def _merge(self, espo: EspoRecord) -> ChildPlan:
        there = self.pair.advoware
        if there is None:
            raise ValueError("a merge needs both sides")
        link = self.pair.link
        base = Base.from_json(link.base) if link is not None and link.base else None
        here = self.table.read(Side.ESPOCRM, espo.attributes)
        theirs = self.kind.read_advoware(self.table, there.model_dump())
        if base is None:
            here, theirs = without_false(here), without_false(theirs)
        problems = self.kind.problems(here)
        bad = {problem.field for problem in problems}
        decisions = _without_bad(merge(self.table.rules, base=base, espocrm=here, advoware=theirs), bad)
        due = self.memory.retries(espo.id)
        refused = refused_fields(self.rows, self.table, {Side.ESPOCRM: here, Side.ADVOWARE: theirs})
        retried = try_again(decisions, self.table, refused, due=due)
        fields = plan_fields(_without_bad(retried, bad), self.table, base=base)
        fields.base_moves = fields.base_moves or base is None
        both = {**here, **fields.base_espocrm}
        self.kind.complete(fields, both, self.memory.owner)
        plan = ChildPlan(self.pair, Step.MERGE, fields, wanted=here, open_rows=self.rows, kept=self._kept())
        plan.espo = self.kind.espo_values(payload(fields.to_espocrm, self.table, Side.ESPOCRM))
        plan.espo = {name: value for name, value in plan.espo.items() if name in espo.attributes}
        plan.advoware = payload(fields.to_advoware, self.table, Side.ADVOWARE)
        plan.findings = list(fields.findings) + [Finding(p.field, Side.ADVOWARE, p.message) for p in problems]
        remaining = self.kind.problems({**here, **{change.field: change.new for change in fields.to_espocrm}})
        plan.message = " ".join(problem.message for problem in remaining) or None
        if settle_activity(self.kind, self.memory, plan, espo, self.rows):
            return self._create(espo)
        self._tasks(plan, espo, fields, bad)
        moves = fields.base_moves and not (fields.only_tries_again and bool(plan.espo or plan.advoware))
        plan.link_moves = plan.link_moves or link is None or link.state != "active" or moves
        self._operations(plan, espo)
        keep_books(self.kind, self.memory, plan, espo)
        return plan

    def _tasks(self, plan: ChildPlan, espo: EspoRecord, fields: FieldPlan, bad: set[str]) -> None:
        title = self.kind.title(self.table.read(Side.ESPOCRM, espo.attributes))
        settle_refusals(plan, self.table, written=False)
        refused = still_refused(self.table, fields.base, self.rows)
        differences = differing(self.table, fields.base, (*bad, *fields.held, *refused))
        others = [
            wanted(self.kind, task.kind, espo.id, {**task.details, "title": title}, task.fields)
            for task in fields.tasks
            if task.kind not in (TaskKind.READONLY_FIELD, self.kind.update_task)
        ]
        updates, settled = update_tasks(self.kind, espo.id, differences, self.rows, title)
        plan.tasks += not_yet_open([*others, *updates], self.rows)
        plan.closing += settled
        held = set(fields.held)
        plan.closing += [
            row.id
            for row in self.rows
            if row.kind == TaskKind.CONFLICT and row.details.get("held") and not set(row.fields) & held
        ]

    def _operations(self, plan: ChildPlan, espo: EspoRecord) -> None:
        fields = plan.fields
        if fields is None:
            return
        if plan.advoware and self.pair.advoware is not None:
            key = key_of(self.pair.advoware)
            plan.operations.append(
                Operation(
                    Side.ADVOWARE,
                    Action.UPDATE,
                    self.kind.advoware_entity,
                    key,
                    plan.advoware,
                    tuple(fields.to_advoware),
                    "edited in EspoCRM",
                )
            )
        if plan.espo:
            plan.operations.append(
                Operation(
                    Side.ESPOCRM,
                    Action.UPDATE,
                    self.kind.espo_entity,
                    espo.id,
                    plan.espo,
                    tuple(fields.to_espocrm),
                    "edited in Advoware",
                )
            )


def _without_bad(decisions: Iterable[Decision], bad: set[str]) -> list[Decision]:
    """A bad value does not leave EspoCRM; it is looked at again once it changes."""
    return [one for one in decisions if not (one.field in bad and one.source is Side.ESPOCRM)]


def keep_books(kind: ChildKind, memory: PartyChildren, plan: ChildPlan, espo: EspoRecord) -> None:
    """Fill in what the record must say of itself; before writing, and once more by what writing has found."""
    apart = different(kind, plan)
    if plan.message:
        plan.status = FAILED
    elif plan.step is Step.MERGE:
        waits = kind.waiting_status if plan.extra.get("delete_wanted") else CLEAN
        plan.status = kind.different_status if apart else waits
    there = plan.pair.advoware
    plan.bookkeeping = standing(
        espo.attributes,
        status=plan.status,
        message=plan.message or difference_text(kind, apart),
        key={kind.key_attribute: int(key_of(there))} if there is not None else {},
        gone_since=memory.now if plan.step is Step.GONE_THERE else None,
        kept=plan.kept,
    )


def with_stamps(plan: ChildPlan, espo: EspoRecord, row_id: str | None, memory: PartyChildren) -> dict[str, Any]:
    """Return everything that goes to EspoCRM, the time stamps along with it; empty when there is nothing to say."""
    values = {**plan.espo, **plan.bookkeeping}
    if plan.only_tries_again:
        return values  # while it is refused, nothing is written, stamps included
    return {**values, **stamps(espo.attributes, now=memory.now, row_id=row_id)} if values else {}
