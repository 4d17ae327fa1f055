"""Triggers, state and health over HTTP; what is never written; the OpenAPI document."""

import asyncio
import json
import os
import re
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from typer.testing import CliRunner

from vmh_sync.cli import app
from vmh_sync.coordination.connection import connect
from vmh_sync.coordination.watch_sign import SILENT_SECONDS, WatchSign, give_sign, take_sign_away
from vmh_sync.engine.passes.opening import house_leases
from vmh_sync.kalender.state.lease_names import lease_name
from vmh_sync.settings import VmhSettings, load
from vmh_sync.store.calendars.calendar import CalendarState
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.gateway import (
    LIMITED_KEY,
    PATH_TOKEN,
    READ_KEY,
    WRITE_KEY,
    DagsterDouble,
    GatewayProcess,
)
from vmh_sync_tests.fixtures.warm_programs import GATEWAY, carried_out

ESPO_ID = "66aa11bb22cc33dd4"
CALENDAR = "/advoware/calendar/sync"


def send(gateway: GatewayProcess, method: str, path: str, key: str | None = WRITE_KEY, **how: Any) -> Any:
    with gateway.client(key) as http:
        return http.request(method, path, **how)


def test_calendar_trigger(firm: Firm, gateway: GatewayProcess, dagster_double: DagsterDouble) -> None:
    firm.office.seed(mitarbeiter=[{"kuerzel": "SB", "name": "Sabine", "aktiv": True}])

    everybody = send(gateway, "POST", CALENDAR)
    one = send(gateway, "POST", CALENDAR, json={"kuerzel": "sb", "full_content": False})

    assert everybody.status_code == one.status_code == 202
    assert {**everybody.json(), "message": ""} == {
        "status": "triggered",
        "kuerzel": "ALL",
        "run_id": "run-1",
        "message": "",
    }
    assert one.json()["kuerzel"] == "SB"
    configs = [launch["runConfigData"]["ops"]["fetch_calendars"]["config"] for launch in dagster_double.launches]
    assert [(config["kuerzel"], config["full_content"]) for config in configs] == [([], True), (["SB"], False)]
    assert not any(config["dry_run"] or config["allow_mass_change"] for config in configs)
    assert {launch["selector"]["jobName"] for launch in dagster_double.launches} == {"sync_kalender"}
    assert send(gateway, "POST", CALENDAR, json={"kuerzel": "XX"}).status_code == 404
    assert send(gateway, "POST", CALENDAR, json={"kuerzel": "a b"}).status_code == 422
    assert send(gateway, "POST", CALENDAR, content=b'{"\\ud800": 1, "kuerzel": "\\ud800"}').status_code == 422
    assert send(gateway, "POST", CALENDAR, READ_KEY).status_code == 403
    assert send(gateway, "POST", CALENDAR, None).status_code == 401


def test_calendar_that_is_under_way(firm: Firm, gateway: GatewayProcess, dagster_double: DagsterDouble) -> None:
    firm.office.seed(mitarbeiter=[{"kuerzel": name, "aktiv": True} for name in ("SB", "AI")])
    by_config = {
        "runConfig": {"ops": {"fetch_calendars": {"config": {"kuerzel": ["SB"]}}}},
        "tags": [],
    }
    by_partition = {"runConfig": {}, "tags": [{"key": "dagster/partition", "value": "SB"}]}
    for run in (by_config, by_partition):
        dagster_double.active = [{"runId": "r", "status": "STARTED", **run}]
        found = {name: send(gateway, "POST", CALENDAR, json={"kuerzel": name}).status_code for name in ("SB", "AI")}
        assert found == {"SB": 409, "AI": 202}
        assert send(gateway, "POST", CALENDAR).status_code == 202, "a run of all skips who is busy"
    dagster_double.active = [{"runId": "r", "status": "STARTED", "runConfig": {}, "tags": []}]
    assert send(gateway, "POST", CALENDAR).status_code == 409


def test_of_equal_triggers_at_once_one_launches(
    firm: Firm, gateway: GatewayProcess, dagster_double: DagsterDouble
) -> None:
    dagster_double.queues = True
    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(lambda _: send(gateway, "POST", CALENDAR).status_code, range(8)))
    assert sorted(answers) == [202, *[409] * 7]
    assert len(dagster_double.launches) == 1


