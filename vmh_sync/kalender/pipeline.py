"""The Dagster job for calendars: fetch → map → diff → write over some employees, partitioned by Kürzel.

A run with a partition key takes that employee, one without takes those that the configuration names. Each employee that
was synced is reported as a materialisation of its partition of the asset ``kalender_je_mitarbeiter``, so the UI shows
each employee's history although one run takes several. The pass itself is an observation of the asset ``kalender``,
whose checks a materialisation would show as not evaluated (:mod:`vmh_sync.orchestration.jobs.entity_asset`). Personal
data stays in memory (design.md 2).
"""

import asyncio
import random
import time
from collections.abc import Sequence
from typing import Any

import dagster as dg

from vmh_sync.engine.counting.pass_history import record_pass
from vmh_sync.engine.passes.approved_plan import NoPlan
from vmh_sync.kalender import batch as stages
from vmh_sync.kalender.audits.not_representable import REMEDY, Hindered, newly_hindered
from vmh_sync.kalender.batch import PLAN_HEADINGS, CalendarBatch, fields_told, planned_in_words
from vmh_sync.kalender.calendars import Calendars
from vmh_sync.kalender.employee.doubtful_pairs import REMEDY as DECIDE
from vmh_sync.kalender.employee.doubtful_pairs import doubtful_pairs
from vmh_sync.kalender.employee.employee_work import EmployeeWork
from vmh_sync.kalender.employee.phase_counts import phase_counts
from vmh_sync.kalender.employee.progress import EmployeeProgress
from vmh_sync.kalender.resources import CalendarResources
from vmh_sync.kalender.run_config import employees_partitions, launchpad_schema
from vmh_sync.kalender.state.pair_rows import ENTITY
from vmh_sync.orchestration.jobs.entity_asset import CALENDAR_GROUP, PassFacts, pass_event
from vmh_sync.orchestration.jobs.german_labels import in_german
from vmh_sync.orchestration.jobs.redis_failure import require_our_redis
from vmh_sync.orchestration.jobs.run_report import ROWS, outcome_metadata, table, warn
from vmh_sync.orchestration.jobs.sentences import Stopped
from vmh_sync.orchestration.run_tags import AGAIN_FROM_START, ENTITY_TAG, PERSONS, SIGN_TAG, TRIGGER_TAG, Trigger
from vmh_sync.sync.reporting.outcome import PassSummary, nothing_planned
from vmh_sync.systems.errors import ForeignSystemError

KALENDER = dg.AssetKey("kalender")
EMPLOYEES = dg.AssetKey("kalender_je_mitarbeiter")

LONGEST_LOAD_SECONDS = 4 * 3600
"""Google's quota alone makes a first load of 10,000 events last 17 minutes, longer than other runs may take. One that
stands still ends itself (:mod:`vmh_sync.watchdog`)."""

_KINDS = {"advoware", "google"}
kalender_asset = dg.AssetSpec(
    KALENDER,
    group_name=CALENDAR_GROUP,
    kinds=_KINDS,
    description=(
        "Termine in Advoware und in den Google-Kalendern der Mitarbeiter.\n\nJeder Durchgang meldet hier seine "
        "Zahlen; unter **Metadata** zeigt **Plots** ihren Verlauf. **Checks** sagt, ob alles aktuell ist und beide "
        "Seiten übereinstimmen. Job: `sync_kalender`; der Verlauf jedes Mitarbeiters: `kalender_je_mitarbeiter`."
    ),
)
employees_asset = dg.AssetSpec(
    EMPLOYEES,
    partitions_def=employees_partitions,
    group_name=CALENDAR_GROUP,
    kinds=_KINDS,
    description="Der Verlauf jedes Mitarbeiters, ein Eintrag (Partition) je Kürzel. Prüfungen: siehe `kalender`.",
)


@dg.op(
    config_schema=launchpad_schema(),
    description="Liest Termine aus Advoware, Änderungen aus Google und die Paare aus unserer Datenbank.",
)
async def fetch_calendars(context: dg.OpExecutionContext, calendars: CalendarResources) -> CalendarBatch:
    """Read the employees of this run."""
    config = Calendars(**context.op_config)
    if config.jitter_seconds:
        await asyncio.sleep(random.SystemRandom().random() * config.jitter_seconds)
    selected = config
    if context.has_partition_key:
        selected = Calendars(**{**config.model_dump(), "kuerzel": [context.partition_key]})
    started = time.monotonic()
    async with calendars.open(context.run_id) as opened:
        context.instance.add_run_tags(context.run_id, {SIGN_TAG: context.run_id})
        if not selected.dry_run:
            await require_our_redis(opened.leases)
        try:
            trigger = context.run.tags.get(TRIGGER_TAG, str(Trigger.PERSON))
            batch = await stages.fetch(
                opened, selected, keeps_delays=trigger not in PERSONS, stops_channels=trigger != Trigger.CLI
            )
        except ForeignSystemError as problem:
            raise Stopped(problem.message_for_people, allow_retries=True) from problem
        except NoPlan as problem:
            raise Stopped(str(problem)) from None
        batch.started = started
    context.add_output_metadata(in_german(phase_counts(batch.works)))
    return batch


@dg.op(name="map_calendars", description="Bringt beide Seiten in dieselbe Form.")
def map_calendars(batch: CalendarBatch) -> CalendarBatch:
    """Bring both sides into normal form."""
    return stages.map_fields(batch)


