"""The plan: what is going to be done to one record, and why. Pure data.

Writing executes a plan and nothing else; a dry run stops after it and shows it (specification, sync-semantics.md 2).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from vmh_sync.sync.base import Side
from vmh_sync.sync.values import Value, is_empty


class Action(StrEnum):
    """What an operation does."""

    CREATE = "create"
    UPDATE = "update"
    REMOVE = "remove"  # an entry leaves a list, a slot is emptied; never a hard delete of a record


class TaskKind(StrEnum):
    """Kinds of manual tasks (specification, sync-semantics.md 8)."""

    ADDRESS_DELETE = "address_delete_required"
    ADDRESS_REACTIVATE = "address_reactivate_required"
    ADDRESS_FIELD_UPDATE = "address_field_update_required"
    READONLY_FIELD = "readonly_field_conflict"
    MISSING_IN_ADVOWARE = "missing_in_advoware"
    BANK_UPDATE = "bank_update_required"
    BANK_DELETE = "bank_delete_required"
    CHILD_UPDATE = "child_update_required"
    CHILD_DELETE = "child_delete_required"
    CONFLICT = "conflict"
    VALUE_REFUSED = "value_refused"
    CREATE_UNKNOWN = "create_outcome_unknown"
    TWIN_SUSPECTED = "twin_suspected"
    CALENDAR_LOSS = "calendar_loss"
    CALENDAR_DEADLINE = "calendar_deadline"
    CALENDAR_DOUBTFUL = "calendar_doubtful"
    DEADLINE_LIST = "calendar_deadline_list"
    GENERAL = "general_manual_action"


@dataclass(frozen=True, slots=True, repr=False)
class FieldChange:
    """One field, old to new, in canonical values; ``losing`` is set where an edit loses a conflict."""

    field: str
    old: Value
    new: Value
    reason: str = "changed"
    losing: Value = None

    @property
    def blanks(self) -> bool:
        """Whether a filled value is emptied."""
        return is_empty(self.new) and not is_empty(self.old)


@dataclass(frozen=True, slots=True, repr=False)
class Operation:
    """One write to one side.

    ``entity`` is the name the side uses (``Beteiligte``, ``CBeteiligte``, ``Kommunikation`` ...), ``key`` the
    foreign id there (``None`` for a create), ``payload`` the attributes to write in that side's own names and
    notation. ``changes`` say the same in canonical fields, for the audit and for people.
    """

    side: Side
    action: Action
    entity: str
    key: str | None
    payload: Mapping[str, Any] = field(default_factory=dict)
    changes: tuple[FieldChange, ...] = ()
    reason: str = ""

    @property
    def why(self) -> str:
        """Why it is done: what is there changes for the reasons of its changes, all else for its own."""
        own = () if self.action is Action.CREATE else (change.reason for change in self.changes)
        return "; ".join(dict.fromkeys(own)) or self.reason


@dataclass(frozen=True, slots=True, repr=False)
class TaskWanted:
    """A manual task that must be open: one per record, kind and set of fields."""

    kind: TaskKind
    fields: tuple[str, ...]
    details: Mapping[str, Any] = field(default_factory=dict)
    entity: str | None = None  # the record it hangs on when that is not the plan's own
    espo_id: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person should see that is no failure: a field ignored, a value kept on its side."""

    field: str
    side: Side
    message: str  # German, without personal values


@dataclass(frozen=True, slots=True, repr=False)
class RecordPlan:
    """All that is going to be done to one record (one part of it), in order."""

    entity: str
    espo_id: str | None
    betnr: int | None
    operations: tuple[Operation, ...] = ()
    tasks: tuple[TaskWanted, ...] = ()
    close_tasks: tuple[int, ...] = ()  # ids of our task rows
    findings: tuple[Finding, ...] = ()
    conflicts: tuple[FieldChange, ...] = ()
    base_moves: bool = False  # the base must be stored anew although nothing is written to a side

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do at all."""
        return not (self.operations or self.tasks or self.close_tasks or self.base_moves)
