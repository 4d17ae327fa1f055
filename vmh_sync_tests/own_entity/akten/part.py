"""What files say about themselves; creating once, merging, retries, tasks and status come with the kind."""

from collections.abc import Mapping, Sequence
from typing import Any

from akten import register
from akten.fields import FIELDS
from vmh_sync.children.kind import ChildKind, Problem
from vmh_sync.children.part import ChildrenPart
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.sync.base import Fields
from vmh_sync.systems.advoware.records import Beteiligter, Created, WireRecord
from vmh_sync.systems.spoilt_row import SpoiltRow


class Akten(ChildKind):
    """The files of a party."""

    entity = "akten"
    espo_entity = "CAkten"
    advoware_entity = "Akten"
    label = "Akte"
    table = FIELDS
    key_attribute = "advowareId"
    waiting_status = "unclean"
    different_status = "unclean"
    due_statuses = ("unclean", "dirty")
    double = "Diese Akte gibt es bei diesem Beteiligten schon."

    def embedded(self, party: Beteiligter) -> Sequence[WireRecord] | None:
        """A party does not show its files."""
        return None

    async def listed(self, context: PassContext, betnr: int, spoilt: list[SpoiltRow]) -> Sequence[WireRecord]:
        """Read the register."""
        return register.listed(betnr)

    async def post(self, context: PassContext, betnr: int, values: Mapping[str, Any]) -> Created[Any]:
        """Open a file in the register."""
        made = register.created(betnr, values)
        return Created(key=made.id, record=made)

    async def put(
        self, context: PassContext, betnr: int, current: WireRecord, values: Mapping[str, Any]
    ) -> WireRecord | None:
        """Change a file in the register."""
        return register.replaced(int(current.raw["id"]), values)

    def natural_key(self, fields: Fields) -> tuple[str, ...] | None:
        """The Aktenzeichen."""
        found = fields.get("aktenzeichen")
        return (str(found),) if found else None

    def problems(self, fields: Fields) -> list[Problem]:
        """A file without Aktenzeichen is not passed on."""
        return [] if fields.get("aktenzeichen") else [Problem("aktenzeichen", "Das Aktenzeichen fehlt.")]

    def espo_name(self, fields: Fields) -> str:
        """The Aktenzeichen."""
        return str(fields.get("aktenzeichen") or "Akte")

    def title(self, fields: Fields) -> str:
        """Aktenzeichen and Rubrum."""
        return f"{fields.get('aktenzeichen')} {fields.get('rubrum') or ''}".strip()


PART = ChildrenPart(Akten())