def test_who_is_not_being_written_waits_for_no_long_run_of_all(
    firm: Firm, gateway: GatewayProcess, dagster_double: DagsterDouble
) -> None:
    with firm.store.transaction() as tx:
        for name in ("SB", "AI"):
            tx.calendar_states.upsert(CalendarState(kuerzel=name))
    dagster_double.active = [{"runId": "r", "status": "STARTED", "runConfig": {}, "tags": []}]

    async def asked_while_busy(*busy: str) -> dict[str, int]:
        redis = connect(os.environ["REDIS_URL"])
        leases = house_leases(redis, firm.store, load(VmhSettings))
        async with AsyncExitStack() as held:
            for name in busy:
                await held.enter_async_context(leases.hold(lease_name(name)))
            names = ("SB", "AI", "ALL")
            answers = [await asyncio.to_thread(send, gateway, "POST", CALENDAR, json={"kuerzel": n}) for n in names]
        await redis.aclose()
        return {name: answer.status_code for name, answer in zip(names, answers, strict=True)}

    assert asyncio.run(asked_while_busy("SB")) == {"SB": 409, "AI": 202, "ALL": 202}
    tags = [{tag["key"]: tag["value"] for tag in one["executionMetadata"]["tags"]} for one in dagster_double.launches]
    assert [one.get("entity_type") for one in tags] == ["kalender:AI", None], "one employee has a queue of its own"
    assert asyncio.run(asked_while_busy("SB", "AI")) == {"SB": 409, "AI": 409, "ALL": 409}
    dagster_double.active[0]["status"] = "QUEUED"
    assert asyncio.run(asked_while_busy("SB")) == {"SB": 409, "AI": 409, "ALL": 409}, "it has everybody before it"


def test_manual_sync_and_state_of_a_record(firm: Firm, gateway: GatewayProcess, dagster_double: DagsterDouble) -> None:
    espo_id, betnr = firm.linked_party(lastName="Geheimname")

    made = send(gateway, "POST", f"/vmh/sync/beteiligte/{espo_id}", params={"dry_run": "true"})
    state = send(gateway, "GET", f"/vmh/sync/beteiligte/{espo_id}", READ_KEY)

    assert made.status_code == 202
    assert made.json()["run_id"] == "run-1"
    assert dagster_double.launches[0]["runConfigData"] == {"ids": [espo_id], "dry_run": True}
    assert state.status_code == 200
    assert state.json()["betnr"] == betnr
    assert state.json()["status"] == "clean"
    assert 0 <= state.json()["base_age_seconds"] < 600
    assert state.json()["last_changes"]
    assert "Geheimname" not in state.text
    assert send(gateway, "GET", f"/vmh/sync/beteiligte/{ESPO_ID}", READ_KEY).status_code == 404
    assert send(gateway, "GET", f"/vmh/sync/andere/{espo_id}", READ_KEY).status_code == 422
    assert send(gateway, "GET", f"/vmh/sync/beteiligte/{espo_id}", None).status_code == 401
    assert send(gateway, "POST", f"/vmh/sync/beteiligte/{espo_id}", READ_KEY).status_code == 403


def test_what_is_missing_is_named(gateway: GatewayProcess, dagster_double: DagsterDouble) -> None:
    assert send(gateway, "GET", "/health", None).json() == {"status": "ok"}
    assert send(gateway, "GET", "/ready", None).json() == {
        "status": "ready",
        "database": "ok",
        "redis": "ok",
        "dagster": "ok",
    }
    dagster_double.loaded = False
    assert send(gateway, "GET", "/ready", None).json()["dagster"] == "unavailable", "runs cannot be launched yet"
    dagster_double.stop()

    missing = send(gateway, "GET", "/ready", None)

    assert missing.status_code == 503
    assert missing.json()["dagster"] == "unavailable"
    assert missing.json()["database"] == "ok"
    trigger = send(gateway, "POST", f"/vmh/sync/beteiligte/{ESPO_ID}")
    assert trigger.status_code == 503
    assert trigger.headers["Retry-After"]


