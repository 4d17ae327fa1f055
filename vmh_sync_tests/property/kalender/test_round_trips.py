import hashlib
import json
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule
from hypothesis import assume, example, given
from hypothesis import strategies as st

from vmh_sync.kalender.form.advoware_form import decoration_of, read_termin
from vmh_sync.kalender.form.advoware_overlay import new_termin, overlay
from vmh_sync.kalender.form.content_hash import content_hash
from vmh_sync.kalender.form.google_form import read_event, to_event
from vmh_sync.kalender.form.recurrence import from_google
from vmh_sync.kalender.form.text_form import append_tail, clean_text, cut_tail, read_description, write_description
from vmh_sync.kalender.model import FLOWING_FIELDS, Appointment, CalendarRules, TerminFields
from vmh_sync_tests.property.kalender.appointment_strategies import DAYS, TEXTS, spans, termine

RULES = CalendarRules()
DRESSED = CalendarRules(attach_file_number=True, stretch_by_preparation=True)
BERLIN = ZoneInfo("Europe/Berlin")


@given(TEXTS, st.sampled_from(["", "Vorbereitung: 0:45 Std.", "Vorbereitung: 0:45 Std.\nFahrzeit: 0:30 Std."]))
def test_texts_survive_google(raw: str, tail: str) -> None:
    text = clean_text(raw)
    assert clean_text(text) == text
    assert cut_tail(read_description(write_description(append_tail(text, tail))), tail) == text


@given(TEXTS)
def test_an_edit_of_googles_editor_changes_nothing_but_the_notation(raw: str) -> None:
    text = clean_text(raw)
    as_html = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", "<br>")
    assert read_description(f"<html-blob>{as_html}</html-blob>") == text


@given(termine(), st.sampled_from([RULES, DRESSED]))
def test_advoware_to_google_and_back(termin: TerminFields, rules: CalendarRules) -> None:
    form = read_termin(termin, rules)
    assert form.end > form.start
    decoration = decoration_of(termin, anonymised=False, rules=rules)
    event = {"id": "e", **to_event(form, rules, fr_nr=1, decoration=decoration)}
    read = read_event(event, rules)
    assert read.obstacle is None
    assert read.form == form
    plain = json.dumps(form.to_json(), sort_keys=True, separators=(",", ":"))
    assert content_hash(read.form) == content_hash(form) == hashlib.sha256(plain.encode()).hexdigest()[:32]
    assert overlay(termin, read.form, FLOWING_FIELDS, rules) == {}, "nothing comes back as an edit"


@given(spans(), TEXTS, TEXTS, TEXTS)
@example(
    {
        "start": {"dateTime": "2026-10-25T02:45:00+02:00", "timeZone": "Europe/Berlin"},
        "end": {"dateTime": "2026-10-25T02:15:00+01:00", "timeZone": "Europe/Berlin"},
    },
    "",
    "",
    "",
)
def test_google_to_advoware_and_back(span: dict[str, object], summary: str, description: str, location: str) -> None:
    event = {"id": "e", "summary": summary, "description": description, "location": location, **span}
    read = read_event(event, RULES)
    assume(read.obstacle is None)
    values: dict[str, Any] = dict(new_termin(read.form, "SB", RULES))
    created = TerminFields(1, **values)
    assert read_termin(created, RULES) == read.form


@given(termine(), spans(), TEXTS)
def test_overlay_makes_any_termin_say_what_google_says(
    termin: TerminFields, span: dict[str, object], text: str
) -> None:
    read = read_event({"id": "e", "summary": text, **span}, RULES)
    assume(read.obstacle is None)
    wanted = replace(read.form, private=bool(termin.privat))
    values: dict[str, Any] = dict(overlay(termin, wanted, FLOWING_FIELDS, RULES))
    after = replace(termin, **values)
    assert read_termin(after, RULES) == wanted
    assert not values.keys() & {"privat", "anwalt", "sb", "nr", "erinnerung"}
    assert all(getattr(termin, name) != value for name, value in values.items())


@given(termine())
def test_forms_survive_json(termin: TerminFields) -> None:
    form = read_termin(termin, RULES)
    assert Appointment.from_json(form.to_json(), BERLIN) == form


@given(DAYS, st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]), st.integers(1, 5), st.integers(1, 40))
def test_count_becomes_the_date_after_which_none_is_left(day: date, frequency: str, interval: int, count: int) -> None:
    start = datetime.combine(day, datetime.min.time().replace(hour=9), BERLIN)
    series = from_google([f"RRULE:FREQ={frequency};INTERVAL={interval};COUNT={count}"], start, BERLIN, 2037)
    assert series is not None
    unit: Any = {"DAILY": DAILY, "WEEKLY": WEEKLY, "MONTHLY": MONTHLY, "YEARLY": YEARLY}[frequency]
    face = start.replace(tzinfo=None)
    if series.until is None:
        assert list(rrule(unit, dtstart=face, interval=interval, count=count))[-1].year >= 2037
    else:
        until = datetime.combine(series.until, datetime.max.time())
        assert len(list(rrule(unit, dtstart=face, interval=interval, until=until))) == count
