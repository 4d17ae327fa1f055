"""What people typed, and what must have become of it: it stands, somebody saw and replaced it, or it was told.

Invariant 1 of design.md 3. Values to be followed hold a token that exists once in the world ("k17q"), so that they are
known again in whatever notation and on whichever side; phone numbers have digits of their own for that.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Json = dict[str, Any]
_TOKEN = re.compile(r"k\d+q|7700\d{5}")


class Cell(NamedTuple):
    """Where somebody typed: side, entity, id there, field."""

    side: str
    entity: str
    id: str
    field: str


def plain(value: object) -> str:
    """Return a value as text without case, blanks and separators."""
    return re.sub(r"[\s/()\-.]", "", json.dumps(value, ensure_ascii=False, default=str)).casefold()


@dataclass
class Typed:
    """The values that were typed and that nobody has seen and replaced since. ``moment`` counts what happens."""

    moment: Callable[[], int]
    values: dict[str, tuple[Cell, int]] = field(default_factory=dict)
    count: int = 0

    def token(self) -> str:
        """Return a token that nobody has typed yet."""
        self.count += 1
        return f"k{self.count}q"

    def phone(self) -> str:
        """Return the end of a phone number that nobody has typed yet."""
        self.count += 1
        return f"7700{self.count:05d}"

    def edited(
        self, side: str, entity: str, record_id: str, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> None:
        """A person saved a record: what the form showed and what it says now."""
        for name in {*before, *after}:
            was, now = plain(before.get(name)), plain(after.get(name))
            if was != now:
                self.replaced(was, now)
                for token in _TOKEN.findall(now):
                    if token not in was:
                        self.values[token] = (Cell(side, entity, record_id, name), self.moment())

    def replaced(self, was: str, now: str = "") -> None:
        """Somebody saw ``was`` and left ``now``: what is not in it any more need not stand."""
        for token in _TOKEN.findall(was):
            if token not in now:
                self.values.pop(token, None)

    def unseen_since(self, moment: int, was: str, now: str) -> None:
        """A write replaced ``was`` by ``now`` in the known window that began at ``moment`` (docs/guarantees.md)."""
        for token in _TOKEN.findall(was):
            if token not in now and token in self.values and self.values[token][1] >= moment:
                del self.values[token]

    def lost(self, stands: Callable[[Cell], object | None], told: str) -> list[str]:
        """Return what neither stands where it was typed nor was told. ``stands``: ``None`` for a missing record."""
        return [
            f"{token} typed in {cell}"
            for token, (cell, _) in self.values.items()
            if token not in told and token not in plain(stands(cell))
        ]
