"""What an entity's package offers to the rest of the house, and the Dagster definitions that all entities get alike."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import dagster as dg

from vmh_sync.engine.passes.entity_pipeline import EntityPipeline
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.entities import Entity, UnusableEntity, add_packages, every, not_loadable
from vmh_sync.orchestration.jobs.entity_asset import make_entity_asset
from vmh_sync.orchestration.jobs.repair import make_repair
from vmh_sync.orchestration.jobs.sync_job import Descriptions, make_sync_job
from vmh_sync.orchestration.triggers.dirty_sensor import Changed, make_dirty_sensor, make_sweep
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.reporting.comparison import EntityComparison


@dataclass(frozen=True, slots=True)
class EntityRoom:
    """Offered as ``ROOM`` by ``<room>.definitions``.

    ``pipeline`` and ``job`` are what ``vmh-sync sync <name>`` runs, ``defs`` what Dagster shows. ``table`` and
    ``status_fields`` are what ``vmh-sync doctor`` looks for in EspoCRM, ``compare`` what ``vmh-sync reconcile`` asks;
    parties and their children have checks and a comparison of their own there. ``assets`` get owners and links.
    """

    entity: Entity
    defs: dg.Definitions
    pipeline: EntityPipeline[Any] | None = None
    job: dg.JobDefinition | None = None
    table: FieldTable | None = None
    status_fields: tuple[str, ...] = ("syncStatus", "syncErrorMessage")
    compare: Callable[[PassContext], Awaitable[EntityComparison]] | None = None
    assets: tuple[dg.AssetSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class Timing:
    """When an entity is looked at by itself. ``sweep_cron`` is in the firm's time zone."""

    sweep_cron: str
    sweep_says: str
    repair_seconds: int = 28
    """No multiple of 5: the sensor daemon ticks every 5 s and would miss one (dagster.md 0.4)."""


def make_room(
    entity: Entity,
    pipeline: EntityPipeline[Any],
    descriptions: Descriptions,
    changed: Changed,
    timing: Timing,
    *,
    suffix: str | None = None,
    schedules: Callable[[dg.JobDefinition], Sequence[dg.ScheduleDefinition]] = lambda job: (),
) -> EntityRoom:
    """Return the room of an entity with records in EspoCRM: job, dirty sensor, sweep, and repair by backfill.

    ``suffix`` ends the names of the job's ops (``_<name>``); ``schedules`` makes what the entity has besides.
    """
    job = make_sync_job(pipeline, descriptions, suffix=f"_{entity.name}" if suffix is None else suffix)
    repair = make_repair(pipeline, entity.label, every_seconds=timing.repair_seconds)
    defs = dg.Definitions(
        assets=[repair.asset],
        jobs=[job, repair.job],
        sensors=[make_dirty_sensor(entity, job, changed), repair.sensor],
        schedules=[make_sweep(entity, job, timing.sweep_cron, timing.sweep_says), *schedules(job)],
    )
    return EntityRoom(entity, defs, pipeline, job, assets=(make_entity_asset(entity),))


def rooms(extra: Iterable[str] = ()) -> tuple[EntityRoom, ...]:
    """Import and return the rooms of all entities; ``extra`` are packages of the firm's own (``VMH_ENTITIES``).

    Raises :class:`UnusableEntity` for a package that offers none.
    """
    add_packages(extra)
    return tuple(room_of(entity) for entity in every())


def room_of(entity: Entity) -> EntityRoom:
    """Import the room of one entity. Raises :class:`UnusableEntity`."""
    try:
        room = getattr(import_module(f"{entity.package}.definitions"), "ROOM", None)
    except Exception as error:
        if not entity.room:
            raise
        raise not_loadable(f"{entity.package}.definitions", error) from error
    if not isinstance(room, EntityRoom):
        raise UnusableEntity(f"{entity.package}.definitions bietet kein ROOM an.")
    return room
