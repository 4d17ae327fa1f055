"""Which release of EspoCRM the simulation stands for, and what differs between them.

Read in the sources of 9.2.7, 9.3.9 and 10.0.0 (specification, espocrm.md B9 and its last section).
"""

from dataclasses import dataclass
from typing import Self

DEFAULT = "9.2.7"


@dataclass(frozen=True, order=True)
class Release:
    """A version number, comparable."""

    numbers: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> Self:
        """Read ``9.3.9``; raises ``ValueError``."""
        return cls(tuple(int(part) for part in text.split(".")))

    @property
    def refuses_internal_webhooks(self) -> bool:
        """A webhook to a host of the internal network must stand in ``webhookAllowedAddressList`` (9.3.4)."""
        return self.numbers >= (9, 3, 4)

    @property
    def locks_records(self) -> bool:
        """Entity types can be lockable, fields ``notLockable`` (10.0)."""
        return self.numbers >= (10,)

    @property
    def fails_refused_connections(self) -> bool:
        """A refused connection fails a webhook at once; only time-outs and some answers are tried again (10.0)."""
        return self.numbers >= (10,)

    @property
    def describes_webhooks(self) -> bool:
        """Webhooks have a field ``description`` (9.3)."""
        return self.numbers >= (9, 3)

    @property
    def describes_itself(self) -> bool:
        """``GET OpenApi`` (9.3)."""
        return self.numbers >= (9, 3)
