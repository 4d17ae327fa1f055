"""Each calendar's channel: opened once, renewed before it ends, stopped when it is not wanted; never in the way."""

import json
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from vmh_sync.cli import app
from vmh_sync.doctor.calendar import check_push
from vmh_sync.doctor.line import Level
from vmh_sync.kalender import batch
from vmh_sync.kalender.calendars import Calendars
from vmh_sync.settings import CalendarSyncSettings, SettingsError, load
from vmh_sync.store.calendars.calendar_channels import CalendarChannel
from vmh_sync_tests.fixtures.chancery import Chancery

PUBLIC = "http://127.0.0.1:9/"
"""Nobody listens there: Google's messages are lost, which is harmless."""


@pytest.fixture
def pushed(chancery: Chancery, monkeypatch: pytest.MonkeyPatch) -> Chancery:
    """The gateway has a public address."""
    monkeypatch.setenv("CALENDAR_SYNC_PUSH_URL", PUBLIC)
    return chancery


def stored(chancery: Chancery, kuerzel: str = "SB") -> list[CalendarChannel]:
    with chancery.store.reading() as tx:
        return tx.calendar_channels.of(kuerzel)


def at_google(chancery: Chancery) -> set[str]:
    return {str(one["id"]) for one in chancery.google.state()["channels"]}


def ends_soon(chancery: Chancery, channel: CalendarChannel) -> None:
    """Six days and some hours have passed."""
    assert channel.resource_id is not None
    with chancery.store.transaction() as tx:
        ends = chancery.clock.now() + timedelta(hours=23)
        tx.calendar_channels.opened(channel.channel_id, channel.resource_id, ends)


def about_channels(chancery: Chancery) -> list[str]:
    return [route for route in chancery.google.calls()["by_route"] if "watch" in route or "channels" in route]


def test_a_pass_opens_one_channel_and_the_next_one_costs_no_call_more(pushed: Chancery) -> None:
    pushed.employee()
    assert not pushed.sync().failures
    (channel,) = stored(pushed)
    assert (
        at_google(pushed) == {channel.channel_id} and channel.address == "http://127.0.0.1:9/vmh/push/google-calendar"
    )
    pushed.google.clear_calls()
    pushed.sync()
    assert about_channels(pushed) == [] and stored(pushed) == [channel]


def test_it_is_renewed_before_it_ends_and_the_old_one_is_stopped(pushed: Chancery) -> None:
    pushed.employee()
    pushed.sync()
    (old,) = stored(pushed)
    ends_soon(pushed, old)
    pushed.sync()
    (new,) = stored(pushed)
    assert new.channel_id != old.channel_id and new.expires_at > pushed.clock.now() + timedelta(days=6)
    assert at_google(pushed) == {new.channel_id}


def test_what_google_refuses_fails_no_appointment_and_keeps_the_channel_that_still_rings(pushed: Chancery) -> None:
    pushed.employee()
    pushed.google.fault(r"/events/watch$", "status", method="POST", status=400)
    fr_nr = pushed.termin()
    assert not pushed.sync().failures and pushed.event_of(fr_nr)
    assert stored(pushed) == []
    pushed.google.clear_faults()
    pushed.clock.shift += timedelta(minutes=1, seconds=1)
    pushed.sync()
    (old,) = stored(pushed)
    ends_soon(pushed, old)
    pushed.google.fault(r"/events/watch$", "status", method="POST", status=400)
    assert not pushed.sync().failures
    assert [one.channel_id for one in stored(pushed)] == [old.channel_id] == list(at_google(pushed))


