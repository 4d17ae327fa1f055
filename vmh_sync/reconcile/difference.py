"""What the comparison calls a difference. Pure; ids and field names only, never values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vmh_sync.reconcile.reasons import Reason

Json = Mapping[str, Any]

ANY_FIELD = "*"
UNLIKE = "beide Seiten sagen Verschiedenes"


@dataclass(frozen=True, slots=True)
class Clue:
    """What an open task of ours is about: entity (``beteiligte``, ...), id of the record, our name of the field.

    With ``in_advoware`` the id is Advoware's: such a task is about a child that EspoCRM does not have any more.
    """

    entity: str
    id: str
    field: str = ANY_FIELD
    in_advoware: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """One field in which both sides disagree.

    ``label`` is its German name; ``told_by``: an open task about any of these explains it; ``reason``: what it says.
    """

    id: str
    betnr: int
    field: str
    label: str
    why: str
    told_by: frozenset[Clue] = frozenset()
    reason: Reason | None = None

    @property
    def explained(self) -> bool:
        """Whether an open task tells people about it."""
        return self.reason is not None

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints; ``reason`` and ``next_step`` are null without a task."""
        return {
            "id": self.id,
            "betnr": self.betnr,
            "field": self.field,
            "label": self.label,
            "why": self.why,
            "explained": self.explained,
            "reason": self.reason.why if self.reason else None,
            "next_step": self.reason.next_step if self.reason else None,
        }


def difference(
    espocrm: Json, name: str, label: str, why: str = UNLIKE, told_by: frozenset[Clue] = frozenset()
) -> Difference:
    """Return a difference of the party ``espocrm`` (EspoCRM's own JSON)."""
    return Difference(str(espocrm["id"]), int(espocrm["betnr"]), name, label, why, told_by=told_by)
