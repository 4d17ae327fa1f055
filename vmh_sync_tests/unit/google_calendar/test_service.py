"""The service object: rewritten document, one per thread, the key from file or setting."""

import json
import threading
from pathlib import Path

import pytest

from vmh_sync.sandbox.google.keys import key_for
from vmh_sync.settings import GoogleCalendarSettings, SettingsError, load
from vmh_sync.systems.google_calendar.http import SingleSendHttp
from vmh_sync.systems.google_calendar.service import (
    ServiceAccountError,
    ServiceFactory,
    discovery_document,
    service_account_info,
)

KEY = json.dumps(key_for("kalender@example.test").as_json("http://127.0.0.1:1/token"))


def settings(**values: object) -> GoogleCalendarSettings:
    return GoogleCalendarSettings(_env_file=None, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:8080", "http://127.0.0.1:8080/", "http://127.0.0.1:8080/calendar/v3/"]
)
def test_every_address_moves_to_the_endpoint(endpoint: str) -> None:
    service = ServiceFactory(settings(service_account_json=KEY, api_endpoint=endpoint)).service()
    assert service.events().list(calendarId="a@b").uri == (
        "http://127.0.0.1:8080/calendar/v3/calendars/a%40b/events?alt=json"
    )
    assert service.new_batch_http_request()._batch_uri == "http://127.0.0.1:8080/batch/calendar/v3"


def test_without_an_endpoint_it_is_google() -> None:
    document = discovery_document(None)
    assert document["rootUrl"] == "https://www.googleapis.com/"
    assert "mtlsRootUrl" not in document


def test_every_thread_has_a_service_and_a_connection_of_its_own() -> None:
    factory = ServiceFactory(settings(service_account_json=KEY, api_endpoint="http://127.0.0.1:1"))
    others: list[object] = []
    thread = threading.Thread(target=lambda: others.append(factory.service()))
    thread.start()
    thread.join(5)
    mine = factory.service()
    assert mine is factory.service()
    assert mine.events() is mine.events()  # else all its methods are made anew before each request
    assert mine.events() is not others[0].events()  # type: ignore[attr-defined]
    assert others[0] is not mine
    assert others[0]._http.http is not mine._http.http  # type: ignore[attr-defined]
    assert isinstance(mine._http.http, SingleSendHttp)
    assert mine._http.http.timeout == 60.0


def test_a_key_is_read_once_and_the_next_one_at_once() -> None:
    other = json.dumps(key_for("andere@example.test").as_json("http://127.0.0.1:1/token"))
    first, again, changed = (ServiceFactory(settings(service_account_json=key)) for key in (KEY, KEY, other))
    assert first._credentials is not again._credentials  # each has tokens of its own
    assert first._credentials.signer is again._credentials.signer
    assert changed._credentials.signer is not first._credentials.signer
    assert changed._credentials.signer_email == "andere@example.test"


@pytest.mark.parametrize(
    ("named", "wanted"), [({"universe_domain": "cloud.example.test"}, "cloud.example.test"), ({}, "googleapis.com")]
)
def test_the_universe_that_a_key_names_is_kept(named: dict[str, str], wanted: str) -> None:
    made = ServiceFactory(settings(service_account_json=json.dumps(json.loads(KEY) | named)))
    assert made._credentials.universe_domain == wanted


def test_loopback_never_goes_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example.test:3128")
    monkeypatch.setenv("https_proxy", "http://proxy.example.test:3128")
    local = ServiceFactory(settings(service_account_json=KEY, api_endpoint="http://127.0.0.1:1")).service()
    assert local._http.http.proxy_info is None
    outside = ServiceFactory(settings(service_account_json=KEY)).service()
    assert outside._http.http.proxy_info is not None


def test_the_key_comes_from_a_file_or_from_the_setting(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text(KEY, encoding="utf-8")
    assert service_account_info(settings(service_account_path=path)) == json.loads(KEY)
    assert service_account_info(settings(service_account_json=KEY, service_account_path=tmp_path)) == json.loads(KEY)


def test_an_unusable_key_names_the_variable_and_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(ServiceAccountError, match="SERVICE_ACCOUNT_PATH or GOOGLE_CALENDAR_SERVICE_ACCOUNT_JSON"):
        service_account_info(settings())
    with pytest.raises(ServiceAccountError, match="SERVICE_ACCOUNT_PATH cannot be read"):
        service_account_info(settings(service_account_path=tmp_path / "none.json"))
    (tmp_path / "key.json").write_text('{"client_email": "kalender@example.test"', encoding="utf-8")
    with pytest.raises(ServiceAccountError, match="SERVICE_ACCOUNT_PATH is not valid JSON") as caught:
        service_account_info(settings(service_account_path=tmp_path / "key.json"))
    assert "kalender@" not in str(caught.value)


def test_no_region_look_up_leaves_for_google_from_a_redirected_client() -> None:
    redirected = ServiceFactory(settings(service_account_json=KEY, api_endpoint="http://127.0.0.1:1"))
    assert not redirected._credentials._is_regional_access_boundary_lookup_required()
    assert ServiceFactory(settings(service_account_json=KEY))._credentials.__class__.__name__ == "Credentials"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GOOGLE_CALENDAR_NAME_TEMPLATE", "Termine"),
        ("GOOGLE_CALENDAR_ACL_RULES", '[{"role": "chef", "type": "user", "value": "x"}]'),
        ("GOOGLE_CALENDAR_ACL_RULES", '[{"role": "reader", "type": "alle", "value": "x"}]'),
        ("GOOGLE_CALENDAR_ACL_RULES", '[{"role": "reader", "type": "user"}]'),
        ("GOOGLE_CALENDAR_ACL_RULES", "kein JSON"),
        ("GOOGLE_CALENDAR_IDS", "kein JSON"),
        ("GOOGLE_CALENDAR_IDS", '["a@group"]'),
    ],
)
def test_bad_settings_are_refused(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError):
        load(GoogleCalendarSettings)


@pytest.mark.parametrize(
    ("ids", "told"),
    [
        ({"SB": "a@group", "AH": "A@group "}, "zwei Kürzel haben dieselbe Kalender-ID"),
        ({"SB": "a@group", "AH": " "}, "eine Kalender-ID ist leer"),
    ],
)
def test_every_employee_has_a_calendar_of_its_own(
    monkeypatch: pytest.MonkeyPatch, ids: dict[str, str], told: str
) -> None:
    monkeypatch.setenv("GOOGLE_CALENDAR_IDS", json.dumps(ids))
    with pytest.raises(SettingsError, match=told):
        load(GoogleCalendarSettings)


def test_calendars_are_named_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_CALENDAR_IDS", '{"SB": " a@group ", "AH": "b@group"}')
    assert load(GoogleCalendarSettings).ids == {"SB": "a@group", "AH": "b@group"}


def test_access_rules_come_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [{"role": "reader", "type": "user", "value": "{email}"}, {"role": "freeBusyReader", "type": "default"}]
    monkeypatch.setenv("GOOGLE_CALENDAR_ACL_RULES", json.dumps(rules))
    assert load(GoogleCalendarSettings).acl_rules == rules
