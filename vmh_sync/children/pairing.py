"""Which EspoCRM record is which Advoware record. Pure.

Stored pair, then the EspoCRM id that Advoware's record names, then the Advoware id that EspoCRM's record names, then
what an unanswered create was sent with, then the same natural key (specification, entities.md 3 and 4).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from vmh_sync.children.kind import ChildKind
from vmh_sync.children.sync_state import PartyChildren
from vmh_sync.store.links import Link
from vmh_sync.sync.base import Side
from vmh_sync.systems.advoware.records import WireRecord
from vmh_sync.systems.espocrm.records import EspoRecord


@dataclass(slots=True, repr=False)
class Pair:
    """One child: what each side has of it. ``twin``: Advoware has the same one, but another record stands for it."""

    espo: EspoRecord | None = None
    advoware: WireRecord | None = None
    link: Link | None = None
    twin: bool = False

    @property
    def espo_id(self) -> str | None:
        """The EspoCRM id, also of a record that is gone."""
        return self.espo.id if self.espo is not None else self.link.espo_id if self.link is not None else None


def pair_up(memory: PartyChildren, kind: ChildKind) -> list[Pair]:
    """Return every child of a party once."""
    linked_here = {link.espo_id for link in memory.links}
    retired = {str(key) for link in memory.links for key in link.extra.get("retired", ())}
    taken = {str(link.advoware_id) for link in memory.links} | retired
    # Sorted: of two records for one the older is taken, in whatever order the lists come.
    free_here = {espo_id: record for espo_id, record in sorted(memory.espo.items()) if espo_id not in linked_here}
    there = sorted(memory.advoware.items(), key=lambda item: (len(item[0]), item[0]))
    free_there = {key: child for key, child in there if key not in taken}
    matches = _matches(memory, kind, free_here, free_there)
    pairs = [Pair(free_here.pop(espo_id), free_there.pop(key)) for espo_id, key in matches]
    standing = {k: _natural_there(memory, kind, child) for k, child in memory.advoware.items() if k not in retired}
    pairs = [*_linked(memory, kind, standing), *pairs]
    for record in free_here.values():
        natural = _natural_here(memory, kind, record)
        pairs.append(Pair(record, twin=natural is not None and natural in standing.values()))
    pairs += [Pair(advoware=child) for child in free_there.values()]
    return pairs


def _linked(memory: PartyChildren, kind: ChildKind, standing: Mapping[str, tuple[str, ...] | None]) -> list[Pair]:
    pairs = []
    for link in sorted(memory.links, key=lambda link: link.espo_id):
        record, own = memory.espo.get(link.espo_id), str(link.advoware_id)
        natural = _natural_here(memory, kind, record) if record is not None else None
        twin = natural is not None and any(key != own and other == natural for key, other in standing.items())
        pairs.append(Pair(record, memory.advoware.get(own), link, twin))
    return pairs


def _matches(
    memory: PartyChildren, kind: ChildKind, here: dict[str, EspoRecord], there: dict[str, WireRecord]
) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    left_here, left_there = dict(here), dict(there)

    def take(espo_id: str, key: str) -> None:
        if espo_id in left_here and key in left_there:
            del left_here[espo_id], left_there[key]
            found.append((espo_id, key))

    for key, child in there.items():
        marked = kind.marked_for(child.model_dump())
        if marked is not None:
            take(marked, key)
    for espo_id, record in here.items():
        take(espo_id, str(record.attributes.get(kind.key_attribute) or ""))
    wanted = [(espo_id, memory.attempted.get(espo_id) or None) for espo_id in left_here]
    wanted += [(espo_id, _natural_here(memory, kind, here[espo_id])) for espo_id in left_here]
    for espo_id, natural in wanted:
        same = (key for key in left_there if _natural_there(memory, kind, there[key]) == natural)
        found_there = next(same, None) if natural is not None else None
        if found_there is not None:
            take(espo_id, found_there)
    return found


def _natural_here(memory: PartyChildren, kind: ChildKind, record: EspoRecord) -> tuple[str, ...] | None:
    return kind.natural_key(memory.table.read(Side.ESPOCRM, record.attributes))


def _natural_there(memory: PartyChildren, kind: ChildKind, child: WireRecord) -> tuple[str, ...] | None:
    return kind.natural_key(kind.read_advoware(memory.table, child.model_dump()))
