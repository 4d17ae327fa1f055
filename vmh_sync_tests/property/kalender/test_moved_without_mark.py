"""A client moves an event by making it anew and deleting the old one, and our marks are lost on the way."""

from collections.abc import Iterator

import pytest

from vmh_sync.settings import CalendarSyncSettings
from vmh_sync_tests.fixtures.chancery import marked
from vmh_sync_tests.inmemory.calendars import CalendarFirm
from vmh_sync_tests.inmemory.world import World
from vmh_sync_tests.property.kalender.people_in_google import DEADLINE_RULES

NUMBER = "12/26"


@pytest.fixture
def firm() -> Iterator[CalendarFirm]:
    firm = CalendarFirm(World(), CalendarSyncSettings(_env_file=None, deadline_rules=DEADLINE_RULES))
    for kuerzel in ("AH", "SB"):
        firm.chancery.employee(kuerzel)
        firm.chancery.termin(kuerzel, f"Bleibt bei {kuerzel}", offset=3)
    firm.come_to_rest()
    yield firm
    firm.world.close()


def appointment(firm: CalendarFirm, *, from_google: bool) -> tuple[int, str]:
    """An appointment of SB's with a file, on both sides: its number and its event."""
    chancery = firm.chancery
    if from_google:
        chancery.event("SB", "Wandert")
    else:
        chancery.termin("SB", "Wandert", anwalt="SB")
    firm.come_to_rest()
    fr_nr = next(number for number, row in chancery.termine().items() if row["text"] == "Wandert")
    chancery.edit_termin(fr_nr, nr=NUMBER)
    firm.come_to_rest()
    return fr_nr, chancery.event_of(fr_nr)["id"]


def move_without_mark(firm: CalendarFirm, event_id: str, to: str) -> str:
    new = firm.chancery.copy_event("SB", event_id, to=to, extendedProperties={})
    firm.chancery.drop_event("SB", event_id)
    return new


def stands(firm: CalendarFirm) -> list[tuple[str, str | None, str]]:
    """Whose calendar, which number and which id, of everything but what stays."""
    return [
        (kuerzel, marked(event), event_id)
        for kuerzel in ("AH", "SB")
        for event_id, event in firm.chancery.events(kuerzel).items()
        if not event["summary"].startswith("Bleibt")
    ]


def row_of(firm: CalendarFirm, fr_nr: int) -> tuple[str, str, str]:
    row = firm.chancery.termine()[fr_nr]
    return row["sb"], row["anwalt"], row["nr"]


@pytest.mark.parametrize("from_google", [False, True])
@pytest.mark.parametrize("order", [("AH", "SB"), ("SB", "AH"), ()])
def test_an_event_made_anew_at_a_colleagues_and_deleted_here_is_the_same_appointment(
    firm: CalendarFirm, order: tuple[str, ...], from_google: bool
) -> None:
    fr_nr, event_id = appointment(firm, from_google=from_google)
    new = move_without_mark(firm, event_id, "AH")
    for kuerzel in order:
        firm.begin_pass((kuerzel,))
        firm.finish()
    firm.come_to_rest()
    assert stands(firm) == [("AH", str(fr_nr), new)]
    assert len(firm.chancery.termine()) == 3 and row_of(firm, fr_nr) == ("AH", "AH", NUMBER)


@pytest.mark.parametrize("from_google", [False, True])
def test_an_event_made_anew_in_the_same_calendar_is_the_same_appointment(firm: CalendarFirm, from_google: bool) -> None:
    fr_nr, event_id = appointment(firm, from_google=from_google)
    new = move_without_mark(firm, event_id, "SB")
    firm.chancery.edit_termin(fr_nr, ort="Saal 4")
    firm.come_to_rest()
    assert stands(firm) == [("SB", str(fr_nr), new)]
    assert len(firm.chancery.termine()) == 3 and row_of(firm, fr_nr) == ("SB", "SB", NUMBER)
    assert firm.chancery.events("SB")[new]["location"] == firm.chancery.termine()[fr_nr]["ort"] == "Saal 4"


