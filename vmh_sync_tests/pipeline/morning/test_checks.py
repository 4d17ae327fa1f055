"""The checks of the assets in Dagster: what an administrator sees at eight in the morning, and what he does."""

import os
from collections.abc import Iterator, Sequence
from datetime import timedelta

import dagster as dg
import httpx
import pytest

from vmh_sync.store.queue.inbox import InboxEvent
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.jobs import job
from vmh_sync_tests.pipeline.adressen.test_addresses import address
from vmh_sync_tests.pipeline.morning.test_run_pages import SECRET, run

ERROR, WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN
Results = dict[tuple[str, str], dg.AssetCheckEvaluation]


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Dagster, in memory."""
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def evaluated(instance: dg.DagsterInstance, name: str) -> Results:
    """Run the job of some checks; returns how each ended."""
    result = job(name).execute_in_process(instance=instance)
    return {(one.asset_key.to_user_string(), one.check_name): one for one in result.get_asset_check_evaluations()}


def rows(result: dg.AssetCheckEvaluation) -> Sequence[dict[str, object]]:
    table = result.metadata["Datensätze"]
    assert isinstance(table, dg.TableMetadataValue)
    return [dict(row.data) for row in table.records]


def hook(url: str) -> None:
    """EspoCRM gets the three webhooks of the parties, with this address."""
    headers = {"X-Api-Key": os.environ["ESPOCRM_API_KEY"]}
    with httpx.Client(base_url=os.environ["ESPOCRM_API_BASE_URL"], headers=headers, trust_env=False) as http:
        for kind in ("CBeteiligte", "CAdressen", "CBankverbindungen"):
            for action in ("create", "update", "delete"):
                http.post(
                    "/Webhook", json={"event": f"{kind}.{action}", "url": url, "skipOwn": True}
                ).raise_for_status()


def test_a_house_in_order_passes_every_check(firm: Firm, instance: dg.DagsterInstance) -> None:
    espo_id = firm.crm_party(lastName="Muster")
    run(instance, ids=[espo_id])
    address(firm, espo_id)
    firm.sync(espo_id)  # links the address; no pass of the addresses' own has been yet
    found = evaluated(instance, "pruefen")
    assert {one.check_name for one in found.values()} >= {"aktuell", "keine_fehler", "aufgaben", "warteschlange"}
    assert [key for key, one in found.items() if not one.passed] == []
    assert found["beteiligte", "keine_fehler"].metadata["fehlerhaft"].value == 0, "it plots at nought, too"
    compared = evaluated(instance, "reconcile")
    assert {asset for asset, _ in compared} == {"beteiligte", "kommunikation", "adressen", "bankverbindungen"}
    assert all(one.passed for one in compared.values())


def test_what_is_not_right_is_named_with_its_next_step_and_without_values(
    firm: Firm, instance: dg.DagsterInstance
) -> None:
    linked, betnr = firm.linked_party(lastName="Muster")
    bad = firm.crm_party(lastName=SECRET)
    firm.office.fault(r"Beteiligte$", "status", method="POST", status=400, body="Pflichtfeld fehlt")
    result = run(instance, ids=[bad])
    (at_once,) = result.get_asset_check_evaluations()
    assert (at_once.check_name, at_once.passed, at_once.severity) == ("keine_fehler", False, WARN)
    with firm.store.transaction() as tx:  # nobody comes for it, and a run that died holds another
        tx.inbox.add("beteiligte", [InboxEvent(espo_id=linked, action="update", source="webhook")])
        tx.inbox.add("adressen", [InboxEvent(espo_id="a" * 17, action="update", source="webhook")])
        tx.inbox.claim("adressen", "dead-run", 10, firm.clock.now() - timedelta(hours=1), 60)
    firm.office_edit(betnr, zusatz=SECRET)
    hook(f"{firm.crm.url}/_sandbox/edit")  # answers 400, which EspoCRM never sends again
    firm.crm_edit(linked, titel="Dr.")
    firm.crm.do("flush_webhooks")
    for gateway in ("sync.kanzlei.example", "alt.kanzlei.example"):
        hook(f"https://{gateway}/vmh/webhook/beteiligte/update")

    found = evaluated(instance, "pruefen")
    failing = found["beteiligte", "keine_fehler"]
    assert not failing.passed
    (row,) = rows(failing)
    assert (row["Datensatz"], bool(row["Grund"])) == (bad, True)
    assert str(row["Link"]).endswith(f"/#CBeteiligte/view/{bad}")
    assert not found["betrieb", "sperren"].passed
    assert found["betrieb", "sperren"].metadata["überfällige Ansprüche"].value == 1
    webhooks = found["betrieb", "webhooks"]
    assert (webhooks.passed, webhooks.metadata["gescheiterte Zustellungen"].value) == (False, 1)
    assert rows(webhooks)[0]["Ereignis"] == "CBeteiligte.update"
    assert "an 2 Gateways (alt.kanzlei.example, sync.kanzlei.example)" in str(webhooks.description)
    assert found["betrieb", "anmeldungen"].passed

    equal = evaluated(instance, "reconcile")["beteiligte", "gleichstand"]
    assert (equal.passed, equal.severity) == (False, ERROR)
    named = {(row["Datensatz"], row["Feld"]): row for row in rows(equal)}
    assert named[linked, "Zusatz"]["betnr"] == betnr
    assert "vmh-sync sync" in str(named[linked, "Zusatz"]["Nächster Schritt"])
    assert SECRET not in repr([*found.values(), equal])


def test_one_check_can_be_executed_alone(firm: Firm, instance: dg.DagsterInstance) -> None:
    del firm  # an empty house
    key = dg.AssetCheckKey(dg.AssetKey("beteiligte"), "aufgaben")
    alone = job("pruefen").get_subset(asset_check_selection={key}, asset_selection=set())
    result = alone.execute_in_process(instance=instance)
    (one,) = result.get_asset_check_evaluations()
    assert (one.check_name, one.passed) == ("aufgaben", True)
