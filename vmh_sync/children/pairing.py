"""Which EspoCRM record is which Advoware record. Pure.

Stored pair, then the EspoCRM id that Advoware's record names, then the Advoware id that EspoCRM's record names, then
the same natural key (specification, entities.md 3 and 4).
"""

from dataclasses import dataclass
from typing import Any

from vmh_sync.children.kind import ChildKind
from vmh_sync.children.memory import PartyChildren
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
    pairs = [
        Pair(memory.espo.get(link.espo_id), memory.advoware.get(str(link.advoware_id)), link) for link in memory.links
    ]
    linked_here = {link.espo_id for link in memory.links}
    retired = {str(key) for link in memory.links for key in link.extra.get("retired", ())}
    taken = {str(link.advoware_id) for link in memory.links} | retired
    free_here = {espo_id: record for espo_id, record in memory.espo.items() if espo_id not in linked_here}
    free_there = {key: child for key, child in memory.advoware.items() if key not in taken}
    for espo_id, key in _matches(memory, kind, free_here, free_there):
        pairs.append(Pair(free_here.pop(espo_id), free_there.pop(key)))
    standing = {_natural_there(memory, kind, child) for key, child in memory.advoware.items() if key not in retired}
    seen: set[Any] = set()
    for record in free_here.values():
        natural = _natural_here(memory, kind, record)
        pairs.append(Pair(record, twin=natural is not None and (natural in standing or natural in seen)))
        seen.add(natural)
    pairs += [Pair(advoware=child) for child in free_there.values()]
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
    for espo_id in list(left_here):
        natural = _natural_here(memory, kind, here[espo_id])
        same = (key for key in left_there if _natural_there(memory, kind, there[key]) == natural)
        found_there = next(same, None) if natural is not None else None
        if found_there is not None:
            take(espo_id, found_there)
    return found


def _natural_here(memory: PartyChildren, kind: ChildKind, record: EspoRecord) -> tuple[str, ...] | None:
    return kind.natural_key(memory.table.read(Side.ESPOCRM, record.attributes))


def _natural_there(memory: PartyChildren, kind: ChildKind, child: WireRecord) -> tuple[str, ...] | None:
    return kind.natural_key(kind.read_advoware(memory.table, child.model_dump()))
