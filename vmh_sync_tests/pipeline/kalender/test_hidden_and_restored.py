"""What a calendar does not show is not gone, and what a person takes out of the bin or brings back is there again."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from vmh_sync_tests.fixtures.chancery import ZONE, Chancery


def share(chancery: Chancery, role: str) -> None:
    """Somebody changes what the service account may do with a calendar."""
    key = json.loads(chancery.sandbox.environment["GOOGLE_CALENDAR_SERVICE_ACCOUNT_JSON"])
    chancery.google.do("share", calendar="AW-SB", account=key["client_email"], role=role)


def texts(chancery: Chancery) -> list[str]:
    return sorted(str(row["text"]) for row in chancery.termine().values())


def on(chancery: Chancery, days: int) -> dict[str, Any]:
    begin = datetime.combine(chancery.day(days), datetime.min.time()).replace(hour=9)
    end = begin + timedelta(hours=1)
    return {
        "start": {"dateTime": begin.isoformat(), "timeZone": ZONE},
        "end": {"dateTime": end.isoformat(), "timeZone": ZONE},
    }


@pytest.mark.parametrize("role", ["freeBusyReader", "reader", "writerWithoutPrivateAccess"])
def test_what_a_role_does_not_let_us_see_is_never_taken_for_emptied(chancery: Chancery, role: str) -> None:
    chancery.employee()
    chancery.termin(text="Mandant Müller", privat=1, notiz="vertraulich")
    chancery.sync()
    chancery.event(summary="Arzt", visibility="private")
    chancery.sync()
    share(chancery, role)
    for event_id in chancery.events():
        chancery.edit_event("SB", event_id, colorId="7")
    summary = chancery.sync()
    assert texts(chancery) == ["Arzt", "Mandant Müller"] and summary.failures
    assert {row["notiz"] for row in chancery.termine().values()} == {"", "vertraulich"}
    share(chancery, "writer")
    chancery.until_quiet()
    assert texts(chancery) == sorted(event["summary"] for event in chancery.events().values())


def test_an_event_restored_from_the_bin_is_an_appointment_again(chancery: Chancery) -> None:
    chancery.employee()
    chancery.sync()
    event_id = chancery.event(summary="Ortstermin")
    chancery.sync()
    chancery.drop_event("SB", event_id)
    chancery.until_quiet()
    assert chancery.termine() == {}
    chancery.edit_event("SB", event_id, status="confirmed")
    chancery.until_quiet()
    assert texts(chancery) == ["Ortstermin"] and set(chancery.events()) == {event_id}
    chancery.edit_event("SB", event_id, summary="Doch anders")
    chancery.until_quiet()
    assert texts(chancery) == ["Doch anders"]


def test_what_went_out_of_the_window_comes_back_from_either_side(chancery: Chancery) -> None:
    chancery.employee()
    chancery.sync()
    event_id = chancery.event(summary="Vertagt")
    chancery.sync()
    chancery.edit_event("SB", event_id, **on(chancery, 5 * 365))
    chancery.until_quiet()
    chancery.edit_event("SB", event_id, **on(chancery, 11))
    chancery.until_quiet()
    (termin,) = chancery.termine().values()
    assert termin["datum"][:10] == chancery.day(11).isoformat() and set(chancery.events()) == {event_id}


@pytest.mark.parametrize("number", ["9" * 40, "-" + "9" * 40, "abc", "", "9" * 1000])
def test_a_mark_that_no_termin_can_have_is_none_and_holds_up_nobody(chancery: Chancery, number: str) -> None:
    chancery.employee()
    chancery.sync()
    chancery.event(summary="Fremde Marke", extendedProperties={"private": {"frNr": number}})
    chancery.event(summary="Daneben")
    assert not chancery.sync().failures
    chancery.until_quiet()
    assert texts(chancery) == ["Daneben", "Fremde Marke"]
