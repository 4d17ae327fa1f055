"""The command ``crm setup`` over real HTTP: plan, question, progress, secrets, what is left, bad logins."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from vmh_sync.cli import app
from vmh_sync.settings import EspoCrmSettings, load
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.sandbox import ControlClient

GATEWAY = "https://kanzlei.example/"


@pytest.fixture
def blank(firm: Firm, firm_environment: pytest.MonkeyPatch) -> Iterator[ControlClient]:
    """A firm whose EspoCRM nobody has set up; the product knows only its address and an administrator."""
    command = [sys.executable, "-m", "vmh_sync.sandbox", "--only", "espocrm", "--blank-crm", "--json"]
    command += ["--crm-version", "9.3.9", "--webhook-interval", "0", "--parent-pid", str(os.getpid())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        assert process.stdout is not None
        described = json.loads(process.stdout.readline())
        firm_environment.delenv("ESPOCRM_API_KEY")
        for name, value in described["environment"].items():
            firm_environment.setenv(name, value)
        control = ControlClient(described["control"]["espocrm"])
        yield control
        control.close()
        process.terminate()


def test_from_a_blank_installation_to_a_doctor_without_problems(blank: ControlClient) -> None:
    runner = CliRunner()
    plan = runner.invoke(app, ["crm", "setup", "--plan", "--webhook-url", GATEWAY])
    assert plan.exit_code == 0, plan.output
    assert "API-Benutzer vmh_sync anlegen" in plan.stdout
    assert "Webhook CBeteiligte.update anlegen" in plan.stdout
    assert blank.calls()["writes"] == 0

    done = runner.invoke(
        app, ["crm", "setup", "--yes", "--webhook-url", GATEWAY, "--assignee", "admin", "--team", "Büro"]
    )
    assert done.exit_code == 0, done.output
    assert "[1/" in done.stdout
    assert "Von Hand bleibt zu tun:" in done.stdout
    assert "Webhooks alle 2 Minuten" in done.stdout
    assert len(blank.state()["webhooks"]) == 9
    options = ["--webhook-url", GATEWAY, "--assignee", "admin", "--team", "Büro"]
    again = runner.invoke(app, ["crm", "setup", "--plan", "--json", *options])
    assert json.loads(again.stdout)["steps"] == [], "what stands is not done once more"
    found = json.loads(runner.invoke(app, ["doctor", "--json"]).stdout)
    assert [line for line in found["lines"] if line["level"] == "problem"] == []
    names = {line["name"] for line in found["lines"]}
    assert {"Webhooks", "Aufgaben", "EspoCRM-Rechte", "Tempo der Webhooks"} <= names


def test_an_internal_address_names_the_line_to_add(blank: ControlClient) -> None:
    told = CliRunner().invoke(app, ["crm", "setup", "--yes", "--webhook-url", "http://127.0.0.1:8800"])
    assert told.exit_code == 1
    assert "'webhookAllowedAddressList' => ['127.0.0.1:8800']," in told.output
    assert blank.state()["webhooks"] == []


def test_the_command_shows_a_plan_and_asks_before_it_acts(firm: Firm) -> None:
    runner = CliRunner()
    firm.crm.clear_calls()
    plan = runner.invoke(app, ["crm", "setup", "--plan", "--json", "--webhook-url", GATEWAY])
    assert plan.exit_code == 0, plan.output
    told = json.loads(plan.stdout)
    assert told["done"] is False
    assert "Webhook CBeteiligte.update anlegen" in told["steps"]
    assert not any(step.startswith(("Feld", "Entität", "Verknüpfung")) for step in told["steps"])
    for answer in ("n\n", "\n", ""):
        refused = runner.invoke(app, ["crm", "setup", "--webhook-url", GATEWAY], input=answer)
        assert refused.exit_code == 1
        assert "Schritte ausführen? [j/N]" in refused.output
    assert runner.invoke(app, ["crm", "setup", "--json"]).exit_code == 2
    assert firm.crm.calls()["writes"] == 0


def test_the_command_creates_webhooks_and_tells_their_secrets_also_when_it_fails_halfway(firm: Firm) -> None:
    runner = CliRunner()
    firm.crm.fault("/Webhook$", "status", status=400, method="POST", skip=4, times=1)
    first = runner.invoke(app, ["crm", "setup", "--yes", "--json", "--webhook-url", GATEWAY])
    assert first.exit_code == 1
    told = json.loads(first.stdout)
    stopped = "Beim Schritt „Webhook CAdressen.update anlegen“: EspoCRM lehnt das ab (POST Webhook: status 400"
    assert told["error"].startswith(stopped)
    assert len(told["webhook_secrets"]) == 4
    second = runner.invoke(app, ["crm", "setup", "--yes", "--webhook-url", GATEWAY])
    assert second.exit_code == 0, second.output
    line = next(line for line in second.stdout.splitlines() if line.startswith("ESPOCRM_WEBHOOK_SECRETS="))
    more = json.loads(line.partition("=")[2])
    assert len(more) == 5
    hooks = {hook["id"]: hook["secretKey"] for hook in firm.crm.state()["webhooks"]}
    assert hooks == told["webhook_secrets"] | more
    stored = load(EspoCrmSettings).webhook_secrets
    assert {name: secret.get_secret_value() for name, secret in stored.items()} == hooks, "every process knows them"
    assert "schon alles da" in runner.invoke(app, ["crm", "setup", "--plan", "--webhook-url", GATEWAY]).stdout


def test_a_wrong_login_is_one_clear_line(firm: Firm, firm_environment: pytest.MonkeyPatch) -> None:
    firm_environment.setenv("ESPOCRM_ADMIN_PASSWORD", "falsch")
    result = CliRunner().invoke(app, ["crm", "setup", "--plan"])
    assert result.exit_code == 1
    assert "lehnt die Anmeldung ab" in result.stderr
    assert "falsch" not in result.output
    firm.crm.do("clear_login_failures")