@dg.op(description="Vergleicht mit dem zuletzt abgeglichenen Stand und plant, was zu schreiben ist.")
def diff_calendars(context: dg.OpExecutionContext, batch: CalendarBatch) -> CalendarBatch:
    """Plan what has to be written."""
    stages.diff(batch)
    context.add_output_metadata(in_german(phase_counts(batch.works)))
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
        if not batch.how.dry_run and work.failure is None and work.plan is not None:
            context.log_event(
                dg.AssetMaterialization(asset_key=EMPLOYEES, partition=work.kuerzel, metadata=_employee(work, summary))
            )

    def watch(now: EmployeeProgress) -> None:
        context.log.info(now.line())
        context.log_event(
            dg.AssetObservation(
                asset_key=EMPLOYEES, partition=now.kuerzel, metadata=_how_far(now), description=now.line()
            )
        )

    async with calendars.open(context.run_id) as opened:
        await stages.write(opened, batch, told, watch)
        calls = opened.calls.by_system()
        seconds = time.monotonic() - batch.started
        if not batch.how.dry_run:
            trigger = context.run.tags.get(TRIGGER_TAG, "person")
            numbers = await record_pass(opened, ENTITY, trigger, batch.outcomes, seconds=seconds, calls=calls)
            facts = PassFacts(ENTITY, trigger, batch.outcomes, numbers, opened.clock.now(), seconds, calls)
            quota = calls.get("google", 0) / max(seconds / 60 * opened.quota_per_minute, 1)
            context.log_event(pass_event(facts, {"Kontingent Google (%)": round(100 * quota, 1)}))
    metadata = _metadata(batch, seconds, calls)
    context.add_output_metadata(metadata)
    broken = batch.broken
    if broken is not None:
        raise Stopped(broken.message, metadata=metadata, allow_retries=True)
    if not batch.how.dry_run:
        warn(context, PassSummary().add(batch.outcomes))
    return batch


def _employee(work: EmployeeWork, summary: PassSummary) -> dict[str, Any]:
    return {
        "Termine": summary.records,
        **in_german({str(result): count for result, count in summary.results.items()}),
        **in_german({f"writes_{side}": summary.writes[side] for side in ("advoware", "google")}),
        **in_german(phase_counts([work])),
    }


def _how_far(now: EmployeeProgress) -> dict[str, Any]:
    end = {"fertig etwa": f"{now.expected_end:%d.%m.%Y %H:%M}"} if now.expected_end is not None else {}
    whole = {"insgesamt geschrieben": now.all_done, "insgesamt": now.all_total}
    return {"geschrieben": now.done, "von": now.total, **whole, **end}


def _metadata(batch: CalendarBatch, seconds: float, calls: dict[str, int]) -> dict[str, Any]:
    outcomes = batch.outcomes
    metadata: dict[str, Any] = {}
    if batch.how.dry_run:
        rows = batch.rows()
        metadata["Probelauf"] = (
            f"{len(rows)} Schritte geplant; es wurde nichts verändert." if rows else nothing_planned(outcomes)
        )
        if rows:
            plan = [dict(zip(PLAN_HEADINGS, planned_in_words(row), strict=True)) for row in rows]
            metadata["Plan"] = table(plan, PLAN_HEADINGS)
    metadata |= outcome_metadata(outcomes, seconds=seconds, calls=calls, entity=ENTITY)
    numbers = phase_counts(batch.works)
    numbers |= {"lost": len(batch.lost), "waiting_for_advoware": len(batch.waiting)}
    metadata |= in_german(numbers) | in_german(batch.tasks, "tasks_")
    if batch.deadlines:
        metadata["Fristen"] = dg.MetadataValue.json(batch.deadlines)
    if batch.lost:
        metadata["gilt nicht"] = _lost_table(batch)
    found = newly_hindered(batch.works)
    if found:
        metadata["nicht darstellbar"] = _hindered_table(found)
    doubtful = [one.to_json() for one in doubtful_pairs(batch.works)]
    if doubtful:
        metadata["vielleicht derselbe Termin"] = dg.MetadataValue.json({"paare": doubtful[:ROWS], "was": DECIDE})
    return metadata


def _lost_table(batch: CalendarBatch) -> dg.TableMetadataValue:
    rows: list[dict[str, str | int]] = [
        {
            "Kürzel": str(row["kuerzel"]),
            "frNr": str(row["frNr"] or ""),
            "Ereignis": str(row["event"] or ""),
            "Was": str(row["text"]),
            "Felder": fields_told(row),
            "Protokoll": f"vmh-sync audit show {row['audit']} --values",
        }
        for row in batch.lost
    ]
    return table(rows, rows[0])


def _hindered_table(found: Sequence[Hindered]) -> dg.TableMetadataValue:
    rows: list[dict[str, str | int]] = [
        {
            "Kürzel": one.kuerzel,
            "frNr": one.fr_nr or 0,
            "Ereignis": one.event or "",
            "Warum": one.reason,
            "Was tun": REMEDY,
        }
        for one in found
    ]
    return table(rows, rows[0])


@dg.graph(description="Termine in Advoware ↔ Google-Kalender der Mitarbeiter.")
def kalender() -> CalendarBatch:
    """Sync the calendars of some employees in both directions."""
    return write_calendars(diff_calendars(map_calendars(fetch_calendars())))  # type: ignore[no-any-return]


sync_kalender = kalender.to_job(
    name="sync_kalender",
    partitions_def=employees_partitions,
    executor_def=dg.in_process_executor,
    tags={ENTITY_TAG: ENTITY, **AGAIN_FROM_START, "dagster/max_runtime": str(LONGEST_LOAD_SECONDS)},
)
