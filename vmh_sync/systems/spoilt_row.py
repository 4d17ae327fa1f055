"""A row of a foreign system's list that cannot be read: it holds up itself, and no other row."""

from dataclasses import dataclass, field
from typing import Any

from vmh_sync.systems.errors import UnexpectedAnswer


@dataclass(frozen=True, slots=True)
class SpoiltRow:
    """A row of a list that cannot be used: what of it can be trusted (its id, mostly), and why."""

    attributes: dict[str, Any] = field(repr=False)
    error: UnexpectedAnswer

    def text(self, name: str) -> str | None:
        """Return the text that the row tells under a JSON name, ``None`` where it does not tell one."""
        value = self.attributes.get(name)
        return value if isinstance(value, str) and value else None

    def number(self, name: str) -> int | None:
        """Return the number that the row tells under a JSON name, ``None`` where it does not tell one."""
        value = self.attributes.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None
