"""Its line in the list of entities."""

from vmh_sync.entities import Entity

ENTITY = Entity("akten", "Akten", "CAkten", room=__package__ or "akten")
