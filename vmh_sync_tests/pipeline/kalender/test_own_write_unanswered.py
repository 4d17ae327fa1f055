"""Our write to Advoware arrived and nobody heard of it: what it wrote is ours, what people type since is an edit."""

from collections.abc import Iterator

import pytest

from vmh_sync_tests.fixtures.chancery import tasks
from vmh_sync_tests.inmemory.calendars import CalendarFirm, two_employees
from vmh_sync_tests.inmemory.network import ARRIVES, Fate, Request

UNHEARD = {
    "lost": Fate(answer="lost"),
    "killed": Fate(dies="after"),
    "never left": Fate(carried_out=False, answer="lost"),
}
FATES = UNHEARD | {"refused": Fate(carried_out=False, answer=400)}


@pytest.fixture
def two() -> Iterator[CalendarFirm]:
    yield from two_employees()


def edited_unheard(two: CalendarFirm, how: str, *, from_google: bool) -> tuple[int, str]:
    """An appointment whose title and place a person changed in Google; what Advoware made of it was not heard."""
    make = two.chancery.event if from_google else two.chancery.termin
    make("SB", "Ortstermin")
    two.come_to_rest()
    (fr_nr,), (event_id,) = two.chancery.termine(), two.chancery.events("SB")
    two.chancery.edit_event("SB", event_id, summary="eins", location="Saal 1")

    def fate(request: Request) -> Fate:
        return FATES[how] if (request.system, request.method) == ("advoware", "PUT") else ARRIVES

    two.world.wire.fate = fate
    two.begin_pass(("SB",))
    two.finish()
    two.world.wire.fate = lambda request: ARRIVES
    assert two.chancery.termine()[fr_nr]["text"] == ("Ortstermin" if how in ("never left", "refused") else "eins")
    return fr_nr, event_id


def said(two: CalendarFirm, fr_nr: int, event_id: str) -> list[tuple[str, str]]:
    row, event = two.chancery.termine()[fr_nr], two.chancery.events("SB")[event_id]
    return [(row["text"], row["ort"]), (event["summary"], event.get("location", ""))]


@pytest.mark.parametrize("how", UNHEARD)
@pytest.mark.parametrize("from_google", [True, False])
@pytest.mark.parametrize("values", [{}, {"summary": "zwei"}, {"summary": "Ortstermin", "location": ""}])
def test_what_people_type_in_google_since_is_carried_on_and_no_conflict(
    two: CalendarFirm, how: str, from_google: bool, values: dict[str, str]
) -> None:
    fr_nr, event_id = edited_unheard(two, how, from_google=from_google)
    two.chancery.edit_event("SB", event_id, **values)
    two.come_to_rest()
    wanted = (values.get("summary", "eins"), values.get("location", "Saal 1"))
    assert said(two, fr_nr, event_id) == [wanted, wanted]
    assert tasks(two.chancery) == []


@pytest.mark.parametrize("how", UNHEARD)
@pytest.mark.parametrize("from_google", [True, False])
def test_what_people_type_in_advoware_since_is_an_edit(two: CalendarFirm, how: str, from_google: bool) -> None:
    fr_nr, event_id = edited_unheard(two, how, from_google=from_google)
    two.chancery.edit_termin(fr_nr, text="Büro")
    two.chancery.edit_event("SB", event_id, summary="zwei")
    two.come_to_rest()
    assert said(two, fr_nr, event_id) == [("zwei" if from_google else "Büro", "Saal 1")] * 2
    assert len(tasks(two.chancery)) == 1


@pytest.mark.parametrize("how", ["never left", "refused"])
def test_what_never_arrived_and_was_taken_back_is_forgotten(two: CalendarFirm, how: str) -> None:
    fr_nr, event_id = edited_unheard(two, how, from_google=False)
    two.chancery.edit_event("SB", event_id, summary="Ortstermin", location="")
    two.come_to_rest()
    two.chancery.edit_termin(fr_nr, text="eins")
    two.chancery.edit_event("SB", event_id, location="Saal 9")
    two.come_to_rest()
    assert said(two, fr_nr, event_id) == [("eins", "Saal 9")] * 2
    assert tasks(two.chancery) == []


def test_what_advoware_refused_and_somebody_then_typed_there_is_an_edit(two: CalendarFirm) -> None:
    fr_nr, event_id = edited_unheard(two, "refused", from_google=False)
    two.chancery.edit_termin(fr_nr, text="eins")
    two.chancery.edit_event("SB", event_id, summary="zwei")
    two.come_to_rest()
    assert said(two, fr_nr, event_id) == [("eins", "Saal 1")] * 2
    assert len(tasks(two.chancery)) == 1
