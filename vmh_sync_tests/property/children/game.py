"""Children of one kind on both sides of a real firm in memory, and people who edit them (entities.md 3 and 4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vmh_sync.beteiligte.pipeline import PartyPipeline
from vmh_sync.children.kind import ACTIVE, ChildKind
from vmh_sync.children.part import ChildrenPart
from vmh_sync.children.pipeline import ChildPipeline
from vmh_sync.settings import SyncSettings
from vmh_sync.store.pairs.links import Link
from vmh_sync.sync.base import Side
from vmh_sync.sync.merge import ConflictRule
from vmh_sync.sync.values import Value
from vmh_sync.systems.advoware.records import WireRecord
from vmh_sync_tests.inmemory.firm import Firm
from vmh_sync_tests.inmemory.typed import plain
from vmh_sync_tests.inmemory.world import World

NEW = "<new>"
"""Stands for a value that nobody has typed yet."""

PARTY = "CBeteiligte"


@dataclass(frozen=True, slots=True)
class Child:
    """What the tests have to know of a kind. ``block``: a field that is rebuilt, and what it is made of, per side."""

    part: ChildrenPart
    model: type[WireRecord]
    block: Mapping[str, tuple[str, frozenset[str]]]
    mark: str = ""
    """By which alone Advoware's record is known while the answer to its create is missing."""


class ChildGame:
    """One party with children of a kind in a firm of its own, and a second one to which some may be given."""

    def __init__(self, child: Child, *, seed: int = 0, conflict: ConflictRule, rules: SyncSettings) -> None:
        self.child = child
        self.kind: ChildKind = child.part.kind
        table = {rule.name: {"conflict": conflict.value} for rule in self.kind.table.rules}
        self.firm = Firm(World(seed, rules, field_changes={self.kind.entity: table}))
        self.parties = [self.firm.crm_create(PARTY, {"lastName": name}) for name in ("Muster", "Huber")]
        self.passes = (PartyPipeline(), ChildPipeline(child.part))
        self.firm.run(PartyPipeline(), self.parties)
        self.betnr = int(self.firm.crm_row(PARTY, self.parties[0])["betnr"])  # type: ignore[index]

    def ids(self, *, children: bool) -> list[str]:
        """Return what a pass takes: the parties, or the children that EspoCRM or our links know."""
        if not children:
            return self.parties
        return list(dict.fromkeys((*self.here(), *self.links())))

    # What stands where

    def here(self) -> dict[str, dict[str, Any]]:
        """Return the party's records in EspoCRM."""
        return self.firm.crm_rows(self.kind.espo_entity, beteiligteId=self.parties[0])

    def everywhere(self) -> dict[str, dict[str, Any]]:
        """Return the records of both parties in EspoCRM."""
        return self.firm.crm_rows(self.kind.espo_entity)

    def there(self) -> dict[str, dict[str, Any]]:
        """Return the party's records in Advoware."""
        party = self.firm.office_rows("Beteiligte")[str(self.betnr)]
        return {str(row["id"]): row for row in party[self.kind.advoware_entity.casefold()]}

    def links(self) -> dict[str, Link]:
        """Return the links of the party's children by EspoCRM id."""
        found = self.firm.links(self.kind.entity)
        return {espo_id: link for espo_id, link in found.items() if link.betnr == self.betnr}

    def fields_here(self, row: Mapping[str, Any]) -> dict[str, Value]:
        """Return the canonical fields of an EspoCRM record."""
        return self.kind.table.read(Side.ESPOCRM, row)

    def fields_there(self, row: Mapping[str, Any]) -> dict[str, Value]:
        """Return the canonical fields of an Advoware record."""
        return self.kind.read_advoware(self.kind.table, self.child.model.model_validate(row).model_dump())

    # People

    def add_here(self, values: Mapping[str, Any]) -> None:
        """A person adds a record in EspoCRM."""
        title = {"name": "Eintrag", "beteiligteId": self.parties[0]}
        self.firm.crm_create(self.kind.espo_entity, {**title, **self._filled(values)})

    def add_there(self, values: Mapping[str, Any]) -> None:
        """A person adds a record in Advoware."""
        self.firm.office_create(self.kind.advoware_entity, self._filled(values), self.betnr)

    def change_here(self, espo_id: str, values: Mapping[str, Any]) -> None:
        """A person changes a record in EspoCRM."""
        self._rebuilds("espocrm", self.everywhere()[espo_id], values)
        self.firm.crm_edit(self.kind.espo_entity, espo_id, self._filled(values))

    def change_there(self, key: str, values: Mapping[str, Any]) -> None:
        """A person changes a record in Advoware."""
        row, typed = self.there()[key], self._filled(values)
        if key not in {str(link.advoware_id) for link in self.links().values()}:
            marked = str(row.get("bemerkung") or "").partition("\n")[0]
            if self.child.mark and marked.startswith(self.child.mark) and "bemerkung" in typed:
                # Taking our mark away before we know the record is the one thing that nothing can mend.
                typed["bemerkung"] = f"{marked}\n{typed['bemerkung'] or ''}"
        if typed:
            self._rebuilds("advoware", row, values)
            self.firm.office_edit(self.kind.advoware_entity, key, typed)

    def set_active(self, espo_id: str, *, active: bool) -> None:
        """A person switches a record in EspoCRM on or off."""
        self.firm.crm_edit(self.kind.espo_entity, espo_id, {ACTIVE: active})

    def give_away_or_back(self, espo_id: str) -> None:
        """A person gives a record to the other party, or back."""
        owner = self.everywhere()[espo_id]["beteiligteId"]
        other = self.parties[1] if owner == self.parties[0] else self.parties[0]
        self.firm.crm_edit(self.kind.espo_entity, espo_id, {"beteiligteId": other})

    def delete_here(self, espo_id: str) -> None:
        """A person deletes a record in EspoCRM."""
        self.firm.crm_delete(self.kind.espo_entity, espo_id)

    def delete_there(self, key: str) -> None:
        """A person deletes a record in Advoware."""
        self.firm.office_delete(self.kind.advoware_entity, key)

    def _filled(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: value.replace(NEW, self.firm.typed.token()) if isinstance(value, str) else value
            for name, value in values.items()
        }

    def _rebuilds(self, side: str, row: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        """Whoever changes the street knows that the printed block is built anew."""
        name, made_of = self.child.block.get(side, ("", frozenset()))
        if any(row.get(one) != values[one] for one in made_of & set(values)):
            self.firm.typed.replaced(plain(row.get(name)))
