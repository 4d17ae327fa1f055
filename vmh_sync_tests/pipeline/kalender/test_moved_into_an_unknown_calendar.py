"""A person moves an event to a colleague whose calendar's id nobody has stored: it is moved, not deleted.

Found by a random history (``chaos --seed 72121``): the Termin was deleted, and its event stayed behind for ever.
"""

from dataclasses import replace

import pytest

from vmh_sync.systems.google_calendar.calendars import CalendarDirectory
from vmh_sync_tests.fixtures.chancery import Chancery
from vmh_sync_tests.pipeline.kalender.test_people_at_work import agree


def forget_calendar(chancery: Chancery, kuerzel: str) -> None:
    """As a process leaves it that was killed, or got no answer, after it had the calendar made."""
    with chancery.store.transaction() as tx:
        state = tx.calendar_states.get(kuerzel)
        assert state is not None and state.calendar_id is not None
        tx.calendar_states.upsert(replace(state, calendar_id=None, sync_token=None))


def test_an_event_moved_into_a_calendar_whose_id_is_not_stored_yet_is_moved_and_not_deleted(chancery: Chancery) -> None:
    chancery.employee("AH")
    chancery.employee("SB")
    chancery.sync()
    event_id = chancery.event("AH", summary="Ortstermin")
    chancery.sync()
    forget_calendar(chancery, "SB")
    chancery.move_event("AH", event_id, "SB")
    ((fr_nr, _),) = chancery.termine().items()
    chancery.edit_termin(fr_nr, text="In Advoware geändert")
    chancery.sync("AH")
    assert set(chancery.termine()) == {fr_nr}
    chancery.until_quiet()
    assert set(chancery.termine()) == {fr_nr} and set(chancery.events("SB")) == {event_id}
    agree(chancery)


def test_an_event_whose_move_was_taken_for_its_deletion_is_an_appointment_again(chancery: Chancery) -> None:
    chancery.employee("AH")
    chancery.employee("SB")
    chancery.sync()
    event_id = chancery.event("AH", summary="Ortstermin")
    chancery.sync()
    chancery.drop_event("AH", event_id)
    chancery.sync("AH")
    assert chancery.termine() == {}
    chancery.edit_event("AH", event_id, status="confirmed")
    chancery.move_event("AH", event_id, "SB")
    chancery.until_quiet()
    assert [row["text"] for row in chancery.termine().values()] == ["Ortstermin"]
    assert set(chancery.events("SB")) == {event_id} and chancery.events("AH") == {}
    agree(chancery)


class Killed(BaseException):
    """Nothing after it runs."""


def test_the_place_of_an_employee_is_kept_before_the_calendar_is_made(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise Killed

    monkeypatch.setattr(CalendarDirectory, "find_or_create", killed)
    chancery.employee("SB")
    with pytest.raises(Killed):
        chancery.sync()
    with chancery.store.reading() as tx:
        assert [state.kuerzel for state in tx.calendar_states.all()] == ["SB"]
