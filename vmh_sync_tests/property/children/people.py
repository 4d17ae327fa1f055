"""People who edit both sides, and what must have become of everything they typed (design.md 3, invariant 1)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vmh_sync.adressen.fields import BLOCK_PARTS
from vmh_sync.adressen.model import with_mark
from vmh_sync.children.kind import ACTIVE
from vmh_sync.sync.base import Base, Side
from vmh_sync.sync.values import Value, is_empty, same
from vmh_sync_tests.property.children.world import World

Cell = tuple[Side, str, str]
"""Side, id there, field."""


@dataclass
class People:
    """Edit a world and remember what was typed and not replaced by somebody who saw it."""

    world: World
    typed: dict[Cell, Value] = field(default_factory=dict)

    def add_here(self, values: Mapping[str, Any]) -> str:
        espo_id = self.world.crm.add(self._written(Side.ESPOCRM, values))
        self._note(Side.ESPOCRM, espo_id, {})
        return espo_id

    def add_there(self, values: Mapping[str, Any]) -> str:
        key = self.world.office.add(self._written(Side.ADVOWARE, values))
        self._note(Side.ADVOWARE, key, {})
        return key

    def change_here(self, espo_id: str, values: Mapping[str, Any]) -> None:
        before = self.world.here(espo_id)
        self.world.crm.edit(espo_id, self._written(Side.ESPOCRM, values))
        self._note(Side.ESPOCRM, espo_id, before)

    def change_there(self, key: str, values: Mapping[str, Any]) -> None:
        before, mark = self.world.there(key), self.world.kind.marked_for(self.world.office.records[key])
        written = self._written(Side.ADVOWARE, values)
        if mark is None and key in self.world.office.made_for and key not in self.world.ever:
            return  # an account without link and mark is known by its IBAN alone: nobody finds it under another one
        if mark is not None and "bemerkung" in written and key not in self.world.ever:
            # Taking our mark away before we know the record is the one thing that nothing can mend.
            written["bemerkung"] = with_mark(mark, written["bemerkung"])
        self.world.office.edit(key, written)
        self._note(Side.ADVOWARE, key, before)

    def set_active(self, espo_id: str, *, active: bool) -> None:
        self.world.crm.edit(espo_id, {ACTIVE: active})

    def delete_here(self, espo_id: str) -> None:
        self._seen_and_gone(Side.ESPOCRM, espo_id, self.world.here(espo_id))
        del self.world.crm.records[espo_id]
        self.world.crm.elsewhere.discard(espo_id)

    def delete_there(self, key: str) -> None:
        self._seen_and_gone(Side.ADVOWARE, key, self.world.there(key))
        del self.world.office.records[key]

    def close_task(self, number: int) -> None:
        standing = [row.espo_task_id for row in self.world.tasks if row.espo_task_id is not None]
        if standing:
            self.world.done_by_people.add(standing[number % len(standing)])

    def check_nothing_is_lost(self) -> None:
        for (side, key, name), value in self.typed.items():
            now = self._now(side, key)
            if now is not None and self._same(name, now.get(name), value):
                continue
            ids = {key} if side is Side.ESPOCRM else {i for there, i in self.world.history if there == key}
            traces = {v for i, f, v in self.world.lost | self.world.told if i in ids and f == name}
            assert any(self._same(name, trace, value) for trace in traces), f"{side} {key}: {name} is lost"

    # SyncOptions

    def _written(self, side: Side, values: Mapping[str, Any]) -> dict[str, Any]:
        rules = [rule for rule in self.world.table.rules if rule.name in values]
        return {
            rule.espo if side is Side.ESPOCRM else rule.advoware: rule.write(side, values[rule.name]) for rule in rules
        }

    def _now(self, side: Side, key: str) -> Mapping[str, Value] | None:
        if side is Side.ESPOCRM:
            return self.world.here(key) if key in self.world.crm.records else None
        return self.world.there(key) if key in self.world.office.records else None

    def _note(self, side: Side, key: str, before: Mapping[str, Value]) -> None:
        now, agreed = self._now(side, key) or {}, self._agreed(side, key)
        for name, value in now.items():
            if name in before and self._same(name, before[name], value):
                continue
            self._replaced(side, key, name, before.get(name))
            if name in BLOCK_PARTS and before:
                # Whoever changes the street knows that the printed block is built anew.
                self._replaced(side, key, "anschrift", now.get("anschrift"))
            self.typed.pop((side, key, name), None)
            if not is_empty(value) and value is not False and not self._same(name, agreed.get(name), value):
                self.typed[side, key, name] = value

    def _agreed(self, side: Side, key: str) -> Mapping[str, Value]:
        """What the base has: whoever types just that again has not edited anything."""
        link = self.world.links.get(key if side is Side.ESPOCRM else self.world.ever.get(key, ""))
        return Base.from_json(link.base).of(side) if link is not None else {}

    def _replaced(self, side: Side, key: str, name: str, seen: Value) -> None:
        """Somebody saw this value and replaced it: wherever it was typed, it need not stand any more."""
        for cell in self._cells(side, key, name):
            if cell in self.typed and self._same(name, self.typed[cell], seen):
                del self.typed[cell]

    def _cells(self, side: Side, key: str, name: str) -> Iterable[Cell]:
        yield side, key, name
        if side is Side.ESPOCRM:
            yield from ((Side.ADVOWARE, there, name) for there, espo_id in self.world.ever.items() if espo_id == key)
            yield from (
                (Side.ADVOWARE, there, name) for there, espo_id in self.world.office.made_for.items() if espo_id == key
            )
        else:
            other = self.world.ever.get(key) or self.world.office.made_for.get(key)
            if other is not None:
                yield Side.ESPOCRM, other, name

    def _seen_and_gone(self, side: Side, key: str, seen: Mapping[str, Value]) -> None:
        for name, value in seen.items():
            self._replaced(side, key, name, value)
        for cell in [cell for cell in self.typed if cell[:2] == (side, key)]:
            del self.typed[cell]

    def _same(self, name: str, one: Value, other: Value) -> bool:
        return name in self.world.table and same(self.world.table[name].kind, one, other)
