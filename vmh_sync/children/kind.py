"""What a kind of child record (address, bank account) says about itself; the mechanism asks for nothing else."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.writing.create_what_is_taken import Needed
from vmh_sync.settings import SyncSettings
from vmh_sync.sync.base import Fields, Side
from vmh_sync.sync.deciding.field_plan import FieldPlan
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.planning.plan import TaskKind
from vmh_sync.sync.reporting.status_values import STATUS_ATTRIBUTES
from vmh_sync.sync.values import Value
from vmh_sync.systems.advoware.records import Beteiligter, Created, WireRecord
from vmh_sync.systems.spoilt_row import SpoiltRow

ACTIVE = "istAktiv"


@dataclass(frozen=True, slots=True)
class Problem:
    """A value that must not be passed on; ``message`` is one German sentence without the value."""

    field: str
    message: str


class ChildKind(ABC):
    """One kind of child record."""

    entity: ClassVar[str]
    espo_entity: ClassVar[str]
    advoware_entity: ClassVar[str]
    label: ClassVar[str]
    table: ClassVar[FieldTable]
    key_attribute: ClassVar[str]
    waiting_status: ClassVar[str]
    """What ``syncStatus`` says while a person has to delete or reactivate the child in Advoware."""
    different_status: ClassVar[str]
    """What it says while both sides stay apart in a value, with a task about it."""
    given_up_status: ClassVar[str] = "failed"
    """What it says when all retries are used up, until the automatic reset."""
    due_statuses: ClassVar[tuple[str, ...]]
    """The values of ``syncStatus`` that ask for a sync."""
    update_task: ClassVar[TaskKind] = TaskKind.CHILD_UPDATE
    delete_task: ClassVar[TaskKind] = TaskKind.CHILD_DELETE
    """Never the same as ``update_task``: each closes by itself when nothing asks for it any more."""
    marks_what_it_creates: ClassVar[bool] = False
    """Whether a child that we made in Advoware names its EspoCRM record there, whatever is typed over it."""
    steady: ClassVar[tuple[str, ...]] = ()
    """Fields that stay when a person types another natural key over a record: one that differs in them is another."""
    inactive_asks_for_deletion: ClassVar[bool] = True
    """Whether a child switched off in EspoCRM has to go in Advoware too; otherwise it is kept there, not used."""
    double: ClassVar[str]
    """What to tell people when the party has the same child twice in EspoCRM."""

    # Advoware's calls

    @abstractmethod
    def embedded(self, party: Beteiligter) -> Sequence[WireRecord] | None:
        """Return the children inside a read party, ``None`` where the installation does not embed them."""

    @abstractmethod
    async def listed(self, context: PassContext, betnr: int, spoilt: list[SpoiltRow]) -> Sequence[WireRecord]:
        """Read the children by a call of their own; rows that cannot be used go to ``spoilt``."""

    @abstractmethod
    async def post(self, context: PassContext, betnr: int, values: Mapping[str, object]) -> Created[Any]:
        """Create a child in Advoware."""

    async def put(
        self, context: PassContext, betnr: int, current: WireRecord, values: Mapping[str, object]
    ) -> WireRecord | None:
        """Change a child in Advoware; ``None``: read back. Called only where the field table allows updates."""
        raise NotImplementedError

    # Rules, all pure

    def read_advoware(self, table: FieldTable, attributes: Mapping[str, object]) -> dict[str, Value]:
        """Return Advoware's canonical fields."""
        return table.read(Side.ADVOWARE, attributes, missing_is_empty=True)

    @abstractmethod
    def natural_key(self, fields: Fields) -> tuple[str, ...] | None:
        """Return what makes two children the same, ``None`` when there is not enough to tell."""

    def marked_for(self, attributes: Mapping[str, object]) -> str | None:
        """Return the EspoCRM id that Advoware's record names, if it does."""
        return None

    @abstractmethod
    def problems(self, fields: Fields) -> list[Problem]:
        """Return what is wrong with the values of an EspoCRM record."""

    def valid(self, attributes: Mapping[str, object], today: date) -> bool:
        """Whether Advoware's record still counts (it may be there and have ended)."""
        return True

    def create_values(self, espo_id: str, values: dict[str, Any], fields: Fields, owner: str) -> dict[str, Any]:
        """Complete the values of a POST. ``owner`` is the party's full name."""
        return values

    def needed(self, espo_id: str, values: Mapping[str, object]) -> Needed:
        """What of the values of a POST a child of this kind cannot be created without: all, if it does not say."""
        return Needed(dict(values))

    def espo_values(self, values: dict[str, Any]) -> dict[str, Any]:
        """Bring values into the form EspoCRM takes."""
        return values

    @abstractmethod
    def espo_name(self, fields: Fields) -> str:
        """Return the ``name`` of a new EspoCRM record."""

    def complete(self, plan: FieldPlan, fields: Fields, owner: str) -> None:
        """Add to a merge what follows from its changes. ``fields`` is what both sides are going to say."""
        return

    @abstractmethod
    def title(self, fields: Fields) -> str:
        """Return how people recognise this child, for tasks."""

    # Settings

    def imports(self, rules: SyncSettings) -> bool:
        """Whether children typed in Advoware are created in EspoCRM."""
        return True

    def reactivation_task(self, rules: SyncSettings) -> TaskKind | None:
        """Return the task that a reactivated child needs, ``None`` when it is created anew."""
        return None

    @property
    def labels(self) -> dict[str, str]:
        """German names of the fields."""
        return self.table.labels

    def attributes(self, table: FieldTable) -> tuple[str, ...]:
        """What a list of these records selects; ``table`` is ours with the operator's changes."""
        return (
            *table.espo_attributes,
            "name",
            "beteiligteId",
            ACTIVE,
            self.key_attribute,
            *STATUS_ATTRIBUTES,
            "assignedUserId",
            "modifiedAt",
        )
