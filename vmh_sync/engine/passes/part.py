"""What belongs to a party is synced in parts (Kommunikation, Adressen, Bankverbindungen).

Each part reads what it needs, plans without I/O, and writes; a failing part leaves the party retryable with a message
that names it, and the others go on (specification, entities.md 1).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from vmh_sync.engine.passes.pass_context import PassContext, WriteGate
from vmh_sync.store.store import Transaction
from vmh_sync.sync.planning.plan import Finding, RecordPlan, TaskWanted
from vmh_sync.systems.advoware.records import Beteiligter
from vmh_sync.systems.espocrm.records import EspoRecord

T = TypeVar("T")


@dataclass(slots=True, repr=False)
class PartInput:
    """A party as its parts see it.

    ``espo`` is a list entry while ``espo_full`` is false: then it has no e-mail and phone lists. ``advoware`` holds the
    children embedded, as far as the installation embeds them. ``notes`` is where each part keeps what it fetched,
    ``mapped`` what it made of that.
    ``just_created``: we have created the party in Advoware a moment ago, nobody can have entered anything there.
    ``retry_refused``: it is time to send once more what a side refused, or the party's record changed.
    """

    espo_id: str
    betnr: int
    espo: EspoRecord
    espo_full: bool
    advoware: Beteiligter
    notes: dict[str, object] = field(default_factory=dict)
    mapped: dict[str, object] = field(default_factory=dict)
    just_created: bool = False
    retry_refused: bool = False


def own(kept: object, kind: type[T]) -> T:
    """Return what a part has kept in a ``PartInput`` or a ``PartPlan``. Raises ``TypeError`` when it is not its own."""
    if not isinstance(kept, kind):
        raise TypeError(f"a part finds {type(kept).__name__} where it keeps {kind.__name__}")
    return kept


@dataclass(frozen=True, slots=True, repr=False)
class PartPlan:
    """What a part is going to do.

    ``record`` is the plan to show, guard and audit; ``espo`` are attributes for the one PUT of the party's own record;
    ``detail`` is the part's own business.
    """

    record: RecordPlan
    espo: Mapping[str, object] = field(default_factory=dict)
    detail: object = None
    only_tries_again: bool = False
    """Whether all there is to do is to send once more what was refused."""
    agreed: bool = False
    """Whether both sides say the same and nothing is open: no task, nothing refused, nobody asked."""

    @property
    def is_empty(self) -> bool:
        """Whether the part has nothing to write and nothing to remember."""
        return self.record.is_empty and not self.espo


def _nothing(_: Transaction, __: EspoRecord | None) -> None:
    """Commit nothing."""


@dataclass(slots=True, repr=False)
class PartDone:
    """What a part has written.

    ``espo`` goes into the one PUT of the party's record. ``commit`` runs inside the transaction that stores the
    outcome; it gets EspoCRM's record as it stands after that PUT (``None`` when there was no need for one).
    ``lasting`` are all tasks that still say what is so once it was written: they are not closed by it.
    ``refused`` tells it which of its attributes EspoCRM refused, with the reason for people; they were left out of the
    PUT. It may set ``tasks`` and ``findings`` by what it finds. ``tasks`` are opened afterwards. ``again``: something
    moved while we wrote, and the party is to be planned once more. ``failed``: why some of it was left alone although
    the rest was written; it is told like a failure of the whole part.
    """

    espo: Mapping[str, object] = field(default_factory=dict)
    commit: Callable[[Transaction, EspoRecord | None], None] = _nothing
    tasks: tuple[TaskWanted, ...] = ()
    lasting: tuple[TaskWanted, ...] = ()
    findings: tuple[Finding, ...] = ()
    conflicts: int = 0
    refused: Mapping[str, str] = field(default_factory=dict)
    again: bool = False
    failed: Exception | None = None


class Asked(Protocol):
    """What EspoCRM told of a part of several parties."""

    def said(self, espo_id: str) -> list[dict[str, Any]] | None:
        """Return the records of a party as EspoCRM told them, in a fixed order; ``None``: not to be relied on."""
        ...


class Part(Protocol):
    """One part of a party."""

    @property
    def entity(self) -> str:
        """Our name of the entity, for links and audit."""
        ...

    @property
    def label(self) -> str:
        """German name, for messages."""
        ...

    @property
    def labels(self) -> Mapping[str, str]:
        """German names of its fields, for tasks."""
        ...

    @property
    def link_entities(self) -> Sequence[str]:
        """Names under which our database keeps its links."""
        ...

    @property
    def has_records(self) -> bool:
        """Whether it has records of its own in EspoCRM: else all it says there stands in the party's record."""
        ...

    async def ask(self, context: PassContext, espo_ids: Sequence[str]) -> Asked | None:
        """Read what EspoCRM lists of it for these parties, ``None`` where it has no records of its own."""
        ...

    async def fetch(self, context: PassContext, parties: Sequence[PartInput], asked: Asked | None = None) -> None:
        """Read for all parties together what the part needs (links, EspoCRM lists); fills their ``notes``.

        ``asked`` is what :meth:`ask` brought of some of them already.
        """
        ...

    def needs_full(self, party: PartInput) -> bool:
        """Whether the part cannot plan from a list entry and needs EspoCRM's full record."""
        ...

    def map(self, party: PartInput) -> None:
        """Bring both sides into canonical form; no I/O."""
        ...

    def plan(self, party: PartInput) -> PartPlan:
        """Decide what is to be done with what was mapped; no I/O, and the same as often as it is asked."""
        ...

    async def write(self, context: PassContext, gate: WriteGate, party: PartInput, plan: PartPlan) -> PartDone:
        """Carry the plan out, except for the party's own EspoCRM record.

        Raises a ``ForeignSystemError`` when it could not; what was written until then must be stored already.
        """
        ...
