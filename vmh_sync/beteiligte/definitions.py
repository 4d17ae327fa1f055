"""Beteiligte in Dagster, with their Kommunikation, Adressen and Bankverbindungen."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import dagster as dg

from vmh_sync.beteiligte.pipeline import KOMMUNIKATION_ALONE, PIPELINE
from vmh_sync.beteiligte.reading.rolling import ROLLING_EVERY
from vmh_sync.beteiligte.selection import dirty
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.entities import BETEILIGTE
from vmh_sync.orchestration.entity_room import Timing, make_room
from vmh_sync.orchestration.jobs.sync_job import Descriptions, make_sync_job
from vmh_sync.orchestration.run_config import SELECTIONS
from vmh_sync.orchestration.triggers.dirty_sensor import TICK_SECONDS, make_schedule

_DESCRIPTIONS = Descriptions(
    job="Beteiligte mit Kommunikation, Adressen und Bankverbindungen: EspoCRM ↔ Advoware.",
    fetch="Liest die Beteiligten aus EspoCRM, Advoware und unserer Datenbank.",
    map="Bringt beide Seiten in dieselbe Form.",
    diff="Vergleicht mit dem zuletzt abgeglichenen Stand und plant, was zu schreiben ist.",
    write="Schreibt den Plan auf beide Seiten, prüft und merkt sich den neuen Stand.",
)
_TIMING = Timing(
    sweep_cron="*/15 * * * *",
    sweep_says="Alle 15 Minuten: Wartendes, fällige Wiederholungen, Hängengebliebenes, lange nicht Geprüftes.",
    repair_seconds=TICK_SECONDS,
)


async def _changed(context: PassContext, since: datetime) -> Sequence[str]:
    return await dirty(context, since, honour_retries=True)


def _rolling_check(job: dg.JobDefinition) -> list[dg.ScheduleDefinition]:
    return [
        make_schedule(
            "beteiligte_rolling_check",
            BETEILIGTE,
            job,
            f"*/{int(ROLLING_EVERY.total_seconds() // 60)} * * * *",
            "Liest reihum alle verknüpften Beteiligten in Advoware, damit dort Getipptes gefunden wird.",
            selection="rolling",
        )
    ]


KOMMUNIKATION_JOB = make_sync_job(
    KOMMUNIKATION_ALONE,
    Descriptions(
        job="Nur Telefonnummern und E-Mail-Adressen verknüpfter Beteiligter: EspoCRM ↔ Advoware.",
        fetch="Liest die Beteiligten aus EspoCRM und Advoware, und was wir von ihren Einträgen wissen.",
        map="Bringt die Einträge beider Seiten in dieselbe Form.",
        diff="Vergleicht die Einträge mit dem zuletzt abgeglichenen Stand und plant, was zu schreiben ist.",
        write="Schreibt nur die Einträge auf beide Seiten; alles andere wartet auf den Abgleich der Beteiligten.",
    ),
    suffix="_kommunikation",
    selections={name: SELECTIONS[name] for name in ("dirty", "failed", "all")},
)
"""For people only: no sensor, sweep or webhook launches it."""

_room = make_room(BETEILIGTE, PIPELINE, _DESCRIPTIONS, _changed, _TIMING, suffix="", schedules=_rolling_check)
ROOM = replace(_room, defs=dg.Definitions.merge(_room.defs, dg.Definitions(jobs=[KOMMUNIKATION_JOB])))
