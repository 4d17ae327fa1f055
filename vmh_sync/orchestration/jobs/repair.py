"""Makes what an operator repairs failed records with: pick red keys under "Partitions", launch a backfill.

Each failed record of an entity is a partition of the asset ``repaired_<entity>``; one run takes all chosen keys
(specification, dagster.md 3.5). A sensor keeps the keys equal to the failed records of our ledger.
"""

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from vmh_sync.engine.counting.pass_history import record_pass
from vmh_sync.engine.passes.entity_pipeline import EntityPipeline
from vmh_sync.engine.passes.opening import open_database
from vmh_sync.orchestration.dagster_internals.core import (
    BulkActionsFilter,
    BulkActionStatus,
    UnresolvedAssetJobDefinition,
)
from vmh_sync.orchestration.jobs.entity_asset import REPAIR_GROUP, PassFacts, pass_event
from vmh_sync.orchestration.jobs.resources import SyncResources
from vmh_sync.orchestration.jobs.run_report import changes_metadata, outcome_metadata
from vmh_sync.orchestration.jobs.sentences import Stopped
from vmh_sync.orchestration.jobs.sync_job import changes_of, sync_ids
from vmh_sync.orchestration.run_tags import ENTITY_TAG, TRIGGER_TAG, Trigger, bulk_tags
from vmh_sync.settings import VmhSettings, load
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result

CHUNK = 200
MAX_PARTITIONS = 5000
NAMED = 50
"""Records that are named in the sentence of a repair that did not help; all stand in the table."""
UNFINISHED_BACKFILLS = (BulkActionStatus.REQUESTED, BulkActionStatus.CANCELING, BulkActionStatus.FAILING)


@dataclass(frozen=True, slots=True)
class Repair:
    """Everything that belongs to the repair of one entity, for ``definitions.py``."""

    asset: dg.AssetsDefinition
    job: UnresolvedAssetJobDefinition
    sensor: dg.SensorDefinition


def make_repair(pipeline: EntityPipeline[Any], plural: str, *, every_seconds: int) -> Repair:
    """Return asset, job and sensor for the failed records of an entity.

    ``plural`` is what people call them. The sensor looks every ``every_seconds`` (no multiple of 5: dagster.md 0.4).
    """
    entity = pipeline.entity
    partitions = dg.DynamicPartitionsDefinition(name=f"{entity}_failed")
    with warnings.catch_warnings():
        # Dagster calls the policy of a backfill beta; whoever uses a command need not read it each time.
        warnings.simplefilter("ignore", dg.BetaWarning)
        asset = _asset(pipeline, plural, partitions)
    job = dg.define_asset_job(
        name=f"repair_{entity}",
        selection=[asset],
        executor_def=dg.in_process_executor,
        tags={ENTITY_TAG: entity, TRIGGER_TAG: str(Trigger.BACKFILL), **bulk_tags(entity)},
        description=f"Fehlerhafte {plural} erneut abgleichen (Backfill).",
    )
    return Repair(asset, job, _sensor(entity, plural, partitions, every_seconds))


def _asset(
    pipeline: EntityPipeline[Any], plural: str, partitions: dg.DynamicPartitionsDefinition
) -> dg.AssetsDefinition:
    @dg.asset(
        name=f"repaired_{pipeline.entity}",
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        io_manager_key="io_manager",
        group_name=REPAIR_GROUP,
        description=(
            f"Fehlerhafte {plural} erneut abgleichen: unter „Partitions“ einzelne oder alle Schlüssel wählen und "
            "einen Backfill starten. Alle gewählten laufen in einem einzigen Lauf (Start innerhalb von 30 Sekunden)."
        ),
    )
    async def repaired(context: dg.AssetExecutionContext, sync_resources: SyncResources) -> dg.MaterializeResult[None]:
        started = time.monotonic()
        outcomes: list[RecordOutcome] = []
        async with sync_resources.open(context.run.run_id) as opened:
            keys = list(context.partition_keys)
            for start in range(0, len(keys), CHUNK):
                outcomes += await sync_ids(opened, pipeline, keys[start : start + CHUNK])
            calls, trigger = opened.calls.by_system(), str(Trigger.BACKFILL)
            seconds = time.monotonic() - started
            numbers = await record_pass(opened, pipeline.entity, trigger, outcomes, seconds=seconds, calls=calls)
            facts = PassFacts(pipeline.entity, trigger, outcomes, numbers, opened.clock.now(), seconds, calls)
            changes = await changes_of(opened, outcomes, seconds)
        context.log_event(pass_event(facts))
        metadata = outcome_metadata(outcomes, seconds=seconds, calls=calls, entity=pipeline.entity)
        metadata |= changes_metadata(changes, show_values=False)
        failing = [outcome for outcome in outcomes if outcome.result is Result.FAILED]
        if failing:
            raise Stopped(still_failing(failing, len(outcomes)), metadata=metadata)
        return dg.MaterializeResult(metadata=metadata)

    return repaired


def still_failing(failing: Sequence[RecordOutcome], tried: int) -> str:
    """Return which records still fail, and why."""
    named = [f"{one.id}: {one.error or 'unbekannter Fehler'}" for one in failing[:NAMED]]
    more = [f"… und {len(failing) - NAMED} weitere"] if len(failing) > NAMED else []
    return "\n".join([f"{len(failing)} von {tried} Datensätzen sind weiter fehlerhaft:", *named, *more])


def _sensor(
    entity: str, plural: str, partitions: dg.DynamicPartitionsDefinition, every_seconds: int
) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"{entity}_failed_keys",
        minimum_interval_seconds=every_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"{plural}: hält die Liste der fehlerhaften (Partitions) auf dem Stand unserer Datenbank.",
    )
    def failed_keys(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        failed = _failed(entity)
        shown = set(context.instance.get_dynamic_partitions(str(partitions.name)))
        requests: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
        if failed - shown:
            requests.append(partitions.build_add_request(sorted(failed - shown)))
        # A key stays while a backfill may still be working on it.
        if shown - failed and not _backfill_unfinished(context.instance):
            requests.append(partitions.build_delete_request(sorted(shown - failed)))
        if not requests:
            return dg.SkipReason("Keine Änderung.")
        return dg.SensorResult(dynamic_partitions_requests=requests)

    return failed_keys


def _failed(entity: str) -> set[str]:
    with open_database(load(VmhSettings)) as store, store.reading() as tx:
        return {record.espo_id for record in tx.records.failed(entity, limit=MAX_PARTITIONS)}


def _backfill_unfinished(instance: dg.DagsterInstance) -> bool:
    # Not the runs but the backfills: a backfill looks at its keys again up to 30 s after its run has ended, and fails
    # when one of them is gone.
    unfinished = BulkActionsFilter(statuses=list(UNFINISHED_BACKFILLS))
    return bool(instance.get_backfills(filters=unfinished, limit=1))
