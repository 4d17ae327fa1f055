"""People edit both sides before, between and in the middle of real passes that fail, lose answers or die, until
everybody stops."""

import copy
import json
from collections.abc import Callable
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from vmh_sync.children.diff import plan_children
from vmh_sync.children.kind import ACTIVE, ChildKind
from vmh_sync.children.pairing import map_children
from vmh_sync.children.sync_state import PartyChildren, key_of
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.settings import SyncSettings
from vmh_sync.sync.merge import ConflictRule
from vmh_sync_tests.inmemory.firm import UNHINDERED, Hindrance, Running
from vmh_sync_tests.inmemory.hindrances import FATES, REFUSED, hindrances
from vmh_sync_tests.inmemory.network import Fate
from vmh_sync_tests.property.children.checks import check_agreement, check_nothing_is_doubled
from vmh_sync_tests.property.children.game import ChildGame

PLACES = st.integers(0, 7)


def _refused_by_espocrm(name: str) -> Fate:
    """EspoCRM does not take the value of a field; of a record without it, it names none that we could leave out."""
    said = {"messageTranslation": {"label": "validationFailure", "data": {"field": name, "type": "maxLength"}}}
    return Fate(
        carried_out=False,
        answer=400,
        says=json.dumps(said).encode(),
        of=lambda one: one.system == "espocrm" and one.is_write,
    )


_NAMES = ("bankname", "iban", "adresseCity", "postfach", "syncErrorMessage")
HINDRANCES = hindrances() | st.builds(
    Hindrance,
    fates=st.dictionaries(
        st.integers(0, 30),
        st.sampled_from([*map(_refused_by_espocrm, _NAMES), REFUSED, *FATES]),
        min_size=1,
        max_size=5,
    ),
)
MOST = 4
EDITS_BEFORE_QUIET = 12
"""Coming to rest takes as long as many edits."""


def shown(memory: PartyChildren, kind: ChildKind) -> dict[Any, Any]:
    """Everything that the plans say, by child."""
    return {
        (plan.espo_id, plan.pair.advoware and key_of(plan.pair.advoware)): [
            *(plan.step, plan.espo, plan.advoware, plan.bookkeeping, plan.status, plan.message, plan.state, plan.notes),
            *(plan.tasks, plan.closing, plan.findings, plan.fields and plan.fields.base, plan.link_moves),
        ]
        for plan in plan_children(memory, kind, map_children(memory, kind))
    }


def come_to_rest(game: ChildGame) -> None:
    """People stop: a bounded number of passes, then no write, both sides agree, nothing is lost or doubled."""
    party, children = game.passes
    game.firm.settle(party, game.ids(children=False))
    assert game.firm.settle(children, game.ids(children=True)) == 1, "the same pass of the children alone still writes"
    check_agreement(game)
    check_nothing_is_doubled(game)
    game.firm.check_nothing_is_lost()


