"""People edit both sides between passes that fail, lose answers or die at any write, until everybody stops."""

import copy
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from vmh_sync.children.diff import plan_children
from vmh_sync.children.kind import ACTIVE, ChildKind
from vmh_sync.children.plan import Step
from vmh_sync.children.sync_state import PartyChildren, key_of
from vmh_sync.settings import SyncSettings
from vmh_sync.sync.fields import FieldTable, override
from vmh_sync.sync.merge import ConflictRule
from vmh_sync.systems.advoware.records import WireRecord
from vmh_sync_tests.property.children.checks import check_agreement, check_nothing_is_doubled
from vmh_sync_tests.property.children.people import People
from vmh_sync_tests.property.children.sides import Crm, Fault, Office
from vmh_sync_tests.property.children.world import World

PLACES = st.integers(0, 7)
MOST = 4
FAULTS = st.one_of(st.just([]), st.lists(st.sampled_from([*[Fault.NONE] * 6, *Fault]), min_size=1, max_size=8))


def make_world(
    kind: ChildKind,
    model: type[WireRecord],
    limits: Mapping[str, int],
    *,
    conflict: ConflictRule = ConflictRule.ESPOCRM_WINS,
    rules: SyncSettings | None = None,
) -> World:
    """An empty world; ``limits`` are lengths that EspoCRM refuses to exceed."""
    table: FieldTable = override(kind.table, {rule.name: {"conflict": conflict.value} for rule in kind.table.rules})
    writable = frozenset(rule.advoware for rule in table.rules if rule.on_update)
    return World(kind, table, rules or SyncSettings(), Crm(kind, limits), Office(kind, model, writable))


def shown(memory: PartyChildren, kind: ChildKind) -> dict[Any, Any]:
    """Everything that the plans say, by child."""
    return {
        (plan.espo_id, plan.pair.advoware and key_of(plan.pair.advoware)): [
            *(plan.step, plan.espo, plan.advoware, plan.bookkeeping, plan.status, plan.message, plan.state, plan.extra),
            *(plan.tasks, plan.closing, plan.findings, plan.fields and plan.fields.base, plan.link_moves),
        ]
        for plan in plan_children(memory, kind)
    }


def come_to_rest(world: World, people: People) -> None:
    """People stop: a bounded number of passes, then no write, both sides agree, nothing is lost or doubled."""
    world.settle()
    writes = (world.crm.writes, world.office.writes, len(world.tasks))
    assert not world.run()
    assert (world.crm.writes, world.office.writes, len(world.tasks)) == writes
    check_agreement(world)
    check_nothing_is_doubled(world)
    people.check_nothing_is_lost()


def play_one_record(world: World, first: dict[str, Any], rounds: list[dict[str, Any]]) -> None:
    """One record, typed on one side, then edited on both at once between hindered passes."""
    people = People(world)
    (people.add_there if rounds[0]["begins_there"] else people.add_here)(first)
    for number, edits in enumerate(rounds):
        world.run(edits["faults"])
        for espo_id in list(world.crm.records)[:1]:
            people.change_here(espo_id, edits["here"])
        for key in list(world.office.records)[:1]:
            people.change_there(key, edits["there"])
        if number % 2 and world.crm.records:
            people.set_active(next(iter(world.crm.records)), active=edits["active"])
    come_to_rest(world, people)


