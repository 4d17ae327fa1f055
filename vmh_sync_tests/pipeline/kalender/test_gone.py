"""The three kinds of 410, and events that go away between our read and our write (specification, kalender.md 1)."""

from collections.abc import Callable

import pytest

from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.employee import sync_employee as stages
from vmh_sync.kalender.employee.employee_work import SyncOptions
from vmh_sync.kalender.employee.phase_counts import phase_counts
from vmh_sync.kalender.reading.employees import Employee
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result
from vmh_sync_tests.fixtures.chancery import Chancery, marked

LISTS = r"/events(\?|$)"


def between(chancery: Chancery, meanwhile: Callable[[], None]) -> list[RecordOutcome]:
    """A pass over SB in which ``meanwhile`` happens after both sides were read and before anything is written."""

    async def overtaken(context: CalendarContext) -> list[RecordOutcome]:
        work = stages.plan(stages.map_fields(await stages.fetch(context, Employee("SB"), SyncOptions())))
        meanwhile()
        return await stages.write(context, work, SyncOptions())

    return list(chancery.run(overtaken))


def linked(chancery: Chancery) -> tuple[int, str]:
    """An appointment and its event, and another one that stays."""
    chancery.employee()
    fr_nr = chancery.termin()
    chancery.termin(text="Bleibt")
    chancery.sync()
    return fr_nr, str(chancery.event_of(fr_nr)["id"])


def answers(chancery: Chancery, method: str) -> list[int]:
    """Google's status codes to one method, in order."""
    return [one["status"] for one in chancery.google.calls()["log"] if one["method"] == method]


def test_an_event_deleted_between_our_read_and_our_delete_counts_as_deleted(chancery: Chancery) -> None:
    fr_nr, event_id = linked(chancery)
    chancery.drop_termin(fr_nr)
    chancery.google.clear_calls()
    outcomes = between(chancery, lambda: chancery.drop_event("SB", event_id))
    assert answers(chancery, "DELETE") == [410], "Google really said that it was gone already"
    assert not [one for one in outcomes if one.result is Result.FAILED]
    assert fr_nr not in chancery.pairs() and len(chancery.events()) == 1
    assert chancery.state().last_error is None
    assert chancery.until_quiet() == 1


def test_access_lost_between_our_read_and_our_delete_is_no_deletion(chancery: Chancery) -> None:
    """404 is said of a missing event and of a calendar that is no longer shared: only the first is a success."""
    fr_nr, _ = linked(chancery)
    account = chancery.calendar()["owner"]  # type: ignore[index]
    chancery.drop_termin(fr_nr)
    outcomes = between(chancery, lambda: take_away(chancery, account))
    assert [one.result for one in outcomes if one.id == f"SB/{fr_nr}"] == [Result.FAILED]
    assert fr_nr in chancery.pairs(), "the event still stands there: it must not be forgotten"
    chancery.google.do("share", calendar="AW-SB", account=account, role="owner")
    chancery.until_quiet()
    assert fr_nr not in chancery.pairs() and len(chancery.events()) == 1


def take_away(chancery: Chancery, account: str) -> None:
    chancery.google.do("unshare", calendar="AW-SB", account=account)


def test_an_event_changed_between_our_read_and_our_delete_is_planned_again(chancery: Chancery) -> None:
    fr_nr, event_id = linked(chancery)
    chancery.drop_termin(fr_nr)
    chancery.google.clear_calls()
    between(chancery, lambda: chancery.edit_event("SB", event_id, summary="Noch geändert"))
    assert answers(chancery, "DELETE") == [412, 204]
    with chancery.store.reading() as tx:
        losers = [row.losing_value for row in tx.audit.for_record(f"SB/{fr_nr}") if row.kind == "conflict"]
    assert losers == ["Noch geändert"], "the edit that nobody had seen is told"


def test_an_event_deleted_between_our_read_and_our_update_comes_back(chancery: Chancery) -> None:
    fr_nr, event_id = linked(chancery)
    chancery.edit_termin(fr_nr, ort="Saal 7")
    outcomes = between(chancery, lambda: chancery.drop_event("SB", event_id))
    assert not [one for one in outcomes if one.result is Result.FAILED]
    assert chancery.event_of(fr_nr)["location"] == "Saal 7"
    assert chancery.until_quiet() <= 2


@pytest.mark.parametrize("reason", ["fullSyncRequired", "updatedMinTooLongAgo"])
def test_a_token_that_google_refuses_leads_to_one_full_read_that_loses_nothing(chancery: Chancery, reason: str) -> None:
    fr_nr, event_id = linked(chancery)
    chancery.edit_event("SB", event_id, summary="Geändert")
    error = chancery.google.do("error_body", reason=reason)
    chancery.google.fault(LISTS, "status", method="GET", times=1, status=error["status"], body=error["body"])
    chancery.google.clear_calls()
    told = chancery.run(lambda context: stages.sync_employee(context, Employee("SB"), SyncOptions()))
    assert answers(chancery, "GET")[:2] == [410, 200]
    assert told.changes.full and told.changes.reset_reason == reason
    assert chancery.termine()[fr_nr]["text"] == "Geändert"
    assert phase_counts([told])["google_full_reads"] == 1
    assert phase_counts([told])[f"google_token_refused_{reason}"] == 1
    assert not chancery.run(lambda context: stages.sync_employee(context, Employee("SB"), SyncOptions())).changes.full


def test_a_410_deleted_to_a_list_is_no_empty_calendar(chancery: Chancery) -> None:
    """The third kind of 410 says nothing about a list: the employee waits, nothing is taken for deleted."""
    fr_nr, _ = linked(chancery)
    error = chancery.google.do("error_body", reason="deleted")
    chancery.google.fault(LISTS, "status", method="GET", times=1, status=error["status"], body=error["body"])
    (failure,) = chancery.sync().failures
    assert failure["id"] == "SB" and "es wurde nichts geändert" in failure["error"]
    assert fr_nr in chancery.pairs() and marked(chancery.event_of(fr_nr)) == str(fr_nr)
    assert chancery.until_quiet() == 1
