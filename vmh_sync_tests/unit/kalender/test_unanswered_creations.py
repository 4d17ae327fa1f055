"""A Termin whose creation got no answer: who may be it is a question, and nothing is created before it is answered."""

from dataclasses import replace

import pytest

from vmh_sync.kalender.decision.operations import CreateAdvoware, FindingKind
from vmh_sync.kalender.decision.reads import PendingCreate
from vmh_sync.kalender.pairing.resume import went_to_colleague
from vmh_sync_tests.property.kalender.simulated_sides import Sides
from vmh_sync_tests.unit.kalender.situations import kinds, run


@pytest.mark.parametrize("edit", [{"datum": "2026-09-01", "datum_bis": "2026-09-01"}, {"text": "Mandantengespräch"}])
def test_a_termin_that_was_moved_or_renamed_before_its_crashed_creation_was_found_is_not_doubled(
    edit: dict[str, str],
) -> None:
    sides = Sides()
    sides.put_event("g1", summary="Mittagessen")
    (create,) = sides.plan().operations
    sides.post(create)
    (fr_nr,) = sides.termine
    sides.put_termin(fr_nr, **edit)
    said = {name: getattr(sides.termine[fr_nr], name) for name in ("datum", "text")}
    assert run(sides) == []
    assert kinds(sides) == [FindingKind.DOUBTFUL], "a person says whether it is the same"
    sides.decided = {(fr_nr, "g1"): True}
    assert run(sides) == ["LinkPair", "UpdateGoogle"]
    sides.settle()
    assert len(sides.termine) == len(sides.living_events()) == len(sides.pairs) == 1
    assert {name: getattr(sides.termine[fr_nr], name) for name in said} == said
    event = sides.events["g1"]
    assert (event["summary"], str(event["start"])[14:24]) == (said["text"], said["datum"])


def test_a_termin_that_nobody_can_read_may_be_the_one_that_was_created() -> None:
    sides = Sides()
    sides.put_event("g1", summary="Mittagessen")
    (create,) = sides.plan().operations
    sides.post(create)
    (fr_nr,) = sides.termine
    sides.intents["g1"] = replace(sides.intents["g1"], known=frozenset())
    sides.put_termin(fr_nr, datum="irgendwann")
    assert run(sides) == []
    assert FindingKind.DOUBTFUL in kinds(sides)


def test_a_termin_that_a_person_says_is_another_does_not_keep_a_creation_waiting() -> None:
    sides = Sides()
    sides.put_event("g1", summary="Mittagessen")
    (create,) = sides.plan().operations
    assert isinstance(create, CreateAdvoware)
    sides.intents["g1"] = PendingCreate("g1", create.form)
    sides.put_termin(7, text="Mittagessen", datum="2026-09-01", datum_bis="2026-09-01")
    assert run(sides) == []
    sides.decided = {(7, "g1"): False}
    sides.settle()
    assert len(sides.termine) == len(sides.living_events()) == 2


@pytest.mark.parametrize(("fr_nr", "asked"), [(6, False), (7, False), (8, False), (9, True)])
def test_a_colleagues_equal_entry_that_is_older_keeps_nothing_waiting(fr_nr: int, asked: bool) -> None:
    """Two lawyers go to the same hearing; 7 stood in this employee's list, 8 is the highest number that was known."""
    sides = Sides()
    sides.put_event("g1", summary="Verhandlung")
    (create,) = sides.plan().operations
    assert isinstance(create, CreateAdvoware)
    form = create.form
    intent = PendingCreate("g1", form, known=frozenset({7}), newest=8)
    assert went_to_colleague(intent, fr_nr, form) is asked
