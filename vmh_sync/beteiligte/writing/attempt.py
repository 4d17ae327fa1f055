"""What all rounds of writing one party have come to, and the outcome that follows."""

from dataclasses import dataclass, field, replace

from vmh_sync.beteiligte.status.locked import is_locked
from vmh_sync.beteiligte.writing.commit import Written
from vmh_sync.beteiligte.writing.failure import explain
from vmh_sync.engine.passes.pass_context import WriteGate
from vmh_sync.engine.writing.failure import Failure
from vmh_sync.sync.base import Side
from vmh_sync.sync.planning.plan import Finding
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result
from vmh_sync.systems.espocrm.errors import RecordLocked


@dataclass(slots=True)
class Attempt:
    """What all rounds together have come to."""

    gate: WriteGate
    betnr: int | None = None
    creating: bool = False
    settled: bool = False
    tried: bool = False  # what was refused was sent once more in this pass
    replanned: bool = False  # what was carried out is not what was shown
    conflicts: int = 0
    different: tuple[str, ...] = ()
    findings: list[Finding] = field(default_factory=list)
    failure: Failure | None = None
    waits: str | None = None
    later: bool = False  # it waits for time to pass, not for a person
    locked: bool = False  # somebody locked the record in EspoCRM

    def blame(self, error: Exception) -> None:
        """Note why the party could not be synced; a locked record is no failure, it waits."""
        if is_locked(error):
            self.waits, self.later, self.locked = RecordLocked.people, True, True
            return
        self.failure = explain(error)

    def take(self, written: Written) -> None:
        """Add what a round has written."""
        plan = written.plan
        self.tried = True
        self.settled |= not plan.only_tries_again
        self.different = plan.different
        self.conflicts += written.conflicts
        self.findings += written.findings
        for _, done in written.parts:
            self.findings += done.findings

    def outcome(self, espo_id: str) -> RecordOutcome:
        """Return how the party ended."""
        writes = self.gate.writes
        result = Result.SYNCED if self.settled or writes.total() else Result.UNCHANGED
        ended = RecordOutcome(espo_id, result, self.betnr)
        return replace(
            ended if self.failure is None else self.failure.outcome(espo_id, self.betnr),
            advoware_writes=writes[Side.ADVOWARE],
            espocrm_writes=writes[Side.ESPOCRM],
            conflicts=self.conflicts,
            findings=tuple(self.findings),
            different=self.different,
            replanned=self.replanned,
        )
