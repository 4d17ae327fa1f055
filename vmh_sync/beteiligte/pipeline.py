"""The four steps of a pass over parties with their Kommunikation, Adressen and Bankverbindungen.

What the steps need is imported by them: a command that only looks whether there is anything to do does not wait for it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vmh_sync.beteiligte.party import ENTITY
from vmh_sync.beteiligte.selection import Selection, changed_between, select
from vmh_sync.engine.entity_pipeline import UnknownSelection
from vmh_sync.engine.pass_context import PassContext
from vmh_sync.engine.span import span_of
from vmh_sync.sync.outcome import RecordOutcome

if TYPE_CHECKING:
    from vmh_sync.beteiligte.batch import Batch


class PartyPipeline:
    """What the job does with a batch of parties, see :class:`vmh_sync.engine.entity_pipeline.EntityPipeline`."""

    entity = ENTITY

    async def select(self, opened: PassContext, selection: str) -> list[str]:
        """Return the EspoCRM ids of a selection, or of what was changed in a span."""
        if (span := span_of(selection)) is not None:
            return await changed_between(opened, span)
        if selection not in list(Selection):
            raise UnknownSelection(selection, Selection)
        return await select(opened, Selection(selection))

    async def fetch(self, opened: PassContext, ids: Sequence[str], *, dry_run: bool) -> "Batch":
        """Read a batch of parties and what their parts need; a dry run reads the same."""
        from vmh_sync.beteiligte import batch as stages
        from vmh_sync.beteiligte.composition import PARTS

        del dry_run
        return await stages.fetch(opened, PARTS, ids)

    def size(self, batch: "Batch") -> int:
        """Return the number of parties."""
        return len(batch.reads)

    def map_fields(self, batch: "Batch") -> None:
        """Bring both sides into canonical form."""
        from vmh_sync.beteiligte import batch as stages

        stages.map_fields(batch)

    def diff(self, batch: "Batch") -> int:
        """Plan each party; returns how many have to be written."""
        from vmh_sync.beteiligte import batch as stages
        from vmh_sync.beteiligte.composition import PARTS

        return len(stages.diff(PARTS, batch).to_write)

    async def write(self, opened: PassContext, batch: "Batch", *, allow_mass_change: bool) -> list[RecordOutcome]:
        """Carry the plans out."""
        from vmh_sync.beteiligte import batch as stages
        from vmh_sync.beteiligte.composition import PARTS

        return await stages.write(opened, PARTS, batch, allow_mass_change=allow_mass_change)

    def dry_run(self, batch: "Batch") -> list[RecordOutcome]:
        """Return what would become of each party."""
        from vmh_sync.beteiligte import batch as stages

        return stages.dry_run(batch)


PIPELINE = PartyPipeline()
