"""What an independent comparison of an entity finds (``vmh-sync reconcile``). Pure; ids and names, never values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """A field in which both sides disagree: EspoCRM's id, Advoware's key, our name of the field, why, in German."""

    id: str
    key: str
    field: str
    why: str = "beide Seiten sagen Verschiedenes"


@dataclass(frozen=True, slots=True)
class EntityComparison:
    """How many records both sides have, and where they differ; ``only_*``: ids or keys that the other side lacks."""

    compared: int
    differences: Sequence[FieldDifference] = ()
    only_espocrm: Sequence[str] = ()
    only_advoware: Sequence[str] = ()

    @property
    def agrees(self) -> bool:
        """Whether both sides have the same records with the same values."""
        return not (self.differences or self.only_espocrm or self.only_advoware)

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints."""
        differing = {one.id for one in self.differences}
        return {
            "compared": self.compared,
            "equal": self.compared - len(differing),
            "different": len(differing),
            "differences": [
                {"id": one.id, "key": one.key, "field": one.field, "why": one.why} for one in self.differences
            ],
            "only_espocrm": list(self.only_espocrm),
            "only_advoware": list(self.only_advoware),
        }
