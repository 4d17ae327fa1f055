"""A firm's first day: an EspoCRM that people typed by hand, a full Advoware, no link between them (entities.md 1)."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from vmh_sync.beteiligte.twins.twin_question import open_questions
from vmh_sync.commands.joining.import_parties import ImportOrder, import_parties
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.first_contact.advoware_list import PartyScope
from vmh_sync.first_contact.plan import ContactPlan
from vmh_sync.first_contact.run import ContactOrder, ContactResult, carry_out, plan_first_contact
from vmh_sync.sync.reporting.outcome import Result
from vmh_sync_tests.fixtures.chancery import Chancery
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.labelled_parties import Labelled, labelled_parties
from vmh_sync_tests.fixtures.seeded_sides import seed_both


@dataclass
class FirstDay:
    """What happens on the day, step by step, and what must hold after each."""

    firm: Firm
    made: Labelled
    figures: dict[str, Any] = field(default_factory=dict)
    linked: set[tuple[str, int]] = field(default_factory=set)

    @classmethod
    def begin(cls, firm: Firm, made: Labelled, *, old_links: int = 0) -> "FirstDay":
        """Fill both sides; ``old_links`` of the true pairs were linked by an earlier system."""
        linked = dict(list(made.twins)[:: max(1, len(made.twins) // old_links)][:old_links]) if old_links else {}
        seed_both(firm.sandbox, made, linked)
        return cls(firm, made, linked=set(linked.items()))

    def contact(self, *answers: str) -> tuple[ContactPlan, ContactResult]:
        async def run(context: PassContext) -> tuple[ContactPlan, ContactResult]:
            order = ContactOrder(plan_only=False, answers=answers)
            plan, decided = await plan_first_contact(context, order, lambda *_: None)
            return plan, await carry_out(context, plan, decided, lambda *_: None)

        result: tuple[ContactPlan, ContactResult] = self.firm.run(run)
        return result

    def numbers(self) -> dict[str, int | None]:
        """The number of every record in EspoCRM."""
        return {row["id"]: row["betnr"] for row in self.firm.crm_records("CBeteiligte")}

    def to_quiet(self) -> None:
        """Passes until nothing is written; what lies with a person is no failure."""
        for _ in range(6):
            summary = self.firm.sync(allow_mass_change=True)
            assert not summary.failures, summary.failures[:3]
            if not any(summary.writes.values()):
                return
        raise AssertionError("still writing")

    def no_new_duplicate(self) -> None:
        """No record of EspoCRM that has a twin in Advoware got another number, and no number stands twice."""
        numbers = self.numbers()
        wrong = [pair for pair in self.made.twins if numbers[pair[0]] not in (None, pair[1])]
        assert wrong == [], [self.made.twins[pair] for pair in wrong]
        assert [betnr for betnr, count in Counter(filter(None, numbers.values())).items() if count > 1] == []
        for party in self.firm.office_records():
            values = Counter((row["tlf"] or "").casefold() for row in party["kommunikation"] if row["tlf"])
            assert max(values.values(), default=1) == 1, f"party {party['betNr']} has an entry twice"

    def truth(self, plan: ContactPlan) -> list[str]:
        """What a person who knows everybody answers."""
        twins = dict(self.made.twins)
        return [
            f"{espo_id}={next((twin.betnr for twin in asked.twins if (espo_id, twin.betnr) in twins), 'neu')}"
            for espo_id, asked in plan.questions.items()
        ]


def live_through(day: FirstDay) -> None:
    firm, made = day.firm, day.made
    office_before, crm_before = len(firm.office_records()), len(firm.crm_records("CBeteiligte"))
    plan, result = day.contact()
    assert result.failures == {}
    named = {(pair.one, pair.other) for pair in (*plan.matched.certain, *plan.matched.likely)}
    missed = set(made.twins) - named - day.linked
    assert not missed, [made.twins[pair] for pair in missed]
    assert set(result.linked) == {pair.one for pair in plan.matched.certain}
    asked = [
        (question.espo_id, entry["betnr"])
        for question in firm.run(_questions)
        for entry in question.details.get("found", ())
    ]
    assert len(asked) == len(set(asked)), "a pair is named twice"
    assert set(asked) == {(pair.one, pair.other) for pair in plan.matched.likely}
    assert len(questions_of(firm)) == len(plan.questions)
    day.to_quiet()
    day.no_new_duplicate()
    tasks = questions_of(firm)
    assert len(tasks) == len(plan.questions)

    again, repeated = day.contact()
    assert (repeated.linked, repeated.failures) == ([], {})
    assert set(repeated.asked) == set(plan.questions)
    assert {task["id"] for task in firm.tasks()} >= tasks
    assert len(again.questions) == len(plan.questions)

    _, answered = day.contact(*day.truth(again))
    assert answered.failures == {}
    day.to_quiet()
    day.no_new_duplicate()
    numbers = day.numbers()
    assert [pair for pair in made.twins if numbers[pair[0]] != pair[1]] == []
    assert not {"syncing", "dirty"} & {row["syncStatus"] for row in firm.crm_records("CBeteiligte")}
    assert None not in numbers.values()
    assert firm.run(_questions) == []
    only_crm = len(made.left) - len(made.twins)
    assert len(firm.office_records()) == office_before + only_crm
    assert len(firm.crm_records("CBeteiligte")) == crm_before
    day.figures = {
        "parties": (len(made.left), len(made.right)),
        "twins": len(made.twins),
        "linked": len(result.linked),
        "questions": len(plan.questions),
    }


def questions_of(firm: Firm) -> set[str]:
    return {task["id"] for task in firm.tasks() if "Verknüpfen" in task["name"] or "Zweimal" in task["name"]}


async def _questions(context: PassContext) -> Any:
    return open_questions(context)


def bring_the_rest(day: FirstDay) -> None:
    async def run(context: PassContext) -> Any:
        return await import_parties(context, ImportOrder(PartyScope(list(day.made.right))), lambda *_: None)

    plan, done = day.firm.run(run)
    assert done.failures == {}
    day.to_quiet()
    day.no_new_duplicate()
    without = set(day.made.right) - set(filter(None, day.numbers().values()))
    assert without == {betnr for betnr in plan.left if betnr in without}, "who is not brought is named with a reason"


@dataclass
class FullCalendars:
    """Calendars that an earlier system has kept equal to Advoware, without a mark of ours."""

    chancery: Chancery
    same: dict[str, list[str]] = field(default_factory=dict)
    doubtful: int = 0

    def fill(self, employees: int, each: int) -> None:
        """Fill every calendar with ``each`` appointments, a doubtful one, one of Google's and one of Advoware's."""
        for number in range(employees):
            kuerzel = self.chancery.employee(f"M{number}")
            self.chancery.google.seed(calendars=[{"summary": f"AW-{kuerzel}"}])
            titles = [f"Termin {place}" for place in range(each)]
            self.same[kuerzel] = [self._both(kuerzel, title, place) for place, title in enumerate(titles)]
            self._both(kuerzel, "Anhörung Meier", each, shown="Anhörung Maier")
            self.doubtful += 1
            self.chancery.termin(kuerzel, "Nur Advoware", offset=each + 20)
            self.chancery.event(kuerzel, "Nur Google", offset=each + 21)

    def _both(self, kuerzel: str, title: str, place: int, *, shown: str | None = None) -> str:
        at = {"uhrzeitVon": "14:00:00", "uhrzeitBis": "15:00:00"}
        self.chancery.termin(kuerzel, title, offset=7 + place, **at)
        return self.chancery.event(kuerzel, shown or title, offset=7 + place)

    def live_through(self) -> None:
        """Sync until nothing is written: nothing is doubled, every doubtful pair is named once."""
        said = [one for _ in range(3) for one in self.chancery.outcomes() if one.result is Result.SKIPPED]
        assert {one.id: str(one.error) for one in said}.keys() == {one.id for one in said[: self.doubtful]}
        assert self.chancery.until_quiet() == 1
        for kuerzel, events in self.same.items():
            own = [row for row in self.chancery.termine().values() if row["sb"] == kuerzel]
            # The doubtful one stands on both sides unlinked; what one side alone had is made on the other.
            assert len(own) == len(self.chancery.events(kuerzel)) == len(events) + 3
            pairs = {row.event_id for row in self.chancery.pairs(kuerzel).values()}
            assert set(events) <= pairs and len(pairs) == len(events) + 2


def test_the_first_day_doubles_nobody_and_names_every_doubtful_pair_once(firm: Firm) -> None:
    day = FirstDay.begin(firm, labelled_parties(11, 30, two_faults=0), old_links=6)
    calendars = FullCalendars(Chancery(firm.sandbox, firm.store))
    calendars.fill(employees=2, each=3)
    live_through(day)
    calendars.live_through()


@pytest.mark.proof
def test_the_first_day_of_two_thousand_parties(firm: Firm, capsys: pytest.CaptureFixture[str]) -> None:
    day = FirstDay.begin(firm, labelled_parties(12, 2200, two_faults=0), old_links=300)
    calendars = FullCalendars(Chancery(firm.sandbox, firm.store))
    calendars.fill(employees=5, each=100)
    live_through(day)
    bring_the_rest(day)
    calendars.live_through()
    with capsys.disabled():
        print(f"\nfirst day: {day.figures}, events paired: {sum(map(len, calendars.same.values()))}")  # noqa: T201
