"""Calendars: people work in both, real passes are hindered, and nothing is lost or doubled (design.md 3)."""

from collections import Counter
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from vmh_sync.settings import CalendarSyncSettings
from vmh_sync_tests.chaos.calendars import KUERZEL, answer_questions
from vmh_sync_tests.inmemory.budget import play
from vmh_sync_tests.inmemory.calendars import CalendarFirm
from vmh_sync_tests.inmemory.firm import UNHINDERED, Hindrance
from vmh_sync_tests.inmemory.hindrances import calendar_hindrances
from vmh_sync_tests.inmemory.world import World
from vmh_sync_tests.property.kalender.people import NEW
from vmh_sync_tests.property.kalender.people_in_google import ACTS, DEADLINE_RULES, PeopleInGoogle

WHOSE = st.sampled_from([(), ("AH",), ("SB",)])
DEEDS = st.tuples(st.sampled_from(ACTS), st.integers(0, 999))
"""An act, and a number that chooses what it is done to."""
EDITS_BEFORE_QUIET = 12
ROUNDS_OF_QUESTIONS = 3
"""An answer may lead to another question: of two that look alike one is asked about after the other."""


class Calendars(RuleBasedStateMachine):
    """Two employees, people on both sides, and passes over one of them or both."""

    firm: CalendarFirm
    people: PeopleInGoogle
    done = 0

    @initialize(strategy=st.sampled_from(["source_system_wins", "last_change_wins"]))
    def begin(self, strategy: str) -> None:
        self.firm = CalendarFirm(
            World(), CalendarSyncSettings(_env_file=None, strategy=strategy, deadline_rules=DEADLINE_RULES)
        )
        self.people = PeopleInGoogle(self.firm.chancery)
        self.firm.come_to_rest()  # the calendars are there
        for number, act in enumerate(NEW):
            self.people.do(act, number)

    # People

    @rule(deeds=st.lists(DEEDS, min_size=1, max_size=4))
    def people_act(self, deeds: list[tuple[str, int]]) -> None:
        for act, seed in deeds:
            self._act(act, seed)

    @rule(deed=DEEDS, whose=WHOSE, number=st.integers(1, 14))
    def somebody_acts_during_a_request(self, deed: tuple[str, int], whose: tuple[str, ...], number: int) -> None:
        """What a person does takes effect directly before a request of the pass does."""
        self.firm.finish()
        self.firm.begin_pass(whose).meanwhile[number] = lambda: self._act(*deed)
        self._finish()

    @rule(seed=st.integers(0, 999), number=st.integers(2, 14), turned=st.booleans())
    def both_sides_of_one_appointment_are_edited(self, seed: int, number: int, turned: bool) -> None:
        """The second edit falls into the pass that carries the first one over."""
        self.firm.finish()
        edits = self.people.both_sides(seed)
        if edits is not None:
            first, second = reversed(edits) if turned else edits
            first()
            self.firm.begin_pass().meanwhile[number] = second
            self._finish()

    # Passes

    @rule(whose=WHOSE)
    def a_pass(self, whose: tuple[str, ...]) -> None:
        self.firm.begin_pass(whose)
        self._finish()

    @rule(whose=WHOSE, hindrance=calendar_hindrances())
    def a_hindered_pass(self, whose: tuple[str, ...], hindrance: Hindrance) -> None:
        self.firm.begin_pass(whose, hindrance)
        self._finish()

    @precondition(lambda self: len(self.firm.running) < 2)
    @rule(whose=WHOSE, hindrance=st.just(UNHINDERED) | calendar_hindrances(), callbacks=st.integers(0, 200))
    def a_pass_goes_part_of_its_way(self, whose: tuple[str, ...], hindrance: Hindrance, callbacks: int) -> None:
        """What people do next falls into the middle of it."""
        self.firm.begin_pass(whose, hindrance)
        self.firm.go_on(callbacks)

    @precondition(lambda self: self.firm.running)
    @rule(callbacks=st.integers(1, 200))
    def passes_go_on(self, callbacks: int) -> None:
        self.firm.go_on(callbacks)

    @rule(minutes=st.sampled_from([1, 6, 65, 24 * 60]))
    def time_passes(self, minutes: int) -> None:
        self._finish()
        self.firm.world.loop.pass_time(minutes * 60)

    @precondition(lambda self: self.done >= EDITS_BEFORE_QUIET)
    @rule()
    def quiet(self) -> None:
        self._come_to_rest()

    def teardown(self) -> None:
        if hasattr(self, "firm"):
            try:
                self._come_to_rest()
            finally:
                self.firm.world.close()

    def _act(self, act: str, seed: int) -> None:
        self.done += self.people.do(act, seed)

    def _finish(self) -> None:
        self.firm.finish()
        said = Counter(row["text"] for row in self.firm.chancery.termine().values())
        assert all(number == 1 for number in said.values()), self._told([f"doubled: {said}"])

    def _come_to_rest(self) -> None:
        """People stop: a bounded number of passes, then no write, both sides agree, nothing is lost or doubled."""
        self.done = 0
        self.firm.come_to_rest()
        for _ in range(ROUNDS_OF_QUESTIONS):
            if answer_questions(self.firm.chancery):
                self.firm.come_to_rest()
        for appointment in self.people.appointments.values():
            appointment.discarded |= self.firm.unseen
        wrong = self.people.violations()
        assert not wrong, self._told(wrong)

    def _told(self, wrong: list[Any]) -> str:
        return "\n".join([*map(str, wrong), *self.firm.world.trace])


TestCalendars = Calendars.TestCase
TestCalendars.settings = play(4, steps=20)

__all__ = ["KUERZEL", "TestCalendars"]
