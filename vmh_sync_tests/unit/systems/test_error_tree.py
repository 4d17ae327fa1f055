"""One tree of errors: what an error means is the same for all three systems."""

from datetime import UTC, datetime

import httpx
import pytest

from vmh_sync.systems import errors
from vmh_sync.systems.advoware import errors as advoware
from vmh_sync.systems.espocrm import errors as espocrm
from vmh_sync.systems.google_calendar import errors as google

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
REFUSALS = [400, 401, 403, 404, 405, 410, 412, 413, 415, 422, 425, 429, 451]
UNSURE = [408, 500, 502, 503, 504, 507, 520]


def failures_of_a_write(status: int, reason: str = "x") -> list[errors.ForeignSystemError]:
    """What each client makes of an answer to a write."""
    answer = httpx.Response(status, headers={"X-Status-Reason": reason})
    of_advoware = advoware.by_answer(answer, where="POST x", write=True, now=NOW)
    of_espocrm = espocrm.by_answer(answer, where="POST x", write=True, now=NOW)
    assert of_advoware is not None
    assert of_espocrm is not None
    return [of_advoware, of_espocrm, google.from_answer("events.insert", google.Answer(status, reason))]


@pytest.mark.parametrize("status", REFUSALS)
def test_a_refused_write_certainly_changed_nothing_in_any_system(status: int) -> None:
    assert [error.certainly_not_done for error in failures_of_a_write(status)] == [True, True, True]


@pytest.mark.parametrize("status", UNSURE)
def test_a_write_that_failed_on_the_way_may_have_been_carried_out_in_every_system(status: int) -> None:
    failures = failures_of_a_write(status)
    assert [error.certainly_not_done for error in failures] == [False, False, False]
    assert all(isinstance(error, errors.OutcomeUnknown) for error in failures)


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (400, errors.Rejected),
        (401, errors.LoginRefused),
        (403, errors.Forbidden),
        (429, errors.Transient),
        (500, errors.OutcomeUnknown),
    ],
)
def test_one_status_means_one_thing_in_every_system(status: int, meaning: type[errors.ForeignSystemError]) -> None:
    assert [isinstance(error, meaning) for error in failures_of_a_write(status)] == [True, True, True]


def test_a_record_that_is_gone_is_not_found_in_every_system() -> None:
    gone = [*failures_of_a_write(404, "Record Contact/1 does not exist")[::2], *failures_of_a_write(404, "")[1:2]]
    assert all(isinstance(error, errors.NotFound) for error in gone)


def test_the_answer_that_the_office_is_away_leaves_a_write_open_but_a_held_back_call_was_never_made() -> None:
    answered = advoware.ConnectorOffline("POST Beteiligte: offline", status=502)
    held_back = advoware.ConnectorOffline("POST Beteiligte: offline (held back)", status=502)
    held_back.held_back = True
    assert not answered.certainly_not_done
    assert held_back.certainly_not_done


def test_maintenance_and_lock_out_are_outages_that_certainly_did_nothing() -> None:
    for kind in (espocrm.Maintenance, espocrm.LockedOut):
        error = kind("POST Contact")
        assert isinstance(error, errors.Unavailable)
        assert error.certainly_not_done
        assert error.retryable
        assert error.concerns_all


def test_an_answer_that_cannot_be_read_says_nothing_about_a_write() -> None:
    for kind in (advoware.UnexpectedAnswer, espocrm.UnexpectedAnswer):
        assert not kind("POST x", status=200).certainly_not_done
    assert not google.UnknownOutcomeError("events.insert", google.Answer(200, "unreadableBody")).certainly_not_done


def test_a_conflict_inside_a_google_batch_is_unsure_although_its_status_is_409() -> None:
    error = google.from_answer("events.insert", google.Answer(409, "conflict"))
    assert not error.certainly_not_done
    assert google.from_answer("events.insert", google.Answer(409, "duplicate")).certainly_not_done


def test_every_error_of_a_client_has_a_meaning_in_the_common_tree() -> None:
    meanings = tuple(
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.ForeignSystemError) and kind.__module__ == errors.__name__
    )[1:]
    bases = (advoware.AdvowareError, espocrm.EspoError, google.GoogleCalendarError, google.TransientError)
    for module in (advoware, espocrm, google):
        for name, kind in vars(module).items():
            if isinstance(kind, type) and issubclass(kind, errors.ForeignSystemError) and kind not in bases:
                assert issubclass(kind, meanings), name
