"""What a person set in Google stays byte for byte: we add our private properties and send what Advoware changed."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from googleapiclient.http import HttpRequest

from vmh_sync_tests.fixtures.chancery import ZONE, Chancery, marked
from vmh_sync_tests.fixtures.google_writes import google_writes, without_mark

Json = dict[str, Any]

FORMATTED: Json = {
    "description": '<b>Wichtig</b><br>Bitte <a href="https://example.org/akte">Akte</a>&nbsp;lesen<ul><li>a</li></ul>',
    "status": "tentative",
    "visibility": "public",
    "transparency": "transparent",
    "colorId": "11",
    "reminders": {"useDefault": False, "overrides": [{"method": "popup", "minutes": 45}]},
    "guestsCanModify": True,
    "guestsCanInviteOthers": False,
    "guestsCanSeeOtherGuests": False,
    "anyoneCanAddSelf": True,
    "privateCopy": True,
    "endTimeUnspecified": True,
    "hangoutLink": "https://meet.example.org/abc",
    "gadget": {"type": "goo.contact", "title": "Gerät", "preferences": {"goo.contactsIsMyContact": "1"}},
    "source": {"title": "Akte", "url": "https://example.org/akte"},
    "extendedProperties": {"private": {"anderesWerkzeug": "x"}, "shared": {"raum": "3"}},
}

INVITING: Json = {
    "attendees": [{"email": "gast@example.org", "responseStatus": "accepted"}],
    "attachments": [{"fileUrl": "https://example.org/datei", "title": "Datei"}],
    "conferenceData": {"conferenceId": "abc", "entryPoints": [{"uri": "https://meet.example.org/abc"}]},
}


def times(begin: str, end: str, zone: str = ZONE) -> Json:
    return {"start": {"dateTime": begin, "timeZone": zone}, "end": {"dateTime": end, "timeZone": zone}}


def kinds(chancery: Chancery) -> dict[str, Json]:
    day = chancery.day(9).isoformat()
    return {
        "formatted": FORMATTED,
        "with guests": {**FORMATTED, **INVITING},
        "zero length": times(f"{day}T14:00:00", f"{day}T14:00:00"),
        "another zone": times(f"{day}T09:00:00", f"{day}T10:30:00", "America/New_York"),
        "counted series": {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=4"]},
        "two line breaks and blanks": {"description": "eins \r\n\r\n zwei  ", "location": "  Saal\u00a03 "},
        "whole day": {"start": {"date": day}, "end": {"date": (chancery.day(11)).isoformat()}},
        "confidential": {"visibility": "confidential"},
    }


KINDS = [
    "formatted",
    "with guests",
    "zero length",
    "another zone",
    "counted series",
    "two line breaks and blanks",
    "whole day",
    "confidential",
]


@pytest.mark.parametrize("kind", KINDS)
def test_taking_over_a_persons_event_adds_only_our_private_properties_in_one_call(
    chancery: Chancery, kind: str
) -> None:
    chancery.employee()
    chancery.sync()
    event_id = chancery.event(**kinds(chancery)[kind])
    before = without_mark(chancery.events()[event_id])
    chancery.google.clear_calls()
    summary = chancery.sync()
    assert not summary.failures and summary.writes == {"advoware": 1, "espocrm": 0, "google": 1}
    assert kinds(chancery)[kind].keys() <= before.keys(), "the event stands there as it was typed"
    (fr_nr,) = chancery.termine()
    assert marked(chancery.events()[event_id]) == str(fr_nr)
    assert without_mark(chancery.events()[event_id]) == before
    assert len(google_writes(chancery)) == 1
    assert chancery.until_quiet() == 1


def shifted(value: str, hours: int) -> str:
    return (datetime.fromisoformat(value) + timedelta(hours=hours)).strftime("%H:%M:%S")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"ort": "Saal 12"}, {"location"}),
        ({"text": "Neuer Titel"}, {"summary"}),
        ({"uhrzeitVon": "07:00:00", "uhrzeitBis": "08:00:00"}, {"start", "end", "recurrence"}),
    ],
)
def test_an_update_changes_what_advoware_changed_and_nothing_else(
    chancery: Chancery, kind: str, change: Json, fields: set[str]
) -> None:
    chancery.employee()
    chancery.sync()
    event_id = chancery.event(**kinds(chancery)[kind])
    chancery.sync()
    (fr_nr,) = chancery.termine()
    before = without_mark(chancery.events()[event_id])
    chancery.edit_termin(fr_nr, **change)
    chancery.google.clear_calls()
    assert chancery.sync().writes["google"] == 1
    after = without_mark(chancery.events()[event_id])
    assert {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)} <= fields
    assert any(before.get(key) != after.get(key) for key in fields)
    if "recurrence" in before:
        assert after["recurrence"] == before["recurrence"]
    if kind == "another zone" and "start" in fields:
        assert after["start"]["timeZone"] == after["end"]["timeZone"] == "America/New_York"
    assert chancery.until_quiet() == 1


def test_only_the_time_of_our_own_event_changes_and_its_formatting_by_a_person_stays(chancery: Chancery) -> None:
    chancery.employee()
    fr_nr = chancery.termin(notiz="Bitte pünktlich")
    chancery.sync()
    event = chancery.event_of(fr_nr)
    chancery.edit_event("SB", event["id"], description="<b>Bitte</b> pünktlich", colorId="3", status="tentative")
    chancery.until_quiet()
    before = without_mark(chancery.event_of(fr_nr))
    chancery.edit_termin(fr_nr, uhrzeitVon="12:00:00", uhrzeitBis="13:00:00")
    chancery.sync()
    after = without_mark(chancery.event_of(fr_nr))
    assert {key for key in before if before[key] != after.get(key)} == {"start", "end"}
    assert after["description"] == "<b>Bitte</b> pünktlich"


def test_what_we_append_to_a_description_changes_without_touching_what_a_person_formatted(chancery: Chancery) -> None:
    chancery.employee()
    fr_nr = chancery.termin(notiz="Bitte pünktlich", fahrzeit="00:30:00")
    chancery.sync()
    event = chancery.event_of(fr_nr)
    tail = event["description"].partition("\n\n")[2]
    assert tail
    typed = "<b>Bitte</b> pünktlich"
    chancery.edit_event("SB", event["id"], description=f"{typed}<br><br>{tail}")
    chancery.until_quiet()
    chancery.edit_termin(fr_nr, fahrzeit="01:15:00")
    chancery.until_quiet()
    description = chancery.event_of(fr_nr)["description"]
    assert description.startswith(typed) and "1:15" in description and "0:30" not in description


def test_every_write_to_an_event_that_exists_carries_if_match(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    chancery.employee()
    fr_nr, gone = chancery.termin(), chancery.termin(text="Fällt weg")
    chancery.sync()
    chancery.sync()  # from here on a delta does not name the events again
    chancery.edit_termin(fr_nr, text="Neu")
    chancery.drop_termin(gone)
    with chancery.store.transaction() as tx:
        # As if an older version had stored the pairs without Google's etag.
        tx.calendar_pairs._connection.exec_driver_sql("UPDATE calendar_pairs SET etag = NULL")
    sent: list[tuple[str, str | None]] = []
    execute = HttpRequest.execute

    def watched(self: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if self.method in ("PUT", "PATCH", "DELETE"):
            sent.append((self.method, (self.headers or {}).get("If-Match")))
        return execute(self, *args, **kwargs)

    monkeypatch.setattr(HttpRequest, "execute", watched)
    chancery.sync()
    assert sorted(method for method, _ in sent) == ["DELETE", "PUT"]
    assert all(etag for _, etag in sent)