class ChildrenMachine(RuleBasedStateMachine):
    """The rules of the game for one kind; subclasses say which kind and what people type."""

    game: ChildGame
    edits = 0

    @initialize(conflict=st.sampled_from(list(ConflictRule)), number=st.integers(0, 1))
    def begin(self, conflict: ConflictRule, number: int) -> None:
        self.game = type(self).new_game(conflict=conflict, rules=self.all_rules[number])

    new_game: ClassVar[Callable[..., ChildGame]]
    """Makes a game of the kind, without conflict and rules."""
    all_rules: ClassVar[list[SyncSettings]]
    here: ClassVar[st.SearchStrategy[dict[str, Any]]]
    there: ClassVar[st.SearchStrategy[dict[str, Any]]]

    # People

    @precondition(lambda self: len(self.game.everywhere()) < MOST)
    @rule(data=st.data())
    def somebody_adds_in_espocrm(self, data: st.DataObject) -> None:
        self.game.add_here(data.draw(self.here))

    @precondition(lambda self: len(self.game.there()) < MOST)
    @rule(data=st.data())
    def somebody_adds_in_advoware(self, data: st.DataObject) -> None:
        self.game.add_there(data.draw(self.there))

    @precondition(lambda self: self.game.everywhere())
    @rule(place=PLACES, data=st.data())
    def somebody_changes_in_espocrm(self, place: int, data: st.DataObject) -> None:
        self.game.change_here(self._espo_id(place), data.draw(self.here))

    @precondition(lambda self: self.game.there())
    @rule(place=PLACES, data=st.data())
    def somebody_changes_in_advoware(self, place: int, data: st.DataObject) -> None:
        self.game.change_there(self._key(place), data.draw(self.there))

    @precondition(lambda self: self.game.everywhere())
    @rule(place=PLACES)
    def somebody_switches_on_or_off(self, place: int) -> None:
        espo_id = self._espo_id(place)
        self.game.set_active(espo_id, active=not self.game.everywhere()[espo_id][ACTIVE])

    @precondition(lambda self: self.game.everywhere())
    @rule(place=PLACES)
    def somebody_deletes_in_espocrm(self, place: int) -> None:
        self.game.delete_here(self._espo_id(place))

    @precondition(lambda self: self.game.there())
    @rule(place=PLACES)
    def somebody_deletes_in_advoware(self, place: int) -> None:
        self.game.delete_there(self._key(place))

    @precondition(lambda self: self.game.everywhere())
    @rule(place=PLACES)
    def somebody_gives_a_record_to_another_party_or_back(self, place: int) -> None:
        self.game.give_away_or_back(self._espo_id(place))

    @rule()
    def somebody_closes_the_tasks(self) -> None:
        self.game.firm.close_tasks()

    # Passes

    @rule(children=st.booleans())
    def a_pass(self, children: bool) -> None:
        self._begin(children, UNHINDERED)
        self.game.firm.finish()

    @rule(children=st.booleans(), hindrance=HINDRANCES)
    def a_hindered_pass(self, children: bool, hindrance: Hindrance) -> None:
        self._begin(children, hindrance)
        self.game.firm.finish()

    @precondition(lambda self: len(self.game.firm.running) < 2)
    @rule(children=st.booleans(), hindrance=HINDRANCES, callbacks=st.integers(0, 150))
    def a_pass_goes_part_of_its_way(self, children: bool, hindrance: Hindrance, callbacks: int) -> None:
        """What people do next falls into the middle of it."""
        self._begin(children, hindrance)
        self.game.firm.go_on(callbacks)

    @precondition(lambda self: self.game.firm.running)
    @rule(callbacks=st.integers(1, 150))
    def passes_go_on(self, callbacks: int) -> None:
        self.game.firm.go_on(callbacks)

    @precondition(lambda self: self.game.everywhere() or self.game.there())
    @rule(children=st.booleans(), number=st.integers(2, 22), place=PLACES, side=st.booleans(), data=st.data())
    def somebody_edits_during_a_request(
        self, children: bool, number: int, place: int, side: bool, data: st.DataObject
    ) -> None:
        """What a person types takes effect directly before a request of the pass does."""
        here, there = data.draw(self.here), data.draw(self.there)

        def edit() -> None:
            if side and self.game.everywhere():
                self.game.change_here(self._espo_id(place), here)
            elif self.game.there():
                self.game.change_there(self._key(place), there)

        self._begin(children, UNHINDERED).meanwhile[number] = edit
        self.game.firm.finish()

    @rule(minutes=st.sampled_from([1, 6, 65, 24 * 60]))
    def time_passes(self, minutes: int) -> None:
        self.game.firm.finish()
        self.game.firm.world.loop.pass_time(minutes * 60)

    @precondition(lambda self: self.edits >= EDITS_BEFORE_QUIET)
    @rule()
    def quiet(self) -> None:
        self.edits = 0
        come_to_rest(self.game)

    @rule(data=st.data())
    def planning_is_pure_and_knows_no_order(self, data: st.DataObject) -> None:
        game = self.game

        async def read(context: PassContext) -> PartyChildren | None:
            batch = await game.passes[0].fetch(context, game.parties[:1], dry_run=True)
            party = batch.inputs.get(game.parties[0])
            return game.child.part.children(party) if party is not None else None

        game.firm.finish()
        memory = game.firm.world.run(read)
        assert memory is not None
        before = copy.deepcopy(memory)
        plans = shown(memory, game.kind)
        assert memory == before, "planning changed what it was given"
        memory.espo = dict(data.draw(st.permutations(list(memory.espo.items()))))
        memory.advoware = dict(data.draw(st.permutations(list(memory.advoware.items()))))
        memory.links = data.draw(st.permutations(memory.links))
        assert shown(memory, game.kind) == plans

    def teardown(self) -> None:
        if hasattr(self, "game"):
            try:
                come_to_rest(self.game)
            finally:
                self.game.firm.world.close()

    def _begin(self, children: bool, hindrance: Hindrance) -> Running:
        self.edits += 2
        check_nothing_is_doubled(self.game)
        return self.game.firm.begin(self.game.passes[children], self.game.ids(children=children), hindrance)

    def _espo_id(self, place: int) -> str:
        ids = list(self.game.everywhere())
        return ids[place % len(ids)]

    def _key(self, place: int) -> str:
        keys = list(self.game.there())
        return keys[place % len(keys)]
