"""Finding, creating and sharing the employees' calendars."""

from datetime import timedelta
from typing import Any

import pytest

from vmh_sync.systems.google_calendar.calendars import (
    AmbiguousCalendarError,
    CalendarDirectory,
    CalendarGoneError,
    CalendarProblem,
    CalendarTemplate,
    CreationDeferredError,
    Found,
    ReadOnlyCalendarError,
)
from vmh_sync.systems.google_calendar.errors import RateLimitedError, ServerError, UnknownOutcomeError
from vmh_sync_tests.contract.google.conftest import SUBJECT, Google, find_events

RULES = (
    {"role": "reader", "type": "user", "value": "{email}"},
    {"role": "reader", "type": "domain", "value": "kanzlei.test"},
)


def directory(google: Google, *, delegated: bool = False, **changes: Any) -> CalendarDirectory:
    email = google.hooks.config.service_account_email
    owner = google.client(SUBJECT) if delegated else None
    template = changes.pop("template", CalendarTemplate(rules=RULES))
    return CalendarDirectory(google.client(), email, template, **{"budget": Budget(), "owner": owner} | changes)


class Budget:
    """So many calendars may be created until it is filled again."""

    def __init__(self, left: int = 20) -> None:
        self.left = left

    def __call__(self) -> bool:
        self.left -= 1
        return self.left >= 0


def calendars(google: Google) -> list[dict[str, Any]]:
    return [one for one in google.hooks.state()["calendars"] if one["id"] != one["owner"]]


def test_created_once_then_found_by_name_and_by_id(google: Google) -> None:
    created = directory(google).find_or_create("SB", email="sb@kanzlei.test")
    assert created.found is Found.CREATED
    (calendar,) = calendars(google)
    assert calendar["summary"] == "AW-SB"
    assert calendar["timeZone"] == "Europe/Berlin"
    assert directory(google).find_or_create("SB").found is Found.BY_NAME
    by_id = directory(google).find_or_create("SB", stored_id=created.id)
    assert (by_id.id, by_id.found) == (created.id, Found.BY_ID)
    assert len(calendars(google)) == 1


def test_rules_are_added_once_and_without_mail(google: Google) -> None:
    found = directory(google).find_or_create("SB", email="SB@kanzlei.test")
    rules = calendars(google)[0]["acl"]
    assert rules["user:sb@kanzlei.test"] == "reader"
    assert rules["domain:kanzlei.test"] == "reader"
    sent = [request for request, _ in google.exchanges if request.method == "POST" and request.path.endswith("/acl")]
    assert [request.query["sendNotifications"] for request in sent] == [["false"], ["false"]]
    directory(google).find_or_create("SB", email="SB@kanzlei.test", stored_id=found.id)
    assert google.calls("POST", "/acl") == 2


def test_a_role_that_a_person_set_stays(google: Google) -> None:
    calendar = google.calendar(acl={"user:sb@kanzlei.test": "writer"})
    directory(google).find_or_create("SB", email="sb@kanzlei.test", stored_id=calendar)
    assert calendars(google)[0]["acl"]["user:sb@kanzlei.test"] == "writer"


def test_a_rule_without_a_known_address_is_left_out(google: Google) -> None:
    directory(google).find_or_create("SB", email=None)
    assert set(calendars(google)[0]["acl"]) == {
        f"user:{google.hooks.config.service_account_email}",
        "domain:kanzlei.test",
    }


def test_with_a_subject_the_person_owns_and_the_account_writes(google: Google) -> None:
    found = directory(google, delegated=True).find_or_create("SB", email="sb@kanzlei.test")
    (calendar,) = calendars(google)
    account = google.hooks.config.service_account_email
    assert calendar["owner"] == SUBJECT
    assert calendar["acl"][f"user:{account}"] == "writer"
    again = directory(google, delegated=True).find_or_create("SB", email="sb@kanzlei.test")
    assert (again.id, again.found) == (found.id, Found.BY_NAME)
    listed = next(one for one in google.hooks.state()["accounts"] if one["email"] == account)
    assert found.id in listed["calendars"]


def test_a_person_s_calendar_of_that_name_is_taken_over(google: Google) -> None:
    calendar = google.calendar(owner=SUBJECT)
    found = directory(google, delegated=True).find_or_create("SB")
    assert (found.id, found.found) == (calendar, Found.BY_NAME)
    assert calendars(google)[0]["acl"][f"user:{google.hooks.config.service_account_email}"] == "writer"
    assert len(calendars(google)) == 1


def test_a_shared_calendar_is_subscribed_before_use(google: Google) -> None:
    account = google.hooks.config.service_account_email
    calendar = google.calendar(owner="chef@example.test", acl={f"user:{account}": "writer"})
    found = directory(google, template=CalendarTemplate()).find_or_create("SB", stored_id=calendar)
    assert found.found is Found.BY_ID
    assert google.calls("POST", "calendarList") == 1
    assert directory(google, template=CalendarTemplate()).find_or_create("SB").found is Found.BY_NAME


