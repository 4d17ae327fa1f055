"""Both sides, our memory of them, and a pass that may be hindered at every write (children/write.py in small)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import count
from typing import TypeVar

from vmh_sync.children.diff import keep_books, plan_children, with_stamps
from vmh_sync.children.difference import settle_refusals
from vmh_sync.children.kind import ChildKind
from vmh_sync.children.plan import ChildPlan, Step
from vmh_sync.children.status_fields import standing
from vmh_sync.children.sync_state import PartyChildren, key_of
from vmh_sync.settings import SyncSettings
from vmh_sync.store.links import Link
from vmh_sync.store.tasks import ManualTask
from vmh_sync.sync.base import Base, Side
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.plan import FieldChange, TaskKind, TaskWanted
from vmh_sync.sync.values import Value
from vmh_sync.systems.advoware.records import WireRecord
from vmh_sync.tasks.manual_tasks import fingerprint
from vmh_sync_tests.property.children.sides import Crm, Died, Failed, Fault, Office

BETNR = 4711
TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)

T = TypeVar("T")


@dataclass
class World:
    """One party's children on both sides and in our database.

    ``lost`` are values that the audit log names as losers, ``told`` those that a task named: EspoCRM id, field, value.
    """

    kind: ChildKind
    table: FieldTable
    rules: SyncSettings
    crm: Crm
    office: Office
    links: dict[str, Link] = field(default_factory=dict)
    tasks: list[ManualTask] = field(default_factory=list)
    done_by_people: set[str] = field(default_factory=set)
    intents: dict[str, tuple[str, ...] | None] = field(default_factory=dict)
    lost: set[tuple[str, str, Value]] = field(default_factory=set)
    told: set[tuple[str, str, Value]] = field(default_factory=set)
    ever: dict[str, str] = field(default_factory=dict)
    history: set[tuple[str, str]] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    # What is read

    def here(self, espo_id: str) -> dict[str, Value]:
        return self.table.read(Side.ESPOCRM, self.crm.records[espo_id])

    def there(self, key: str) -> dict[str, Value]:
        return self.kind.read_advoware(self.table, self.office.read(key).model_dump())

    def memory(self, *, hidden_here: Iterable[str] = (), hidden_there: Iterable[str] = ()) -> PartyChildren:
        memory = PartyChildren(BETNR, "Erika Muster", self.table, self.rules, NOW, TODAY)
        memory.espo = {i: self.crm.read(i) for i in self.crm.listed() if i not in set(hidden_here)}
        memory.advoware = {key: self.office.read(key) for key in self.office.records if key not in set(hidden_there)}
        memory.links = list(self.links.values())
        for task in self.tasks:
            memory.tasks.setdefault(task.espo_id, []).append(task)
        unknown = {i: natural for i, natural in self.intents.items() if i in memory.espo and i not in self.links}
        memory.attempted = {i: natural for i, natural in unknown.items() if natural is not None}
        memory.gone_here = {espo_id for espo_id in self.links if espo_id not in self.crm.records}
        memory.elsewhere = {espo_id for espo_id in self.links if espo_id in self.crm.elsewhere}
        return memory

    def plans(self, memory: PartyChildren | None = None) -> list[ChildPlan]:
        return [plan for plan in plan_children(memory or self.memory(), self.kind) if plan.has_work]

    # Passes

    def run(self, faults: Iterable[Fault] = (), memory: PartyChildren | None = None) -> list[ChildPlan]:
        """One pass; each write takes the next fault."""
        memory = memory or self.memory()
        self.faults = list(faults)
        plans = self.plans(memory)
        try:
            for plan in plans:
                self._carry_out(plan, memory)
        except Died:
            pass
        self.faults = []
        return plans

    def settle(self, limit: int = 5) -> int:
        """Run passes until one has nothing to do; returns how many had."""
        for number in range(limit):
            if not self.run():
                return number
        raise AssertionError(f"still at work after {limit} passes")

    def _step(self, action: Callable[[], T], *, ours: bool = False) -> T:
        """Do one write; ``ours`` is a transaction in our database: whole or not at all."""
        fault = self.faults.pop(0) if self.faults else Fault.NONE
        if fault is Fault.DIES_BEFORE or (ours and fault is Fault.FAILS):
            raise Died
        if fault is Fault.FAILS:
            raise Failed
        result = action()
        if fault is Fault.DIES_AFTER or (ours and fault is Fault.LOST):
            raise Died
        if fault is Fault.LOST:
            raise Failed
        return result

    def _carry_out(self, plan: ChildPlan, memory: PartyChildren) -> None:
        steps = {Step.CREATE: self._create, Step.IMPORT: self._import, Step.MERGE: self._merge}
        try:
            steps.get(plan.step, self._other)(plan, memory)
        except Failed:
            return

    # One child

    def _create(self, plan: ChildPlan, memory: PartyChildren) -> None:
        espo = plan.pair.espo
        assert espo is not None
        natural = self.kind.natural_key(plan.wanted)
        key = self._once(espo.id, lambda: self._post(espo.id, plan), lambda: self._find(plan, memory), natural)
        child, told = self.office.read(key), self.there(key)
        self._commit(plan, espo.id, child, Base(dict(plan.wanted), told), intent=espo.id)
        more = {
            rule.espo: rule.write(Side.ESPOCRM, told[rule.name])
            for rule in self.table.rules
            if plan.wanted.get(rule.name) is None and told.get(rule.name)
        }
        plan.espo = self.kind.espo_values(more)
        keys = {self.kind.key_attribute: int(key)}
        plan.bookkeeping = standing(espo.attributes, status="clean", message=None, key=dict(keys), gone_since=None)
        self._write_espo(plan, memory, child)
        names = [rule.name for rule in self.table.rules if rule.espo in more]
        self._commit(plan, espo.id, child, Base({**plan.wanted, **{name: told[name] for name in names}}, told))
        self._close(plan.closing)

    def _post(self, espo_id: str, plan: ChildPlan) -> str:
        link = self.links.get(espo_id)
        mine = {*(link.extra.get("retired", ()) if link else ()), link.advoware_id if link else None}
        natural = self.kind.natural_key(plan.wanted)
        for key in self.office.records:
            if key not in mine:
                assert self.kind.natural_key(self.there(key)) != natural, "doubled in Advoware"
                assert self.office.made_for.get(key) != espo_id, "created twice"
        return self.office.post(espo_id, plan.advoware)

    def _find(self, plan: ChildPlan, memory: PartyChildren) -> str | None:
        natural = self.kind.natural_key(plan.wanted)
        for key in self.office.records:
            if key in memory.advoware:
                continue
            if self.kind.marked_for(self.office.read(key).model_dump()) == plan.espo_id:
                return key
            if natural is not None and self.kind.natural_key(self.there(key)) == natural:
                return key
        return None

    def _once(
        self,
        intent: str,
        post: Callable[[], str],
        find: Callable[[], str | None],
        natural: tuple[str, ...] | None = None,
    ) -> str:
        if intent in self.intents:
            found = find()
            if found is not None:
                return found
        self._step(lambda: self.intents.update({intent: natural}), ours=True)
        return self._step(post)

    def _import(self, plan: ChildPlan, memory: PartyChildren) -> None:
        child = plan.pair.advoware
        assert child is not None
        key, refused = key_of(child), []

        def post() -> str:
            espo_id, left_out = self.crm.create(plan.espo)
            refused.extend(self._names(left_out))
            return espo_id

        espo_id = self._once(f"import {key}", post, lambda: self._imported(key))
        base = Base({name: None if name in refused else value for name, value in plan.wanted.items()}, plan.wanted)
        self._open(espo_id, self._refusals(refused, dict(plan.wanted)))
        self._commit(plan, espo_id, child, base, intent=f"import {key}")

    def _imported(self, key: str) -> str | None:
        records = self.crm.records.items()
        return next((i for i, record in records if str(record[self.kind.key_attribute]) == key), None)

    def _merge(self, plan: ChildPlan, memory: PartyChildren) -> None:
        espo, child, fields = plan.pair.espo, plan.pair.advoware, plan.fields
        assert espo is not None
        assert child is not None
        assert fields is not None
        if fields.conflicts:
            self._step(lambda: self._lose(espo.id, fields.conflicts), ours=True)
        later = (self.kind.update_task, self.kind.delete_task)
        self._open(espo.id, [task for task in plan.tasks if task.kind not in later])
        if plan.advoware:
            key, before = key_of(child), child.model_dump()["row_id"]
            self._step(lambda: self.office.put(key, before, plan.advoware))
            child, told = self.office.read(key), self.there(key)
            for change in fields.to_advoware:
                fields.base_advoware[change.field] = told.get(change.field)
        refused = self._names(self._write_espo(plan, memory, child))
        for name in refused:
            fields.base_espocrm[name] = plan.wanted.get(name)
        plan.reported = self._refusals(refused, fields.base_advoware)
        settle_refusals(plan, self.table, written=True)
        keep_books(self.kind, memory, plan, self.crm.read(espo.id))
        plan.espo = {}
        self._write_espo(replace(plan, pair=replace(plan.pair, espo=self.crm.read(espo.id))), memory, child)
        self._open(espo.id, [task for task in plan.tasks if task.kind in later])
        self._open(espo.id, plan.reported)
        self._commit(plan, espo.id, child, fields.base)
        self._close(plan.closing)

    def _other(self, plan: ChildPlan, memory: PartyChildren) -> None:
        self._open(plan.espo_id or "", plan.tasks)
        if plan.pair.espo is not None:
            self._write_espo(plan, memory, None)
        if plan.step is not Step.REFUSED:
            self._commit(plan, plan.espo_id or "", plan.pair.advoware, None)
            self._close(plan.closing)

    # How it is done

    def _names(self, attributes: Iterable[str]) -> list[str]:
        return [rule.name for rule in self.table.rules if rule.espo in set(attributes)]

    def _write_espo(self, plan: ChildPlan, memory: PartyChildren, child: WireRecord | None) -> list[str]:
        espo = plan.pair.espo
        assert espo is not None
        values = with_stamps(plan, espo, getattr(child, "row_id", None), memory)
        return self._step(lambda: self.crm.update(espo.id, values, espo.version)) if values else []

    def _commit(
        self, plan: ChildPlan, espo_id: str, child: WireRecord | None, base: Base | None, intent: str | None = None
    ) -> None:
        def store() -> None:
            link = self.links.get(espo_id) or Link(entity=self.kind.entity, espo_id=espo_id, betnr=BETNR)
            key = key_of(child) if child is not None else link.advoware_id
            taken = [one.espo_id for one in self.links.values() if one.advoware_id == key and one.espo_id != espo_id]
            assert not taken, "two records here stand for one over there"
            stored = base.to_json() if base is not None else link.base
            link = replace(link, advoware_id=key, state=plan.state, extra=dict(plan.extra), base=stored)
            self.intents.pop(intent or "", None)
            self.ever[str(key)] = espo_id
            self.history.add((str(key), espo_id))
            self.links[espo_id] = link
            if link.state == "tombstone":
                del self.links[espo_id]

        self._step(store, ours=True)

    def _lose(self, espo_id: str, changes: Iterable[FieldChange]) -> None:
        self.lost |= {(espo_id, change.field, change.losing) for change in changes}

    def _refusals(self, names: Iterable[str], there: Mapping[str, Value]) -> list[TaskWanted]:
        details = {"side": str(Side.ESPOCRM), "why": "zu lang"}
        return [TaskWanted(TaskKind.VALUE_REFUSED, (name,), {"wanted": there.get(name), **details}) for name in names]

    # Tasks (tasks/board.py in small)

    def _open(self, espo_id: str, tasks: Iterable[TaskWanted]) -> None:
        for task in tasks:
            row = self._row(espo_id, task)
            if row is not None and row.espo_task_id in self.done_by_people:
                if row.fingerprint == fingerprint(task) and task.kind is not TaskKind.CONFLICT:
                    continue
                self.tasks.remove(row)
                row = None
            if row is None:
                row = self._new_row(espo_id, task)
                self._step(lambda row=row: self.tasks.append(row), ours=True)  # type: ignore[misc]
            self._step(lambda row=row, task=task: self._tell(row, task))  # type: ignore[misc]

    def _row(self, espo_id: str, task: TaskWanted) -> ManualTask | None:
        return next(
            (r for r in self.tasks if (r.espo_id, r.kind, r.fields) == (espo_id, task.kind, tuple(task.fields))), None
        )

    def _new_row(self, espo_id: str, task: TaskWanted) -> ManualTask:
        return ManualTask(
            id=next(self.numbers),
            entity=self.kind.entity,
            espo_id=espo_id,
            betnr=BETNR,
            kind=task.kind,
            fields=tuple(task.fields),
            fingerprint=fingerprint(task),
            espo_task_id=None,
            state="pending",
            details=dict(task.details),
            created_at=NOW,
            opened_at=None,
            closed_at=None,
        )

    def _tell(self, row: ManualTask, task: TaskWanted) -> None:
        place = self.tasks.index(row)
        self.tasks[place] = replace(
            row,
            espo_task_id=row.espo_task_id or f"t{row.id}",
            fingerprint=fingerprint(task),
            details=dict(task.details),
        )
        if task.kind is TaskKind.VALUE_REFUSED:
            self.told.add((row.espo_id, task.fields[0], task.details["wanted"]))
        for name, change in task.details.get("changes", {}).items():
            self.told |= {(row.espo_id, name, change["wanted"]), (row.espo_id, name, change["standing"])}

    def _close(self, ids: Iterable[int]) -> None:
        for task_id in list(dict.fromkeys(ids)):
            self._step(lambda task_id=task_id: self._closed(task_id))  # type: ignore[misc]

    def _closed(self, task_id: int) -> None:
        self.tasks = [row for row in self.tasks if row.id != task_id]
