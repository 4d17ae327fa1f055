"""Makes the room of a kind of child records: its job, sensor, sweep and repair in Dagster."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from vmh_sync.children.part import ChildrenPart
from vmh_sync.children.pipeline import ChildPipeline
from vmh_sync.children.selection import moved_since
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.entities import Entity
from vmh_sync.orchestration.entity_room import EntityRoom, Timing, make_room
from vmh_sync.orchestration.jobs.sync_job import Descriptions

_TIMING = Timing(
    sweep_cron="7-59/15 * * * *",
    sweep_says="Alle 15 Minuten: Wartendes, fällige Wiederholungen, offene Aufgaben, lange nicht Geprüftes.",
)


def make_child_room(entity: Entity, part: ChildrenPart) -> EntityRoom:
    """Return what ``<room>.definitions`` offers for a kind of children."""
    descriptions = Descriptions(
        job=f"{entity.label}: EspoCRM ({entity.espocrm}) ↔ Advoware.",
        fetch="Liest die Datensätze aus EspoCRM, Advoware und unserer Datenbank.",
        map="Ordnet die Datensätze ihren Beteiligten und beide Seiten einander zu.",
        diff="Vergleicht mit dem zuletzt abgeglichenen Stand und plant.",
        write="Schreibt den Plan auf beide Seiten und merkt sich den neuen Stand.",
    )

    async def changed(context: PassContext, since: datetime) -> Sequence[str]:
        return await moved_since(context, part.kind, since)

    room = make_room(entity, ChildPipeline(part), descriptions, changed, _TIMING)
    needed = (*room.status_fields, part.kind.key_attribute, "beteiligte")
    return replace(room, table=part.kind.table, status_fields=needed)