def test_a_trouble_is_told_by_ready_and_by_status_with_its_cause_and_what_to_do(
    firm: Firm, gateway: GatewayProcess, dagster_double: DagsterDouble, firm_environment: pytest.MonkeyPatch
) -> None:
    firm_environment.setenv("VMH_GATEWAY_PORT", gateway.url.rpartition(":")[2])

    def told(name: str) -> tuple[int, str, str]:
        ready = send(gateway, "GET", "/ready", None)
        return ready.status_code, ready.json().get("problems", {}).get(name, ""), status()

    def status() -> str:
        return CliRunner(env={"COLUMNS": "200"}).invoke(app, ["status", "--offline"]).stdout

    healthy = status()
    assert f"ok       Gateway: Antwortet unter {gateway.url.removeprefix('http://')}." in healthy
    assert "Dagster-Daemon" not in healthy

    dagster_double.daemon_sign = datetime(2026, 3, 2, 16, 5, tzinfo=UTC).timestamp()
    code, text, shown = told("daemon")
    assert code == 200, "events are taken all the same"
    sentence = "Von Dagsters Daemon gibt es seit 02.03. 17:05 Uhr kein Lebenszeichen, also startet kein Lauf"
    assert text.startswith(f"{sentence}: `vmh-sync up` oder den Dienst dagster-daemon neu starten")
    assert f"Problem  Dagster-Daemon: {sentence}." in shown
    dagster_double.daemon_sign = None
    assert "noch kein Lebenszeichen" in told("daemon")[1]
    dagster_double.daemon_sign = time.time()

    dagster_double.house = "another house"
    code, text, shown = told("dagster")
    assert code == 503
    assert "Problem  Dagster-Oberfläche: Unter VMH_DAGSTER_URL antwortet das Dagster einer anderen Install" in shown
    dagster_double.house = None

    with closing(sqlite3.connect(str(load(VmhSettings).database_url).removeprefix("sqlite:///"))) as database:
        database.execute("UPDATE alembic_version SET version_num = 'of a later version'")
        database.commit()
    code, text, _ = told("database")
    assert code == 503
    assert text.startswith("Eine neuere Version des Programms hat die Datenbank umgestellt. Die neuere Version wieder")

    gateway.stop()
    assert "Hinweis  Gateway: Läuft nicht: Unter 127.0.0.1:" in status()
    firm_environment.setenv("VMH_GATEWAY_PORT", dagster_double.url.rpartition(":")[2])
    assert "antwortet ein anderes Programm." in status()


def test_a_code_server_that_fails_or_hangs_is_told_and_not_asked_once_more_by_every_look(
    gateway: GatewayProcess, dagster_double: DagsterDouble
) -> None:
    dagster_double.code_server = "PythonError"
    failing = send(gateway, "GET", "/ready", None)
    dagster_double.code_server, dagster_double.plans_asked = "", 0
    hanging = [send(gateway, "GET", "/ready", None) for _ in range(2)]
    for ready in (failing, *hanging):
        assert (ready.status_code, ready.json()["dagster"]) == (503, "unavailable")
        assert ready.json()["problems"]["dagster"].startswith("Dagsters Code-Server antwortet nicht, also startet kein")
    assert dagster_double.plans_asked == 1, "it is one question that waits, however often somebody looks"


async def test_a_watch_that_gives_no_sign_is_told_and_one_that_ended_is_not(
    gateway: GatewayProcess, redis_url: str
) -> None:
    def watch() -> tuple[int, str | None, str]:
        ready = send(gateway, "GET", "/ready", None)
        return ready.status_code, ready.json().get("watch"), ready.json().get("problems", {}).get("watch", "")

    async with connect(redis_url) as redis:
        assert watch() == (200, None, "")
        await give_sign(redis, WatchSign(datetime(2026, 3, 2, 16, 5, tzinfo=UTC)))
        assert watch() == (200, "watching", "")
        left = await redis.pttl("vmh:watch")
        await redis.pexpire("vmh:watch", left - round(SILENT_SECONDS * 1000))  # so much time passed
        code, state, text = watch()
        assert (code, state) == (200, None), "the sensor looks too"
        assert text.startswith("Der Beobachter von EspoCRM gibt seit 02.03. 17:05 Uhr kein Lebenszeichen: ")
        await take_sign_away(redis)
        assert watch() == (200, None, "")


def test_nothing_is_launched_at_the_dagster_of_another_house(
    gateway: GatewayProcess, dagster_double: DagsterDouble
) -> None:
    dagster_double.house = "another house"

    ready = send(gateway, "GET", "/ready", None)
    trigger = send(gateway, "POST", f"/vmh/sync/beteiligte/{ESPO_ID}")
    calendar = send(gateway, "POST", "/advoware/calendar/sync", json={"kuerzel": "ALL"})

    assert ready.status_code == 503
    assert ready.json()["dagster"] == "unavailable"
    assert "Dagster einer anderen Installation" in ready.json()["problems"]["dagster"]
    assert (trigger.status_code, calendar.status_code) == (503, 503)
    assert dagster_double.launches == []
    dagster_double.house = None
    assert send(gateway, "GET", "/ready", None).status_code == 200
    assert send(gateway, "POST", f"/vmh/sync/beteiligte/{ESPO_ID}").status_code == 202


