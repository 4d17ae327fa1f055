"""Both sides of one party's children in memory, with the rules of each (entities.md 3 and 4, advoware-wire.md 3).

Test code: as small as it can be. Advoware refuses every DELETE, takes all fields in a POST and few or none in a PUT;
EspoCRM refuses single values and checks the version it is given.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from vmh_sync.children.kind import ACTIVE, BOOKKEEPING, ChildKind
from vmh_sync.systems.advoware.records import WireRecord
from vmh_sync.systems.espocrm.records import EspoRecord


class Failed(Exception):
    """One write did not come off, or nobody knows; the next child goes on."""


class Died(Exception):
    """The process is gone."""


class Fault(StrEnum):
    """What becomes of one write of a pass."""

    NONE = "none"
    FAILS = "fails"
    LOST = "lost"  # done over there, but the answer never comes
    DIES_BEFORE = "dies_before"
    DIES_AFTER = "dies_after"


@dataclass
class Crm:
    """One party's records in EspoCRM."""

    kind: ChildKind
    limits: Mapping[str, int] = field(default_factory=dict)
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)
    writes: int = 0
    _last: int = 0

    def add(self, values: Mapping[str, Any]) -> str:
        self._last += 1
        espo_id = f"e{self._last}"
        blank = dict.fromkeys((*self.kind.table.espo_attributes, "name", self.kind.key_attribute, *BOOKKEEPING))
        self.records[espo_id] = {**blank, ACTIVE: True, **values}
        self.versions[espo_id] = 1
        return espo_id

    def create(self, values: Mapping[str, Any]) -> tuple[str, list[str]]:
        self.writes += 1
        key = values[self.kind.key_attribute]
        assert all(record[self.kind.key_attribute] != key for record in self.records.values()), "doubled in EspoCRM"
        refused = self._refused(values)
        return self.add({name: value for name, value in values.items() if name not in refused}), refused

    def update(self, espo_id: str, values: Mapping[str, Any], version: int | None) -> list[str]:
        """Change a record; returns the attributes that were refused, the others are taken."""
        if espo_id not in self.records or self.versions[espo_id] != version:
            raise Failed
        self.writes += 1
        refused = self._refused(values)
        self.edit(espo_id, {name: value for name, value in values.items() if name not in refused})
        return refused

    def edit(self, espo_id: str, values: Mapping[str, Any]) -> None:
        self.records[espo_id].update(values)
        self.versions[espo_id] += 1

    def _refused(self, values: Mapping[str, Any]) -> list[str]:
        return [name for name, limit in self.limits.items() if len(str(values.get(name) or "")) > limit]

    def read(self, espo_id: str) -> EspoRecord:
        return EspoRecord(
            self.kind.espo_entity, espo_id, dict(self.records[espo_id]), version=self.versions.get(espo_id)
        )

    def listed(self) -> Iterator[str]:
        return (espo_id for espo_id in self.records if espo_id not in self.elsewhere)


@dataclass
class Office:
    """One party's records in Advoware; ``writable`` is what a PUT changes, everything else it ignores."""

    kind: ChildKind
    model: type[WireRecord]
    writable: frozenset[str]
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    made_for: dict[str, str] = field(default_factory=dict)
    writes: int = 0
    _last: int = 0

    def add(self, values: Mapping[str, Any]) -> str:
        self._last += 1
        key = str(self._last)
        self.records[key] = {"id": self._last, "row_id": f"R{self._last}", **values}
        return key

    def post(self, espo_id: str, values: Mapping[str, Any]) -> str:
        self.writes += 1
        key = self.add(values)
        self.made_for[key] = espo_id
        return key

    def put(self, key: str, row_id: str | None, values: Mapping[str, Any]) -> None:
        assert self.writable, "a PUT that is refused was tried"
        if key not in self.records or self.records[key]["row_id"] != row_id:
            raise Failed
        self.writes += 1
        self.edit(key, {name: value for name, value in values.items() if name in self.writable})

    def edit(self, key: str, values: Mapping[str, Any]) -> None:
        row = self.records[key]
        row.update(values, row_id=row["row_id"] + "'")

    def read(self, key: str) -> WireRecord:
        return self.model.model_validate(dict(self.records[key]))
