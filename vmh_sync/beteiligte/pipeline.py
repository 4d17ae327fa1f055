"""The four steps of a pass over parties with their Kommunikation, Adressen and Bankverbindungen.

What the steps need is imported by them: a command that only looks whether there is anything to do does not wait for it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vmh_sync.beteiligte.party import ENTITY
from vmh_sync.beteiligte.selection import Selection, changed_between, select
from vmh_sync.engine.passes.entity_pipeline import UnknownSelection
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.selecting.span import span_of
from vmh_sync.sync.reporting.outcome import RecordOutcome

if TYPE_CHECKING:
    from vmh_sync.beteiligte.batch import Batch
    from vmh_sync.beteiligte.kommunikation_alone import AloneBatch

KOMMUNIKATION = "kommunikation"
_ALONE = (Selection.DIRTY, Selection.FAILED, Selection.ALL)
"""What Kommunikation alone can be about: it has no inbox, no retries and no turn of its own."""


class PartyPipeline:
    """What the job does with a batch of parties, see :class:`vmh_sync.engine.passes.entity_pipeline.EntityPipeline`."""

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


class KommunikationPipeline:
    """The same for the phones and e-mails of linked parties alone."""

    entity = KOMMUNIKATION

    async def select(self, opened: PassContext, selection: str) -> list[str]:
        """Return the EspoCRM ids of the linked parties of a selection, or of what was changed in a span."""
        if span_of(selection) is None and selection not in list(_ALONE):
            raise UnknownSelection(selection, _ALONE)
        chosen = await PIPELINE.select(opened, selection)
        linked = await opened.store.read(lambda tx: tx.links.get_many(ENTITY, chosen))
        return [espo_id for espo_id in chosen if espo_id in linked and linked[espo_id].state == "active"]

    async def fetch(self, opened: PassContext, ids: Sequence[str], *, dry_run: bool) -> "AloneBatch":
        """Read a batch of parties; a dry run reads the same."""
        from vmh_sync.beteiligte import kommunikation_alone as stages

        del dry_run
        return await stages.fetch(opened, ids)

    def size(self, batch: "AloneBatch") -> int:
        """Return the number of parties."""
        return len(batch.ids)

    def map_fields(self, batch: "AloneBatch") -> None:
        """Bring both sides into canonical form."""
        from vmh_sync.beteiligte import kommunikation_alone as stages

        stages.map_fields(batch)

    def diff(self, batch: "AloneBatch") -> int:
        """Plan each party's phones and e-mails; returns how many have to be written."""
        from vmh_sync.beteiligte import kommunikation_alone as stages

        return stages.diff(batch)

    async def write(self, opened: PassContext, batch: "AloneBatch", *, allow_mass_change: bool) -> list[RecordOutcome]:
        """Carry the plans out."""
        from vmh_sync.beteiligte import kommunikation_alone as stages

        return await stages.write(opened, batch, allow_mass_change=allow_mass_change)

    def dry_run(self, batch: "AloneBatch") -> list[RecordOutcome]:
        """Return what would become of each party's phones and e-mails."""
        from vmh_sync.beteiligte import kommunikation_alone as stages

        return stages.dry_run(batch)


PIPELINE = PartyPipeline()
KOMMUNIKATION_ALONE = KommunikationPipeline()
