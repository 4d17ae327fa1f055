"""Which answer means which error (espocrm.md B3), by answers recorded on a real EspoCRM 9.2.7."""

from typing import Any

import httpx
import pytest

from vmh_sync.systems.espocrm import errors
from vmh_sync.systems.espocrm.client import EspoClient
from vmh_sync.systems.espocrm.errors import (
    BadConfiguration,
    DuplicateFound,
    EspoError,
    Forbidden,
    LinkTargetMissing,
    Maintenance,
    NotFound,
    OutcomeUnknown,
    PageTooLong,
    Rejected,
    Transient,
    UnexpectedAnswer,
    ValidationRejected,
    VersionConflict,
)
from vmh_sync_tests.unit.espocrm.conftest import Calls, Crm, Waits

ID = "6b0468b0c4a07a7ef"
BANK = f"CBankverbindungen/{ID}"


def answer(status: int, reason: str | None = None, **body: Any) -> httpx.Response:
    headers = {} if reason is None else {"X-Status-Reason": reason}
    return httpx.Response(status, headers=headers, **body)


@pytest.mark.parametrize(
    ("reason", "field", "rule"),
    [
        ("Field validation failure; entityType: CBankverbindungen, field: iban, type: required.", "iban", "required"),
        ("Field validation failure; entityType: CBankverbindungen, field: name, type: pattern.", "name", "pattern"),
        (
            "Field validation failure; entityType: CBeteiligte, field: emailAddress, type: emailAddress.",
            "emailAddress",
            "emailAddress",
        ),
    ],
)
async def test_validation_names_the_field(client: EspoClient, crm: Crm, reason: str, field: str, rule: str) -> None:
    crm.on("PUT", BANK).mock(return_value=answer(400, reason))
    with pytest.raises(ValidationRejected) as failure:
        await client.update("CBankverbindungen", ID, {"iban": "VERTRAULICH"})
    assert (failure.value.field, failure.value.rule) == (field, rule)
    assert failure.value.entity in reason
    assert f"„{field}“" in failure.value.message_for_people
    assert not failure.value.retryable
    assert "VERTRAULICH" not in str(failure.value)


async def test_validation_is_read_from_the_body_where_the_reason_is_missing(client: EspoClient, crm: Crm) -> None:
    body = {"messageTranslation": {"label": "validationFailure", "data": {"field": "bic", "type": "maxLength"}}}
    crm.on("PUT", BANK).mock(return_value=answer(400, json=body))
    with pytest.raises(ValidationRejected) as failure:
        await client.update("CBankverbindungen", ID, {"bic": "x"})
    assert (failure.value.field, failure.value.rule) == ("bic", "maxLength")


@pytest.mark.parametrize("body", [{}, {"json": {}}, {"json": []}, {"text": "<html>"}])
async def test_another_400_is_rejected(client: EspoClient, crm: Crm, body: Any) -> None:
    crm.on("GET", "CBankverbindungen").mock(return_value=answer(400, "Unknown where item type 'x'.", **body))
    with pytest.raises(Rejected) as failure:
        await client.list_page("CBankverbindungen")
    assert not isinstance(failure.value, ValidationRejected)
    assert "Unknown where item type 'x'." in str(failure.value)


async def test_reasons_that_may_hold_values_are_not_repeated(client: EspoClient, crm: Crm) -> None:
    crm.on("PUT", BANK).mock(return_value=answer(403, "Address vertraulich@example.org is taken."))
    with pytest.raises(Forbidden) as failure:
        await client.update("CBankverbindungen", ID, {"iban": "x"})
    assert "vertraulich" not in str(failure.value)


@pytest.mark.parametrize("reason", [f"Record {ID} does not exist.", f"Record {ID} not found.", ""])
async def test_a_gone_record(client: EspoClient, crm: Crm, reason: str) -> None:
    """Recordings c02, d11, g04."""
    crm.router.route().mock(return_value=answer(404, reason))
    assert await client.read("CBankverbindungen", ID) is None
    assert await client.delete("CBankverbindungen", ID) is False
    with pytest.raises(NotFound):
        await client.update("CBankverbindungen", ID, {"iban": "x"})


@pytest.mark.parametrize(
    "missing",
    [
        answer(404, "Controller 'CGibtEsNicht' does not exist."),
        answer(404, json={"message": "404 Not Found"}),
        answer(404, html="<html>nginx</html>"),
        answer(404),
    ],
)
async def test_a_missing_entity_or_address_is_never_a_gone_record(client: EspoClient, crm: Crm, missing: Any) -> None:
    """Recordings a07, a08: taken for a deletion, these would mark every record as deleted."""
    crm.router.route().mock(return_value=missing)
    with pytest.raises(BadConfiguration):
        await client.read("CGibtEsNicht", ID)
    with pytest.raises(BadConfiguration):
        await client.delete("CGibtEsNicht", ID)


async def test_a_missing_link_target_is_told_apart(client: EspoClient, crm: Crm) -> None:
    reason = "Can't relate with non-existing record. entity type: CBankverbindungen, link: beteiligte."
    crm.on("PUT", BANK).mock(return_value=answer(403, reason))
    with pytest.raises(LinkTargetMissing):
        await client.update("CBankverbindungen", ID, {"beteiligteId": "x"})


