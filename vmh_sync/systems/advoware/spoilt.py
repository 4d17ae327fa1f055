"""Rows of Advoware's lists that cannot be used."""

from dataclasses import dataclass, field
from typing import Any

from vmh_sync.systems.advoware.errors import UnexpectedAnswer


@dataclass(frozen=True, slots=True)
class SpoiltRow:
    """A row of a list that cannot be used: what of it can be trusted (its number, mostly), and why."""

    attributes: dict[str, Any] = field(repr=False)
    error: UnexpectedAnswer

    def number(self, name: str) -> int | None:
        """Return the number that the row tells under a JSON name, ``None`` where it does not tell one."""
        value = self.attributes.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None
