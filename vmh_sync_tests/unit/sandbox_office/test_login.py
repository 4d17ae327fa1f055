"""Discovery and login of the simulated Advoware (specification, advoware-wire.md 1, 2, 4)."""

from datetime import timedelta
from typing import Any

import pytest

from vmh_sync.sandbox.office.token import signature
from vmh_sync_tests.unit.sandbox_office.conftest import OfficeClient

API_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="


def test_signature_vector() -> None:
    result = signature(API_KEY, 64, "demo-app", "0f8fad5b-d9cb-469f-a165-70867728950e", "2026-03-01T09:15:00.000Z")
    assert result == "l7MJnrfzC/9XJN5M66XdaYd7eMlUJJH5EsWHxE34zIMn7jNDr48T6OnBjdzY95AvZgVlbAHcH043ipCXz+5m5g=="


async def test_discovery(office: OfficeClient) -> None:
    answer = await office.http.get("/AdvonetConfigurator/api/Url", params={"Kanzlei": office.config.kanzlei})
    assert answer.json() == {
        "relayUrl": "http://office.example/relay/",
        "connectorUrl": None,
        "securityGateway": "http://office.example/security/",
    }
    await office.control("do/switches", {"connector": True})
    answer = await office.http.get("/AdvonetConfigurator/api/Url", params={"Kanzlei": office.config.kanzlei})
    assert answer.json()["connectorUrl"] == "http://office.example/connector/"
    assert (await office.http.get("/connector/api/v1/advonet/Mitarbeiter")).json() == []
    unknown = await office.http.get("/AdvonetConfigurator/api/Url", params={"Kanzlei": "andere"})
    assert (unknown.status_code, "ist nicht registriert" in unknown.text) == (404, True)


async def test_token_expires_and_can_be_expired(office: OfficeClient) -> None:
    await office.control("seed", {"beteiligte": [{"betNr": 1, "name": "A"}]})
    assert (await office.call("GET", "Beteiligte/1")).status_code == 200
    office.clock.advance(timedelta(seconds=3600))
    assert (await office.call("GET", "Beteiligte/1")).status_code == 401
    await office.login()
    assert (await office.call("GET", "Beteiligte/1")).status_code == 200
    assert await office.control("do/expire_tokens") == {"expired": 2}
    assert (await office.call("GET", "Beteiligte/1")).status_code == 401
    assert await office.control("do/token_counts") == {"requests": 2, "granted": 2}


async def test_token_answer_names_the_end_of_its_life(office: OfficeClient) -> None:
    answer = (await office.ask_token()).json()
    assert (answer["expires_in"], answer["expiration_utc"]) == (3600, "2026-03-01T10:15:00.000Z")


@pytest.mark.parametrize(
    ("changes", "status", "text"),
    [
        ({"HMAC512Signature": "x" * 88}, 401, "Signatur"),
        ({"Password": "falsch"}, 401, "Falscher Name oder falsches Kennwort"),
        ({"User": "niemand"}, 401, "Falscher Name oder falsches Kennwort"),
        ({"Kanzlei": "andere"}, 400, "ist nicht registriert"),
        ({"AppID": "other-app"}, 403, "freigeschaltet"),
        ({"Role": 3}, 403, "freigeschaltet"),
        ({"RequestTimeStamp": "2026-03-01T09:05:00.000Z"}, 401, "Zeitstempel"),
        ({"RequestTimeStamp": "2026-03-01T09:15:00.000"}, 401, "Zeitstempel"),
        ({"Nonce": "no-uuid"}, 401, "Nonce"),
    ],
)
async def test_login_is_refused(office: OfficeClient, changes: Any, status: int, text: str) -> None:
    answer = await office.ask_token(**changes)
    assert (answer.status_code, text in answer.text) == (status, True)


async def test_a_nonce_works_once(office: OfficeClient) -> None:
    nonce = "0f8fad5b-d9cb-469f-a165-70867728950e"
    assert (await office.ask_token(Nonce=nonce)).status_code == 200
    assert (await office.ask_token(Nonce=nonce)).status_code == 401


@pytest.mark.parametrize(
    ("switches", "text"),
    [
        ({"office": "offline"}, "ist nicht angemeldet"),
        ({"office": "unknown"}, "ist nicht registriert"),
        ({"app_enabled": False}, "freigeschaltet"),
        ({"accept_login": False}, "Falscher Name oder falsches Kennwort"),
    ],
)
async def test_login_errors_can_be_switched(office: OfficeClient, switches: Any, text: str) -> None:
    await office.control("do/switches", switches)
    assert text in (await office.ask_token()).text
    if "office" in switches:
        assert text in (await office.call("GET", "Beteiligte/1")).text


async def test_unknown_switch_is_refused(office: OfficeClient) -> None:
    assert (await office.http.post("/_sandbox/do/switches", json={"sarch": False})).status_code == 400
