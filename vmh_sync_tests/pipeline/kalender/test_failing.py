"""An appointment that keeps failing: what it costs, and that nobody's edit is lost while it does (kalender.md 5)."""

from typing import Any

import pytest

from vmh_sync.kalender.decision import reads as reads_module
from vmh_sync.kalender.employee import sync_state
from vmh_sync.kalender.form.advoware_form import read_termin
from vmh_sync.kalender.model import Appointment, CalendarRules, TerminFields, UnreadableAppointmentError
from vmh_sync.kalender.telling.notices import EARLIER
from vmh_sync.sync.reporting.outcome import Result
from vmh_sync_tests.fixtures.chancery import Chancery, marked

REFUSED = {"status": 400, "body": '{"error": {"errors": []}}'}


def refuse(chancery: Chancery, system: str, method: str, times: int | None = None) -> None:
    """Let one system refuse every write of a kind, until told otherwise."""
    side, path = (chancery.google, "/events") if system == "google" else (chancery.office, "Termine")
    side.fault(path, "status", method=method, times=times, **REFUSED)


def linked(chancery: Chancery, count: int = 3) -> list[int]:
    """Some appointments on both sides, and a pass that found nothing to do."""
    chancery.employee()
    numbers = [chancery.termin(text=f"Termin {number}") for number in range(count)]
    chancery.until_quiet()
    return numbers


def reads(chancery: Chancery) -> list[str]:
    """Google's reads of one pass, logins aside."""
    log = chancery.google.calls()["log"]
    return [one["path"].rsplit("/", 1)[-1] for one in log if one["method"] == "GET"]


def one_pass(chancery: Chancery) -> tuple[Any, list[str]]:
    chancery.google.clear_calls()
    summary = chancery.sync()
    return summary, reads(chancery)


def test_a_refused_insert_costs_one_list_a_pass_however_long_it_goes_on(chancery: Chancery) -> None:
    linked(chancery)
    new = chancery.termin(text="Wird abgelehnt")
    refuse(chancery, "google", "POST")
    tokens = set()
    for number in range(3):
        chancery.event(summary=f"Neu {number}", offset=20 + number)
        summary, calls = one_pass(chancery)
        assert [one["id"] for one in summary.failures] == [f"SB/{new}"]
        assert calls == ["events"]
        tokens.add(chancery.state().sync_token)
    assert len(tokens) == 3, "what was read once is not read again"
    assert "1 Termine fehlerhaft" in (chancery.state().last_error or "")
    chancery.google.clear_faults()
    assert chancery.sync().writes["google"] == 1 and chancery.event_of(new)
    assert chancery.until_quiet() == 1 and chancery.state().last_error is None


def test_an_edit_in_google_that_advoware_refuses_waits_and_is_not_lost(chancery: Chancery) -> None:
    fr_nr, other, _ = linked(chancery)
    chancery.edit_event("SB", chancery.event_of(fr_nr)["id"], summary="Aus Google")
    refuse(chancery, "office", "PUT")
    first, calls = one_pass(chancery)
    assert [one["id"] for one in first.failures] == [f"SB/{fr_nr}"] and calls == ["events"]
    for _ in range(2):
        again, calls = one_pass(chancery)
        assert [one["id"] for one in again.failures] == [f"SB/{fr_nr}"]
        assert calls == ["events", chancery.event_of(fr_nr)["id"]], "one list and the one event"
    chancery.edit_event("SB", chancery.event_of(other)["id"], location="Saal 9")
    chancery.office.clear_faults()
    assert not chancery.sync().failures
    assert chancery.termine()[fr_nr]["text"] == "Aus Google" and chancery.termine()[other]["ort"] == "Saal 9"
    summary, calls = one_pass(chancery)
    assert not any(summary.writes.values()) and calls == ["events"], "settled: not read on its own any more"


