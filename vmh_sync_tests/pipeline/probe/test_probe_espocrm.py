"""The probe of EspoCRM finds out what an installation does and records no value; the passes obey what was found."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from vmh_sync.cli import app
from vmh_sync.clock import SystemClock
from vmh_sync.commands.installation.probe_check import play
from vmh_sync.engine.installation.known_installation import AssumptionRefuted, KnownEspocrm, keep_known
from vmh_sync.engine.passes.opening import open_context
from vmh_sync.probe.effects import known_espocrm_from
from vmh_sync.probe.espocrm.assumptions import ESPOCRM_ASSUMPTIONS
from vmh_sync.probe.espocrm.lists import NO_DELETE
from vmh_sync.probe.espocrm.run import RESTORE, probe_espocrm
from vmh_sync.probe.findings import Finding, Probed, Verdict
from vmh_sync.probe.recording import write_recording
from vmh_sync.probe.restore import Restore
from vmh_sync.probe.texts import OWN_WORDS
from vmh_sync.sandbox.installation import CrmInstallation, Installation
from vmh_sync.sandbox.serving import LoopbackServer
from vmh_sync.sandbox.systems import SystemsConfig, simulated
from vmh_sync.services.sole_process import sole_holder
from vmh_sync.settings import EspoCrmSettings, VmhSettings, load
from vmh_sync.store.pairs.links import Link
from vmh_sync.systems.espocrm.client import EspoClient, open_espocrm
from vmh_sync.systems.espocrm.errors import EspoError
from vmh_sync_tests.fixtures.firm import Firm

Json = dict[str, Any]
CANARY: Json = {"firstName": "Zitronella", "lastName": "Kanarienvogel"}
EMAIL, PHONE = "zitronella@voliere.test", "+49 170 7654321"
CONFIRMING = CrmInstallation(optimistic={"CBeteiligte": True})


@asynccontextmanager
async def espocrm(firm: CrmInstallation) -> AsyncIterator[tuple[EspoClient, httpx.AsyncClient, str]]:
    """One simulated EspoCRM as ``firm`` says: its client, its control address, and a scratch record in it."""
    simulation = simulated("espocrm", SystemsConfig(installation=Installation(crm=firm)))
    async with LoopbackServer(simulation.app) as server:
        described = simulation.describe(server.url)
        values = {"api_base_url": described["api_base_url"], "api_key": described["api_key"]}
        settings = EspoCrmSettings.model_validate(values)
        async with (
            httpx.AsyncClient(trust_env=False, base_url=f"{server.url}/_sandbox/") as control,
            open_espocrm(settings, clock=SystemClock()) as client,
        ):
            contacts = {
                "emailAddressData": [{"emailAddress": EMAIL, "primary": True, "optOut": True, "invalid": False}],
                "phoneNumberData": [{"phoneNumber": PHONE, "primary": True, "type": "Mobile"}],
            }
            body = {"entity": "CBeteiligte", "action": "create", "values": {**CANARY, **contacts}}
            made = (await control.post("edit", json=body)).raise_for_status().json()
            yield client, control, str(made["id"])


async def living(control: httpx.AsyncClient, entity: str) -> list[Json]:
    records = (await control.get("state")).json()["records"].get(entity, [])
    return [one for one in records if not one.get("deleted")]


def told(record: Json) -> Json:
    """What the probe changes, without what EspoCRM keeps for itself."""
    lists = [
        [(entry.get(key), entry["primary"], entry["optOut"]) for entry in record[name]]
        for name, key in (("emailAddressData", "emailAddress"), ("phoneNumberData", "phoneNumber"))
    ]
    return {"names": (record["firstName"], record["lastName"], record.get("dateOfBirth")), "lists": lists}


def left_over(home: Path) -> list[Path]:
    return list(home.glob("probe-*.json"))


async def probed(firm: CrmInstallation, home: Path) -> Probed:
    """Probe one installation; afterwards everything in it is as before."""
    async with espocrm(firm) as (client, control, record_id):
        before = told((await client.request("GET", f"CBeteiligte/{record_id}")).body)
        done = await probe_espocrm(client, record_id, Restore(home, *RESTORE), SystemClock())
        assert told((await client.request("GET", f"CBeteiligte/{record_id}")).body) == before
        assert [one["id"] for one in await living(control, "CBeteiligte")] == [record_id]
        assert await living(control, "CBankverbindungen") == []
        assert (await control.get("state")).json()["webhooks"] == []
    assert done.not_put_back == () and left_over(home) == []
    return done


def verdicts(done: Probed) -> dict[str, Verdict]:
    return {one.key: one.verdict for one in done.findings}


async def test_an_installation_as_the_specification_has_it_confirms_everything(tmp_path: Path) -> None:
    done = await probed(CONFIRMING, tmp_path)
    assert verdicts(done) == {one.key: Verdict.CONFIRMED for one in ESPOCRM_ASSUMPTIONS}


async def test_who_may_not_delete_creates_nothing_and_refutes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def narrow(_: EspoClient) -> Json:
        return {"acl": {"table": {name: {"delete": "no"} for name in ("CBeteiligte", "CBankverbindungen")}}}

    monkeypatch.setattr(EspoClient, "app_user", narrow)
    done = await probed(CONFIRMING, tmp_path)
    untried = {one.key: one.detail for one in done.findings if one.verdict is not Verdict.CONFIRMED}
    assert set(untried) == {
        f"espocrm_{key}" for key in ("child", "duplicate", "duplicate_skipped", "delete", "restore")
    }
    assert set(untried.values()) == {NO_DELETE}
    assert not [one for one in done.exchanges if one.method == "POST"]


@pytest.mark.parametrize("seed", [1, 2, 3, 5, 8, 21354])
async def test_what_is_found_is_what_was_drawn(seed: int, tmp_path: Path) -> None:
    firm = Installation.draw(seed).crm
    done = await probed(firm, tmp_path)
    drawn = {
        "espocrm_list_limit": firm.list_limit == 200,
        "espocrm_version": firm.optimistic["CBeteiligte"],
        "espocrm_duplicate": firm.duplicate_check,
        "espocrm_phone_national": firm.phone_international,
        "espocrm_day": firm.field_types.get("CBeteiligte.dateOfBirth") != "datetime",
    }
    expected = {one.key: Verdict.CONFIRMED for one in ESPOCRM_ASSUMPTIONS}
    assert verdicts(done) == expected | {key: Verdict.REFUTED for key, right in drawn.items() if not right}
    known = known_espocrm_from(done.findings, SystemClock().now())
    assert (known.longest_page, known.values_per_request, known.stops) == (firm.list_limit, 100, ())


async def test_a_clock_that_is_wrong_stops_every_pass_until_it_is_put_right(firm: Firm, tmp_path: Path) -> None:
    done = await probed(replace(CONFIRMING, skew_minutes=60), tmp_path)
    assert [key for key, verdict in verdicts(done).items() if verdict is Verdict.REFUTED] == ["espocrm_clock"]
    keep_known(firm.store, known_espocrm_from(done.findings, SystemClock().now()))
    with pytest.raises(AssumptionRefuted, match="Uhr des Servers"):
        async with open_context("probe-test"):
            pass
    keep_known(firm.store, KnownEspocrm())
    async with open_context("probe-test"):
        pass


async def test_the_passes_ask_for_no_longer_lists_than_were_found(firm: Firm) -> None:
    found = [
        Finding("espocrm_list_limit", Verdict.REFUTED, number=2),
        Finding("espocrm_list_values", Verdict.REFUTED, number=3),
    ]
    keep_known(firm.store, known_espocrm_from(found, SystemClock().now()))
    ids = [firm.crm_party(lastName=f"Muster {number}") for number in range(5)]
    firm.crm.clear_calls()
    async with open_context("probe-test") as context:
        rows = [row.id async for row in context.espo.list_ids_in("CBeteiligte", "id", ids)]
    assert sorted(rows) == sorted(ids)
    # Three values at once with two rows a page, then two: 2 + 1 and 2 rows.
    assert len([one for one in firm.crm.calls(100)["log"] if one["path"].endswith("/CBeteiligte")]) == 3


async def test_a_probe_that_was_cut_off_puts_everything_back_at_the_next_call(tmp_path: Path) -> None:
    restore = Restore(tmp_path, *RESTORE)
    async with espocrm(CONFIRMING) as (client, control, record_id):
        before = told((await client.request("GET", f"CBeteiligte/{record_id}")).body)
        for fault in (
            {"method": "PUT", "path": f"CBeteiligte/{record_id}", "action": "drop_before", "skip": 4, "times": None},
            {"method": "DELETE", "path": "CBeteiligte/", "action": "drop_before", "times": None},
        ):
            (await control.post("faults", json=[fault])).raise_for_status()
            with pytest.raises(EspoError):
                await probe_espocrm(client, record_id, restore, SystemClock())
            await control.delete("faults")
        assert len(await living(control, "CBeteiligte")) > 1
        done = await probe_espocrm(client, record_id, restore, SystemClock())
        assert told((await client.request("GET", f"CBeteiligte/{record_id}")).body) == before
        assert [one["id"] for one in await living(control, "CBeteiligte")] == [record_id]
    assert set(verdicts(done).values()) == {Verdict.CONFIRMED} and left_over(tmp_path) == []


async def test_a_recording_holds_no_value_of_the_firm_and_says_what_is_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "probe.jsonl"
    for firm, differing in ((CrmInstallation(), set()), (CrmInstallation(duplicate_check=False), {"create_double"})):
        async with espocrm(firm) as (client, _, record_id):
            done = await probe_espocrm(client, record_id, Restore(tmp_path, *RESTORE), SystemClock())
        assert write_recording(path, done.exchanges, OWN_WORDS) == len(done.exchanges) > 25
        text = path.read_text(encoding="utf-8")
        values = [*CANARY.values(), EMAIL, "voliere", "7654321", "70 765", record_id]
        assert [value for value in values if value in text] == []
        differences = await play([json.loads(line) for line in text.splitlines()])
        # A record that was created though the check should have found it is deleted again: nobody else has that one.
        assert differences.keys() - {"delete_double"} == differing, differences


def test_a_record_is_not_tried_on_while_the_product_runs(firm: Firm) -> None:
    """The passes would take the scratch record for a new party and create it in Advoware."""
    record_id = firm.crm_party(**CANARY)
    firm.crm.clear_calls()
    with sole_holder(load(VmhSettings).home / "up.lock"):
        refused = CliRunner().invoke(app, ["probe", "--espo-id", record_id, "--yes"])
    assert refused.exit_code == 1 and "solange `vmh-sync up` läuft" in " ".join(refused.stderr.split())
    assert not firm.crm.calls()["log"]


def test_the_command_shows_its_plan_first_and_refuses_a_linked_record(
    firm: Firm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_id, recording, runner = firm.crm_party(**CANARY), tmp_path / "probe.jsonl", CliRunner()
    firm.crm.clear_calls()
    plan = runner.invoke(app, ["probe", "--espo-id", record_id, "--plan"])
    refused = runner.invoke(app, ["probe", "--espo-id", record_id], input="n\n")
    assert plan.exit_code == 0 and record_id in plan.stdout and refused.exit_code == 1
    assert not firm.crm.calls()["writes"]
    with monkeypatch.context() as fresh:
        # On the first day nothing has made the database yet.
        fresh.setenv("VMH_HOME", str(tmp_path / "fresh"))
        fresh.delenv("VMH_DATABASE_URL", raising=False)
        tried = runner.invoke(app, ["probe", "--espo-id", record_id, "--record", str(recording)], input="j\n")
    assert tried.exit_code == 0 and "jetzt in EspoCRM löschen" in " ".join(tried.stdout.split()), tried.output
    checked = runner.invoke(app, ["probe", "--check", str(recording)])
    assert checked.exit_code == 0 and "verhalten sich gleich" in checked.stdout, checked.stdout
    with firm.store.transaction() as tx:
        tx.links.save(Link(entity="beteiligte", espo_id=record_id, betnr=4711))
    refused = runner.invoke(app, ["probe", "--espo-id", record_id, "--yes"])
    assert refused.exit_code == 1 and "verknüpft" in refused.stderr
