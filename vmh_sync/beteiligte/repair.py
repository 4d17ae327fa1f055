"""Backfill of failed parties: a person picks red keys under "Partitions" and launches a backfill.

Each failed party is a partition of this asset; one run takes all chosen keys (specification, dagster.md 3.5). The keys
are kept current by a sensor, see :mod:`vmh_sync.beteiligte.triggers`.
"""

import dagster as dg

from vmh_sync.beteiligte import batch as stages
from vmh_sync.beteiligte.composition import PARTS
from vmh_sync.beteiligte.party import ENTITY
from vmh_sync.beteiligte.pipeline import read_batch, write_batch
from vmh_sync.runtime.passes import record_pass
from vmh_sync.runtime.report import outcome_metadata
from vmh_sync.runtime.request import ENTITY_TAG, TRIGGER_TAG, Trigger, Which
from vmh_sync.runtime.resource import Workplace
from vmh_sync.sync.outcome import RecordOutcome, Result

FAILED_PARTITIONS = "beteiligte_failed"

failed_beteiligte = dg.DynamicPartitionsDefinition(name=FAILED_PARTITIONS)

CHUNK = 200


@dg.asset(
    name="repaired_beteiligte",
    partitions_def=failed_beteiligte,
    backfill_policy=dg.BackfillPolicy.single_run(),
    io_manager_key="io_manager",
    description=(
        "Fehlerhafte Beteiligte erneut abgleichen: unter „Partitions“ einzelne oder alle Schlüssel wählen und einen "
        "Backfill starten. Alle gewählten laufen in einem einzigen Lauf (Start innerhalb von 30 Sekunden)."
    ),
)
async def repaired_beteiligte(context: dg.AssetExecutionContext, workplace: Workplace) -> dg.MaterializeResult[None]:
    """Sync the chosen failed parties; fails when some of them still fail, and names them."""
    outcomes: list[RecordOutcome] = []
    calls: dict[str, int] = {}
    seconds = 0.0
    async with workplace.open(context.run_id) as opened:
        keys = list(context.partition_keys)
        for start in range(0, len(keys), CHUNK):
            work = await read_batch(opened, Which(ids=keys[start : start + CHUNK]))
            stages.diff(PARTS, stages.map_fields(work.batch))
            outcomes += await write_batch(opened, work)
            calls = opened.calls.by_system()
        await record_pass(opened, ENTITY, str(Trigger.BACKFILL), outcomes, seconds=seconds, calls=calls)
    metadata = outcome_metadata(outcomes, seconds=seconds, calls=calls)
    still_failing = [outcome.id for outcome in outcomes if outcome.result is Result.FAILED]
    if still_failing:
        raise dg.Failure(
            description=f"{len(still_failing)} von {len(outcomes)} Beteiligten sind weiter fehlerhaft; siehe Tabelle.",
            metadata=metadata,
            allow_retries=False,
        )
    return dg.MaterializeResult(metadata=metadata)


repair_beteiligte = dg.define_asset_job(
    name="repair_beteiligte",
    selection=[repaired_beteiligte],
    executor_def=dg.in_process_executor,
    tags={ENTITY_TAG: ENTITY, TRIGGER_TAG: str(Trigger.BACKFILL)},
    description="Fehlerhafte Beteiligte erneut abgleichen (Backfill).",
)
