"""A firm in the world in memory: people who edit parties and their children, passes that may be hindered, and the looks
at what stands where."""

import asyncio
import copy
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from vmh_sync.engine.passes.entity_pipeline import EntityPipeline
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.store.history.tasks import ManualTask
from vmh_sync.store.history.tasks import _task as task_of
from vmh_sync.store.models import ChangeRow, ManualTaskRow
from vmh_sync.store.pairs.links import Link
from vmh_sync.sync.reporting.outcome import RecordOutcome
from vmh_sync_tests.inmemory.database import rows
from vmh_sync_tests.inmemory.loop import Process
from vmh_sync_tests.inmemory.network import ARRIVES, Fate, Request
from vmh_sync_tests.inmemory.typed import Cell, Typed, plain
from vmh_sync_tests.inmemory.world import World

Json = dict[str, Any]

CHILDREN = ("Kommunikation", "Adressen", "Bankverbindungen")
SETTLED = timedelta(minutes=6)
"""Longer than a lease, an unanswered create and the first two retries."""
MOST_PASSES = 10


@dataclass(frozen=True, slots=True)
class Hindrance:
    """What goes wrong in one pass: fates of requests by their number, a callback before which the process dies."""

    fates: Mapping[int, Fate] = field(default_factory=dict)
    dies_at: int | None = None
    leases_vanish_at: int | None = None


UNHINDERED = Hindrance()


@dataclass(eq=False)
class Running:
    """A pass that was begun."""

    process: Process
    task: "asyncio.Task[list[RecordOutcome]]"
    hindrance: Hindrance
    requests: int = 0
    meanwhile: dict[int, Callable[[], None]] = field(default_factory=dict)
    """What people do directly before a request takes effect, by its number in this pass."""


Work = Callable[[Process], Coroutine[Any, Any, list[RecordOutcome]]]
"""What a process does, once it is known which."""


async def one_pass(context: PassContext, pipeline: EntityPipeline[Any], ids: Sequence[str]) -> list[RecordOutcome]:
    """Make the four steps of an entity's job over some records."""
    batch = await pipeline.fetch(context, ids, dry_run=False)
    pipeline.map_fields(batch)
    pipeline.diff(batch)
    return await pipeline.write(context, batch, allow_mass_change=True)