def rounds_of(here: st.SearchStrategy[Any], there: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """What happens to one record."""
    untouched: st.SearchStrategy[dict[str, Any]] = st.just({})
    here, there = st.one_of(untouched, here), st.one_of(untouched, there)
    one = st.fixed_dictionaries(
        {"here": here, "there": there, "faults": FAULTS, "active": st.booleans(), "begins_there": st.booleans()}
    )
    return st.lists(one, min_size=1, max_size=4)


class ChildrenMachine(RuleBasedStateMachine):
    """The rules of the game for one kind; subclasses say which kind and what people type."""

    world: World
    people: People

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        self.world = type(self).new_world(
            conflict=data.draw(st.sampled_from(list(ConflictRule))), rules=data.draw(st.sampled_from(self.all_rules))
        )
        self.people = People(self.world)

    new_world: ClassVar[Callable[..., World]]
    """Makes an empty world of the kind: ``make_world`` without conflict and rules."""
    all_rules: ClassVar[list[SyncSettings]]
    here: ClassVar[st.SearchStrategy[dict[str, Any]]]
    there: ClassVar[st.SearchStrategy[dict[str, Any]]]

    # People

    @precondition(lambda self: len(self.world.crm.records) < MOST)
    @rule(data=st.data())
    def somebody_adds_in_espocrm(self, data: st.DataObject) -> None:
        self.people.add_here(data.draw(self.here))

    @precondition(lambda self: len(self.world.office.records) < MOST)
    @rule(data=st.data())
    def somebody_adds_in_advoware(self, data: st.DataObject) -> None:
        self.people.add_there(data.draw(self.there))

    @precondition(lambda self: self.world.crm.records)
    @rule(place=PLACES, data=st.data())
    def somebody_changes_in_espocrm(self, place: int, data: st.DataObject) -> None:
        self.people.change_here(self._espo_id(place), data.draw(self.here))

    @precondition(lambda self: self.world.office.records)
    @rule(place=PLACES, data=st.data())
    def somebody_changes_in_advoware(self, place: int, data: st.DataObject) -> None:
        self.people.change_there(self._key(place), data.draw(self.there))

    @precondition(lambda self: self.world.crm.records)
    @rule(place=PLACES)
    def somebody_switches_on_or_off(self, place: int) -> None:
        espo_id = self._espo_id(place)
        self.people.set_active(espo_id, active=not self.world.crm.records[espo_id][ACTIVE])

    @precondition(lambda self: self.world.crm.records)
    @rule(place=PLACES)
    def somebody_deletes_in_espocrm(self, place: int) -> None:
        self.people.delete_here(self._espo_id(place))

    @precondition(lambda self: self.world.office.records)
    @rule(place=PLACES)
    def somebody_deletes_in_advoware(self, place: int) -> None:
        self.people.delete_there(self._key(place))

    @precondition(lambda self: self.world.crm.records)
    @rule(place=PLACES)
    def somebody_gives_a_record_to_another_party_or_back(self, place: int) -> None:
        self.world.crm.elsewhere ^= {self._espo_id(place)}

    @precondition(lambda self: self.world.tasks)
    @rule(place=PLACES)
    def somebody_closes_a_task(self, place: int) -> None:
        self.people.close_task(place)

    # Passes

    @rule()
    def a_pass(self) -> None:
        self.world.run()

    @rule(faults=FAULTS)
    def a_hindered_pass(self, faults: list[Fault]) -> None:
        self.world.run(faults)

    @rule()
    def quiet(self) -> None:
        self._quiet()

    @rule(data=st.data())
    def planning_is_pure_and_knows_no_order(self, data: st.DataObject) -> None:
        memory = self.world.memory()
        before = copy.deepcopy(memory)
        plans = shown(memory, self.world.kind)
        assert memory == before, "planning changed what it was given"
        assert shown(memory, self.world.kind) == plans
        memory.espo = dict(data.draw(st.permutations(list(memory.espo.items()))))
        memory.advoware = dict(data.draw(st.permutations(list(memory.advoware.items()))))
        memory.links = data.draw(st.permutations(memory.links))
        assert shown(memory, self.world.kind) == plans

    @precondition(lambda self: self._linked_keys())
    @rule(data=st.data())
    def a_pass_over_a_partial_list(self, data: st.DataObject) -> None:
        world = self.world
        hidden = data.draw(st.sets(st.sampled_from(self._linked_keys()), min_size=1))
        before = copy.deepcopy(self._said())
        standing = dict(world.links)
        memory = world.memory(hidden_there=hidden)
        if any(plan.step is Step.CREATE for plan in world.plans(memory)):
            return  # whether a list is complete cannot be seen; a create looks for itself before it posts
        world.run(memory=memory)
        now = self._said()
        for key in hidden:
            assert now["advoware"][key] == before["advoware"][key]
            for link in standing.values():
                if link.advoware_id == key and link.espo_id in now["espocrm"]:
                    assert now["espocrm"][link.espo_id] == before["espocrm"][link.espo_id], "blanked by a bad read"

    # What holds at every moment

    @invariant()
    def nothing_is_doubled(self) -> None:
        if hasattr(self, "world"):
            check_nothing_is_doubled(self.world)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self._quiet()

    def _quiet(self) -> None:
        come_to_rest(self.world, self.people)

    def _said(self) -> dict[str, dict[str, Any]]:
        world = self.world
        return {
            "espocrm": {i: world.here(i) for i in world.crm.records},
            "advoware": {key: world.there(key) for key in world.office.records},
        }

    def _linked_keys(self) -> list[str]:
        linked = {str(link.advoware_id) for link in self.world.links.values()}
        return sorted(linked & set(self.world.office.records))

    def _espo_id(self, place: int) -> str:
        return list(self.world.crm.records)[place % len(self.world.crm.records)]

    def _key(self, place: int) -> str:
        return list(self.world.office.records)[place % len(self.world.office.records)]
