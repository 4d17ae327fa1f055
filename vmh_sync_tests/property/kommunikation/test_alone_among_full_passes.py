"""Passes over Kommunikation alone among full ones, hindered like them: nothing is lost or doubled, both sides agree."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from vmh_sync.beteiligte.pipeline import KOMMUNIKATION_ALONE
from vmh_sync_tests.inmemory.budget import play
from vmh_sync_tests.inmemory.firm import UNHINDERED, Hindrance
from vmh_sync_tests.inmemory.hindrances import hindrances
from vmh_sync_tests.property.beteiligte.test_master_passes import MasterData
from vmh_sync_tests.property.kommunikation.test_entry_passes import Entries


class EntriesAlone(MasterData, Entries):
    @rule()
    def a_pass_over_entries_alone(self) -> None:
        self._alone(UNHINDERED)
        self.game.firm.finish()

    @rule(hindrance=hindrances())
    def a_hindered_pass_over_entries_alone(self, hindrance: Hindrance) -> None:
        self._alone(hindrance)
        self.game.firm.finish()

    @precondition(lambda self: len(self.game.firm.running) < 2)
    @rule(hindrance=hindrances(), callbacks=st.integers(0, 200))
    def a_pass_over_entries_alone_goes_part_of_its_way(self, hindrance: Hindrance, callbacks: int) -> None:
        self._alone(hindrance)
        self.game.firm.go_on(callbacks)

    def _alone(self, hindrance: Hindrance) -> None:
        self.edits += 2
        self.game.check_nothing_is_doubled()
        self.game.firm.begin(KOMMUNIKATION_ALONE, self.game.parties, hindrance)


TestEntriesAlone = EntriesAlone.TestCase
TestEntriesAlone.settings = play(4)
