"""A Termin whose creation got no answer is not sent again while it may still arrive (sync-semantics.md 3)."""

from datetime import timedelta

import pytest

from vmh_sync.kalender.audits import doubts
from vmh_sync.sync.reporting.outcome import Result
from vmh_sync_tests.fixtures.chancery import Chancery, marked, tasks

LONGEST = 150.0


@pytest.fixture(autouse=True)
def slow_office(firm_environment: pytest.MonkeyPatch) -> None:
    """Requests live long here, as they do in life."""
    firm_environment.setenv("VMH_CREATE_SETTLE_SECONDS", str(LONGEST))


def unanswered(chancery: Chancery) -> str:
    """An event was made in Google; the request that carries it to Advoware is under way, and nobody hears of it."""
    chancery.employee()
    chancery.sync()
    event_id = chancery.event(summary="Aus Google")
    chancery.office.fault("Termine", "drop_before", method="POST", times=1)
    assert len(chancery.sync().failures) == 1
    chancery.office.clear_faults()
    return event_id


def arrives(chancery: Chancery) -> int:
    """The request is carried out after all."""
    times = {"uhrzeitVon": "14:00:00", "uhrzeitBis": "15:00:00"}
    return chancery.termin(text="Aus Google", offset=9, **times)


def one_pair(chancery: Chancery, event_id: str) -> None:
    chancery.clock.shift = timedelta(seconds=LONGEST + 20)
    chancery.until_quiet()
    (fr_nr,) = chancery.termine()
    assert list(chancery.events()) == [event_id]
    assert marked(chancery.events()[event_id]) == str(fr_nr)


def test_it_waits_until_nothing_can_arrive_any_more_and_is_created_once(chancery: Chancery) -> None:
    event_id = unanswered(chancery)
    chancery.clock.shift = timedelta(seconds=LONGEST - 20)
    (outcome,) = chancery.outcomes()
    assert outcome.result is Result.SKIPPED and "wartet bis" in str(outcome.error)
    assert chancery.termine() == {}
    one_pair(chancery, event_id)


def test_what_arrives_late_is_linked_and_not_doubled(chancery: Chancery) -> None:
    event_id = unanswered(chancery)
    chancery.outcomes()
    arrives(chancery)
    one_pair(chancery, event_id)


def test_what_arrives_between_the_list_and_the_post_is_linked_and_not_doubled(chancery: Chancery) -> None:
    event_id = unanswered(chancery)
    chancery.clock.shift = timedelta(seconds=LONGEST + 20)
    arrives(chancery)
    # The plan is made from a list that does not hold it yet.
    chancery.office.fault(r"Termine\?.*kuerzel", "empty", method="GET", times=1, body="[]")
    assert chancery.sync().failures == []
    chancery.office.clear_faults()
    one_pair(chancery, event_id)


MOVED = {"uhrzeitVon": "09:10:00", "uhrzeitBis": "10:10:00"}
ALL_OF_IT = MOVED | {"text": "Ganz anders", "notiz": "Neu", "ort": "Saal 3", "nr": "17/26"}


@pytest.mark.parametrize("typed", [MOVED, {"text": "Ganz anders"}, ALL_OF_IT])
@pytest.mark.parametrize("same", [True, False])
def test_what_arrived_and_was_changed_before_it_was_looked_for_is_asked_about_and_not_doubled(
    chancery: Chancery, typed: dict[str, str], same: bool
) -> None:
    event_id = unanswered(chancery)
    fr_nr = arrives(chancery)
    chancery.edit_termin(fr_nr, **typed)
    chancery.clock.shift = timedelta(seconds=LONGEST + 20)
    for _ in range(2):
        chancery.sync()
    assert (list(chancery.termine()), list(chancery.events())) == ([fr_nr], [event_id])
    assert [task["name"] for task in tasks(chancery)] == ["Vielleicht derselbe Termin: bitte entscheiden"]
    chancery.run(lambda context: doubts.decide(context, "SB", fr_nr, event_id, same=same))
    chancery.until_quiet()
    termine, events = chancery.termine(), chancery.events()
    assert len(termine) == len(events) == (1 if same else 2)
    assert {str(number) for number in termine} == {marked(event) for event in events.values()}
    asked = next(event for event in events.values() if marked(event) == str(fr_nr))
    assert asked["summary"] == typed.get("text", "Aus Google")
    assert asked["start"]["dateTime"][11:16] == ("09:10" if "uhrzeitVon" in typed else "14:00")
    assert (asked["id"] == event_id) is same