def test_an_edit_that_waits_and_a_later_one_in_advoware_are_a_conflict(chancery: Chancery) -> None:
    fr_nr, *_ = linked(chancery)
    chancery.edit_event("SB", chancery.event_of(fr_nr)["id"], summary="Aus Google")
    refuse(chancery, "office", "PUT", times=1)
    assert len(chancery.sync().failures) == 1
    chancery.edit_termin(fr_nr, text="Aus Advoware")
    assert chancery.sync().conflicts == 1
    with chancery.store.reading() as tx:
        lost = [row.losing_value for row in tx.audit.for_record(f"SB/{fr_nr}") if row.kind == "conflict"]
    assert lost == ["Aus Google"]


@pytest.mark.parametrize("purged", [False, True])
def test_an_event_that_waits_and_is_then_deleted_counts_as_deleted(chancery: Chancery, purged: bool) -> None:
    fr_nr, *_ = linked(chancery)
    event_id = chancery.event_of(fr_nr)["id"]
    chancery.edit_event("SB", event_id, summary="Aus Google")
    refuse(chancery, "office", "PUT", times=1)
    assert len(chancery.sync().failures) == 1
    chancery.drop_event("SB", event_id)
    if purged:
        chancery.google.do("purge_tombstones", calendar="AW-SB")
    assert not chancery.sync().failures
    assert chancery.event_of(fr_nr)["id"] != event_id, "source Advoware: it comes back under a new id"
    assert chancery.until_quiet() == 1


def test_a_deletion_that_advoware_answers_and_does_not_carry_out_is_told_and_not_undone(chancery: Chancery) -> None:
    """As if it had worked, the next pass entered the appointment in Google again: the person's deletion was lost."""
    chancery.employee()
    chancery.sync()
    event_id = chancery.event(summary="Aus Google")
    chancery.until_quiet()
    (fr_nr,) = chancery.termine()
    chancery.drop_event("SB", event_id)
    chancery.office.fault("Termine", "empty", method="DELETE", times=None)
    for _ in range(2):
        (failure,) = chancery.sync().failures
        assert failure["id"] == f"SB/{fr_nr}" and "von Hand löschen" in failure["error"]
        assert chancery.termine() and not chancery.events()
    chancery.office.clear_faults()
    chancery.until_quiet()
    assert not chancery.termine() and not chancery.events()


@pytest.mark.parametrize("edited_before", [False, True])
def test_an_appointment_that_advoware_kept_and_somebody_edits_there_comes_back(
    chancery: Chancery, edited_before: bool
) -> None:
    """It was told as deleted for as long as Advoware kept it, and what people typed into it stayed in Advoware."""
    chancery.employee()
    chancery.sync()
    event_id = chancery.event(summary="Aus Google")
    chancery.until_quiet()
    (fr_nr,) = chancery.termine()
    chancery.drop_event("SB", event_id)
    chancery.office.fault("Termine", "empty", method="DELETE", times=None)
    if edited_before:
        chancery.edit_termin(fr_nr, text="Verlegt")
    assert len(chancery.sync().failures) == 1
    if not edited_before:
        chancery.edit_termin(fr_nr, text="Verlegt")
    chancery.until_quiet()
    assert chancery.event_of(fr_nr)["summary"] == "Verlegt"
    with chancery.store.reading() as tx:
        (task,) = tx.tasks.not_closed("kalender")
    newest = str(task.details["intro"]).split(EARLIER)[0]
    assert "behalten" in newest and "jetzt gilt „Verlegt“" in newest


def test_what_advoware_kept_and_somebody_restores_in_google_is_as_any_other_again(chancery: Chancery) -> None:
    """It counted as deleted in Google for good: the next real deletion came back as one that Advoware had kept."""
    chancery.employee()
    chancery.sync()
    event_id = chancery.event(summary="Aus Google")
    chancery.until_quiet()
    (fr_nr,) = chancery.termine()
    chancery.drop_event("SB", event_id)
    chancery.office.fault("Termine", "empty", method="DELETE", times=None)
    assert len(chancery.sync().failures) == 1
    chancery.office.clear_faults()
    chancery.edit_event("SB", event_id, status="confirmed")
    chancery.until_quiet()
    assert chancery.pairs()[fr_nr].status == "synced"
    chancery.edit_termin(fr_nr, text="Verlegt")
    chancery.drop_event("SB", event_id)
    chancery.until_quiet()
    assert not chancery.termine() and not chancery.events()