async def test_maintenance_is_not_repeated_at_once(client: EspoClient, crm: Crm, waits: Waits) -> None:
    """Recordings x01, x02."""
    route = crm.router.route().mock(return_value=answer(503, "Application is in maintenance mode.", json={}))
    with pytest.raises(Maintenance) as failure:
        await client.read("CBankverbindungen", ID)
    with pytest.raises(Maintenance):
        await client.create("CBankverbindungen", {"iban": "x"})
    assert failure.value.retryable
    assert (route.call_count, waits.seconds) == (2, [])


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_reads_are_repeated(client: EspoClient, crm: Crm, waits: Waits, calls: Calls, status: int) -> None:
    crm.on("GET", BANK).mock(side_effect=[answer(status), answer(status), answer(200, json={"id": ID})])
    assert await client.read("CBankverbindungen", ID) is not None
    assert len(waits.seconds) == 2
    assert [(call["route"], call["status"], call["retry"]) for call in calls.seen] == [
        ("CBankverbindungen/{id}", status, False),
        ("CBankverbindungen/{id}", status, True),
        ("CBankverbindungen/{id}", 200, True),
    ]


async def test_reads_give_up(client: EspoClient, crm: Crm) -> None:
    route = crm.on("GET", BANK).mock(side_effect=httpx.ReadTimeout("x"))
    with pytest.raises(Transient):
        await client.read("CBankverbindungen", ID)
    assert route.call_count == 4


@pytest.mark.parametrize(
    "fault",
    [answer(status) for status in (408, 500, 502, 503, 504)]
    + [httpx.ReadTimeout("x"), httpx.ReadError("x"), httpx.RemoteProtocolError("x"), httpx.WriteError("x")],
)
@pytest.mark.parametrize("write", ["create", "update", "delete"])
async def test_writes_with_unknown_outcome_are_not_repeated(
    client: EspoClient, crm: Crm, fault: Any, write: str
) -> None:
    route = crm.router.route().mock(side_effect=[fault, answer(200, json=True)])
    attempt = {
        "create": lambda: client.create("CBankverbindungen", {"iban": "x"}),
        "update": lambda: client.update("CBankverbindungen", ID, {"iban": "x"}),
        "delete": lambda: client.delete("CBankverbindungen", ID),
    }[write]
    with pytest.raises(OutcomeUnknown):
        await attempt()
    assert route.call_count == 1


@pytest.mark.parametrize("refusal", [httpx.ConnectError("x"), httpx.ConnectTimeout("x"), answer(429), answer(425)])
async def test_writes_that_were_not_begun_are_repeated(client: EspoClient, crm: Crm, refusal: Any) -> None:
    route = crm.on("POST", "CBankverbindungen").mock(side_effect=[refusal, answer(200, json={"id": ID})])
    assert (await client.create("CBankverbindungen", {"iban": "x"})).id == ID
    assert route.call_count == 2


async def test_duplicate_carries_the_ids(client: EspoClient, crm: Crm) -> None:
    """Recording b03: the body is an array of full records."""
    found = [{"id": ID, "name": "Vertraulich", "betnr": 4711}]
    crm.on("POST", "CBeteiligte").mock(return_value=answer(409, "duplicate", json=found))
    with pytest.raises(DuplicateFound) as failure:
        await client.create("CBeteiligte", {"lastName": "Vertraulich"})
    assert failure.value.ids == [ID]
    assert "Vertraulich" not in str(failure.value)


async def test_version_conflict_carries_values_and_version(client: EspoClient, crm: Crm) -> None:
    """Recording i03."""
    body = {"values": {"iban": "DEV2"}, "versionNumber": 2}
    route = crm.on("PUT", BANK).mock(return_value=answer(409, "modified", json=body))
    with pytest.raises(VersionConflict) as failure:
        await client.update("CBankverbindungen", ID, {"iban": "DEV3"}, version=1)
    assert (failure.value.values, failure.value.version) == ({"iban": "DEV2"}, 2)
    assert failure.value.retryable
    assert "iban" in str(failure.value)
    assert "DEV" not in str(failure.value)
    assert route.calls.last.request.headers["X-Version-Number"] == "1"


@pytest.mark.parametrize("body", [{"json": {}}, {"json": []}, {"text": ""}])
async def test_a_409_of_the_wrong_shape(client: EspoClient, crm: Crm, body: Any) -> None:
    crm.on("PUT", BANK).mock(return_value=answer(409, **body))
    with pytest.raises(UnexpectedAnswer):
        await client.update("CBankverbindungen", ID, {"iban": "x"})


async def test_a_duplicate_that_is_no_list(client: EspoClient, crm: Crm) -> None:
    crm.on("POST", "CBeteiligte").mock(return_value=answer(409, json={}))
    with pytest.raises(UnexpectedAnswer):
        await client.create("CBeteiligte", {"lastName": "x"})


@pytest.mark.parametrize("status", [405, 413, 414, 415, 422])
async def test_other_refusals(client: EspoClient, crm: Crm, status: int) -> None:
    crm.on("GET", BANK).mock(return_value=answer(status))
    with pytest.raises(Rejected):
        await client.read("CBankverbindungen", ID)


@pytest.mark.parametrize("status", [301, 302, 418])
async def test_statuses_nobody_expects(client: EspoClient, crm: Crm, status: int) -> None:
    crm.on("GET", BANK).mock(return_value=answer(status))
    with pytest.raises(UnexpectedAnswer):
        await client.read("CBankverbindungen", ID)


def test_every_error_speaks_german_in_sentences() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, EspoError)]
    extra: dict[Any, dict[str, Any]] = {
        ValidationRejected: {"entity": "E", "field": "iban", "rule": "neu"},
        PageTooLong: {"limit": 50},
        DuplicateFound: {"ids": []},
        VersionConflict: {"values": {}, "version": 1},
    }
    assert len(kinds) > 12
    for kind in kinds:
        text = kind("detail", **extra.get(kind, {})).message_for_people
        assert text.endswith(".")
        assert text[0].isupper()
        assert "detail" not in text
