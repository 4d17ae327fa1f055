"""A person edits right after our write, or one appointment in two calendars: no edit is taken for our own words.

What was sent is the base; what differs in the read-back is somebody's edit (specification, sync-semantics.md 3).
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from vmh_sync.kalender import batch
from vmh_sync.kalender.calendars import Calendars
from vmh_sync.kalender.context import CalendarContext
from vmh_sync.systems.advoware.client import AdvowareClient
from vmh_sync.systems.advoware.records import Created
from vmh_sync.systems.google_calendar.client import GoogleCalendarClient
from vmh_sync_tests.fixtures.chancery import Chancery


def after_once(
    monkeypatch: pytest.MonkeyPatch, owner: type, method: str, person: Callable[..., None], *, answer: bool = False
) -> None:
    """Let ``person`` act once, right after the server has done what the client's ``method`` asked for.

    The server's answer is only the number (``answer``: the client needs it), so that it is read back.
    """
    original: Callable[..., Any] = getattr(owner, method)
    acted: list[bool] = []

    async def overtaken(self: object, *args: Any) -> Any:
        result = await original(self, *args)
        if acted:
            return result
        acted.append(True)
        await asyncio.to_thread(person, *args)
        return Created(key=result.key, record=None) if answer else None

    monkeypatch.setattr(owner, method, overtaken)


def losers(chancery: Chancery, record: str) -> list[object]:
    with chancery.store.reading() as tx:
        return [row.losing_value for row in tx.audit.for_record(record) if row.kind == "conflict"]


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({"text": "Von Hand danach"}, ("summary", "Von Hand danach")),
        ({"ort": "Saal 9"}, ("location", "Saal 9")),
        ({"text": "In Google geändert, vertagt"}, ("summary", "In Google geändert, vertagt")),
        ({"text": "In"}, ("summary", "In")),
    ],
)
def test_an_edit_in_advoware_right_after_our_put_is_carried_to_google(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch, values: dict[str, str], shown: tuple[str, str]
) -> None:
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.sync()
    chancery.edit_event("SB", chancery.event_of(fr_nr)["id"], summary="In Google geändert")
    after_once(monkeypatch, AdvowareClient, "replace_termin", lambda *_: chancery.edit_termin(fr_nr, **values))
    chancery.until_quiet()
    key, value = shown
    assert chancery.event_of(fr_nr)[key] == value
    assert {name: chancery.termine()[fr_nr][name] for name in values} == values


def test_a_termin_edited_right_after_it_was_created_from_google_is_carried_to_google(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    chancery.employee()
    chancery.sync()
    event_id = chancery.event(summary="Aus Google")

    def person(*_: object) -> None:
        (fr_nr,) = chancery.termine()
        chancery.edit_termin(fr_nr, text="Aus Google, mit Zeugen", ort="Saal 1")

    after_once(monkeypatch, AdvowareClient, "create_termin", person, answer=True)
    chancery.until_quiet()
    event = chancery.events()[event_id]
    assert (event["summary"], event["location"]) == ("Aus Google, mit Zeugen", "Saal 1")


def test_a_text_that_advoware_cuts_off_is_no_edit(chancery: Chancery, monkeypatch: pytest.MonkeyPatch) -> None:
    """The known normalisation of exactly what was sent: Google keeps the whole text."""
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.sync()
    long = "Besprechung mit allen Beteiligten " * 5
    chancery.edit_event("SB", chancery.event_of(fr_nr)["id"], summary=long.strip())

    def cut(*_: object) -> None:
        chancery.edit_termin(fr_nr, text=long[:100])

    after_once(monkeypatch, AdvowareClient, "replace_termin", cut)
    chancery.until_quiet()
    assert chancery.event_of(fr_nr)["summary"] == long.strip()
    assert chancery.termine()[fr_nr]["text"].strip() == long[:100].strip()


def test_an_event_edited_right_after_an_insert_whose_answer_was_lost_is_carried_to_advoware(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.google.fault(r"/events$", "drop_after", method="POST", times=1)
    original = GoogleCalendarClient.get_event

    def edited_first(self: GoogleCalendarClient, calendar_id: str, event_id: str) -> Any:
        chancery.edit_event("SB", event_id, location="Saal 5")
        monkeypatch.setattr(GoogleCalendarClient, "get_event", original)
        return original(self, calendar_id, event_id)

    monkeypatch.setattr(GoogleCalendarClient, "get_event", edited_first)
    chancery.until_quiet()
    assert chancery.event_of(fr_nr)["location"] == "Saal 5" == chancery.termine()[fr_nr]["ort"]


def test_an_event_edited_after_an_update_whose_outcome_was_never_stored_keeps_both_edits(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vmh_sync.kalender.apply.pair_book import PairBook

    class Killed(BaseException):
        """As if the process had been killed."""

    async def die(*_: object, **__: object) -> None:
        raise Killed

    chancery.employee()
    fr_nr = chancery.termin()
    chancery.sync()
    chancery.edit_termin(fr_nr, text="Neu aus Advoware")
    with monkeypatch.context() as patch:
        patch.setattr(PairBook, "agree", die)
        with pytest.raises(Killed):
            chancery.sync()
    event = chancery.event_of(fr_nr)
    assert event["summary"] == "Neu aus Advoware"
    chancery.edit_event("SB", event["id"], location="Saal 5")
    chancery.until_quiet()
    termin, event = chancery.termine()[fr_nr], chancery.event_of(fr_nr)
    assert (termin["text"], termin["ort"]) == ("Neu aus Advoware", "Saal 5")
    assert (event["summary"], event["location"]) == ("Neu aus Advoware", "Saal 5")
    assert losers(chancery, f"SB/{fr_nr}") == []


def everybody_at_once(chancery: Chancery) -> None:
    """One pass over all employees as the job does it: read all, then write several at the same time."""

    async def one_pass(context: CalendarContext) -> None:
        made = batch.diff(batch.map_fields(await batch.fetch(context, Calendars())))
        await batch.write(context, made)

    chancery.run(one_pass)


def shared(chancery: Chancery) -> int:
    """An appointment for everybody that stands in two calendars."""
    for kuerzel in ("AH", "SB"):
        chancery.employee(kuerzel)
    fr_nr = chancery.termin("ALLE", anwalt=None)
    chancery.sync()
    return fr_nr


@pytest.mark.parametrize("turn", range(3))
def test_one_appointment_edited_in_two_calendars_keeps_both_or_names_the_loser(chancery: Chancery, turn: int) -> None:
    fr_nr = shared(chancery)
    for kuerzel in ("AH", "SB"):
        chancery.edit_event(kuerzel, chancery.event_of(fr_nr, kuerzel)["id"], summary=f"Aus {kuerzel}")
    everybody_at_once(chancery)
    chancery.until_quiet()
    standing = chancery.termine()[fr_nr]["text"]
    assert {chancery.event_of(fr_nr, kuerzel)["summary"] for kuerzel in ("AH", "SB")} == {standing}
    lost = [loser for kuerzel in ("AH", "SB") for loser in losers(chancery, f"{kuerzel}/{fr_nr}")]
    assert sorted([standing, *map(str, lost)]) == ["Aus AH", "Aus SB"]


def test_two_fields_of_one_appointment_edited_in_two_calendars_both_stand(chancery: Chancery) -> None:
    fr_nr = shared(chancery)
    chancery.edit_event("AH", chancery.event_of(fr_nr, "AH")["id"], summary="Aus AH")
    chancery.edit_event("SB", chancery.event_of(fr_nr, "SB")["id"], location="Saal SB")
    everybody_at_once(chancery)
    chancery.until_quiet()
    for event in (chancery.event_of(fr_nr, "AH"), chancery.event_of(fr_nr, "SB")):
        assert (event["summary"], event["location"]) == ("Aus AH", "Saal SB")
    termin = chancery.termine()[fr_nr]
    assert (termin["text"], termin["ort"]) == ("Aus AH", "Saal SB")


def test_fields_changed_on_one_side_only_flow_although_the_other_side_changed_another(chancery: Chancery) -> None:
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.sync()
    chancery.edit_termin(fr_nr, ort="Saal 2")
    chancery.edit_event("SB", chancery.event_of(fr_nr)["id"], summary="Aus Google")
    assert chancery.sync().conflicts == 0
    termin, event = chancery.termine()[fr_nr], chancery.event_of(fr_nr)
    assert (termin["text"], termin["ort"]) == ("Aus Google", "Saal 2")
    assert (event["summary"], event["location"]) == ("Aus Google", "Saal 2")
    assert chancery.until_quiet() == 1


def test_the_loser_stands_in_the_audit_log_before_it_is_overwritten(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.sync()
    chancery.edit_termin(fr_nr, text="Aus Advoware")
    chancery.edit_event("SB", chancery.event_of(fr_nr)["id"], summary="Aus Google")

    class Killed(BaseException):
        """As if the process had been killed."""

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(GoogleCalendarClient, "update_event", die)
        with pytest.raises(Killed):
            chancery.sync()
    assert losers(chancery, f"SB/{fr_nr}") == ["Aus Google"]
    chancery.until_quiet()
    assert losers(chancery, f"SB/{fr_nr}") == ["Aus Google"], "told once"
