"""The four steps of a pass over a kind of child records (Adressen, Bankverbindungen)."""

from collections.abc import Sequence
from dataclasses import dataclass

from vmh_sync.children import batch as stages
from vmh_sync.children.batch import ChildBatch
from vmh_sync.children.part import ChildrenPart, children_plan
from vmh_sync.children.selection import SELECTIONS, changed_between, select
from vmh_sync.engine.passes.entity_pipeline import UnknownSelection
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.selecting.span import span_of
from vmh_sync.sync.reporting.outcome import RecordOutcome


@dataclass(frozen=True)
class ChildPipeline:
    """What the job does with a batch of children, see ``EntityPipeline``."""

    part: ChildrenPart

    @property
    def entity(self) -> str:
        """Return the kind's name."""
        return self.part.entity

    async def select(self, opened: PassContext, selection: str) -> list[str]:
        """Return the EspoCRM ids of a selection."""
        if (span := span_of(selection)) is not None:
            return await changed_between(opened, self.part.kind, span)
        if selection not in SELECTIONS:
            raise UnknownSelection(selection, SELECTIONS)
        return await select(opened, self.part.kind, selection)

    async def fetch(self, opened: PassContext, ids: Sequence[str], *, dry_run: bool) -> ChildBatch:
        """Read the children, their parties and their siblings."""
        return await stages.fetch(opened, self.part, ids, dry_run=dry_run)

    def size(self, batch: ChildBatch) -> int:
        """Return the number of children."""
        return len(batch.ids)

    def map_fields(self, batch: ChildBatch) -> None:
        """Bring both sides of each child into canonical form."""
        stages.map_fields(self.part, batch)

    def diff(self, batch: ChildBatch) -> int:
        """Plan the children of each party; returns how many have to be written."""
        return sum(len(children_plan(plan).to_write) for plan in stages.diff(self.part, batch).plans.values())

    async def write(self, opened: PassContext, batch: ChildBatch, *, allow_mass_change: bool) -> list[RecordOutcome]:
        """Carry the plans out."""
        return await stages.write(opened, self.part, batch, allow_mass_change=allow_mass_change)

    def dry_run(self, batch: ChildBatch) -> list[RecordOutcome]:
        """Return what would become of each child."""
        return stages.dry_run(self.part, batch)