def test_what_stood_in_advoware_before_the_create_was_sent_is_not_asked_about(chancery: Chancery) -> None:
    chancery.employee()
    # Beyond the window, so that it has no event: it stood there unpaired when the create was sent.
    chancery.termin(text="Steht schon lange da", offset=900)
    chancery.termin(text="Verhandlung")
    chancery.sync()
    event_id = chancery.event(summary="Aus Google")
    chancery.office.fault("Termine", "drop_before", method="POST", times=1)
    assert len(chancery.sync().failures) == 1
    chancery.office.clear_faults()
    chancery.clock.shift = timedelta(seconds=LONGEST + 20)
    chancery.until_quiet()
    assert tasks(chancery) == []
    assert marked(chancery.events()[event_id]) in {str(number) for number in chancery.termine()}


def test_several_of_one_outage_are_one_question_about_the_one_that_was_changed(chancery: Chancery) -> None:
    chancery.employee()
    chancery.sync()
    names = ["Erster", "Zweiter", "Dritter"]
    ids = {name: chancery.event(summary=name, offset=9 + place) for place, name in enumerate(names)}
    chancery.office.fault("Termine", "drop_before", method="POST", times=3)
    assert len(chancery.sync().failures) == 3
    chancery.office.clear_faults()
    times = {"uhrzeitVon": "14:00:00", "uhrzeitBis": "15:00:00"}
    numbers = {name: chancery.termin(text=name, offset=9 + place, **times) for place, name in enumerate(names)}
    chancery.edit_termin(numbers["Zweiter"], **ALL_OF_IT)
    chancery.clock.shift = timedelta(seconds=LONGEST + 20)
    for _ in range(2):
        chancery.sync()
    assert len(chancery.termine()) == len(chancery.events()) == 3
    assert [task["name"] for task in tasks(chancery)] == ["Vielleicht derselbe Termin: bitte entscheiden"]
    assert {name: marked(chancery.events()[ids[name]]) for name in ("Erster", "Dritter")} == {
        name: str(numbers[name]) for name in ("Erster", "Dritter")
    }


def test_one_question_names_every_termin_that_it_may_be(chancery: Chancery) -> None:
    event_id = unanswered(chancery)
    fr_nr = arrives(chancery)
    chancery.edit_termin(fr_nr, **ALL_OF_IT)
    other = chancery.termin(text="Etwas anderes", offset=20)
    chancery.clock.shift = timedelta(seconds=LONGEST + 20)
    for _ in range(2):
        chancery.sync()
    (task,) = tasks(chancery)
    assert str(fr_nr) in task["description"] and str(other) in task["description"]
    assert len(chancery.termine()) == 2 and list(chancery.events()) == [event_id]
    chancery.run(lambda context: doubts.decide(context, "SB", fr_nr, event_id, same=True))
    chancery.until_quiet()
    assert len(chancery.termine()) == len(chancery.events()) == 2
    assert marked(chancery.events()[event_id]) == str(fr_nr)
    assert [one["status"] for one in tasks(chancery)] == ["Completed"]


def test_what_arrived_and_went_beyond_the_window_is_asked_about_and_not_doubled(chancery: Chancery) -> None:
    event_id = unanswered(chancery)
    fr_nr = arrives(chancery)
    day = chancery.day(1100).isoformat()
    chancery.edit_termin(fr_nr, datum=f"{day}T00:00:00", datumBis=f"{day}T00:00:00", text="In drei Jahren")
    chancery.clock.shift = timedelta(seconds=LONGEST + 20)
    for _ in range(2):
        chancery.sync()
    assert (list(chancery.termine()), list(chancery.events())) == ([fr_nr], [event_id])
    assert len(tasks(chancery)) == 1


@pytest.mark.parametrize("typed", [{}, {"text": "Ganz anders"}])
def test_what_arrived_and_was_given_to_a_colleague_is_not_doubled(chancery: Chancery, typed: dict[str, str]) -> None:
    chancery.employee("LS")
    event_id = unanswered(chancery)
    fr_nr = arrives(chancery)
    chancery.edit_termin(fr_nr, anwalt="LS", sb="LS", **typed)
    chancery.clock.shift = timedelta(seconds=LONGEST + 20)
    for _ in range(2):
        chancery.sync()
    assert list(chancery.termine()) == [fr_nr]
    # Colleagues have the same appointments at the same time, so also what is equal is only asked about.
    assert len(tasks(chancery)) == 1
    chancery.run(lambda context: doubts.decide(context, "SB", fr_nr, event_id, same=True))
    chancery.until_quiet()
    assert list(chancery.termine()) == [fr_nr]
    assert chancery.events("SB") == {}
    assert len(chancery.events("LS")) == 1