class Firm:
    """Both systems with their people, and the product's passes. Every edit is followed (``typed``)."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.typed = Typed(lambda: world.loop.callbacks)
        self.running: dict[str, Running] = {}
        self.watch: Callable[[str, Json, Json], None] = lambda entity, before, after: None
        self._edited: dict[tuple[str, str, str], int] = {}
        self.made_by_us: set[tuple[str, str]] = set()
        self._last: dict[Any, tuple[str, bool, int]] = {}
        self._lists: dict[
            tuple[str, str], int
        ] = {}  # (system, entity) → when a list was asked for, for several records at once
        world.wire.fate = self._fate
        world.wire.around = self._around
        world.wire.arrived = self._note

    # People in EspoCRM

    def crm_row(self, entity: str, espo_id: str) -> Json | None:
        """Return a living record as EspoCRM shows it, ``None`` where it is gone."""
        crm = self.world.crm.crm
        row = crm.tables[entity].rows.get(espo_id)
        return dict(crm.render.full(crm.layouts[entity], row)) if row is not None else None

    def crm_rows(self, entity: str, **where: Any) -> dict[str, Json]:
        """Return the living records of an entity with these values, by id."""
        crm = self.world.crm.crm
        return {
            espo_id: dict(crm.render.full(crm.layouts[entity], row))
            for espo_id, row in crm.tables[entity].rows.items()
            if all(row.get(name) == value for name, value in where.items())
        }

    def crm_create(self, entity: str, values: Mapping[str, Any]) -> str:
        """A person creates a record; returns its id."""
        espo_id = str(self.world.crm.edit({"entity": entity, "action": "create", "values": dict(values)})["id"])
        self._saved("espocrm", entity, espo_id, {}, values)
        return espo_id

    def crm_edit(self, entity: str, espo_id: str, values: Mapping[str, Any]) -> None:
        """A person changes some fields of a record."""
        before = self.crm_row(entity, espo_id) or {}
        self.world.crm.edit({"entity": entity, "action": "update", "id": espo_id, "values": dict(values)})
        self._saved("espocrm", entity, espo_id, before, values)

    def crm_delete(self, entity: str, espo_id: str) -> None:
        """A person deletes a record, seeing what stands in it."""
        self.typed.replaced(plain(self.crm_row(entity, espo_id)))
        self.world.crm.edit({"entity": entity, "action": "delete", "id": espo_id})
        self._forget("espocrm", entity, espo_id)

    def close_tasks(self, *kinds: str) -> None:
        """People complete the open tasks of some kinds, all without any."""
        wanted = {row.espo_task_id for row in self.tasks() if not kinds or row.kind in kinds}
        for task_id in self.crm_rows("Task"):
            if task_id in wanted:
                self.world.crm.edit(
                    {"entity": "Task", "action": "update", "id": task_id, "values": {"status": "Completed"}}
                )

    # People in Advoware

    def office_rows(self, entity: str) -> dict[str, Json]:
        """Return what Advoware holds of an entity, by number."""
        parties = self.world.office.state()["beteiligte"]
        if entity == "Beteiligte":
            return {str(party["betNr"]): copy.deepcopy(party) for party in parties}
        return {str(child["id"]): dict(child) for party in parties for child in party[entity.casefold()]}

    def office_create(self, entity: str, values: Mapping[str, Any], betnr: int | None = None) -> str:
        """A person creates a party, or a child of one; returns its number."""
        body: Json = {"entity": entity, "action": "create", "values": dict(values)}
        number = str(self.world.office.edit(body | ({"betNr": betnr} if betnr is not None else {}))["id"])
        self._saved("advoware", entity, number, {}, values)
        return number

    def office_edit(self, entity: str, number: str, values: Mapping[str, Any]) -> None:
        """A person changes some fields."""
        before = self.office_rows(entity)[number]
        self.world.office.edit({"entity": entity, "action": "update", "id": int(number), "values": dict(values)})
        self._saved("advoware", entity, number, before, values)

    def office_delete(self, entity: str, number: str) -> None:
        """A person deletes a record, seeing what stands in it."""
        self.typed.replaced(plain(self.office_rows(entity)[number]))
        self.world.office.edit({"entity": entity, "action": "delete", "id": int(number)})
        self._forget("advoware", entity, number)

    def _saved(
        self, side: str, entity: str, record_id: str, before: Mapping[str, Any], values: Mapping[str, Any]
    ) -> None:
        shown = {name: before.get(name) for name in values}
        self.world.trace.append(f"somebody saves {side} {entity} {record_id}: {dict(values)}")
        self._edited[side, entity, record_id] = self.world.loop.callbacks
        self.typed.edited(side, entity, record_id, shown, values)

    def _forget(self, side: str, entity: str, record_id: str) -> None:
        gone = [token for token, (cell, _) in self.typed.values.items() if cell[:3] == (side, entity, record_id)]
        for token in gone:
            del self.typed.values[token]

    # Passes

    def begin(self, pipeline: EntityPipeline[Any], ids: Iterable[str], hindrance: Hindrance = UNHINDERED) -> Running:
        """Start a pass; nothing of it runs before :meth:`go_on` or :meth:`finish`."""
        chosen = list(ids)
        return self.start(lambda process: one_pass(self.world.context(process), pipeline, chosen), hindrance)

    def start(self, work: Work, hindrance: Hindrance = UNHINDERED) -> Running:
        """Start the work of a new process, which may be hindered."""
        process = self.world.process(dies_at=hindrance.dies_at)
        begun = Running(process, self.world.loop.start(process, work(process)), hindrance)
        self.running[process.name] = begun
        return begun

    def go_on(self, callbacks: int) -> None:
        """Let everything run for some callbacks."""
        end = self.world.loop.callbacks + callbacks
        self.world.loop.run_while(lambda: self._is_alive() and self.world.loop.callbacks < end)

    def finish(self) -> list[RecordOutcome]:
        """Let all passes come to their end, or die; returns how their records ended."""
        self.world.loop.run_while(self._is_alive)
        done = [run.task.result() for run in self.running.values() if run.task.done() and not run.process.dead]
        self.running.clear()
        return [outcome for outcomes in done for outcome in outcomes]

    def run(
        self, pipeline: EntityPipeline[Any], ids: Iterable[str], hindrance: Hindrance = UNHINDERED
    ) -> list[RecordOutcome]:
        """Make one pass alone."""
        self.begin(pipeline, ids, hindrance)
        return self.finish()

    def _is_alive(self) -> bool:
        return any(not (run.task.done() or run.process.dead) for run in self.running.values())

    def settle(self, pipeline: EntityPipeline[Any], ids: Iterable[str]) -> int:
        """Passes, and time between them, until one writes nothing; returns how many it took."""
        chosen = list(ids)
        self.finish()
        for number in range(1, MOST_PASSES + 1):
            self.world.loop.pass_time(SETTLED.total_seconds())
            before = self.world.wire.writes
            outcomes = self.run(pipeline, chosen)
            if self.world.wire.writes == before and not any(outcome.later for outcome in outcomes):
                return number
        raise AssertionError(f"still writing after {MOST_PASSES} passes: {self.world.trace[-12:]}")

    # What was told

    def told(self) -> str:
        """Return all that the audit log names as a loser, and the texts of all tasks, as one plain text."""
        losers = [plain(row.losing_value) for row in rows(self.world.store, ChangeRow) if row.losing_value is not None]
        crm = self.world.crm.crm.tables["Task"]
        tasks = [plain(task["description"]) for task in (*crm.rows.values(), *crm.deleted.values())]
        return " ".join(losers + tasks)

    def tasks(self) -> list[ManualTask]:
        """Return our own rows of tasks that are not closed."""
        return [task_of(row) for row in rows(self.world.store, ManualTaskRow) if row.state != "closed"]

    def links(self, entity: str) -> dict[str, Link]:
        """Return the links of an entity by EspoCRM id."""
        with self.world.store.reading() as tx:
            return tx.links.get_many(entity, [key.espo_id for key in tx.links.keys(entity)])

    def check_nothing_is_lost(self) -> None:
        """Invariant 1."""
        lost = self.typed.lost(self._stands, self.told())
        assert not lost, "\n".join([f"lost: {lost}", *self.world.trace])

    def _stands(self, cell: Cell) -> object | None:
        row = self.record(cell.side, cell.entity, cell.id)
        return row.get(cell.field) if row is not None else None

    def record(self, side: str, entity: str, record_id: str) -> Json | None:
        """Return a record of either side, ``None`` where it is gone."""
        if side == "espocrm":
            return self.crm_row(entity, record_id)
        return self.office_rows(entity).get(record_id)

    # What happens to requests

    def _fate(self, request: Request) -> Fate:
        run = self.running.get(request.process)
        if run is None:
            return ARRIVES
        number, run.requests = run.requests, run.requests + 1
        if number in run.meanwhile:
            run.meanwhile.pop(number)()
        if run.hindrance.leases_vanish_at == number:
            memory = self.world.memory
            memory.values = {key: value for key, value in memory.values.items() if ":lease:" not in key}
        fate = run.hindrance.fates.get(number, ARRIVES)
        return fate if fate.of(request) else ARRIVES

    def _around(self, request: Request) -> Callable[[], None]:
        """Follow a write: what it overwrites in the known window, after the look directly before it, is excused."""
        if request.method == "POST" and request.system == "advoware":
            return self._created(_own_name(request.path.rpartition("/")[2]))
        place = _place(request)
        if place is None:
            return lambda: None
        before, look = self.record(request.system, *place) or {}, self._looked(request)

        def after() -> None:
            now = self.record(request.system, *place) or {}
            if look is not None:
                self.typed.unseen_since(look, plain(before), plain(now))
            if look is None or self._edited.get((request.system, *place), -1) < look:
                self.watch(place[0], before, now)

        return after

    def _created(self, entity: str) -> Callable[[], None]:
        before = set(self.office_rows(entity)) if entity in CHILDREN or entity == "Beteiligte" else set()

        def after() -> None:
            now = self.office_rows(entity) if entity in CHILDREN or entity == "Beteiligte" else {}
            self.made_by_us |= {(entity, number) for number in now if number not in before}

        return after

    def _looked(self, request: Request) -> int | None:
        """Return when this task looked, if that was the last thing it asked for.

        Records of one moment are looked at in one list, which a task asks for that is no record's own.
        """
        task = asyncio.current_task(self.world.loop)
        system, is_write, moment = self._last.get(task, ("", True, 0))
        place = _place(request)
        shared = self._lists.get((request.system, place[0]), -1) if place is not None else -1
        if shared > moment:
            return shared
        return moment if system == request.system and not is_write else None

    def _note(self, request: Request) -> None:
        task = asyncio.current_task(self.world.loop)
        self._last[task] = (request.system, request.is_write, self.world.loop.callbacks)
        if request.method == "GET" and request.process == "-":
            self._lists[request.system, request.path.split("/")[-1]] = self.world.loop.callbacks


def _place(request: Request) -> tuple[str, str] | None:
    """Return the entity and id that a change is about."""
    parts = request.path.split("/")
    if request.method not in ("PUT", "PATCH"):
        return None
    if request.system == "espocrm":
        return (parts[-2], parts[-1])
    return (_own_name(parts[-2]), parts[-1]) if request.system == "advoware" and parts[-1].isdigit() else None


def _own_name(entity: str) -> str:
    """Return what people call an entity that the path names in the plural."""
    return "Kommunikation" if entity == "Kommunikationen" else entity
