"""Google's answers become the right class."""

import pytest

from vmh_sync.systems.google_calendar import errors
from vmh_sync.systems.google_calendar.errors import Answer, from_answer, reason_of


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (400, "invalid", errors.InvalidRequestError),
        (401, "authError", errors.InvalidCredentialsError),
        (403, "rateLimitExceeded", errors.RateLimitedError),
        (403, "userRateLimitExceeded", errors.RateLimitedError),
        (403, "quotaExceeded", errors.RateLimitedError),
        (403, "insufficientPermissions", errors.InsufficientPermissionsError),
        (403, "forbidden", errors.ForbiddenError),
        (403, "forbiddenForServiceAccounts", errors.MayNotInviteError),
        (403, "requiredAccessLevel", errors.AccessTooLowError),
        (403, "unknown", errors.ForbiddenError),
        (404, "notFound", errors.NotFoundError),
        (409, "duplicate", errors.DuplicateError),
        (409, "conflict", errors.ServerError),
        (410, "fullSyncRequired", errors.FullSyncRequiredError),
        (410, "updatedMinTooLongAgo", errors.UpdatedMinTooLongAgoError),
        (410, "deleted", errors.AlreadyDeletedError),
        (410, "unknown", errors.GoneError),
        (412, "conditionNotMet", errors.PreconditionFailedError),
        (429, "unknown", errors.RateLimitedError),
        (500, "backendError", errors.ServerError),
        (599, "unknown", errors.ServerError),
        (302, "unknown", errors.InvalidRequestError),
    ],
)
def test_every_answer_has_its_class(status: int, reason: str, kind: type[errors.GoogleCalendarError]) -> None:
    error = from_answer("events.list", Answer(status, reason))
    assert type(error) is kind
    assert (error.status, error.reason, error.operation) == (status, reason, "events.list")
    assert error.retryable == isinstance(error, errors.TransientError)
    assert error.message_for_people.endswith(".")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"error": {"errors": [{"reason": "deleted"}]}}', "deleted"),
        (b'{"error": "invalid_grant"}', "invalid_grant"),
        (b'{"error": {"errors": []}}', "unknown"),
        (b"{}", "unknown"),
        (b"<html>", "unknown"),
        (b"", "unknown"),
        (b"[1]", "unknown"),
        (b"\xff\xfe", "unknown"),
    ],
)
def test_reasons_are_read_from_any_body(body: bytes, reason: str) -> None:
    assert reason_of(body) == reason
