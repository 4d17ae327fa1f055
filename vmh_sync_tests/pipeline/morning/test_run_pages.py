"""What the person who runs it sees in Dagster of one run: numbers that plot, a warning, what was changed and why."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from vmh_sync.orchestration.jobs.run_report import WARNING_TAG
from vmh_sync.orchestration.run_tags import TRIGGER_TAG, Trigger
from vmh_sync.store.queue.inbox import InboxEvent
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.jobs import job
from vmh_sync_tests.pipeline.repair.test_children import Ui

SECRET = "Kanarienvogel"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Dagster, in memory."""
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def run(instance: dg.DagsterInstance, trigger: Trigger = Trigger.PERSON, **config: Any) -> dg.ExecuteInProcessResult:
    return job("sync_beteiligte").execute_in_process(
        run_config=config, instance=instance, raise_on_error=False, tags={TRIGGER_TAG: str(trigger)}
    )


def shown(result: dg.ExecuteInProcessResult, step: str) -> dict[str, Any]:
    """The metadata of a step's output, in the order of the page; tables as lists of rows."""
    (output,) = [e for e in result.all_events if e.is_successful_output and e.step_key and e.step_key.endswith(step)]
    found = {}
    for name, value in output.step_output_data.metadata.items():
        found[name] = [dict(row.data) for row in value.records] if isinstance(value, dg.TableMetadataValue) else value
    return {name: getattr(value, "value", value) for name, value in found.items()}


def reported(instance: dg.DagsterInstance, asset: str) -> list[dg.AssetObservation]:
    """What passes said of an entity, the newest first."""
    records = instance.fetch_observations(dg.AssetKey(asset), limit=10).records
    return [record.asset_observation for record in records if record.asset_observation is not None]


def test_a_pass_reports_its_numbers_once_and_what_it_changed_without_values(
    firm: Firm, instance: dg.DagsterInstance
) -> None:
    espo_id, betnr = firm.linked_party(lastName="Muster")
    firm.crm_edit(espo_id, zusatz=SECRET)
    with firm.store.transaction() as tx:
        tx.inbox.add("beteiligte", [InboxEvent(espo_id=espo_id, action="update", source="webhook")])
    result = run(instance, selection="pending")
    assert result.success
    assert shown(result, "fetch") == {"geweckt von": "1 × Webhook von EspoCRM (geändert)"}
    page = shown(result, "write")
    assert "Achtung" not in page
    assert (page["Datensätze"], page["abgeglichen"], page["geschrieben nach Advoware"]) == (1, 1, 1)
    assert page["Ergebnisse"][0]["Ergebnis"] == "abgeglichen"
    (change,) = page["Änderungen"]
    assert change == {
        "Datensatz": espo_id,
        "betnr": betnr,
        "Bereich": "beteiligte",
        "Feld": "zusatz",
        "Was": "übernommen",
        "geschrieben in": "Advoware",
        "Warum": "in EspoCRM geändert",
    }
    assert page[f"EspoCRM {espo_id}"].endswith(f"/#CBeteiligte/view/{espo_id}")

    (told,) = reported(instance, "beteiligte")
    numbers = {name: value.value for name, value in told.metadata.items()}
    assert told.description == "von Hand: 1 abgeglichen"
    assert (numbers["im Gleichstand"], numbers["fehlerhaft"], numbers["Durchgang: geschrieben"]) == (1, 0, 2)
    assert 0 <= float(str(numbers["Änderung bis geschrieben (s)"])) < 60
    assert int(str(numbers["Aufrufe Advoware"])) > 0
    assert all(isinstance(value, int | float) for value in numbers.values()), "only numbers plot"
    (part,) = reported(instance, "kommunikation")
    assert {name: value.value for name, value in part.metadata.items()} == {
        "im Gleichstand": 0,
        "fehlerhaft": 0,
        "offene Aufgaben": 0,
    }
    assert SECRET not in repr(result.all_events)

    firm.crm_edit(espo_id, zusatz="neu")
    asked = shown(run(instance, ids=[espo_id], show_values=True), "write")
    assert (asked["Änderungen"][0]["alt"], asked["Änderungen"][0]["neu"]) == (repr(SECRET), repr("neu"))


def test_a_run_with_failed_records_says_so_where_runs_are_listed_and_first_of_all(
    firm: Firm, instance: dg.DagsterInstance
) -> None:
    bad, good = firm.crm_party(lastName="Schlecht"), firm.crm_party(lastName="Gut")
    firm.office.fault(r"Beteiligte$", "status", method="POST", status=400, body="Pflichtfeld fehlt", times=1)
    result = run(instance, ids=[bad, good])
    assert result.success
    page = shown(result, "write")
    assert next(iter(page)) == "Achtung"
    assert page["Achtung"] == "1 fehlgeschlagen"
    assert page["Ergebnisse"][0]["Ergebnis"] == "fehlerhaft"
    assert page["Ergebnisse"][0]["Grund"]
    stored = instance.get_run_by_id(result.run_id)
    assert stored is not None
    assert stored.tags[WARNING_TAG] == "1 fehlgeschlagen"


