"""The records in EspoCRM that hang on a party: of the product's entities, and of a firm's own that have the link."""

from collections.abc import AsyncIterator, Sequence

from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.entities import BETEILIGTE, Entity, with_records
from vmh_sync.systems.espocrm.query import equals
from vmh_sync.systems.espocrm.records import EspoRecord

_LINK = "beteiligte"


def kinds() -> list[Entity]:
    """Return the entities whose records may hang on a party."""
    return [entity for entity in with_records() if entity.name != BETEILIGTE.name]


async def records_of_party(
    context: PassContext, entity: Entity, party_id: str, select: Sequence[str] | None = None
) -> AsyncIterator[EspoRecord]:
    """Yield the party's records of one entity. Raises ``ForeignSystemError``.

    A firm's own entity need not be a child, and EspoCRM refuses to look for a link that a type does not have.
    """
    kind = str(entity.espocrm)
    if entity.room and await context.espo.metadata(f"entityDefs.{kind}.fields.{_LINK}") is None:
        return
    async for record in context.espo.list_all(kind, where=(equals(f"{_LINK}Id", party_id),), select=select):
        yield record
