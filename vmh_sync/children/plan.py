"""What is to be done to one child record. Plain data; writing makes a new plan of what it learns, with ``replace``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from vmh_sync.children.pairing import Pair
from vmh_sync.store.history.tasks import ManualTask
from vmh_sync.store.link_notes import NOTHING, LinkNotes
from vmh_sync.store.pairs.intents import Intent
from vmh_sync.store.pairs.links import LinkState
from vmh_sync.sync.base import Fields
from vmh_sync.sync.deciding.field_plan import FieldPlan
from vmh_sync.sync.planning.plan import Finding, Operation, TaskWanted
from vmh_sync.sync.reporting.status_values import Kept


class Step(StrEnum):
    """What happens to a child."""

    NOTHING = "nothing"
    CREATE = "create"  # in Advoware
    IMPORT = "import"  # into EspoCRM
    MERGE = "merge"
    GONE_IN_ADVOWARE = "gone_in_advoware"
    GONE_IN_ESPOCRM = "gone_in_espocrm"
    REFUSED = "refused"  # a value must not be passed on: told on the record


@dataclass(frozen=True, slots=True, repr=False)
class ChildPlan:
    """The plan of one child.

    ``espo`` and ``advoware`` are the contents to write in each side's names; ``bookkeeping`` goes along with ``espo``.
    ``state`` and ``notes`` are what the link must say afterwards. ``tasks`` must be open afterwards, ``closing`` are
    ids of our task rows that reality has settled, ``reported`` tasks that writing found to be needed. ``kept`` is what
    EspoCRM is known to make of our bookkeeping values. ``begun`` is the create of a killed pass that the link settles.
    """

    pair: Pair
    step: Step
    fields: FieldPlan | None = None
    wanted: Fields = field(default_factory=dict)
    espo: Mapping[str, object] = field(default_factory=dict)
    advoware: Mapping[str, object] = field(default_factory=dict)
    bookkeeping: Mapping[str, object] = field(default_factory=dict)
    status: str = "clean"
    message: str | None = None
    state: LinkState = "active"
    notes: LinkNotes = NOTHING
    tasks: tuple[TaskWanted, ...] = ()
    closing: tuple[int, ...] = ()
    findings: tuple[Finding, ...] = ()
    operations: tuple[Operation, ...] = ()
    open_rows: Sequence[ManualTask] = ()
    reported: tuple[TaskWanted, ...] = ()
    kept: Kept = field(default_factory=dict)
    begun: Intent | None = None
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