def test_an_edit_that_failed_and_was_taken_back_leaves_both_sides_in_step(chancery: Chancery) -> None:
    fr_nr, *_ = linked(chancery)
    event_id, before = chancery.event_of(fr_nr)["id"], chancery.event_of(fr_nr)["summary"]
    chancery.edit_event("SB", event_id, summary="Aus Google")
    refuse(chancery, "office", "PUT", times=1)
    assert len(chancery.sync().failures) == 1
    assert chancery.pairs()[fr_nr].status == "failed"
    chancery.edit_event("SB", event_id, summary=before)
    assert chancery.until_quiet() == 1
    pair = chancery.pairs()[fr_nr]
    assert pair.status == "synced" and pair.error_text is None
    assert chancery.sync().to_json()["unchanged"] == len(chancery.pairs())


def test_a_new_event_that_advoware_refuses_waits_and_is_created_once(chancery: Chancery) -> None:
    linked(chancery)
    event_id = chancery.event(summary="Aus Google")
    refuse(chancery, "office", "POST")
    for _ in range(3):
        summary, calls = one_pass(chancery)
        assert [one["id"] for one in summary.failures] == [f"SB/{event_id}"[:64]]
        assert len(calls) <= 2
    chancery.office.clear_faults()
    chancery.until_quiet()
    assert len(chancery.termine()) == 4
    assert marked(chancery.events()[event_id]) == str(max(chancery.termine()))


def test_an_edit_in_google_of_a_termin_that_cannot_be_read_is_looked_at_once_it_can(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    fr_nr, *_ = linked(chancery)

    def unreadable(termin: TerminFields, rules: CalendarRules) -> Appointment:
        if termin.fr_nr == fr_nr:
            raise UnreadableAppointmentError("uhrzeitVon", fr_nr=fr_nr)
        return read_termin(termin, rules)

    chancery.edit_event("SB", chancery.event_of(fr_nr)["id"], summary="Aus Google")
    with monkeypatch.context() as patch:
        # The simulated Advoware keeps no value that its own list cannot read.
        patch.setattr(reads_module, "read_termin", unreadable)
        for _ in range(2):
            assert not any(chancery.sync().writes.values())
    chancery.sync()
    assert chancery.termine()[fr_nr]["text"] == "Aus Google"
    assert chancery.until_quiet() == 1


def test_with_too_many_failures_the_list_names_them_again(chancery: Chancery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync_state, "MOST_UNSETTLED", 1)
    numbers = linked(chancery)
    token = chancery.state().sync_token
    for fr_nr in numbers:
        chancery.edit_event("SB", chancery.event_of(fr_nr)["id"], summary=f"Aus Google {fr_nr}")
    refuse(chancery, "office", "PUT")
    assert len(chancery.sync().failures) == 3
    assert chancery.state().sync_token == token
    chancery.office.clear_faults()
    chancery.sync()
    assert {row["text"] for row in chancery.termine().values()} == {f"Aus Google {fr_nr}" for fr_nr in numbers}


def test_a_new_calendar_whose_filling_fails_takes_nothing_away_in_advoware(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read one by one, the events of the old calendar would look as if a person had deleted them."""
    chancery.employee()
    chancery.sync()
    for number in range(3):
        chancery.event(summary=f"Aus Google {number}", offset=9 + number)
    chancery.until_quiet()
    monkeypatch.setenv("CALENDAR_SYNC_RECREATE_CALENDARS", "true")
    chancery.google.do("delete_calendar", calendar="AW-SB")
    refuse(chancery, "google", "POST", times=2)
    outcomes = chancery.outcomes()
    assert sum(one.result is Result.FAILED for one in outcomes) == 2
    chancery.until_quiet()
    assert len(chancery.termine()) == 3 == len(chancery.events())
