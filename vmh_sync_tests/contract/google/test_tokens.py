"""The token service against google-auth, honest and forged."""

import json
import time
from typing import Any

import google.auth.crypt
import google.auth.jwt
import httpx
import pytest

from vmh_sync.sandbox.google.keys import key_for
from vmh_sync.systems.google_calendar.calendars import GET_CALENDAR
from vmh_sync.systems.google_calendar.errors import InsufficientPermissionsError, InvalidCredentialsError
from vmh_sync.systems.google_calendar.service import ServiceAccountError
from vmh_sync_tests.contract.google.conftest import SUBJECT, Google, find_events

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def claims(google: Google, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    honest = {
        "iss": google.hooks.config.service_account_email,
        "aud": "https://oauth2.googleapis.com/token",
        "scope": "https://www.googleapis.com/auth/calendar",
        "iat": now,
        "exp": now + 3600,
    }
    return {**honest, **changes}


def ask(google: Google, payload: dict[str, Any], key: dict[str, Any] | None = None) -> httpx.Response:
    signer = google_signer(key or google.hooks.service_account_key(google.url))
    assertion = google_jwt(signer, payload)
    return httpx.post(f"{google.url}/token", data={"grant_type": GRANT, "assertion": assertion}, trust_env=False)


def google_signer(key: dict[str, Any]) -> google.auth.crypt.Signer:
    return google.auth.crypt.RSASigner.from_service_account_info(key)


def google_jwt(signer: google.auth.crypt.Signer, payload: dict[str, Any]) -> str:
    return google.auth.jwt.encode(signer, payload).decode("ascii")


def test_an_honest_assertion_gets_a_token(google: Google) -> None:
    answer = ask(google, claims(google))
    assert answer.status_code == 200
    assert answer.json()["token_type"] == "Bearer"
    assert answer.json()["expires_in"] == 3600


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"aud": "http://127.0.0.1/token"}, "invalid_grant"),
        ({"iss": "jemand@example.test"}, "invalid_grant"),
        ({"iat": 0, "exp": 3600}, "invalid_grant"),
        ({"exp": int(time.time()) + 7200}, "invalid_grant"),
        ({"exp": None}, "invalid_grant"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "https://www.googleapis.com/auth/drive"}, "invalid_scope"),
        ({"sub": "fremd@example.test"}, "unauthorized_client"),
    ],
)
def test_dishonest_claims_are_refused(google: Google, changes: dict[str, Any], error: str) -> None:
    answer = ask(google, claims(google, **changes))
    assert answer.status_code in {400, 401}
    assert answer.json()["error"] == error


def test_another_key_is_refused(google: Google) -> None:
    right = google.hooks.service_account_key(google.url)
    forged = {**key_for("other@example.test").as_json(""), "private_key_id": right["private_key_id"]}
    assert ask(google, claims(google), forged).json() == {
        "error": "invalid_grant",
        "error_description": "Invalid JWT Signature.",
    }


def test_the_client_gets_one_token_for_many_calls(google: Google) -> None:
    calendar, client = google.calendar(), google.client()
    for _ in range(3):
        find_events(client, calendar, a="b")
    assert google.hooks.state()["tokens"] == 1


def test_an_expired_token_is_renewed_once(google: Google) -> None:
    calendar, client = google.calendar(), google.client()
    find_events(client, calendar, a="b")
    google.hooks.command("expire_tokens", {})
    find_events(client, calendar, a="b")
    assert [response.status for _, response in google.exchanges] == [200, 401, 200]
    assert google.hooks.state()["tokens"] == 2


def test_a_lasting_401_is_given_up_after_one_refresh(google: Google) -> None:
    calendar, client = google.calendar(), google.client()
    google.fault(action="status", path="/events", status=401, body="{}", times=None)
    with pytest.raises(InvalidCredentialsError):
        find_events(client, calendar, a="b")
    assert google.hooks.state()["tokens"] == 2
    assert google.slept == []


def test_a_subject_acts_as_that_person(google: Google) -> None:
    client = google.client(SUBJECT)
    assert client.run(GET_CALENDAR, lambda s: s.calendars().get(calendarId="primary"))["id"] == SUBJECT


def test_a_subject_without_delegation_is_final(google: Google) -> None:
    with pytest.raises(InvalidCredentialsError):
        find_events(google.client("fremd@example.test"), "x", a="b")
    assert google.slept == []


def test_a_scope_that_is_too_small(google: Google) -> None:
    calendar = google.calendar()
    token = ask(google, claims(google, scope="https://www.googleapis.com/auth/calendar.readonly")).json()
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    address = f"{google.url}/calendar/v3/calendars/{calendar}/events"
    with httpx.Client(headers=headers, trust_env=False) as http:
        assert http.get(address).status_code == 200
        body = {"start": {"date": "2026-03-02"}, "end": {"date": "2026-03-03"}}
        answer = http.post(address, json=body)
    assert answer.status_code == 403
    assert answer.json()["error"]["errors"][0]["reason"] == "insufficientPermissions"
    google.fault(action="status", path="/events", status=403, body=answer.text)
    with pytest.raises(InsufficientPermissionsError):
        find_events(google.client(), calendar, a="b")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"client_email": "a"}'])
def test_a_broken_key_names_the_variable(google: Google, text: str) -> None:
    with pytest.raises(ServiceAccountError, match="GOOGLE_CALENDAR_SERVICE_ACCOUNT_JSON"):
        google.client(service_account_json=text)


def test_a_broken_private_key_is_not_shown(google: Google) -> None:
    key = {**google.hooks.service_account_key(google.url), "private_key": "geheim"}
    with pytest.raises(ServiceAccountError) as caught:
        google.client(service_account_json=json.dumps(key))
    assert "geheim" not in str(caught.value)
