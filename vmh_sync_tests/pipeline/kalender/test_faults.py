"""Faults of both systems: one appointment's failure touches no other, one employee's failure touches no other."""

from datetime import datetime, timedelta

import pytest

from vmh_sync.sync.reporting.outcome import Result
from vmh_sync_tests.fixtures.chancery import Chancery, marked

EVENTS = r"/events"


def documented(chancery: Chancery, reason: str) -> dict[str, object]:
    """Status and body of Google's documented error."""
    return chancery.google.do("error_body", reason=reason)


def fails(chancery: Chancery, reason: str, method: str, *, times: int | None = 1, path: str = EVENTS) -> None:
    """Let Google answer with a documented error."""
    error = documented(chancery, reason)
    chancery.google.fault(path, "status", method=method, times=times, status=error["status"], body=error["body"])


@pytest.mark.parametrize("reason", ["rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "backendError"])
def test_a_passing_refusal_of_google_is_retried_within_the_pass(chancery: Chancery, reason: str) -> None:
    chancery.employee()
    fr_nr = chancery.termin()
    fails(chancery, reason, "POST")
    summary = chancery.sync()
    assert not summary.failures and summary.writes["google"] == 1
    assert chancery.event_of(fr_nr)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_status_of_google_is_retried_within_the_pass(chancery: Chancery, status: int) -> None:
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.google.fault(EVENTS, "status", method="POST", times=1, status=status, headers={"Retry-After": "0"})
    assert not chancery.sync().failures
    assert chancery.event_of(fr_nr)


def test_one_refused_appointment_fails_alone_and_is_made_up_for_by_the_next_pass(chancery: Chancery) -> None:
    chancery.employee()
    numbers = {chancery.termin(text=f"Termin {number}") for number in range(4)}
    chancery.google.fault(EVENTS, "status", method="POST", times=1, status=400, body='{"error": {"errors": []}}')
    summary = chancery.sync()
    assert summary.results[Result.FAILED] == 1 and summary.results[Result.SYNCED] == 3
    assert len(chancery.events()) == 3
    assert chancery.state().sync_token is None and chancery.state().last_error
    assert chancery.sync().writes["google"] == 1
    assert {int(marked(event) or 0) for event in chancery.events().values()} == numbers


def test_a_calendar_that_is_forbidden_stops_only_its_employee(chancery: Chancery) -> None:
    for kuerzel in ("AH", "SB"):
        chancery.termin(chancery.employee(kuerzel))
    chancery.sync()
    chancery.google.do("forbid", calendar="AW-AH")
    new = chancery.termin("SB", "Neu")
    summary = chancery.sync()
    (failure,) = summary.failures
    assert failure["id"] == "AH" and "Kalender" in failure["error"]
    assert chancery.event_of(new)
    assert chancery.state("AH").last_error


def test_a_calendar_deleted_by_hand_is_reported_and_made_anew_only_when_allowed(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    chancery.employee()
    fr_nr = chancery.termin()
    from_google = chancery_event_in_both(chancery)
    chancery.google.do("delete_calendar", calendar="AW-SB")
    (failure,) = chancery.sync().failures
    assert "gelöscht" in failure["error"] and chancery.calendar() is None
    monkeypatch.setenv("CALENDAR_SYNC_RECREATE_CALENDARS", "true")
    assert not chancery.sync().failures
    assert set(chancery.termine()) == {fr_nr, from_google}, "an emptied calendar deletes nothing in Advoware"
    assert {marked(event) for event in chancery.events().values()} == {str(fr_nr), str(from_google)}
    assert chancery.until_quiet() == 1


def chancery_event_in_both(chancery: Chancery) -> int:
    """An appointment that was typed in Google; returns its number."""
    chancery.sync()
    before = set(chancery.termine())
    chancery.event(summary="Aus Google")
    chancery.sync()
    (fr_nr,) = set(chancery.termine()) - before
    return fr_nr


def test_a_full_read_of_a_clock_that_was_a_year_ahead_does_not_put_off_the_next_one(chancery: Chancery) -> None:
    """The weekly full read finds what the deltas missed: here an event that went without a delta naming it."""
    chancery.employee()
    chancery.termin()
    chancery.sync()
    with chancery.store.transaction() as tx:
        tx.cursors.set("kalender:full:SB", (chancery.clock.now() + timedelta(days=365)).isoformat())
    chancery.sync()
    with chancery.store.reading() as tx:
        assert datetime.fromisoformat(tx.cursors.get("kalender:full:SB")) <= chancery.clock.now()


def test_a_dead_sync_token_leads_to_a_full_read_that_loses_nothing(chancery: Chancery) -> None:
    chancery.employee()
    fr_nr, other = chancery.termin(), chancery.termin(text="Anderer")
    chancery.sync()
    chancery.edit_event("SB", chancery.event_of(fr_nr)["id"], summary="Geändert")
    chancery.google.do("invalidate_sync_tokens")
    assert chancery.sync().writes == {"advoware": 1, "espocrm": 0, "google": 0}
    assert chancery.termine()[fr_nr]["text"] == "Geändert"
    assert set(chancery.pairs()) == {fr_nr, other}


def test_an_event_that_moves_between_reading_and_writing_is_planned_again(chancery: Chancery) -> None:
    """412: both sides changed, Advoware is the source and wins; nothing is lost silently."""
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.sync()
    chancery.edit_termin(fr_nr, ort="Saal 7")
    fails(chancery, "conditionNotMet", "PUT")
    summary = chancery.sync()
    assert not summary.failures
    assert chancery.event_of(fr_nr)["location"] == "Saal 7"
    assert chancery.until_quiet() == 1


def test_an_id_used_by_a_deleted_event_gets_a_new_generation(chancery: Chancery) -> None:
    """409 for a deleted id: our pair table was lost after the event had been deleted."""
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.sync()
    old = chancery.event_of(fr_nr)["id"]
    chancery.drop_event("SB", old)
    forget_pairs(chancery)
    assert not chancery.sync().failures
    assert chancery.event_of(fr_nr)["id"] != old
    assert chancery.pairs()[fr_nr].generation == 1
    assert chancery.until_quiet() == 1


def forget_pairs(chancery: Chancery) -> None:
    """As if our database had been lost."""
    with chancery.store.transaction() as tx:
        connection = tx.calendar_pairs._connection
        connection.exec_driver_sql("DELETE FROM calendar_pairs")


def test_a_crash_between_insert_and_pair_row_leaves_no_duplicate(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch
) -> None:
    chancery.employee()
    numbers = [chancery.termin(text=f"Termin {number}") for number in range(3)]
    from vmh_sync.kalender.apply.pair_book import PairBook

    class Killed(BaseException):
        """As if the process had been killed."""

    async def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(PairBook, "agree", die)
        with pytest.raises(Killed):
            chancery.sync()
    assert len(chancery.events()) == 1 and not chancery.pairs()
    chancery.until_quiet()
    assert sorted(int(marked(event) or 0) for event in chancery.events().values()) == numbers
    assert set(chancery.pairs()) == set(numbers)


@pytest.mark.parametrize("step", ["created", "agree"])
def test_a_crash_after_a_create_in_advoware_leaves_no_duplicate(
    chancery: Chancery, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    from vmh_sync.kalender.apply.pair_book import PairBook

    class Killed(BaseException):
        """As if the process had been killed."""

    async def die(*_: object, **__: object) -> None:
        raise Killed

    chancery.employee()
    chancery.sync()
    event_id = chancery.event(summary="Aus Google")
    with monkeypatch.context() as patch:
        patch.setattr(PairBook, step, die)
        with pytest.raises(Killed):
            chancery.sync()
    chancery.clock.shift += timedelta(minutes=3)
    chancery.until_quiet()
    (fr_nr,) = chancery.termine()
    assert marked(chancery.events()[event_id]) == str(fr_nr)
    assert list(chancery.events()) == [event_id]
    assert set(chancery.pairs()) == {fr_nr}


def test_a_lost_answer_to_a_create_in_advoware_leaves_no_duplicate(chancery: Chancery) -> None:
    chancery.employee()
    chancery.sync()
    event_id = chancery.event(summary="Aus Google")
    chancery.office.fault("Termine", "drop_after", method="POST", times=1)
    assert chancery.sync().failures == [], "looked for at once, and found"
    chancery.until_quiet()
    (fr_nr,) = chancery.termine()
    assert marked(chancery.events()[event_id]) == str(fr_nr)


def test_a_taken_id_with_our_living_event_is_adopted(chancery: Chancery) -> None:
    """409 for a living id: the pair row was lost, and the delta does not name the event."""
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.sync()
    chancery.sync()
    known = chancery.event_of(fr_nr)["id"]
    forget_pairs(chancery)
    assert not chancery.sync().failures
    assert list(chancery.events()) == [known] and chancery.pairs()[fr_nr].event_id == known
    assert chancery.until_quiet() == 1


def test_a_lost_answer_to_an_insert_in_google_leaves_no_duplicate(chancery: Chancery) -> None:
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.google.fault(EVENTS, "drop_after", method="POST", times=1)
    assert not chancery.sync().failures
    assert chancery.event_of(fr_nr)
    assert chancery.until_quiet() == 1


def test_an_expired_advoware_token_in_the_middle_of_a_run_is_renewed(chancery: Chancery) -> None:
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.sync()
    chancery.edit_event("SB", chancery.event_of(fr_nr)["id"], summary="Geändert")
    chancery.office.fault("Termine", "status", method="PUT", times=1, status=401)
    assert not chancery.sync().failures
    assert chancery.termine()[fr_nr]["text"] == "Geändert"


def test_an_empty_advoware_list_stops_only_that_employee(chancery: Chancery) -> None:
    for kuerzel in ("AH", "SB"):
        chancery.employee(kuerzel)
        for number in range(6):
            chancery.termin(kuerzel, f"Termin {number}")
    chancery.sync()
    new = chancery.termin("SB", "Neu")
    chancery.office.fault(r"Termine\?.*kuerzel=AH", "empty", method="GET", times=2, body="[]")
    summary = chancery.sync()
    (failure,) = summary.failures
    assert failure["id"] == "AH" and "keinen einzigen Termin" in failure["error"]
    assert len(chancery.events("AH")) == 6 and len(chancery.pairs("AH")) == 6
    assert chancery.event_of(new)


def test_an_advoware_list_that_cannot_be_read_changes_nothing(chancery: Chancery) -> None:
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.sync()
    chancery.office.fault(r"Termine\?.*kuerzel", "malformed", method="GET", times=None)
    assert [failure["id"] for failure in chancery.sync().failures] == ["SB"]
    assert chancery.event_of(fr_nr) and set(chancery.pairs()) == {fr_nr}


def test_a_short_list_of_advoware_deletes_nothing_that_still_exists(chancery: Chancery) -> None:
    """Each deletion is confirmed by a single read: a list may lie."""
    chancery.employee()
    numbers = {chancery.termin(text=f"Termin {number}") for number in range(3)}
    chancery.sync()
    chancery.office.fault(r"Termine\?.*kuerzel", "empty", method="GET", times=1, body="[]")
    summary = chancery.sync()
    assert summary.writes == {"advoware": 0, "espocrm": 0, "google": 0}
    assert set(chancery.pairs()) == numbers and len(chancery.events()) == 3
    assert chancery.until_quiet() == 1


def test_a_gone_calendar_is_never_taken_for_deleted_events(chancery: Chancery) -> None:
    """404 for an event that is looked up singly: it counts as deleted only if the calendar itself is there."""
    chancery.employee()
    fr_nr = chancery_event_in_both(chancery)
    chancery.edit_termin(fr_nr, ort="Saal 7")
    chancery.google.fault(r"/events/", "status", times=None, status=404, body='{"error": {"errors": []}}')
    chancery.google.fault(r"/calendars/[^/]+$", "status", method="GET", times=None, status=404, body="{}")
    assert chancery.sync().failures
    assert set(chancery.termine()) == {fr_nr} and set(chancery.pairs()) == {fr_nr}
    chancery.google.clear_faults()
    chancery.until_quiet()
    assert chancery.event_of(fr_nr)["location"] == "Saal 7"
