"""What Advoware computes (leave, travel, preparation: negative numbers) is read only, wherever its event is taken."""

from collections.abc import Iterator

import pytest

from vmh_sync_tests.fixtures.chancery import marked
from vmh_sync_tests.inmemory.calendars import CalendarFirm, two_employees

NUMBER = -4


@pytest.fixture
def firm() -> Iterator[CalendarFirm]:
    for firm in two_employees():
        day = f"{firm.chancery.day(9).isoformat()}T00:00:00"
        leave = {"frNr": NUMBER, "text": "Urlaub", "abwesenheit": 1, "datum": day, "datumBis": day, "sb": "SB"}
        firm.chancery.office.seed(termine=[leave])
        firm.chancery.termin("AH", "Bleibt bei AH")
        firm.come_to_rest()
        yield firm


def stands(firm: CalendarFirm) -> list[tuple[str, str, str | None]]:
    return [
        (kuerzel, event["summary"], marked(event))
        for kuerzel in ("AH", "SB")
        for event in firm.chancery.events(kuerzel).values()
        if event["summary"] != "Bleibt bei AH"
    ]


@pytest.mark.parametrize("order", [("AH", "SB"), ("SB", "AH"), ()])
def test_its_event_that_was_moved_to_a_colleague_comes_back(firm: CalendarFirm, order: tuple[str, ...]) -> None:
    before = firm.chancery.termine()
    firm.chancery.move_event("SB", firm.chancery.event_of(NUMBER)["id"], "AH")
    for kuerzel in order:
        firm.begin_pass((kuerzel,))
        firm.finish()
    firm.come_to_rest()
    assert stands(firm) == [("SB", "Urlaub", str(NUMBER))]
    assert firm.chancery.termine() == before


def test_a_copy_of_its_event_at_a_colleagues_is_an_appointment_of_its_own(firm: CalendarFirm) -> None:
    firm.chancery.copy_event("SB", firm.chancery.event_of(NUMBER)["id"], to="AH")
    firm.come_to_rest()
    (own,) = [
        number for number, row in firm.chancery.termine().items() if row["sb"] == "AH" and row["text"] == "Urlaub"
    ]
    assert sorted(stands(firm)) == [("AH", "Urlaub", str(own)), ("SB", "Urlaub", str(NUMBER))]
