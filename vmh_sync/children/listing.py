"""What EspoCRM lists of the children of several parties: one list per 100 parties."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from vmh_sync.children.kind import ChildKind
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.systems.espocrm.errors import UnexpectedAnswer
from vmh_sync.systems.espocrm.records import EspoRecord, SpoiltRow


@dataclass(slots=True, repr=False)
class ListedChildren:
    """The records of each party by its EspoCRM id, and what of the lists cannot be used.

    ``spoilt``: of which parties the list says nothing reliable; ``rows``: rows that spoil only themselves.
    """

    records: dict[str, list[EspoRecord]]
    spoilt: dict[str, UnexpectedAnswer] = field(default_factory=dict)
    rows: dict[str, list[SpoiltRow]] = field(default_factory=dict)

    def said(self, espo_id: str) -> list[dict[str, Any]] | None:
        """Return what EspoCRM said of a party's children, by id; ``None`` where some of it cannot be used."""
        if espo_id not in self.records or espo_id in self.spoilt or self.rows.get(espo_id):
            return None
        return [record.attributes for record in sorted(self.records[espo_id], key=lambda record: record.id)]


async def list_children(context: PassContext, kind: ChildKind, parties: Sequence[str]) -> ListedChildren:
    """List the children of parties by their EspoCRM ids. Raises an ``EspoError`` when EspoCRM cannot list at all."""
    listed = ListedChildren({espo_id: [] for espo_id in parties})
    records = context.espo.list_ids_in(
        kind.espo_entity,
        "beteiligteId",
        listed.records,
        select=kind.attributes(context.table(kind.entity, kind.table)),
        spoilt=listed.spoilt,
        spoilt_rows=listed.rows,
    )
    async for record in records:
        of_party = listed.records.get(str(record.attributes.get("beteiligteId")))
        if of_party is not None:
            of_party.append(record)
    return listed