def test_a_dry_run_shows_its_plan_before_everything_else_and_reports_nothing(
    firm: Firm, instance: dg.DagsterInstance
) -> None:
    espo_id = firm.crm_party(lastName=SECRET)
    result = run(instance, ids=[espo_id], dry_run=True)
    page = shown(result, "write")
    assert list(page)[:2] == ["Probelauf", "Plan"]
    (step, *_) = page["Plan"]
    assert (step["Datensatz"], step["Was"]) == (espo_id, "anlegen")
    assert SECRET not in repr(result.all_events)
    assert reported(instance, "beteiligte") == []


def test_a_repair_that_does_not_help_names_records_and_reasons_without_a_trace(
    firm: Firm, instance: dg.DagsterInstance
) -> None:
    espo_id = firm.crm_party(lastName="Muster")
    firm.office.fault(r"Beteiligte$", "status", method="POST", status=400, body="Pflichtfeld fehlt")
    run(instance, ids=[espo_id])
    ui = Ui(instance, "beteiligte")
    assert ui.look() == [espo_id]
    (failure,) = [event for event in ui.repair(espo_id).all_events if event.is_step_failure]
    data = failure.step_failure_data
    assert data.error is not None
    assert data.error.message.startswith(f"1 von 1 Datensätzen sind weiter fehlerhaft:\n{espo_id}: ")
    assert (data.error.stack, data.error.cause, data.error.context) == ([], None, None)
    assert reported(instance, "beteiligte")[0].description == "Reparatur: 1 fehlgeschlagen"


def test_the_launchpad_offers_every_field_with_its_default_and_only_selections_that_exist() -> None:
    schema = job("sync_beteiligte").run_config_schema.config_type
    fields = schema.fields  # type: ignore[attr-defined]
    assert {name: field.default_value for name, field in fields.items()} == {
        "ids": [],
        "selection": "pending",
        "dry_run": False,
        "show_values": False,
        "since": "",
        "until": "",
        "allow_mass_change": False,
        "plan": "",
    }
    offered = {value.config_value for value in fields["selection"].config_type.enum_values}
    assert offered == {"pending", "backlog", "dirty", "failed", "due", "rolling", "all"}
    alone = job("sync_kommunikation").run_config_schema.config_type.fields  # type: ignore[attr-defined]
    assert {name for name, field in alone.items() if field.default_value != fields[name].default_value} == {"selection"}
    assert [value.config_value for value in alone["selection"].config_type.enum_values] == ["dirty", "failed", "all"]
    with pytest.raises(dg.DagsterInvalidConfigError):
        dg.validate_run_config(job("sync_beteiligte"), {"selection": "dirrty"})


@pytest.mark.parametrize("strange", ["", ".", "..", "../../User", "a/b", "a\\b", "a\x00b", SECRET + "/ä", "a" * 65])
def test_what_cannot_be_an_id_is_told_in_one_sentence_and_espocrm_is_not_asked(
    firm: Firm, instance: dg.DagsterInstance, strange: str
) -> None:
    firm.crm.clear_calls()
    result = run(instance, ids=["66aa11bb22cc33dd4", strange])
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert failure.step_failure_data.error is not None
    message = failure.step_failure_data.error.message
    assert "1 von 2 IDs können keine von EspoCRM sein (die an Stelle 2)" in message
    assert SECRET not in message, "what somebody typed may name a person"
    assert not [call for call in firm.crm.calls()["by_route"] if "CBeteiligte" in call]


@pytest.mark.parametrize("odd", ["muster.1", "Muster 1", "..", "a" * 65])
def test_an_odd_id_of_espocrms_own_list_stops_none_of_those_beside_it(
    firm: Firm, instance: dg.DagsterInstance, odd: str
) -> None:
    espo_id = firm.crm_party(lastName="Muster")
    firm.crm.clear_calls()
    result = run(instance, Trigger.CLI, ids=[espo_id, odd])
    assert result.success
    found = {row["Datensatz"]: row["Ergebnis"] for row in shown(result, "write")["Ergebnisse"]}
    assert found[espo_id] == "abgeglichen"
    assert found[odd] == "fehlerhaft", "it is nowhere, and says so alone"
    assert not [call for call in firm.crm.calls()["by_route"] if call.rstrip("/").endswith("/..")]