def test_a_refused_channel_is_asked_for_again_after_growing_pauses_and_at_once_for_another_address(
    pushed: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed.employee()
    pushed.google.fault(r"/events/watch$", "status", method="POST", status=400)

    def asked(minutes: float) -> bool:
        pushed.clock.shift += timedelta(minutes=minutes)
        pushed.google.clear_calls()
        pushed.sync()
        return bool(about_channels(pushed))

    assert [asked(minutes) for minutes in (0, 0.5, 1, 4, 1.5, 14, 1.5)] == [True, False, True, False, True, False, True]
    monkeypatch.setenv("CALENDAR_SYNC_PUSH_URL", "http://127.0.0.1:9/other/")
    assert asked(0)
    pushed.google.clear_faults()
    assert asked(1.5)
    (channel,) = stored(pushed)
    assert channel.address.startswith("http://127.0.0.1:9/other/")


def test_without_a_public_address_there_is_none_and_what_was_open_is_stopped(
    pushed: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed.employee()
    pushed.sync(dry_run=True)
    assert stored(pushed) == [] and at_google(pushed) == set()
    pushed.sync()
    monkeypatch.delenv("CALENDAR_SYNC_PUSH_URL")
    pushed.sync()
    assert stored(pushed) == [] and at_google(pushed) == set()
    pushed.google.clear_calls()
    pushed.sync()
    assert about_channels(pushed) == []


def test_a_pass_on_the_console_with_other_settings_stops_no_channel(
    pushed: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kuerzel in ("SB", "AH"):
        pushed.employee(kuerzel)
    pushed.sync()
    ringing = at_google(pushed)
    assert len(ringing) == 2
    monkeypatch.delenv("CALENDAR_SYNC_PUSH_URL")
    monkeypatch.setenv("CALENDAR_SYNC_DEBUG_KUERZEL", "SB")
    done = CliRunner().invoke(app, ["sync", "kalender", "--all"])
    assert done.exit_code == 0, done.output
    assert at_google(pushed) == ringing
    assert {one.channel_id for who in ("SB", "AH") for one in stored(pushed, who)} == ringing


def test_another_address_or_calendar_gets_a_channel_of_its_own(
    pushed: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed.employee()
    pushed.sync()
    (old,) = stored(pushed)
    monkeypatch.setenv("CALENDAR_SYNC_PUSH_URL", "http://127.0.0.1:10")
    pushed.sync()
    (new,) = stored(pushed)
    assert new.address.startswith("http://127.0.0.1:10/") and at_google(pushed) == {new.channel_id} != {old.channel_id}


def test_a_run_takes_those_whose_calendars_rang_once_and_nobody_else(pushed: Chancery) -> None:
    pushed.employee("SB")
    pushed.employee("AH")
    pushed.sync()
    with pushed.store.transaction() as tx:
        for _ in range(2):
            tx.calendar_channels.ring(stored(pushed)[0].channel_id)

    def rung() -> list[str]:
        works = pushed.run(lambda context: batch.fetch(context, Calendars(rung=True))).works
        return [work.kuerzel for work in works]

    assert rung() == ["SB"]
    assert rung() == []


@pytest.mark.parametrize("how", ["left Advoware", "left the configuration", "one entry cannot be read"])
def test_the_channel_of_somebody_who_left_is_stopped_in_the_next_pass(
    pushed: Chancery, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    pushed.employee("SB")
    pushed.employee("AH")
    pushed.sync()
    kept = stored(pushed, "SB")[0].channel_id
    gone = stored(pushed, "AH")[0].channel_id
    if how == "left the configuration":
        monkeypatch.setenv("CALENDAR_SYNC_DEBUG_KUERZEL", "SB")
    else:
        pushed.employee("AH", aktiv=False)
    if how == "one entry cannot be read":
        listed = [{"kuerzel": "SB", "name": "SB", "aktiv": True}, {"kuerzel": {"wert": "AH"}}]
        pushed.office.fault("Mitarbeiter", "empty", method="GET", times=1, body=json.dumps(listed))
    pushed.run(lambda context: batch.fetch(context, Calendars()))
    assert at_google(pushed) == ({kept, gone} if how == "one entry cannot be read" else {kept})
    assert len(stored(pushed, "AH")) == len(at_google(pushed)) - 1


def test_doctor_says_how_many_calendars_google_tells_of(pushed: Chancery) -> None:
    pushed.employee("SB")
    pushed.employee("AH")
    pushed.sync("SB")
    pushed.google.fault(r"/events/watch$", "status", method="POST", status=400)
    pushed.sync("AH")
    some = check_push(pushed.store, PUBLIC)
    pushed.google.clear_faults()
    pushed.clock.shift += timedelta(minutes=1, seconds=1)
    pushed.sync()
    every = check_push(pushed.store, PUBLIC)
    assert some is not None and every is not None
    assert (some.level, every.level) == (Level.HINT, Level.OK)
    assert "1 von 2 Kalendern" in some.text and PUBLIC in some.remedy and "allen 2 Kalendern" in every.text


@pytest.mark.parametrize("address", ["http://sync.kanzlei.example", "sync.kanzlei.example", "ftp://x"])
def test_the_public_address_has_to_be_https(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("CALENDAR_SYNC_PUSH_URL", address)
    with pytest.raises(SettingsError, match="CALENDAR_SYNC_PUSH_URL"):
        load(CalendarSyncSettings)