@pytest.mark.parametrize("from_google", [False, True])
def test_an_equal_event_of_a_colleague_is_one_of_its_own_while_the_first_one_stands(
    firm: CalendarFirm, from_google: bool
) -> None:
    """Two who go to the same hearing have the same entry each; one of them deletes it later."""
    fr_nr, event_id = appointment(firm, from_google=from_google)
    new = firm.chancery.copy_event("SB", event_id, to="AH", extendedProperties={})
    firm.come_to_rest()
    (theirs,) = [mark for kuerzel, mark, key in stands(firm) if key == new]
    assert theirs != str(fr_nr) and len(firm.chancery.termine()) == 4
    firm.chancery.drop_event("AH", new)
    firm.come_to_rest()
    assert stands(firm) == [("SB", str(fr_nr), event_id)] and row_of(firm, fr_nr) == ("SB", "SB", NUMBER)


def test_a_termin_given_back_is_not_deleted_because_its_event_had_been_made_anew_elsewhere(firm: CalendarFirm) -> None:
    """AH's pair was found by content; SB's old one is still there when the Termin comes back."""
    fr_nr, event_id = appointment(firm, from_google=True)
    move_without_mark(firm, event_id, "AH")
    firm.chancery.edit_termin(fr_nr, sb="AH", anwalt="AH")
    firm.begin_pass(("AH",))
    firm.finish()
    firm.chancery.edit_termin(fr_nr, sb="SB", anwalt="SB")
    firm.begin_pass(("SB",))
    firm.finish()
    firm.come_to_rest()
    assert [(kuerzel, mark) for kuerzel, mark, _ in stands(firm)] == [("SB", str(fr_nr))]
    assert row_of(firm, fr_nr) == ("SB", "SB", NUMBER)


@pytest.mark.parametrize("how", ["unshare", "delete_calendar"])
@pytest.mark.parametrize("notiz", ["", "Notfrist"])
def test_a_calendar_that_cannot_be_reached_is_no_deletion(firm: CalendarFirm, notiz: str, how: str) -> None:
    """Google answers 404 for every event of it: whether a colleague's equal entry is the same one is not known yet."""
    chancery, google = firm.chancery, firm.world.google
    fr_nr = chancery.termin("SB", "Jour fixe", anwalt="SB", notiz=notiz)
    firm.come_to_rest()
    event_id = chancery.event_of(fr_nr)["id"]
    equal = chancery.copy_event("SB", event_id, to="AH", extendedProperties={})
    google.command(how, {"calendar": "AW-SB", "account": google.config.service_account_email})
    for _ in range(2):
        firm.begin_pass(("AH",))
        firm.finish()
    (own,) = [mark for kuerzel, mark, key in stands(firm) if key == equal]
    assert own is None and row_of(firm, fr_nr)[:2] == ("SB", "SB")
    assert chancery.pairs("SB")[fr_nr].event_id == event_id and fr_nr not in chancery.pairs("AH")


@pytest.mark.parametrize("order", [("AH", "SB"), ("SB", "AH")])
def test_an_equal_event_that_had_stood_there_for_days_is_not_the_deleted_one_made_anew(
    firm: CalendarFirm, order: tuple[str, str]
) -> None:
    """AH's calendar was not synced for days: nobody knows her entry yet when SB deletes the own one."""
    chancery = firm.chancery
    fr_nr, event_id = appointment(firm, from_google=True)
    equal = chancery.copy_event("SB", event_id, to="AH", extendedProperties={})
    firm.world.loop.pass_time(3 * 86400)
    firm.begin_pass(("SB",))
    firm.finish()
    chancery.drop_event("SB", event_id)
    for kuerzel in order:
        firm.begin_pass((kuerzel,))
        firm.finish()
    firm.come_to_rest()
    ((kuerzel, mark, key),) = stands(firm)
    assert (kuerzel, key) == ("AH", equal) and mark is not None and int(mark) not in (0, fr_nr)
    assert fr_nr not in chancery.termine() and row_of(firm, int(mark)) == ("AH", "AH", "")
