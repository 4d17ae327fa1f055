"""The proxy over HTTP, against the sandbox office."""

import socket
from typing import Any

import httpx
import pytest

from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.gateway import LIMITED_KEY, READ_KEY, WRITE_KEY, GatewayProcess

PATH = "/advoware/proxy"


def call(gateway: GatewayProcess, method: str = "GET", key: str | None = WRITE_KEY, **how: Any) -> httpx.Response:
    """One call; ``params`` and ``json`` as in httpx."""
    with gateway.client(key) as http:
        return http.request(method, PATH, **how)


def test_reads_and_writes_reach_the_office(firm: Firm, gateway: GatewayProcess) -> None:
    betnr = firm.office_party(name="Durchreiche")

    read = call(gateway, params={"endpoint": f"Beteiligte/{betnr}"})
    found = call(gateway, params={"path": "Beteiligte", "search": "Durchreiche"})
    made = call(gateway, "POST", params={"endpoint": "Beteiligte"}, json={"name": "Neu"})

    assert read.status_code == found.status_code == 200
    assert "Durchreiche" in str(read.json()["result"])
    assert [row["betNr"] for row in found.json()["result"]] == [betnr]
    assert made.status_code in (200, 201)
    assert "Neu" in [row["name"] for row in firm.office_records()]


def test_who_may_do_what(firm: Firm, gateway: GatewayProcess) -> None:
    employees, parties = {"endpoint": "Mitarbeiter"}, {"endpoint": "Beteiligte"}

    assert call(gateway, key=None, params=employees).status_code == 401
    assert call(gateway, key="unknown-key-unknown-key", params=employees).status_code == 401
    assert call(gateway, key=READ_KEY, params=employees).status_code == 200
    assert call(gateway, key=LIMITED_KEY, params=employees).status_code == 200
    assert call(gateway, key=LIMITED_KEY, params=parties).status_code == 403
    for method in ("POST", "PUT", "DELETE"):
        assert call(gateway, method, key=READ_KEY, params=parties, json={}).status_code == 403
    assert firm.office.calls()["writes"] == 0


def test_refused_targets_never_reach_the_office(firm: Firm, gateway: GatewayProcess) -> None:
    assert call(gateway).json() == {"error": "Endpoint required as query param"}
    targets = ("http://127.0.0.1:1/x", "//127.0.0.1/x", "../x", "Beteiligte/%2e%2e", "a\\b", "Beteiligte\r\nX: y")
    assert [call(gateway, params={"endpoint": target}).status_code for target in targets] == [400] * len(targets)
    assert call(gateway, "POST", params={"endpoint": "Beteiligte"}, content=b"{").status_code == 400
    assert call(gateway, "POST", params={"endpoint": "Beteiligte"}, content=b'{"a":NaN}').status_code == 400
    assert call(gateway, "POST", params={"endpoint": "Beteiligte"}, content=b'{"a":"\\ud800"}').status_code == 400
    assert not [route for route in firm.office.calls()["by_route"] if "Beteiligte" in route]


def test_status_of_a_write(firm: Firm, gateway: GatewayProcess) -> None:
    expected = {400: 400, 404: 404, 409: 409, 422: 422, 403: 403, 418: 502, 302: 502, 500: 502, 401: 502}
    found = {}
    for status in expected:
        firm.office.fault("Beteiligte", "status", status=status, body='{"message": "so nicht"}')
        answer = call(gateway, "POST", params={"endpoint": "Beteiligte"}, json={"name": "x"})
        firm.office.clear_faults()
        found[status] = answer.status_code
        assert answer.json()["upstream_status"] == status
        assert (answer.json()["details"] == {"message": "so nicht"}) == (expected[status] == status)
        assert "Location" not in answer.headers
    assert found == expected


def test_a_redirect_is_never_followed(firm: Firm, gateway: GatewayProcess) -> None:
    with socket.socket() as trap:
        trap.bind(("127.0.0.1", 0))
        trap.listen()
        trap.setblocking(False)
        elsewhere = {"Location": f"http://127.0.0.1:{trap.getsockname()[1]}/api/v1/advonet/Mitarbeiter"}
        for status in (301, 302, 303, 307, 308):
            firm.office.fault("Mitarbeiter|Token", "status", status=status, headers=elsewhere)
            for method in ("GET", "POST"):
                answer = call(gateway, method, params={"endpoint": "Mitarbeiter"}, json={})
                assert answer.status_code == 502
                assert "location" not in answer.headers
            firm.office.clear_faults()
        with pytest.raises(BlockingIOError):
            trap.accept()


def test_the_host_that_a_caller_names_means_nothing(firm: Firm, gateway: GatewayProcess) -> None:
    tricks = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Original-URL": "/health"}
    with gateway.client(WRITE_KEY) as http:
        for path in (
            "/openapi.json",
            "/docs",
            "/docs/",
            "/advoware/proxy/",
            f"{PATH}?endpoint=Mitarbeiter",
            "/nowhere",
        ):
            answer = http.get(path, headers=tricks)
            assert "evil.example" not in f"{answer.headers} {answer.text}", path
            assert answer.status_code in (200, 404), path
        raw = http.request("GET", f"{PATH}?endpoint=Mitarbeiter", extensions={"target": b"http://evil.example/health"})
    assert raw.status_code in (200, 400, 404)
    assert "evil.example" not in raw.text
    assert "evil.example" not in str(firm.office.calls())


def test_no_answer(firm: Firm, gateway: GatewayProcess) -> None:
    params = {"endpoint": "Beteiligte"}
    firm.office.fault("Beteiligte", "hang", seconds=20)
    assert call(gateway, "POST", params=params, json={"name": "x"}).status_code == 504
    firm.office.clear_faults()
    firm.office.fault("Beteiligte", "drop_after")
    assert call(gateway, "POST", params=params, json={"name": "x"}).status_code == 502
    firm.office.clear_faults()
    firm.office.fault("Beteiligte", "malformed")
    assert call(gateway, "POST", params=params, json={"name": "x"}).status_code == 502
    firm.office.clear_faults()
    firm.office.fault("Beteiligte", "status", status=400, body="Der Benutzer ist nicht angemeldet")
    offline = call(gateway, params=params)
    assert offline.status_code == 503
    assert int(offline.headers["Retry-After"]) > 0


def test_write_protection(firm: Firm, gateway: GatewayProcess) -> None:
    gateway.restart(ADVOWARE_WRITE_PROTECTION="true")

    answer = call(gateway, "POST", params={"endpoint": "Beteiligte"}, json={"name": "x"})

    assert answer.status_code == 403
    assert "ADVOWARE_WRITE_PROTECTION" in answer.json()["error"]
    assert call(gateway, params={"endpoint": "Mitarbeiter"}).status_code == 200
    assert firm.office_records() == []


def test_audit_lines_name_the_caller_and_no_content(firm: Firm, gateway: GatewayProcess) -> None:
    call(gateway, "POST", params={"endpoint": "Beteiligte", "search": "Suchwort"}, json={"name": "Geheimname"})
    call(gateway, key=READ_KEY, params={"endpoint": "Beteiligte/Geheim/../x"})
    gateway.stop()

    assert "caller=writer POST Beteiligte status=20" in gateway.log
    assert "caller=reader GET ? status=400" in gateway.log
    assert "Geheimname" not in gateway.log
    assert "Suchwort" not in gateway.log
