from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from vmh_sync.kalender.form.advoware_form import read_termin
from vmh_sync.kalender.form.advoware_overlay import new_termin, overlay
from vmh_sync.kalender.model import FLOWING_FIELDS, Appointment, CalendarRules, Frequency, Recurrence, TerminFields

RULES = CalendarRules()
BERLIN = ZoneInfo("Europe/Berlin")
CURRENT = TerminFields(
    4711,
    text="Alt",
    notiz="eins\r\nzwei",
    ort="Saal 3",
    datum="2026-03-02T00:00:00",
    uhrzeit_von="10:30:00",
    uhrzeit_bis="11:30",
    datum_bis="2026-03-02T00:00:00",
    privat=1,
    erinnerung=1,
)
FORM = read_termin(CURRENT, RULES)


def changed(**fields: Any) -> dict[str, str | int]:
    return overlay(CURRENT, replace(FORM, **fields), FLOWING_FIELDS, RULES)


def test_nothing_changed_is_nothing_to_write() -> None:
    assert changed() == {}


def test_only_the_changed_field_is_written() -> None:
    assert changed(text="Neu") == {"text": "Neu"}
    assert changed(notiz="eins\ndrei") == {"notiz": "eins\r\ndrei"}
    assert changed(ort="") == {"ort": ""}
    assert changed(private=False) == {}, "privat stays as it is in Advoware"


def test_a_moved_end_writes_the_end_alone() -> None:
    assert changed(end=datetime(2026, 3, 2, 12, 0, tzinfo=BERLIN)) == {"uhrzeit_bis": "12:00:00"}


def test_fields_not_named_are_left_alone() -> None:
    assert overlay(CURRENT, replace(FORM, text="Neu", ort="Neu"), {"ort"}, RULES) == {"ort": "Neu"}


def test_all_day_is_midnight_to_23_59_of_the_last_day() -> None:
    days = Appointment(datetime(2026, 7, 6, tzinfo=BERLIN), datetime(2026, 7, 11, tzinfo=BERLIN), True)
    values = new_termin(days, "SB", RULES)
    assert values["datum"] == "2026-07-06"
    assert values["datum_bis"] == "2026-07-10"
    assert (values["uhrzeit_von"], values["uhrzeit_bis"]) == ("00:00:00", "23:59:00")
    assert (values["anwalt"], values["sb"], values["dauertermin"]) == ("SB", "SB", 0)


def test_series() -> None:
    until = replace(FORM, recurrence=Recurrence(Frequency.MONTHLY, 3, datetime(2027, 3, 2, tzinfo=BERLIN).date()))
    values = overlay(CURRENT, until, FLOWING_FIELDS, RULES)
    assert values == {"datum_bis": "2027-03-02", "dauertermin": 1, "turnus": 3, "turnus_art": 3}
    still_open = replace(FORM, recurrence=Recurrence(Frequency.DAILY, 1))
    opened: dict[str, Any] = dict(overlay(CURRENT, still_open, FLOWING_FIELDS, RULES))
    assert opened == {"datum_bis": "2037-12-31", "dauertermin": 1, "turnus": 1, "turnus_art": 1}
    assert read_termin(replace(CURRENT, **opened), RULES) == still_open


def test_a_timed_appointment_is_no_absence_any_more() -> None:
    leave = replace(CURRENT, abwesenheit=1)
    values: dict[str, Any] = dict(overlay(leave, FORM, FLOWING_FIELDS, RULES))
    assert values == {"abwesenheit": 0}
    assert read_termin(replace(leave, **values), RULES) == FORM
