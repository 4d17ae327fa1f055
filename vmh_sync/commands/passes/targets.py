"""What can be synced from the command line."""

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from vmh_sync.beteiligte.pipeline import KOMMUNIKATION, KOMMUNIKATION_ALONE
from vmh_sync.engine.passes.entity_pipeline import EntityPipeline
from vmh_sync.entities import Entity, every

if TYPE_CHECKING:  # takes a second, and a pass that finds nothing to do needs none of it
    import dagster as dg

    from vmh_sync.orchestration.entity_room import EntityRoom


@dataclass(frozen=True, slots=True)
class SyncTarget:
    """An entity whose records are synced: what it does with them, and the job in which it does."""

    entity: str
    pipeline: EntityPipeline[Any]

    def job(self) -> "dg.JobDefinition":
        """Return the job ``sync_<entity>``."""
        if self.entity == KOMMUNIKATION:
            from vmh_sync.beteiligte.definitions import KOMMUNIKATION_JOB

            return KOMMUNIKATION_JOB
        job = _room(_entity(self.entity)).job
        if job is None:
            raise KeyError(self.entity)
        return job


def target(name: str) -> SyncTarget:
    """Return what ``vmh-sync sync NAME`` runs. Raises ``KeyError`` for an entity without records in EspoCRM."""
    if name == KOMMUNIKATION:
        return SyncTarget(name, KOMMUNIKATION_ALONE)
    entity = _entity(name)
    # A firm's own entity may offer its steps with its room only; then Dagster comes with them.
    alone = f"{entity.package}.pipeline"
    quick = getattr(import_module(alone), "PIPELINE", None) if find_spec(alone) else None
    pipeline = quick or _room(entity).pipeline
    if pipeline is None:
        raise KeyError(name)
    return SyncTarget(name, pipeline)


def _entity(name: str) -> Entity:
    return {entity.name: entity for entity in every()}[name]


def _room(entity: Entity) -> "EntityRoom":
    from vmh_sync.orchestration.entity_room import room_of

    return room_of(entity)
