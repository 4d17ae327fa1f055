"""A Termin is given to somebody else in Advoware and its event in Google, before both calendars were read."""

from collections.abc import Iterator

import pytest

from vmh_sync.settings import CalendarSyncSettings
from vmh_sync_tests.chaos.calendars import audited_losers
from vmh_sync_tests.fixtures.chancery import marked
from vmh_sync_tests.inmemory.calendars import CalendarFirm
from vmh_sync_tests.inmemory.world import World


@pytest.fixture
def firm() -> Iterator[CalendarFirm]:
    firm = CalendarFirm(World(), CalendarSyncSettings(_env_file=None))
    for kuerzel in ("AH", "SB"):
        firm.chancery.employee(kuerzel)
        firm.chancery.termin(kuerzel, f"Bleibt bei {kuerzel}")
    firm.come_to_rest()
    yield firm
    firm.world.close()


def one_pass(firm: CalendarFirm, *kuerzel: str) -> None:
    firm.begin_pass(kuerzel)
    firm.finish()


def wandering(firm: CalendarFirm, *, from_google: bool) -> int:
    """An appointment of AH's, which stands on both sides."""
    if from_google:
        firm.chancery.event("AH", "Wandert")
    else:
        firm.chancery.termin("AH", "Wandert", anwalt="AH")
    firm.come_to_rest()
    return next(number for number, row in firm.chancery.termine().items() if row["text"] == "Wandert")


def stands(firm: CalendarFirm) -> list[tuple[str, str, str | None]]:
    """Whose, what and under which number all events but the two that stay are."""
    return [
        (kuerzel, event["summary"], marked(event))
        for kuerzel in ("AH", "SB")
        for event in firm.chancery.events(kuerzel).values()
        if not event["summary"].startswith("Bleibt")
    ]


@pytest.mark.parametrize(
    ("from_google", "edited", "order"),
    [(False, True, ("AH", "SB")), (False, True, ("SB", "AH")), (True, False, ("AH", "SB")), (True, True, ())],
)
def test_an_event_that_is_moved_back_to_whom_the_termin_was_taken_from_takes_it_along(
    firm: CalendarFirm, from_google: bool, edited: bool, order: tuple[str, ...]
) -> None:
    chancery = firm.chancery
    fr_nr = wandering(firm, from_google=from_google)
    chancery.edit_termin(fr_nr, sb="SB", anwalt="SB")
    one_pass(firm, "SB")
    event_id = chancery.event_of(fr_nr, "SB")["id"]
    chancery.move_event("SB", event_id, "AH")
    if edited:
        chancery.edit_event("AH", event_id, summary="Doch bei AH")
    for kuerzel in order:
        one_pass(firm, kuerzel)
    firm.come_to_rest()
    text = "Doch bei AH" if edited else "Wandert"
    assert stands(firm) == [("AH", text, str(fr_nr))]
    assert len(chancery.termine()) == 3
    row = chancery.termine()[fr_nr]
    assert (row["sb"], row["anwalt"], row["text"]) == ("AH", "AH", text)


@pytest.mark.parametrize(
    ("edited", "order"), [(True, ("AH", "SB")), (True, ("SB", "AH")), (False, ("AH", "SB")), (False, ())]
)
def test_an_event_that_follows_its_reassigned_termin_doubles_nothing_and_its_edit_is_on_record(
    firm: CalendarFirm, edited: bool, order: tuple[str, ...]
) -> None:
    chancery = firm.chancery
    fr_nr = wandering(firm, from_google=False)
    old = chancery.event_of(fr_nr, "AH")["id"]
    chancery.edit_termin(fr_nr, sb="SB", anwalt="SB")
    one_pass(firm, "SB")
    chancery.move_event("AH", old, "SB")
    if edited:
        chancery.edit_event("SB", old, location="Saal 9")
    for kuerzel in order:
        one_pass(firm, kuerzel)
    firm.come_to_rest()
    assert stands(firm) == [("SB", "Wandert", str(fr_nr))]
    assert len(chancery.termine()) == 3 and chancery.termine()[fr_nr]["sb"] == "SB"
    assert ("Saal 9" in audited_losers(chancery)) == edited


@pytest.mark.parametrize("order", [("AH", "SB"), ("SB", "AH")])
def test_an_event_of_a_termin_for_everybody_that_is_moved_to_a_colleague_comes_back(
    firm: CalendarFirm, order: tuple[str, ...]
) -> None:
    chancery = firm.chancery
    fr_nr = chancery.termin("ALLE", "Weihnachtsfeier")
    firm.come_to_rest()
    chancery.move_event("SB", chancery.event_of(fr_nr, "SB")["id"], "AH")
    for kuerzel in order:
        one_pass(firm, kuerzel)
    firm.come_to_rest()
    assert stands(firm) == [(kuerzel, "Weihnachtsfeier", str(fr_nr)) for kuerzel in ("AH", "SB")]
    assert chancery.termine()[fr_nr]["sb"] == "ALLE"


def test_an_event_that_is_moved_with_its_termin_before_a_pass_stays_that_event(firm: CalendarFirm) -> None:
    chancery = firm.chancery
    fr_nr = wandering(firm, from_google=True)
    event_id = chancery.event_of(fr_nr, "AH")["id"]
    chancery.edit_termin(fr_nr, sb="SB", anwalt="SB")
    chancery.move_event("AH", event_id, "SB")
    chancery.edit_event("SB", event_id, colorId="7")
    firm.come_to_rest()
    assert stands(firm) == [("SB", "Wandert", str(fr_nr))]
    assert chancery.events("SB")[event_id]["colorId"] == "7"


@pytest.mark.parametrize("request_of_the_pass", range(1, 7))
@pytest.mark.parametrize("from_google", [False, True])
def test_an_event_that_follows_its_reassigned_termin_while_it_is_taken_away_doubles_nothing(
    firm: CalendarFirm, from_google: bool, request_of_the_pass: int
) -> None:
    chancery = firm.chancery
    fr_nr = wandering(firm, from_google=from_google)
    event_id = chancery.event_of(fr_nr, "AH")["id"]
    chancery.edit_termin(fr_nr, sb="SB", anwalt="SB")
    one_pass(firm, "SB")
    firm.begin_pass(("AH",)).meanwhile[request_of_the_pass] = lambda: chancery.move_event("AH", event_id, "SB")
    firm.finish()
    chancery.edit_termin(fr_nr, text="Wandert weiter")
    firm.come_to_rest()
    assert stands(firm) == [("SB", "Wandert weiter", str(fr_nr))]
    assert len(chancery.termine()) == 3
