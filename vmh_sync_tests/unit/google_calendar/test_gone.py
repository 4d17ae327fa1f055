"""Deleting what is gone: which answers are a success, and which are not (specification, kalender.md 1)."""

import json
from typing import Any
from unittest.mock import MagicMock

import httplib2
import pytest
from googleapiclient.errors import HttpError

from vmh_sync.systems.google_calendar import errors
from vmh_sync.systems.google_calendar.client import GoogleCalendarClient
from vmh_sync.systems.google_calendar.quota import unlimited
from vmh_sync.systems.google_calendar.retry import Retrier, google_policy


def client(status: int, reason: str) -> tuple[GoogleCalendarClient, MagicMock]:
    """A client whose deletes are answered so, and the request that it sends."""
    body = json.dumps({"error": {"errors": [{"reason": reason}]}}).encode()
    request = MagicMock(headers={})
    request.execute.side_effect = HttpError(httplib2.Response({"status": status}), body)  # type: ignore[dict-item]
    services: Any = MagicMock()
    services.service.return_value.events.return_value.delete.return_value = request
    return GoogleCalendarClient(services, unlimited, retrier=Retrier(google_policy(attempts=3))), request


@pytest.mark.parametrize(("status", "reason"), [(410, "deleted"), (404, "notFound")])
def test_an_event_that_is_gone_already_is_deleted_with_success_and_in_one_call(status: int, reason: str) -> None:
    deleting, request = client(status, reason)
    assert deleting.delete_event("c", "e", '"1"') is False
    request.execute.assert_called_once_with(num_retries=0)
    assert request.headers["If-Match"] == '"1"'


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (410, "fullSyncRequired", errors.FullSyncRequiredError),
        (410, "updatedMinTooLongAgo", errors.UpdatedMinTooLongAgoError),
        (410, "somethingNew", errors.GoneError),
        (412, "conditionNotMet", errors.PreconditionFailedError),
        (403, "forbidden", errors.ForbiddenError),
    ],
)
def test_no_other_answer_counts_as_deleted(status: int, reason: str, kind: type[Exception]) -> None:
    deleting, _ = client(status, reason)
    with pytest.raises(kind) as caught:
        deleting.delete_event("c", "e")
    assert type(caught.value) is kind
