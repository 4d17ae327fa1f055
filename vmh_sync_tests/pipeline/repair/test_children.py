"""Failed Adressen and Bankverbindungen as partitions, and their backfill in one run, in a real Dagster instance."""

from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

from vmh_sync.definitions import build_defs
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.adressen.test_addresses import address
from vmh_sync_tests.pipeline.bankverbindungen.test_bank_accounts import IBAN, account

RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
OTHER_IBAN = "DE02120300000000202051"


class Ui:
    """What an operator does and sees for one entity."""

    def __init__(self, instance: dg.DagsterInstance, entity: str) -> None:
        self.instance, self.entity = instance, entity
        self.repository = build_defs().get_repository_def()

    def look(self) -> list[str]:
        """One tick of the sensor, applied as the daemon does; returns the keys that are shown then."""
        sensor = self.repository.get_sensor_def(f"{self.entity}_failed_keys")
        with dg.build_sensor_context(instance=self.instance, definitions=build_defs()) as context:
            data = sensor.evaluate_tick(context)
        for request in data.dynamic_partitions_requests or ():
            if isinstance(request, dg.AddDynamicPartitionsRequest):
                self.instance.add_dynamic_partitions(request.partitions_def_name, request.partition_keys)
            else:
                for key in request.partition_keys:
                    self.instance.delete_dynamic_partition(request.partitions_def_name, key)
        return sorted(self.instance.get_dynamic_partitions(f"{self.entity}_failed"))

    def repair(self, *keys: str) -> dg.ExecuteInProcessResult:
        """One run over these keys, as a backfill with a single run launches it."""
        shown = list(self.instance.get_dynamic_partitions(f"{self.entity}_failed"))
        chosen = sorted(keys, key=shown.index)
        assert shown[shown.index(chosen[0]) : shown.index(chosen[-1]) + 1] == chosen, "one run takes neighbours"
        job = self.repository.get_job(f"repair_{self.entity}")
        tags = dict(zip(RANGE, (chosen[0], chosen[-1]), strict=True))
        return job.execute_in_process(instance=self.instance, tags=tags, raise_on_error=False)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Dagster, in memory."""
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def sync(firm: Firm, instance: dg.DagsterInstance, entity: str, *ids: str) -> None:
    job = build_defs().get_repository_def().get_job(f"sync_{entity}")
    job.execute_in_process(run_config={"ids": list(ids)}, instance=instance)


def failing(firm: Firm, instance: dg.DagsterInstance, count: int) -> tuple[int, list[str]]:
    """Addresses that Advoware refuses: the party's number and their ids."""
    party, betnr = firm.linked_party()
    ids = [address(firm, party, adresseStreet=f"Weg {number}") for number in range(count)]
    firm.office.fault(r"Adressen$", "status", method="POST", status=400, body="Pflichtfeld fehlt")
    sync(firm, instance, "adressen", *ids)
    firm.office.clear_faults()
    return betnr, ids


def test_failed_addresses_are_repaired_in_one_run_and_then_shown_no_more(
    firm: Firm, instance: dg.DagsterInstance
) -> None:
    betnr, ids = failing(firm, instance, 3)
    ui = Ui(instance, "adressen")
    assert ui.look() == sorted(ids)
    assert ui.repair(*ids).success
    (shown,) = instance.fetch_materializations(dg.AssetKey("repaired_adressen"), limit=1).records
    assert shown.asset_materialization is not None
    metadata = {name: value.value for name, value in shown.asset_materialization.metadata.items()}
    assert (metadata["Datensätze"], metadata["abgeglichen"], metadata["fehlerhaft"]) == (3, 3, 0)
    assert len(firm.office_record(betnr)["adressen"]) == 3
    assert ui.look() == []
    with firm.store.reading() as tx:
        (told,) = (row for row in tx.passes.recent("adressen") if row.trigger == "backfill")
    assert told.counts["synced"] == 3


def test_a_record_that_still_fails_keeps_its_key_and_is_named(firm: Firm, instance: dg.DagsterInstance) -> None:
    _, ids = failing(firm, instance, 2)
    ui = Ui(instance, "adressen")
    ui.look()
    # No refusal of a value, which would be followed by a creation without it.
    firm.office.fault(r"Adressen$", "status", method="POST", status=403, body="kein Recht", times=1)
    result = ui.repair(*ids)
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    error = failure.step_failure_data.user_failure_data
    assert error is not None
    assert (error.description or "").startswith("1 von 2 Datensätzen sind weiter fehlerhaft:\n")
    assert any(espo_id in (error.description or "") for espo_id in ids)
    assert len(ui.look()) == 1


def test_keys_stay_while_a_backfill_is_unfinished(firm: Firm, instance: dg.DagsterInstance) -> None:
    _, (record,) = failing(firm, instance, 1)
    ui = Ui(instance, "adressen")
    assert ui.look() == [record]
    backfill = PartitionBackfill(
        backfill_id="b1", status=BulkActionStatus.REQUESTED, from_failure=False, tags={}, backfill_timestamp=0.0
    )
    instance.add_backfill(backfill)
    sync(firm, instance, "adressen", record)
    assert ui.look() == [record]
    instance.update_backfill(backfill._replace(status=BulkActionStatus.COMPLETED_SUCCESS))
    assert ui.look() == []


def test_failed_records_that_were_deleted_or_put_out_of_use_are_shown_no_more(
    firm: Firm, instance: dg.DagsterInstance
) -> None:
    betnr, (deleted, unused) = failing(firm, instance, 2)
    firm.crm.edit("CAdressen", "delete", id=deleted)
    firm.crm.edit("CAdressen", "update", id=unused, values={"istAktiv": False})
    ui = Ui(instance, "adressen")
    assert len(ui.look()) == 2
    assert not ui.repair(deleted).success
    assert ui.look() == [unused]
    assert ui.repair(unused).success
    assert ui.look() == []
    assert firm.office_record(betnr)["adressen"] == []


def test_a_bank_account_with_a_wrong_iban_is_repaired_once_it_is_corrected(
    firm: Firm, instance: dg.DagsterInstance
) -> None:
    party, betnr = firm.linked_party()
    wrong, right = account(firm, party, iban="DE00"), account(firm, party, iban=OTHER_IBAN)
    sync(firm, instance, "bankverbindungen", wrong, right)
    ui = Ui(instance, "bankverbindungen")
    assert ui.look() == [wrong]
    firm.crm.edit("CBankverbindungen", "update", id=wrong, values={"iban": IBAN})
    assert ui.repair(wrong).success
    assert {row["iban"] for row in firm.office_record(betnr)["bankverbindungen"]} == {IBAN, OTHER_IBAN}
    assert ui.look() == []