def test_a_calendar_shared_for_reading_is_reported(google: Google) -> None:
    account = google.hooks.config.service_account_email
    calendar = google.calendar(owner="chef@example.test", acl={f"user:{account}": "reader"}, subscribers=[account])
    with pytest.raises(ReadOnlyCalendarError):
        directory(google).find_or_create("SB", stored_id=calendar)
    with pytest.raises(ReadOnlyCalendarError):
        directory(google).find_or_create("SB")
    assert len(calendars(google)) == 1


def test_rules_without_the_owner_role_are_reported(google: Google) -> None:
    account = google.hooks.config.service_account_email
    calendar = google.calendar(owner="chef@example.test", acl={f"user:{account}": "writer"})
    with pytest.raises(CalendarProblem, match="owner"):
        directory(google).find_or_create("SB", stored_id=calendar)


@pytest.mark.parametrize("how", ["deleted", "unshared"])
def test_a_calendar_that_went_away_is_reported_not_replaced(google: Google, how: str) -> None:
    account = google.hooks.config.service_account_email
    calendar = google.calendar(owner="chef@example.test", acl={f"user:{account}": "writer"}, subscribers=[account])
    if how == "deleted":
        google.hooks.command("delete_calendar", {"calendar": calendar})
    else:
        google.hooks.command("unshare", {"calendar": calendar, "account": account})
    with pytest.raises(CalendarGoneError):
        directory(google).find_or_create("SB", stored_id=calendar)
    assert google.calls("POST", "calendars") == 0
    assert directory(google).find_or_create("SB", stored_id=calendar, recreate=True).found is Found.CREATED


def test_two_calendars_of_one_name_are_reported(google: Google) -> None:
    google.calendar()
    google.calendar()
    with pytest.raises(AmbiguousCalendarError):
        directory(google).find_or_create("SB")


@pytest.mark.parametrize("delegated", [False, True])
def test_a_lost_answer_to_creation_makes_no_second_calendar(google: Google, delegated: bool) -> None:
    google.fault(action="drop_after", path="/calendars$", method="POST")
    found = directory(google, delegated=delegated).find_or_create("SB", email="sb@kanzlei.test")
    assert [one["id"] for one in calendars(google)] == [found.id]
    assert google.calls("POST", "calendars") == 1


def test_a_creation_that_did_not_happen_is_not_repeated_blindly(google: Google) -> None:
    google.fault(action="drop_before", path="/calendars$", method="POST")
    with pytest.raises(UnknownOutcomeError):
        directory(google).find_or_create("SB")
    google.fault(action="status", path="/calendars$", method="POST", status=503)
    with pytest.raises(ServerError):
        directory(google).find_or_create("SB")
    assert calendars(google) == []


def test_a_hidden_rate_limit_is_waited_for_also_at_creation(google: Google) -> None:
    body = '{"error": {"errors": [{"domain": "usageLimits", "reason": "rateLimitExceeded", "message": ""}]}}'
    google.fault(action="status", path="/calendars$", method="POST", status=403, body=body)
    assert directory(google).find_or_create("SB").found is Found.CREATED
    assert len(google.slept) == 1


def test_new_calendars_are_spread(google: Google) -> None:
    budget = Budget(2)
    one = directory(google, budget=budget)
    one.find_or_create("A")
    one.find_or_create("B")
    with pytest.raises(CreationDeferredError):
        one.find_or_create("C")
    assert one.find_or_create("A").found is Found.BY_NAME
    budget.left = 1
    assert one.find_or_create("C").found is Found.CREATED


def test_too_many_calendars_put_the_account_into_read_only(google: Google) -> None:
    google.hooks.config.calendar_limit = 3
    client = google.client(attempts=1)
    template = CalendarTemplate()
    spree = CalendarDirectory(client, google.hooks.config.service_account_email, template, budget=Budget(9))
    first = [spree.find_or_create(name).id for name in "ABC"]
    with pytest.raises(RateLimitedError) as caught:
        spree.find_or_create("D")
    assert caught.value.reason == "quotaExceeded"
    with pytest.raises(RateLimitedError):
        client.delete_event(first[0], "abcde")
    assert find_events(client, first[0], a="b") == []
    google.clock.advance(timedelta(hours=2))
    assert client.delete_event(first[0], "abcde") is False


def test_many_calendars_come_in_pages(google: Google) -> None:
    google.hooks.seed({"calendars": [{"summary": f"AW-{number}"} for number in range(260)]})
    assert directory(google, template=CalendarTemplate()).find_or_create("259").found is Found.BY_NAME
    assert google.calls("GET", "calendarList") == 2
