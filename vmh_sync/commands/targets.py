"""What can be synced from the command line."""

from vmh_sync.commands.sync import SyncTarget
from vmh_sync.entities import every
from vmh_sync.orchestration.entity_room import room_of


def target(name: str) -> SyncTarget:
    """Return what ``vmh-sync sync NAME`` runs. Raises ``KeyError`` for an entity without records in EspoCRM."""
    room = room_of({entity.name: entity for entity in every()}[name])
    if room.pipeline is None or room.job is None:
        raise KeyError(name)
    return SyncTarget(name, room.job, room.pipeline)
