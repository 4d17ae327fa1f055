"""People edit parties on both sides before, between and in the middle of real passes that fail, lose answers or die."""

from collections.abc import Callable
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from vmh_sync.sync.merge import ConflictRule
from vmh_sync_tests.inmemory.firm import UNHINDERED, Hindrance, Running
from vmh_sync_tests.inmemory.hindrances import hindrances
from vmh_sync_tests.property.beteiligte.game import NEW, PartyGame

PLACES = st.integers(0, 7)
REQUESTS = st.integers(4, 22)
"""In which request of a pass people edit: from the reads on."""
EDITS_BEFORE_QUIET = 12
MOST = 3
MINUTES = st.sampled_from([1, 6, 65, 24 * 60])


class PartyMachine(RuleBasedStateMachine):
    """The rules of the game; subclasses say what people type."""

    conflicts: ClassVar[list[ConflictRule]] = [ConflictRule.ESPOCRM_WINS]
    game: PartyGame
    edits = 0

    @initialize(conflict=st.integers(0, 3), markers=st.booleans())
    def begin(self, conflict: int, markers: bool) -> None:
        self.game = PartyGame(conflict=self.conflicts[conflict % len(self.conflicts)], markers=markers)

    # People

    @precondition(lambda self: len(self.game.parties) < MOST)
    @rule()
    def somebody_creates_a_party(self) -> None:
        self.game.add_party({"lastName": f"Huber {NEW}"})

    @rule(place=PLACES)
    def somebody_deletes_a_party_in_advoware(self, place: int) -> None:
        if place == 0:
            self.game.delete_there(self._party(place))

    @rule(place=PLACES)
    def somebody_deletes_a_party_in_espocrm(self, place: int) -> None:
        if place == 1:
            self.game.delete_here(self._party(place))

    @rule()
    def somebody_closes_the_tasks(self) -> None:
        self.game.firm.close_tasks()

    # Passes

    @rule()
    def a_pass(self) -> None:
        self._begin(UNHINDERED)
        self.game.firm.finish()

    @rule(hindrance=hindrances())
    def a_hindered_pass(self, hindrance: Hindrance) -> None:
        self._begin(hindrance)
        self.game.firm.finish()

    @precondition(lambda self: len(self.game.firm.running) < 2)
    @rule(hindrance=hindrances(), callbacks=st.integers(0, 200))
    def a_pass_goes_part_of_its_way(self, hindrance: Hindrance, callbacks: int) -> None:
        """What people do next falls into the middle of it."""
        self._begin(hindrance)
        self.game.firm.go_on(callbacks)

    def meanwhile(self, number: int, edit: Callable[[], None]) -> None:
        """Make a pass; people ``edit`` directly before its request of this number takes effect."""
        self._begin(UNHINDERED).meanwhile[number] = edit
        self.game.firm.finish()

    @precondition(lambda self: self.game.firm.running)
    @rule(callbacks=st.integers(1, 200))
    def passes_go_on(self, callbacks: int) -> None:
        self.game.firm.go_on(callbacks)

    @rule(minutes=MINUTES)
    def time_passes(self, minutes: int) -> None:
        self.game.firm.finish()
        self.game.firm.world.loop.pass_time(minutes * 60)

    @precondition(lambda self: self.edits >= EDITS_BEFORE_QUIET)
    @rule()
    def quiet(self) -> None:
        self.edits = 0
        self._come_to_rest()

    def teardown(self) -> None:
        if hasattr(self, "game"):
            try:
                self._come_to_rest()
            finally:
                self.game.firm.world.close()

    def _come_to_rest(self) -> None:
        self.game.firm.settle(self.game.pipeline, self.game.parties)
        self.game.check()

    def _begin(self, hindrance: Hindrance) -> Running:
        self.edits += 2
        self.game.check_nothing_is_doubled()
        return self.game.firm.begin(self.game.pipeline, self.game.parties, hindrance)

    def _party(self, place: int) -> str:
        return self.game.parties[place % len(self.game.parties)]
