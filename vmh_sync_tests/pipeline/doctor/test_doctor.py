"""The doctor on a good firm, and on firms in which one thing is wrong, over real HTTP."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from vmh_sync.clock import SystemClock
from vmh_sync.commands.installation.doctor import command
from vmh_sync.doctor.espocrm import expectations
from vmh_sync.doctor.examination import examine
from vmh_sync.doctor.line import Level, Line
from vmh_sync.doctor.schema import compare
from vmh_sync.services.valkey import EmbeddedServiceError
from vmh_sync_tests.fixtures.firm import Firm, ShiftedClock
from vmh_sync_tests.fixtures.gateway import register_webhooks


def problems(lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if line.level is Level.PROBLEM]


def found(clock: SystemClock | None = None) -> list[Line]:
    return asyncio.run(examine(clock))


def the_problem(clock: SystemClock | None = None) -> Line:
    (line,) = problems(found(clock))
    return line


def levels(lines: Sequence[Line], name: str) -> set[Level]:
    return {line.level for line in lines if line.name == name}


def test_a_good_firm_has_no_problem_and_nothing_is_written(firm: Firm) -> None:
    firm.linked_party(lastName="Muster")
    for side in (firm.office, firm.crm, firm.sandbox.google):
        side.clear_calls()
    lines = found()
    assert problems(lines) == []
    checked = {line.name for line in lines}
    assert {"Einstellungen", "Datenbank", "Redis", "Advoware-Anmeldung", "EspoCRM-Anmeldung"} <= checked
    assert levels(lines, "Felder CAdressen") == {Level.OK}
    assert levels(lines, "Felder CBankverbindungen") == {Level.OK}
    assert levels(lines, "Google Calendar") == {Level.OK}
    assert any("Bankverbindungen sind lesbar" in line.text for line in lines)
    assert firm.crm.calls()["writes"] == 0
    assert firm.sandbox.google.calls()["writes"] == 0
    not_reads = {entry["path"] for entry in firm.office.calls()["log"] if entry["method"] != "GET"}
    assert not_reads <= {"/security/api/v1/Token"}


def test_where_nobody_is_linked_yet_first_contact_comes_first(firm: Firm) -> None:
    (line,) = [line for line in found() if line.name == "Erster Tag"]
    assert line.level is Level.HINT and "vmh-sync first-contact --plan" in line.remedy
    firm.linked_party(lastName="Muster")
    assert levels(found(), "Erster Tag") == set()


def test_missing_settings_are_each_named_with_what_they_are_for(
    firm: Firm, firm_environment: pytest.MonkeyPatch
) -> None:
    firm_environment.delenv("ADVOWARE_KANZLEI")
    firm_environment.delenv("ESPOCRM_API_KEY")
    firm_environment.setenv("VMH_BATCH_SIZE", "0")
    texts = [line.text for line in problems(found()) if line.name == "Einstellungen"]
    assert len(texts) == 3
    assert any("ADVOWARE_KANZLEI fehlt: Kanzleikennung" in text for text in texts)
    assert any("ESPOCRM_API_KEY fehlt: API-Schlüssel" in text for text in texts)
    assert any("VMH_BATCH_SIZE ist unbrauchbar" in text for text in texts)


def test_a_wrong_password_is_found_although_a_good_token_is_shared(
    firm: Firm, firm_environment: pytest.MonkeyPatch
) -> None:
    firm.linked_party()
    firm_environment.setenv("ADVOWARE_PASSWORD", "falsch")
    line = the_problem()
    assert line.name == "Advoware-Anmeldung"
    assert "ADVOWARE_PASSWORD" in line.remedy
    assert "falsch" not in line.text + line.remedy


def test_a_wrong_key_is_tried_once(firm: Firm, firm_environment: pytest.MonkeyPatch) -> None:
    firm_environment.setenv("ESPOCRM_API_KEY", "falsch")
    firm.crm.clear_calls()
    line = the_problem()
    assert line.name == "EspoCRM-Anmeldung"
    assert firm.crm.calls()["total"] == 1, "eleven bad logins lock out the good key as well"
    firm.crm.do("clear_login_failures")


@pytest.mark.parametrize(
    ("changes", "name", "text"),
    [
        ({"beteiligte": {"zusatz": {"espo": "cZusatz"}}}, "Felder CBeteiligte", "Das Feld cZusatz (Zusatz) fehlt."),
        (
            {"beteiligte": {"anrede": {"choices": [["Mr.", "Herr"], ["Mx.", "Person"]]}}},
            "Felder CBeteiligte",
            "Dem Auswahlfeld salutationName (Anrede) fehlen Werte: Mx..",
        ),
        ({"adressen": {"ort": {"espo": "stadt"}}}, "Felder CAdressen", "Das Feld stadt (Ort) fehlt."),
        ({"bankverbindungen": {"bic": {"espo": "createdAt"}}}, "Felder CBankverbindungen", "schreibgeschützt"),
        ({"beteiligte": {"farbe": {}}}, "Feldtabellen", "Ein Feld farbe gibt es nicht"),
    ],
)
def test_a_field_table_that_does_not_fit_is_named(
    firm: Firm, firm_environment: pytest.MonkeyPatch, tmp_path: Path, changes: object, name: str, text: str
) -> None:
    table = tmp_path / "tables.json"
    table.write_text(json.dumps(changes))
    firm_environment.setenv("VMH_FIELD_TABLES", str(table))
    line = the_problem()
    assert line.name == name
    assert text in line.text
    assert line.remedy


def test_a_field_that_the_operator_dropped_is_not_missed(
    firm: Firm, firm_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table = tmp_path / "tables.json"
    table.write_text(json.dumps({"beteiligte": {"anrede": None}}))
    firm_environment.setenv("VMH_FIELD_TABLES", str(table))
    assert not any("salutationName" in line.text for line in found())


def test_a_broken_field_table_file_is_a_problem_and_the_rest_is_checked(
    firm: Firm, firm_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table = tmp_path / "tables.json"
    table.write_text("{")
    firm_environment.setenv("VMH_FIELD_TABLES", str(table))
    lines = found()
    assert [line.name for line in problems(lines)] == ["Feldtabellen"]
    assert levels(lines, "Felder CAdressen") == {Level.OK}


def test_an_outdated_database_is_named_with_the_command(
    firm: Firm, firm_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    firm_environment.setenv("VMH_DATABASE_URL", f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    line = the_problem()
    assert line.name == "Datenbank"
    assert "vmh-sync db upgrade" in line.remedy


def test_redis_that_does_not_answer_is_a_problem(firm: Firm, firm_environment: pytest.MonkeyPatch) -> None:
    firm_environment.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    assert the_problem().name == "Redis"


def test_an_embedded_valkey_that_does_not_start_is_a_problem(
    firm: Firm, firm_environment: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_server(*_: object) -> str:
        raise EmbeddedServiceError("no server program")

    monkeypatch.setattr("vmh_sync.doctor.own_services.ensure_redis", no_server)
    assert the_problem().name == "Redis"


def test_clocks_that_differ_are_a_problem(firm: Firm) -> None:
    clock = ShiftedClock()
    clock.shift = timedelta(seconds=-200)
    named = [line for line in problems(found(clock)) if line.name == "Uhr von EspoCRM"]
    assert len(named) == 1
    # A busy server sends a Date header that is some seconds old.
    assert any(str(seconds) in named[0].text for seconds in range(190, 211))
    assert clock.now() < datetime.now(UTC)


def test_a_clock_a_year_off_is_told_against_both_systems_and_before_the_login_that_it_spoils(firm: Firm) -> None:
    clock = ShiftedClock()
    clock.shift = timedelta(days=365)
    found_problems = problems(found(clock))
    assert [line.name for line in found_problems] == ["Uhr von Advoware", "Advoware-Anmeldung", "Uhr von EspoCRM"]
    for line in (found_problems[0], found_problems[2]):
        assert "gehen 365 Tage auseinander. Hier ist es " in line.text
        assert "Zeitserver" in line.remedy
    clock.shift = timedelta()
    assert levels(found(clock), "Uhr von Advoware") <= {Level.OK, Level.HINT}


def test_optimistic_locking_and_webhooks_are_hints_only(firm: Firm, firm_environment: pytest.MonkeyPatch) -> None:
    firm.crm.do("set_switch", optimistic={"CBeteiligte": False})
    lines = found()
    assert levels(lines, "Versionsprüfung") == levels(lines, "Webhooks") == {Level.HINT}
    firm.crm.do("set_switch", optimistic={"CBeteiligte": True})
    firm_environment.setenv("ESPOCRM_WEBHOOK_SECRETS", json.dumps({"abc": "geheim"}))
    lines = found()
    assert levels(lines, "Versionsprüfung") == levels(lines, "Webhooks") == {Level.OK}
    assert problems(lines) == []


def test_a_second_installation_that_gets_the_webhooks_of_the_same_espocrm_is_told(firm: Firm) -> None:
    register_webhooks(firm.sandbox, "https://sync.kanzlei.example")
    assert not any("Gateways" in line.text for line in found())
    register_webhooks(firm.sandbox, "https://vertrauter:geheim@alt.kanzlei.example:8443/abgleich")
    (line,) = [line for line in found() if "Gateways" in line.text]
    assert (line.name, line.level) == ("Webhooks", Level.HINT)
    assert "an 2 Gateways (alt.kanzlei.example:8443/abgleich, sync.kanzlei.example)." in line.text
    assert line.remedy.startswith("Läuft vmh-sync zweimal an diesem EspoCRM, legen beide dasselbe doppelt an")
    assert "geheim" not in line.text


def test_an_unusable_google_key_is_a_problem_and_none_is_a_hint(
    firm: Firm, firm_environment: pytest.MonkeyPatch
) -> None:
    firm_environment.setenv("GOOGLE_CALENDAR_SERVICE_ACCOUNT_JSON", '{"client_email": "x@example.org"}')
    line = the_problem()
    assert line.name == "Google Calendar"
    assert "private_key" in line.remedy
    firm_environment.delenv("GOOGLE_CALENDAR_SERVICE_ACCOUNT_JSON")
    assert levels(found(), "Google Calendar") == {Level.HINT}


def test_an_advoware_that_is_not_reachable_is_one_line(firm: Firm) -> None:
    firm.office.fault(".*", "drop_before")
    firm.office.clear_calls()
    assert the_problem().name == "Advoware-Anmeldung"
    # Each question that nobody answers costs a person half a minute.
    assert len([call for call in firm.office.calls()["log"] if "Configurator" in call["path"]]) == 1


def test_a_part_of_espocrm_that_fails_is_named_and_not_the_login(firm: Firm) -> None:
    firm.crm.fault("/Metadata", "status", status=500)
    line = the_problem()
    assert (line.name, "GET Metadata: status 500" in line.text) == ("EspoCRM-Einrichtung", True)


def test_an_api_user_without_rights_is_told_what_it_lacks(firm: Firm, firm_environment: pytest.MonkeyPatch) -> None:
    settings = firm.sandbox.environment
    answer = httpx.post(
        f"{settings['ESPOCRM_API_BASE_URL']}/User",
        auth=(settings["ESPOCRM_ADMIN_USER"], settings["ESPOCRM_ADMIN_PASSWORD"]),
        json={"userName": f"bare_{uuid4().hex}", "lastName": "bare", "type": "api", "authMethod": "ApiKey"},
        trust_env=False,
    )
    firm_environment.setenv("ESPOCRM_API_KEY", answer.json()["apiKey"])
    texts = [line.text for line in problems(found()) if line.name == "EspoCRM-Rechte"]
    assert "Dem API-Benutzer fehlen Rechte an CBeteiligte: lesen, ändern." in texts
    assert any("Task" in text and "anlegen" in text for text in texts)


def test_an_entity_type_or_bookkeeping_that_is_missing_is_named() -> None:
    party = expectations({})[0]
    (line,) = compare(party, None)
    assert line.level is Level.PROBLEM
    assert "CBeteiligte gibt es in EspoCRM nicht" in line.text
    fields: dict[str, dict[str, Any]] = {rule.espo: {"type": "varchar"} for rule in party.table}
    fields |= {"syncStatus": {"type": "enum", "options": ["dirty", "clean"]}, "syncRetryCount": {"type": "int"}}
    lines = compare(party, fields)
    assert "Das Feld betnr fehlt; ohne es ist kein Abgleich möglich." in [line.text for line in problems(lines)]
    (statuses,) = [line.text for line in problems(lines) if "syncStatus" in line.text]
    assert "conflict" in statuses
    assert "clean" not in statuses
    assert "syncing" not in statuses
    (absent,) = [line.text for line in lines if line.level is Level.HINT]
    assert "syncNextRetry" in absent
    assert "syncRetryCount" not in absent


def test_the_command_ends_with_zero_or_three(
    firm: Firm, firm_environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as good:
        command(as_json=True)
    assert good.value.code == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
    firm_environment.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    with pytest.raises(SystemExit) as bad:
        command(as_json=False)
    assert bad.value.code == 3
    shown = capsys.readouterr().out
    assert "Problem" in shown
    assert "REDIS_URL" in shown


def test_a_field_of_the_wrong_type_is_a_problem_and_a_short_one_a_hint() -> None:
    party = expectations({})[0]
    good = {rule.espo: {"type": "varchar", "maxLength": 150} for rule in party.table}
    fields = good | {"betnr": {"type": "bool"}, "zusatz": {"type": "varchar", "maxLength": 30}}
    fields["dateOfBirth"] = {"type": "datetime"}
    lines = [line for line in compare(party, fields) if "statt" in line.text]
    assert [(line.level, line.text.split(";")[0]) for line in lines] == [
        (Level.HINT, "Das Feld zusatz (Zusatz) nimmt nur 30 statt 150 Zeichen"),
        (Level.PROBLEM, "Das Feld betnr (Beteiligten-Nr.) ist vom Typ bool statt int."),
    ]


@pytest.mark.parametrize(("person", "team"), [("0" * 17, "1" * 17), ("..", ".")], ids=["gone", "no ids at all"])
def test_a_default_assignee_and_a_team_that_are_gone_are_told(
    firm: Firm, firm_environment: pytest.MonkeyPatch, person: str, team: str
) -> None:
    firm_environment.setenv("ESPOCRM_DEFAULT_ASSIGNEE_ID", person)
    firm_environment.setenv("ESPOCRM_DEFAULT_TEAM_ID", team)
    texts = {line.text: line.level for line in found() if line.name == "Aufgaben"}
    assert texts["Die Person aus ESPOCRM_DEFAULT_ASSIGNEE_ID gibt es in EspoCRM nicht mehr."] is Level.PROBLEM
    gone = "Das Team aus ESPOCRM_DEFAULT_TEAM_ID gibt es nicht mehr; Aufgaben werden ohne Team angelegt."
    assert texts[gone] is Level.HINT


def test_how_late_the_webhooks_are_is_told_with_and_without_an_administrator(
    firm: Firm, firm_environment: pytest.MonkeyPatch
) -> None:
    (seen,) = [line for line in found() if line.name == "Tempo der Webhooks"]
    assert "alle 2 Minuten, je Lauf höchstens 20: 600 in der Stunde" in seen.text
    firm_environment.delenv("ESPOCRM_ADMIN_PASSWORD")
    (guessed,) = [line for line in found() if line.name == "Tempo der Webhooks"]
    assert "üblicher Zeitplan" in guessed.text
