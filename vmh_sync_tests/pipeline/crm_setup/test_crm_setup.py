"""Setting up EspoCRM: a new installation gets everything, one that has everything is left alone."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from vmh_sync.cli import app
from vmh_sync.clock import SystemClock
from vmh_sync.crm_setup.steps import carry_out, create_webhooks, plan_schema, plan_webhooks
from vmh_sync.crm_setup.wanted import ROLE
from vmh_sync.doctor.crm import expectations
from vmh_sync.doctor.line import Level
from vmh_sync.doctor.schema import compare
from vmh_sync.sandbox.crm.app import create_crm_app
from vmh_sync.sandbox.crm.config import CrmConfig, SchemaName
from vmh_sync.settings import EspoCrmSettings
from vmh_sync.systems.espocrm.client import EspoAdmin, EspoClient
from vmh_sync_tests.fixtures.firm import Firm

GATEWAY = "https://kanzlei.example/"


def in_crm(schema: SchemaName, work: Callable[[EspoAdmin, Callable[[str], EspoClient]], Awaitable[None]]) -> None:
    """Run ``work`` with an administrator's client of a new EspoCRM, and a maker of clients by API key."""

    async def opened() -> None:
        served = create_crm_app(CrmConfig(schema=schema, admin_password="geheim", with_users=False))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(served)) as http:

            def settings(key: str) -> EspoCrmSettings:
                return EspoCrmSettings(api_base_url="http://crm.example/api/v1", api_key=SecretStr(key))

            admin = EspoAdmin(settings("-"), user="admin", password="geheim", http=http, clock=SystemClock())
            await work(admin, lambda key: EspoClient(settings(key), http=http, clock=SystemClock()))

    asyncio.run(opened())


def test_a_new_installation_gets_all_that_the_doctor_looks_for() -> None:
    async def work(admin: EspoAdmin, _: object) -> None:
        steps = await plan_schema(admin)
        assert await admin.metadata("entityDefs.CBeteiligte") is None, "a plan creates nothing"
        await carry_out(admin, steps)
        for expected in expectations({}):
            lines = compare(expected, await admin.metadata(f"entityDefs.{expected.espo_entity}.fields"))
            assert [line for line in lines if line.level is Level.PROBLEM] == []
            assert not any("fehlen" in line.text for line in lines)
            assert await admin.metadata(f"entityDefs.{expected.espo_entity}.optimisticConcurrencyControl") is True
        assert await plan_schema(admin) == [], "nothing is created twice"

    in_crm("blank", work)


def test_a_half_done_setup_goes_on_where_it_stopped() -> None:
    async def work(admin: EspoAdmin, _: object) -> None:
        steps = await plan_schema(admin)
        await carry_out(admin, steps[:7])
        assert [step.text for step in await plan_schema(admin)] == [step.text for step in steps[7:]]

    in_crm("blank", work)


def test_what_is_there_is_not_changed() -> None:
    async def work(admin: EspoAdmin, _: object) -> None:
        before = await admin.metadata("entityDefs.CBeteiligte.fields")
        before = json.loads(json.dumps(before))
        steps = await plan_schema(admin)
        assert not any("createEntity" in step.path or "updateEntity" in step.path for step in steps)
        await carry_out(admin, steps)
        after = await admin.metadata("entityDefs.CBeteiligte.fields")
        assert {name: after[name] for name in before} == before
        assert "zusatz" not in before
        assert "zusatz" in after

    in_crm("recorded", work)


def test_the_role_lets_an_api_user_create_its_webhooks() -> None:
    async def work(admin: EspoAdmin, client: Callable[[str], EspoClient]) -> None:
        await carry_out(admin, await plan_schema(admin))
        roles = (await admin.call("GET", "Role"))["list"]
        (role,) = [role for role in roles if role["name"] == ROLE]
        user: dict[str, Any] = {"userName": "sync", "lastName": "sync", "type": "api", "authMethod": "ApiKey"}
        user = await admin.call("POST", "User", body=user | {"isActive": True, "rolesIds": [role["id"]]})
        espo = client(user["apiKey"])
        steps = await plan_webhooks(espo, GATEWAY)
        assert len(steps) == 9
        assert "https://kanzlei.example/vmh/webhook/beteiligte/update" in {step.body["url"] for step in steps}
        secrets = dict([created async for created in create_webhooks(espo, steps)])
        assert len(secrets) == 9
        assert all(secrets.values())
        hooks = [hook async for hook in espo.list_all("Webhook")]
        assert all(hook.attributes["skipOwn"] for hook in hooks)
        assert await plan_webhooks(espo, GATEWAY) == []

    in_crm("blank", work)


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
    assert told["error"]
    assert len(told["webhook_secrets"]) == 4
    second = runner.invoke(app, ["crm", "setup", "--yes", "--webhook-url", GATEWAY])
    assert second.exit_code == 0, second.output
    line = next(line for line in second.stdout.splitlines() if line.startswith("ESPOCRM_WEBHOOK_SECRETS="))
    more = json.loads(line.partition("=")[2])
    assert len(more) == 5
    hooks = {hook["id"]: hook["secretKey"] for hook in firm.crm.state()["webhooks"]}
    assert hooks == told["webhook_secrets"] | more
    assert "schon alles da" in runner.invoke(app, ["crm", "setup", "--plan", "--webhook-url", GATEWAY]).stdout


def test_a_wrong_login_is_one_clear_line(firm: Firm, firm_environment: pytest.MonkeyPatch) -> None:
    firm_environment.setenv("ESPOCRM_ADMIN_PASSWORD", "falsch")
    result = CliRunner().invoke(app, ["crm", "setup", "--plan"])
    assert result.exit_code == 1
    assert "lehnt die Anmeldung ab" in result.stderr
    assert "falsch" not in result.output
    firm.crm.do("clear_login_failures")
