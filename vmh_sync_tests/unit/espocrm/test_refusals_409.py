"""Four kinds of 409 and the taken names of set-up are told apart; how late webhooks are; internal addresses."""

import json
from typing import Any

import httpx
import pytest

from vmh_sync.systems.espocrm import answers
from vmh_sync.systems.espocrm.errors import (
    DuplicateFound,
    EspoError,
    NameTaken,
    RecordLocked,
    UnexpectedAnswer,
    ValidationRejected,
    VersionConflict,
)
from vmh_sync.systems.espocrm.internal_hosts import config_line, host_and_port, looks_internal
from vmh_sync.systems.espocrm.webhook_pace import minutes_between, pace_of


def refusal(reason: str, body: Any = None) -> httpx.Response:
    content = b"" if body is None else json.dumps(body).encode()
    return httpx.Response(409, headers={"X-Status-Reason": reason}, content=content)


def labelled(label: str, **data: str) -> dict[str, Any]:
    return {"messageTranslation": {"label": label, "scope": None, "data": data}}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusal("modified", {"values": {"titel": "x"}, "versionNumber": 3}), VersionConflict),
        (refusal("cannotModifyLockedRecord", labelled("cannotModifyLockedRecord", field="Titel")), RecordLocked),
        (refusal("", labelled("cannotModifyLockedRecord", field="Titel")), RecordLocked),
        (refusal("cannotRemoveLockedRecord", labelled("cannotRemoveLockedRecord")), RecordLocked),
        (refusal("cannotRemoveLockedRecord"), RecordLocked),
        (refusal("Link CBeteiligte::proben already exists."), NameTaken),
        (refusal("Name 'CProbe' is already used.", labelled("nameIsAlreadyUsed", name="CProbe")), NameTaken),
        (refusal("", labelled("fieldAlreadyExists", field="x")), NameTaken),
        (refusal("something else"), UnexpectedAnswer),
        (refusal("modified", ["?"]), UnexpectedAnswer),
    ],
)
def test_a_409_is_read_by_body_label_and_reason(answer: httpx.Response, kind: type[EspoError]) -> None:
    error = answers.conflict(answer, "PUT X/{id}")
    assert type(error) is kind
    if isinstance(error, RecordLocked):
        assert error.certainly_not_done


def test_a_create_can_meet_duplicates_and_locks() -> None:
    found = answers.refused_create("CBeteiligte", refusal("duplicate", [{"id": "a" * 17}]), "POST CBeteiligte")
    assert isinstance(found, DuplicateFound) and found.ids == ["a" * 17]
    locked = refusal("cannotModifyLockedRecord", labelled("cannotModifyLockedRecord"))
    assert isinstance(answers.refused_create("CAdressen", locked, "POST CAdressen"), RecordLocked)


def test_the_sentence_about_an_internal_address_names_the_setting() -> None:
    error = ValidationRejected("x", entity="Webhook", field="url", rule="notInternal", status=400)
    assert "webhookAllowedAddressList" in error.message_for_people
    assert "der Wert ist ungültig" not in error.message_for_people


@pytest.mark.parametrize(
    ("url", "address", "internal"),
    [
        ("http://127.0.0.1:8800/x", "127.0.0.1:8800", True),
        ("https://10.0.0.5/x", "10.0.0.5:443", True),
        ("http://gateway/x", "gateway:80", True),
        ("https://abgleich.kanzlei.local/x", "abgleich.kanzlei.local:443", True),
        ("https://abgleich.example.org/x", "abgleich.example.org:443", False),
        ("http://8.8.8.8/x", "8.8.8.8:80", False),
    ],
)
def test_internal_addresses_are_known_as_espocrm_writes_them(url: str, address: str, *, internal: bool) -> None:
    assert host_and_port(url) == address
    assert looks_internal(url) is internal


def test_the_line_to_add_keeps_what_is_listed() -> None:
    line = config_line("http://10.0.0.5:8800/x", ["10.0.0.9:80"])
    assert line == "'webhookAllowedAddressList' => ['10.0.0.9:80', '10.0.0.5:8800'],"


@pytest.mark.parametrize(
    ("schedule", "minutes"),
    [("*/2 * * * *", 2), ("* * * * *", 1), ("0 * * * *", 60), ("10,30,50 * * * *", 20), ("", 2)],
)
def test_a_cron_schedule_says_how_often(schedule: str, minutes: int) -> None:
    assert minutes_between(schedule) == minutes


def test_a_job_that_is_off_sends_nothing_at_all() -> None:
    assert pace_of({"status": "Inactive", "scheduling": "* * * * *"}, {}).is_off
    fast = pace_of({"status": "Active", "scheduling": "* * * * *"}, {"webhookQueueEventPortionSize": 600})
    assert fast.per_hour == 36000
