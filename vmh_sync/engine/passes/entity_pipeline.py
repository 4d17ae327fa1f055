"""What an entity offers to a pass, in Dagster or not: choosing records, and the four steps over a batch of them."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.sync.reporting.outcome import RecordOutcome

B = TypeVar("B")


class UnknownSelection(ValueError):
    """There is no selection of this name; ``str`` names the possible ones, in German."""

    def __init__(self, name: str, possible: Iterable[str]) -> None:
        super().__init__(f"Die Auswahl „{name}“ gibt es nicht; möglich sind: {', '.join(possible)}.")


class EntityPipeline(Protocol[B]):
    """What an entity does with a batch of its own making, ``B``; nobody else looks into it."""

    @property
    def entity(self) -> str:
        """Return the entity's name, as in ``sync_<entity>``."""
        ...

    async def select(self, opened: PassContext, selection: str) -> list[str]:
        """Return the EspoCRM ids of a selection; raises :class:`UnknownSelection`."""
        ...

    async def fetch(self, opened: PassContext, ids: Sequence[str], *, dry_run: bool) -> B:
        """Read both sides and the base; returns the batch. Raises ``ForeignSystemError`` when nothing can be read."""
        ...

    def size(self, batch: B) -> int:
        """Return how many records the batch holds."""
        ...

    def map_fields(self, batch: B) -> None:
        """Bring both sides of each record into canonical form."""
        ...

    def diff(self, batch: B) -> int:
        """Plan each record; returns how many have to be written."""
        ...

    async def write(self, opened: PassContext, batch: B, *, allow_mass_change: bool) -> list[RecordOutcome]:
        """Carry the plans out; one outcome per record. Raises ``GuardTripped`` before anything is written."""
        ...

    def dry_run(self, batch: B) -> list[RecordOutcome]:
        """Return what would become of each record, without writing anything."""
        ...
