"""Marked events that are not the paired one: equal copies, copies that say something else, and what lost its Termin."""

from vmh_sync.kalender.decision.operations import FindingKind
from vmh_sync_tests.unit.kalender.situations import from_google, kinds, linked, run


def test_a_marked_copy_is_a_duplicate_and_is_not_created() -> None:
    sides = linked()
    copy = {key: value for key, value in sides.event_of(1).items() if key not in ("id", "updated")}
    sides.put_event("copy", **copy)
    assert run(sides) == []
    assert kinds(sides) == [FindingKind.DUPLICATE]
    sides.drop_event(sides.pairs[1].event_id)
    assert run(sides) == ["LinkPair", "SaveBase"], "the original is gone: the copy goes on as the pair's event"
    assert sides.pairs[1].event_id == "copy"
    assert run(sides) == []


def test_a_copy_that_says_something_else_outlives_its_original_that_is_deleted_on_both_sides() -> None:
    sides = linked()
    sides.put_termin(2, text="Bleibt")
    run(sides)
    copy = {key: value for key, value in sides.event_of(1).items() if key not in ("id", "updated")}
    sides.put_event("copy", **{**copy, "summary": "Ganz anders"})
    sides.drop_event(sides.pairs[1].event_id)
    del sides.termine[1]
    assert sorted(run(sides)) == ["ClosePair", "CreateAdvoware"]
    assert sorted(str(termin.text) for termin in sides.termine.values()) == ["Bleibt", "Ganz anders"]


def test_a_marked_event_without_termin_is_deleted_if_we_made_it_and_an_orphan_if_not() -> None:
    ours, (persons, fr_nr) = linked(), from_google()
    for sides, number in ((ours, 1), (persons, fr_nr)):
        sides.pairs.clear()
        del sides.termine[number]
        sides.put_termin(9)
    assert sorted(run(ours)) == ["DeleteGoogle", "InsertGoogle"]
    assert run(persons) == ["InsertGoogle"]
    assert (kinds(ours), kinds(persons)) == ([], [FindingKind.ORPHAN])
    assert (len(ours.living_events()), len(persons.living_events())) == (1, 2)
    persons.put_event(persons.pairs[9].event_id)
    orphan = next(one for one in persons.living_events() if one != persons.pairs[9].event_id)
    persons.put_event(orphan, summary="Eine Kopie, an der weitergearbeitet wurde")
    assert run(persons) == ["CreateAdvoware"]
