"""What is to be done to one child record. Plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from vmh_sync.children.pairing import Pair
from vmh_sync.store.links import LinkState
from vmh_sync.store.tasks import ManualTask
from vmh_sync.sync.base import Base
from vmh_sync.sync.field_plan import FieldPlan
from vmh_sync.sync.plan import Finding, Operation, TaskWanted
from vmh_sync.sync.status_values import Kept
from vmh_sync.sync.values import Value


class Step(StrEnum):
    """What happens to a child."""

    NOTHING = "nothing"
    CREATE = "create"  # in Advoware
    IMPORT = "import"  # into EspoCRM
    MERGE = "merge"
    GONE_THERE = "gone_in_advoware"
    GONE_HERE = "gone_in_espocrm"
    REFUSED = "refused"  # a value must not be passed on: told on the record


@dataclass(slots=True, repr=False)
class ChildPlan:
    """The plan of one child.

    ``espo`` and ``advoware`` are the contents to write in each side's names; ``bookkeeping`` goes along with ``espo``.
    ``state`` and ``extra`` are what the link must say afterwards, ``base`` likewise (``None``: as it is). ``tasks``
    must be open afterwards, ``closing`` are ids of our task rows that reality has settled, ``reported`` tasks that
    writing found to be needed. ``kept`` is what EspoCRM is known to make of our bookkeeping values.
    """

    pair: Pair
    step: Step
    fields: FieldPlan | None = None
    wanted: Mapping[str, Value] = field(default_factory=dict)
    espo: dict[str, Any] = field(default_factory=dict)
    advoware: dict[str, Any] = field(default_factory=dict)
    bookkeeping: dict[str, Any] = field(default_factory=dict)
    status: str = "clean"
    message: str | None = None
    state: LinkState = "active"
    extra: dict[str, Any] = field(default_factory=dict)
    base: Base | None = None
    tasks: list[TaskWanted] = field(default_factory=list)
    closing: list[int] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    open_rows: list[ManualTask] = field(default_factory=list)
    reported: list[TaskWanted] = field(default_factory=list)
    kept: Kept = field(default_factory=dict)
    link_moves: bool = False
    failed: Exception | None = None
    """Why nothing could be decided about it."""

    @property
    def espo_id(self) -> str | None:
        """The child's EspoCRM id; ``None`` for one that is to be imported."""
        return self.pair.espo_id

    @property
    def has_work(self) -> bool:
        """Whether anything must be written or remembered."""
        return bool(self.operations or self.tasks or self.closing or self.link_moves or self.bookkeeping)

    @property
    def only_tries_again(self) -> bool:
        """Whether there is nothing to do but to send once more what was refused."""
        fields = self.fields
        tries = fields is not None and fields.only_tries_again and bool(self.espo or self.advoware)
        return tries and not (self.tasks or self.closing or self.link_moves or self.bookkeeping)
