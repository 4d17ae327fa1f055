"""The context of one pass."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

from vmh_sync.clock import Clock
from vmh_sync.coordination.doorbell import Doorbell
from vmh_sync.coordination.leases import Leases
from vmh_sync.engine.counting.call_counts import CallCounter
from vmh_sync.engine.installation.known_installation import KnownInstallation
from vmh_sync.engine.passes.together import Together
from vmh_sync.settings import EspoCrmSettings, SyncSettings
from vmh_sync.store.store import Store
from vmh_sync.sync.base import Side
from vmh_sync.sync.fields import FieldTable, override
from vmh_sync.sync.planning.plan import RecordPlan
from vmh_sync.systems.advoware.client import AdvowareClient
from vmh_sync.systems.errors import NotDone
from vmh_sync.systems.espocrm.client import EspoClient

if TYPE_CHECKING:
    from vmh_sync.engine.passes.approved_plan import Approval


@dataclass(slots=True)
class PassContext:
    """Everything that a pass needs; ``run_id`` is Dagster's, so that audit rows lead back to the run.

    ``by_person``: a person started the pass, so what a side refused is tried again now. ``approval``: the pass carries
    out a plan that a person approved, and nothing else.
    """

    run_id: str
    clock: Clock
    store: Store
    leases: Leases
    advoware: AdvowareClient
    espo: EspoClient
    rules: SyncSettings
    espo_settings: EspoCrmSettings
    zone: ZoneInfo
    calls: CallCounter
    field_changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    together: Together = field(default_factory=Together)
    bell: Doorbell | None = None
    by_person: bool = False
    approval: "Approval | None" = None
    known: KnownInstallation = field(default_factory=KnownInstallation)
    told: dict[str, object] = field(default_factory=dict)
    """What EspoCRM's metadata and users said in this pass, by key: an administrator changes it, not people at work."""

    def table(self, entity: str, own: FieldTable) -> FieldTable:
        """Return the field table ``own`` of an entity with the operator's changes (``VMH_FIELD_TABLES``)."""
        return override(own, self.field_changes.get(entity, {}))

    @property
    def longest_request(self) -> timedelta:
        """The longest time after which a request that was sent may still take effect."""
        return timedelta(seconds=max(self.rules.create_settle_seconds, self.known.settle_seconds))


class OwnedLease(Protocol):
    """A lease in our hands."""

    async def ensure(self) -> None:
        """Extend the lease; raises ``LeaseLost`` when somebody else has it."""
        ...

    async def confirm(self) -> None:
        """Do so unless that was done a moment ago."""
        ...


async def _let_through(plans: Sequence[RecordPlan]) -> None:
    """Guard nothing: a person chose this one record."""


@dataclass(slots=True)
class WriteGate:
    """Stands before every foreign write of one record: the lease must still be ours, and the write is counted.

    ``replanned`` is asked about every plan that was made under the lease; raises ``GuardTripped``.
    """

    lease: OwnedLease
    replanned: Callable[[Sequence[RecordPlan]], Awaitable[None]] = _let_through
    writes: Counter[Side] = field(default_factory=Counter)

    @asynccontextmanager
    async def sending(self, side: Side) -> AsyncIterator[None]:
        """Make sure that we may write to ``side`` now, and count what is sent inside; raises ``LeaseLost``."""
        await self.ready()
        with self.counted(side):
            yield

    @contextmanager
    def counted(self, side: Side) -> Iterator[None]:
        """Count the write that is sent inside, unless it is refused: then nothing was written."""
        self.writes[side] += 1
        try:
            yield
        except NotDone:
            self.writes[side] -= 1
            raise

    async def ready(self) -> None:
        """Make sure that we may write, before the last look at the target; raises ``LeaseLost``."""
        await self.lease.ensure()

    async def held(self) -> None:
        """Make sure that the lease is still held, before a step each of whose writes asks for itself.

        Raises ``LeaseLost``.
        """
        await self.lease.confirm()
