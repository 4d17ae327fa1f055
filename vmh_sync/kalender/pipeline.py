"""The Dagster job for calendars: fetch → map → diff → write over some employees, partitioned by Kürzel.

A run with a partition key takes that employee, one without takes those that the configuration names. Each employee
that was synced is reported as a materialisation of its partition of the asset ``kalender``, so the UI shows each
employee's history although one run takes several. Personal data stays in memory (design.md 2).
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import dagster as dg

from vmh_sync.engine.pass_history import record_pass
from vmh_sync.kalender import batch as stages
from vmh_sync.kalender.batch import CalendarBatch
from vmh_sync.kalender.doubts import REMEDY as DECIDE
from vmh_sync.kalender.doubts import doubtful_pairs
from vmh_sync.kalender.employee_work import EmployeeWork
from vmh_sync.kalender.not_representable import REMEDY, Hindered, newly_hindered
from vmh_sync.kalender.pair_rows import ENTITY
from vmh_sync.kalender.phase_counts import phase_counts
from vmh_sync.kalender.progress import EmployeeProgress
from vmh_sync.kalender.resources import CalendarResources
from vmh_sync.kalender.run_config import Calendars, employees_partitions
from vmh_sync.orchestration.redis_failure import require_our_redis
from vmh_sync.orchestration.run_config import ENTITY_TAG, TRIGGER_TAG
from vmh_sync.orchestration.run_report import ROWS, outcome_metadata
from vmh_sync.sync.outcome import PassSummary
from vmh_sync.systems.errors import ForeignSystemError

KALENDER = dg.AssetKey("kalender")

kalender_asset = dg.AssetSpec(
    KALENDER,
    partitions_def=employees_partitions,
    description="Die Google-Kalender der Mitarbeiter, ein Eintrag (Partition) je Kürzel. Job: sync_kalender.",
)


@dg.op(description="Liest Termine aus Advoware, Änderungen aus Google und die Paare aus unserer Datenbank.")
async def fetch_calendars(
    context: dg.OpExecutionContext, config: Calendars, calendars: CalendarResources
) -> CalendarBatch:
    """Read the employees of this run."""
    if config.jitter_seconds:
        await asyncio.sleep(random.SystemRandom().random() * config.jitter_seconds)
    which = config
    if context.has_partition_key:
        which = Calendars(**{**config.model_dump(), "kuerzel": [context.partition_key]})
    started = time.monotonic()
    async with calendars.open(context.run_id) as opened:
        if not which.dry_run:
            await require_our_redis(opened.leases)
        try:
            batch = await stages.fetch(opened, which)
        except ForeignSystemError as problem:
            raise dg.Failure(description=problem.message_for_people) from problem
        batch.started, batch.calls = started, Counter(opened.calls.by_system())
    context.add_output_metadata(phase_counts(batch.works))
    return batch


@dg.op(name="map_calendars", description="Bringt beide Seiten in dieselbe Form.")
def map_calendars(batch: CalendarBatch) -> CalendarBatch:
    """Bring both sides into normal form."""
    return stages.map_fields(batch)


@dg.op(description="Vergleicht mit dem zuletzt abgeglichenen Stand und plant, was zu schreiben ist.")
def diff_calendars(context: dg.OpExecutionContext, batch: CalendarBatch) -> CalendarBatch:
    """Plan what has to be written."""
    stages.diff(batch)
    context.add_output_metadata(phase_counts(batch.works))
    return batch


@dg.op(description="Schreibt den Plan nach Google und Advoware und merkt sich den neuen Stand.")
async def write_calendars(
    context: dg.OpExecutionContext, batch: CalendarBatch, calendars: CalendarResources
) -> CalendarBatch:
    """Carry out the plans; tell how each appointment ended."""

    def told(work: EmployeeWork) -> None:
        summary = PassSummary().add(work.outcomes)
        done = sum(1 for one in batch.works if one.outcomes or one.plan is not None)
        context.log.info("kalender %s: %d appointments (%d employees)", work.kuerzel, summary.records, done)
        if not batch.how.dry_run and work.failure is None:
            context.log_event(
                dg.AssetMaterialization(asset_key=KALENDER, partition=work.kuerzel, metadata=_employee(work, summary))
            )

    def standing(now: EmployeeProgress) -> None:
        context.log.info(now.line())
        context.log_event(
            dg.AssetObservation(
                asset_key=KALENDER, partition=now.kuerzel, metadata=_how_far(now), description=now.line()
            )
        )

    async with calendars.open(context.run_id) as opened:
        await stages.write(opened, batch, told, standing)
        calls = dict(batch.calls + Counter(opened.calls.by_system()))
        seconds = time.monotonic() - batch.started
        if not batch.how.dry_run:
            trigger = context.run.tags.get(TRIGGER_TAG, "person")
            await record_pass(opened, ENTITY, trigger, batch.outcomes, seconds=seconds, calls=calls)
    metadata = _metadata(batch, seconds, calls)
    context.add_output_metadata(metadata)
    broken = batch.broken
    if broken is not None:
        raise dg.Failure(description=broken.message, metadata=metadata)
    return batch


def _employee(work: EmployeeWork, summary: PassSummary) -> dict[str, Any]:
    return {
        "termine": summary.records,
        **{str(result): count for result, count in summary.results.items()},
        "writes_advoware": summary.writes["advoware"],
        "writes_google": summary.writes["google"],
        **phase_counts([work]),
    }


def _how_far(now: EmployeeProgress) -> dict[str, Any]:
    end = {"expected_end": f"{now.expected_end:%Y-%m-%d %H:%M}"} if now.expected_end is not None else {}
    return {"written": now.done, "of": now.total, "all_written": now.all_done, "all_of": now.all_total, **end}


def _metadata(batch: CalendarBatch, seconds: float, calls: dict[str, int]) -> dict[str, Any]:
    outcomes = batch.outcomes
    metadata = outcome_metadata(outcomes, seconds=seconds, calls=calls)
    del metadata["writes_espocrm"]
    metadata["writes_google"] = PassSummary().add(outcomes).writes["google"]
    metadata |= phase_counts(batch.works)
    metadata |= {"lost": len(batch.lost), "waiting_for_advoware": len(batch.waiting)}
    metadata |= {f"tasks_{name}": count for name, count in batch.tasks.items()}
    if batch.deadlines:
        metadata["fristen"] = dg.MetadataValue.json(batch.deadlines)
    if batch.lost:
        metadata["konflikte"] = _lost_table(batch)
    found = newly_hindered(batch.works)
    if found:
        metadata["nicht_darstellbar"] = _hindered_table(found)
    doubtful = [one.to_json() for one in doubtful_pairs(batch.works)]
    if doubtful:
        metadata["zweifelhaft"] = dg.MetadataValue.json({"paare": doubtful[:ROWS], "was": DECIDE})
    if batch.how.dry_run:
        metadata["plan"] = dg.MetadataValue.md(_plan_markdown(batch))
    return metadata


def _lost_table(batch: CalendarBatch) -> dg.TableMetadataValue:
    rows = [
        dg.TableRecord(
            {
                "kuerzel": str(row["kuerzel"]),
                "frNr": str(row["frNr"] or ""),
                "ereignis": str(row["event"] or ""),
                "was": str(row["text"]),
                "felder": ", ".join(row["fields"]) if isinstance(row["fields"], list) else "",
                "protokoll": f"vmh-sync audit show {row['audit']} --values",
            }
        )
        for row in batch.lost[:ROWS]
    ]
    names = ("kuerzel", "frNr", "ereignis", "was", "felder", "protokoll")
    return dg.MetadataValue.table(rows, dg.TableSchema(columns=[dg.TableColumn(name) for name in names]))


def _hindered_table(found: Sequence[Hindered]) -> dg.TableMetadataValue:
    rows = [
        dg.TableRecord(
            {
                "kuerzel": one.kuerzel,
                "frNr": one.fr_nr or 0,
                "ereignis": one.event or "",
                "grund": one.reason,
                "was": REMEDY,
            }
        )
        for one in found[:ROWS]
    ]
    names = ("kuerzel", "frNr", "ereignis", "grund", "was")
    return dg.MetadataValue.table(rows, dg.TableSchema(columns=[dg.TableColumn(name) for name in names]))


def _plan_markdown(batch: CalendarBatch) -> str:
    rows = batch.rows()
    if not rows:
        return "Nichts zu tun: Beide Seiten stimmen überein."
    lines = ["| Kürzel | frNr | Ereignis | Was | Grund | Felder |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {row['kuerzel']} | {row['frNr'] or ''} | {row['event'] or ''} | {row['what']} | {row['reason']} "
        f"| {row.get('values') or row['fields']} |"
        for row in rows[:500]
    ]
    return "\n".join(lines)


@dg.graph(description="Termine in Advoware ↔ Google-Kalender der Mitarbeiter.")
def kalender() -> CalendarBatch:
    """Sync the calendars of some employees in both directions."""
    return write_calendars(diff_calendars(map_calendars(fetch_calendars())))  # type: ignore[no-any-return]


sync_kalender = kalender.to_job(
    name="sync_kalender",
    partitions_def=employees_partitions,
    executor_def=dg.in_process_executor,
    tags={ENTITY_TAG: ENTITY},
)