def test_secrets_are_never_written(firm: Firm, gateway: GatewayProcess, dagster_double: DagsterDouble) -> None:
    """Canaries: every secret the gateway knows or is given; then everything that was written is searched."""
    canaries = [READ_KEY, WRITE_KEY, LIMITED_KEY, PATH_TOKEN, "canary-guess-0123456789", "canary-body"]
    canaries += [value for name, value in os.environ.items() if re.search("PASSWORD|API_KEY$|SECRET_KEY", name)]
    body = json.dumps({"id": ESPO_ID, "lastName": "canary-body"})
    answers = [
        send(gateway, "GET", "/advoware/proxy", "canary-guess-0123456789", params={"endpoint": "Mitarbeiter"}),
        send(gateway, "GET", "/advoware/proxy", params={"endpoint": "canary-body/../x"}),
        send(gateway, "POST", f"/vmh/webhook/{PATH_TOKEN}/beteiligte/update", content=body),
        send(gateway, "POST", "/vmh/webhook/canary-guess-0123456789/beteiligte/update", content=body),
        send(gateway, "POST", CALENDAR, json={"kuerzel": "canary-body and more"}),
        send(gateway, "POST", f"/vmh/sync/beteiligte/{ESPO_ID}"),
        send(gateway, "GET", "/metrics"),
        send(gateway, "GET", "/openapi.json"),
        send(gateway, "GET", f"/nowhere/{PATH_TOKEN}"),
    ]
    firm.office.fault("Mitarbeiter", "drop_before")
    answers.append(send(gateway, "GET", "/advoware/proxy", params={"endpoint": "Mitarbeiter"}))
    gateway.stop()
    with firm.store.transaction() as tx:
        items = tx.inbox.claim("beteiligte", "look", 100, tx.inbox._now(), 60)
    written = [gateway.log, *(answer.text for answer in answers), json.dumps(dagster_double.launches)]
    written += [str(item) for item in items]

    assert len(items) == 1
    found = [canary for canary in canaries if canary and any(canary in text for text in written)]
    assert found == []
    assert not [path for path in Path(os.environ["VMH_HOME"]).rglob("*") if path.is_file() and _holds(path, canaries)]


def _holds(path: Path, canaries: list[str]) -> bool:
    content = path.read_bytes()
    return any(canary.encode() in content for canary in canaries if canary)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_refuses_a_public_address_without_keys(firm: Firm, host: str) -> None:
    environment = {**os.environ, "VMH_GATEWAY_HOST": host, "VMH_GATEWAY_PORT": "0", "VMH_API_KEYS": ""}

    done = carried_out([], environment, GATEWAY)

    assert done.returncode == 2
    assert "VMH_API_KEYS" in done.stderr


BAD_SETTINGS = {
    "VMH_API_KEYS": '[{"name": "x", "key": "canary-key-0123456789',
    "ESPOCRM_WEBHOOK_SECRETS": '{"id": "canary-hook',
    "ESPOCRM_WEBHOOK_PATH_TOKEN": "canary-short",
    "VMH_DATABASE_URL": "mysql://user:canary-database@host/x",
    "REDIS_URL": "redis://:canary-redis@host:port/0",
    "VMH_DAGSTER_URL": "http://user:canary-dagster@host:port",
}


@pytest.mark.parametrize(
    "bad",
    [
        BAD_SETTINGS,
        {"VMH_API_KEYS": '[{"name": "x", "key": "canary-s"}]'},
        {"GOOGLE_CALENDAR_ACL_RULES": '[{"role": "canary"}]'},
    ],
    ids=lambda bad: ",".join(bad)[:40],
)
def test_unusable_settings_are_named_and_never_shown(firm: Firm, bad: dict[str, str]) -> None:
    done = carried_out([], {**os.environ, "VMH_GATEWAY_PORT": "0", **bad}, GATEWAY)

    assert done.returncode == 2, done.stderr
    assert [name for name in bad if name not in done.stderr] == []
    assert "canary" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_openapi_document_holds(firm: Firm, gateway: GatewayProcess) -> None:
    """Schemathesis: no 5xx but the documented ones, no answer that the document does not name."""
    schema = schemathesis.openapi.from_url(f"{gateway.url}/openapi.json")
    checks = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
    seen: dict[str, set[int]] = {}
    for found in schema.get_all_operations():
        operation = found.ok()  # type: ignore[union-attr]

        @settings(
            max_examples=15,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @schemathesis_cases(operation)  # type: ignore[untyped-decorator]
        def check(case: Any) -> None:
            headers = {"X-API-Key": WRITE_KEY}
            case.path_parameters = _with_token(case.path_parameters)
            answer = case.call(headers=headers, timeout=30)
            seen.setdefault(case.operation.label, set()).add(answer.status_code)
            case.validate_response(answer, checks=checks)

        check()
    assert len(seen) == len(list(schema.get_all_operations()))
    assert any(200 in statuses for name, statuses in seen.items() if "webhook/{token}" in name), seen


def schemathesis_cases(operation: Any) -> Any:
    from hypothesis import given

    return given(operation.as_strategy())


def _with_token(parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    return {**parameters, "token": PATH_TOKEN} if parameters and "token" in parameters else parameters
