"""The probe finds out what an installation does, leaves no value in its recording, and the passes obey it."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from typer.testing import CliRunner

from vmh_sync.cli import app
from vmh_sync.clock import SystemClock
from vmh_sync.commands.installation import probe as probing
from vmh_sync.commands.installation.probe_check import play
from vmh_sync.engine.installation.known_installation import AssumptionRefuted, KnownInstallation, keep_known
from vmh_sync.engine.passes.opening import open_context
from vmh_sync.first_contact.advoware_list import CUT_FROM
from vmh_sync.probe.advoware.assumptions import ASSUMPTIONS
from vmh_sync.probe.advoware.calls import Calls
from vmh_sync.probe.advoware.late_commit import try_late_commit
from vmh_sync.probe.advoware.parties import try_search
from vmh_sync.probe.advoware.run import Scratch, probe
from vmh_sync.probe.effects import known_from
from vmh_sync.probe.findings import Probed, Verdict
from vmh_sync.probe.recording import write_recording
from vmh_sync.probe.restore import Restore
from vmh_sync.probe.texts import OWN_WORDS
from vmh_sync.sandbox.installation import Installation, OfficeInstallation
from vmh_sync.sandbox.serving import LoopbackServer
from vmh_sync.sandbox.systems import SystemsConfig, environment, simulated
from vmh_sync.settings import AdvowareSettings
from vmh_sync.store.pairs.links import Link
from vmh_sync.systems.advoware.client import AdvowareClient, open_advoware
from vmh_sync.systems.advoware.errors import AdvowareError, CapabilityMissing
from vmh_sync.systems.advoware.token import MemoryTokenCache
from vmh_sync_tests.fixtures.firm import Firm

Json = dict[str, Any]
BETNR = 4711
CANARY: Json = {"name": "Kanarienvogel", "vorname": "Zitronella", "titel": "Dr. canar.", "zusatz": "Voliere 77"}
OFFICE = {
    "beteiligte": [{"betNr": BETNR, **CANARY, "geburtsdatum": "1971-11-23T00:00:00", "mobil": "+49 170 7654321"}],
    "mitarbeiter": [{"kuerzel": "KV", "name": "Kanarienhalter", "vorname": "Vera", "email": "vera@voliere.test"}],
}


@asynccontextmanager
async def advoware(firm: OfficeInstallation) -> AsyncIterator[tuple[AdvowareClient, AdvowareSettings, str]]:
    """One simulated Advoware as ``firm`` says, a client of it, and its control address."""
    simulation = simulated("advoware", SystemsConfig(installation=Installation(office=firm)))
    async with LoopbackServer(simulation.app) as server:
        variables = environment({"advoware": simulation.describe(server.url)})
        values: Json = {name.removeprefix("ADVOWARE_").lower(): value for name, value in variables.items()}
        settings = AdvowareSettings(_env_file=None, **values)
        async with httpx.AsyncClient(trust_env=False) as http:
            (await http.post(f"{server.url}/_sandbox/seed", json=OFFICE)).raise_for_status()
        async with open_advoware(settings, token_cache=MemoryTokenCache(), clock=SystemClock()) as client:
            yield client, settings, server.url


async def probed(firm: OfficeInstallation, home: Path) -> tuple[Probed, Json]:
    """Probe one installation; returns what was found and the scratch party afterwards."""
    async with advoware(firm) as (client, settings, url):
        scratch = Scratch(BETNR, "KV", termine_writable=True, late_budget=1.0)
        done = await probe(client, scratch, Restore(home), SystemClock(), settings.timezone)
        async with httpx.AsyncClient(trust_env=False) as http:
            state = (await http.get(f"{url}/_sandbox/state")).json()
    return done, next(party for party in state["beteiligte"] if party["betNr"] == BETNR)


def left_over(home: Path) -> list[Path]:
    return list(home.iterdir())


def refuted(done: Probed) -> dict[str, tuple[str, ...]]:
    return {one.key: one.fields for one in done.findings if one.verdict is Verdict.REFUTED}


async def test_an_installation_as_the_specification_has_it_confirms_everything(tmp_path: Path) -> None:
    done, party = await probed(OfficeInstallation(), tmp_path)
    # Whether an answer can be lost depends on how fast the simulation answers; its own test is below.
    verdicts = {one.key: one.verdict for one in done.findings if one.key != "late_commit"}
    assert verdicts == {one.key: Verdict.CONFIRMED for one in ASSUMPTIONS if one.key != "late_commit"}
    assert {name: party[name] for name in CANARY} == CANARY
    assert done.left == ["ein Eintrag der Kommunikation", "eine Adresse", "eine Bankverbindung"]
    assert left_over(tmp_path) == []


@pytest.mark.parametrize("seed", [2, 3, 5, 9, 10, 21354])
async def test_what_is_found_is_what_was_drawn(seed: int, tmp_path: Path) -> None:
    firm = Installation.draw(seed).office
    done, party = await probed(firm, tmp_path)
    wrong = refuted(done)
    put_ignored = {name for name in firm.put_ignores if name != "name"}
    assert set(wrong.get("party_put", ())) == put_ignored
    assert ("search" in wrong) == (not firm.search)
    assert ("entry_kind_told" in wrong) == (not firm.komm_kz_told)
    assert ("clock" in wrong) == (abs(firm.skew_minutes) > 15)
    if "zusatz" not in firm.put_ignores:
        assert ("party_put_empties" in wrong) == firm.put_keeps
    assert not {"address_put", "address_post", "entry_put", "termin_put", "party_row_id"} & wrong.keys()
    # What a PUT ignores was never changed, so everything is as it was.
    assert done.not_put_back == ()
    assert {name: party[name] for name in CANARY} == CANARY


async def test_a_wrong_time_zone_stops_every_pass_until_it_is_put_right(firm: Firm, tmp_path: Path) -> None:
    async with advoware(OfficeInstallation(zone="America/New_York")) as (client, settings, _):
        zone = ZoneInfo("Europe/Berlin")
        assert settings.timezone != zone
        done = await probe(client, Scratch(BETNR, late_budget=1.0), Restore(tmp_path), SystemClock(), zone)
    assert "clock" in refuted(done)
    keep_known(firm.store, known_from(done.findings, SystemClock().now()))
    with pytest.raises(AssumptionRefuted, match="ADVOWARE_TIMEZONE"):
        async with open_context("probe-test"):
            pass
    keep_known(firm.store, KnownInstallation())
    async with open_context("probe-test"):
        pass


async def test_the_passes_neither_search_nor_send_what_is_ignored(firm: Firm, tmp_path: Path) -> None:
    done, _ = await probed(OfficeInstallation(search=False, put_ignores=("titel",)), tmp_path)
    keep_known(firm.store, known_from(done.findings, SystemClock().now()))
    async with open_context("probe-test") as context:
        assert context.field_changes == {"beteiligte": {"titel": {"on_update": False}}}
        with pytest.raises(CapabilityMissing):
            await context.advoware.search_beteiligte("Muster")
    assert not firm.sandbox.office.calls()["by_route"]


async def test_a_probe_that_was_cut_off_puts_everything_back_at_the_next_call(tmp_path: Path) -> None:
    async with advoware(OfficeInstallation()) as (client, settings, url), httpx.AsyncClient(trust_env=False) as http:
        # The connection ends in the middle of the changes and stays away, so nothing can be put back now.
        fault = [{"method": "PUT", "path": f"Beteiligte/{BETNR}", "action": "drop_before", "skip": 4}]
        answer = await http.post(f"{url}/_sandbox/faults", json=fault)
        assert answer.status_code == 200, answer.text
        with pytest.raises(AdvowareError):
            await probe(client, Scratch(BETNR, late_budget=1.0), Restore(tmp_path), SystemClock(), settings.timezone)
        await http.delete(f"{url}/_sandbox/faults")
        assert Restore(tmp_path).read(BETNR) is not None
        done = await probe(client, Scratch(BETNR, late_budget=1.0), Restore(tmp_path), SystemClock(), settings.timezone)
        party = next(one for one in (await http.get(f"{url}/_sandbox/state")).json()["beteiligte"])
    assert {name: party[name] for name in CANARY} == CANARY
    assert done.not_put_back == () and left_over(tmp_path) == []


async def test_a_probe_says_how_much_earlier_ones_left_and_removes_their_appointment(tmp_path: Path) -> None:
    async with advoware(OfficeInstallation()) as (client, settings, url), httpx.AsyncClient(trust_env=False) as http:
        scratch = Scratch(BETNR, "KV", termine_writable=True, late_budget=1.0)
        # Killed where the appointment stands: its change is the first call of Termine that is not answered.
        fault = [{"method": "PUT", "path": "Termine", "action": "drop_before"}]
        await http.post(f"{url}/_sandbox/faults", json=fault)
        with pytest.raises(AdvowareError):
            await probe(client, scratch, Restore(tmp_path), SystemClock(), settings.timezone)
        await http.delete(f"{url}/_sandbox/faults")
        assert len((await http.get(f"{url}/_sandbox/state")).json()["termine"]) == 1
        done = await probe(client, scratch, Restore(tmp_path), SystemClock(), settings.timezone)
        assert not (await http.get(f"{url}/_sandbox/state")).json()["termine"]
    assert done.left == ["2 Einträge der Kommunikation", "2 Adressen", "2 Bankverbindungen"]


async def test_what_answers_a_deletion_and_keeps_the_record_has_deleted_nothing(tmp_path: Path) -> None:
    async with advoware(OfficeInstallation()) as (client, settings, url), httpx.AsyncClient(trust_env=False) as http:
        await http.post(f"{url}/_sandbox/faults", json=[{"method": "DELETE", "path": "/", "action": "empty"}])
        scratch = Scratch(BETNR, "KV", termine_writable=True, late_budget=1.0)
        done = await probe(client, scratch, Restore(tmp_path), SystemClock(), settings.timezone)
    assert refuted(done).keys() == {"termin_delete"}
    assert done.left[-1] == "ein Termin"


@pytest.mark.parametrize(("settle", "verdict"), [(150.0, Verdict.CONFIRMED), (0.1, Verdict.REFUTED)])
async def test_how_late_a_lost_answer_commits_is_measured_and_waited_for(
    settle: float, verdict: Verdict, firm: Firm
) -> None:
    async with advoware(OfficeInstallation()) as (client, _, url), httpx.AsyncClient(trust_env=False) as http:
        fault = [{"method": "PUT", "path": f"Beteiligte/{BETNR}", "action": "late", "seconds": 0.6, "times": 1}]
        await http.post(f"{url}/_sandbox/faults", json=fault)
        calls = Calls(client, BETNR)
        await try_late_commit(calls, ("zusatz",), settle, budget=30.0)
    (finding,) = calls.findings
    assert finding.verdict is verdict and finding.number is not None and finding.number >= 0.6
    keep_known(firm.store, known_from([finding], SystemClock().now()))
    async with open_context("probe-test") as context:
        rules = context.rules.create_settle_seconds
        waits = 2 * finding.number if verdict is Verdict.REFUTED else 0.0
        assert context.longest_request.total_seconds() == pytest.approx(max(rules, waits))


async def test_a_search_that_stops_at_a_limit_is_noticed() -> None:
    parties = [{"betNr": 5000 + number, "name": f"Renate Manni {number}"} for number in range(CUT_FROM + 1)]
    async with advoware(OfficeInstallation()) as (client, _, url), httpx.AsyncClient(trust_env=False) as http:
        await http.post(f"{url}/_sandbox/seed", json={"beteiligte": parties})
        calls = Calls(client, BETNR)
        await try_search(calls, await calls.party("party"))
    (finding,) = [one for one in calls.findings if one.key == "search_limit"]
    assert finding.verdict is Verdict.REFUTED and finding.number == len(parties) + 1


async def test_a_recording_holds_no_value_of_the_firm(tmp_path: Path) -> None:
    done, party = await probed(OfficeInstallation(), tmp_path)
    path = tmp_path / "probe.jsonl"
    assert write_recording(path, done.exchanges, OWN_WORDS) == len(done.exchanges) > 50
    text = path.read_text(encoding="utf-8")
    values = [*CANARY.values(), str(BETNR), "1971-11-23", "7654321", "KV", party["rowId"], "Kanarien", "voliere"]
    assert [value for value in values if value in text] == []


def written(done: Probed) -> set[str]:
    return {one.name for one in done.exchanges if one.method in ("POST", "PUT") and one.answer.status == 200}


@pytest.mark.parametrize(
    ("firm", "differing"),
    [
        (OfficeInstallation(), lambda done: set()),
        (OfficeInstallation(write_answer="number"), written),
        (OfficeInstallation(search=False), lambda done: {"search_nobody"}),
    ],
)
async def test_a_recording_played_against_the_simulation_says_what_is_otherwise(
    firm: OfficeInstallation, differing: Callable[[Probed], set[str]], tmp_path: Path
) -> None:
    done, _ = await probed(firm, tmp_path)
    path = tmp_path / "probe.jsonl"
    write_recording(path, done.exchanges, OWN_WORDS)
    differences = await play([json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()])
    assert differences.keys() == differing(done), differences


def test_the_command_shows_its_plan_first_and_refuses_a_linked_party(
    firm: Firm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "LATE_BEYOND", 1.0)
    monkeypatch.setenv("VMH_CREATE_SETTLE_SECONDS", "0")
    firm.sandbox.office.seed(**OFFICE)
    runner, recording = CliRunner(), tmp_path / "probe.jsonl"
    plan = runner.invoke(app, ["probe", "--betnr", str(BETNR), "--plan"])
    assert plan.exit_code == 0 and str(BETNR) in plan.stdout and not firm.sandbox.office.calls()["writes"]
    tried = runner.invoke(
        app, ["probe", "--betnr", str(BETNR), "--kuerzel", "KV", "--record", str(recording), "--yes", "--json"]
    )
    assert tried.exit_code == 0, tried.output
    said = json.loads(tried.stdout)
    assert {one["verdict"] for one in said["findings"] if one["key"] != "late_commit"} == {"confirmed"} and said[
        "stops"
    ] == []
    checked = runner.invoke(app, ["probe", "--check", str(recording)])
    assert checked.exit_code == 0 and "verhalten sich gleich" in checked.stdout
    with firm.store.transaction() as tx:
        tx.links.save(Link(entity="beteiligte", espo_id="e1", betnr=BETNR))
    refused = runner.invoke(app, ["probe", "--betnr", str(BETNR), "--yes"])
    assert refused.exit_code == 1 and "verknüpft" in refused.stderr
