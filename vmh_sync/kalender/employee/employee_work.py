"""One employee on the way through a pass, and how the pass is to treat everybody."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from vmh_sync.engine.writing.failure import Failure
from vmh_sync.kalender.decision.employee_plan import EmployeePlan, PlanItem
from vmh_sync.kalender.decision.operations import Finding
from vmh_sync.kalender.decision.reads import EmployeeReads, PairElsewhere
from vmh_sync.kalender.decision.sides import DecisionContext
from vmh_sync.kalender.failure import explain
from vmh_sync.kalender.reading.calendar_read import CalendarRead
from vmh_sync.kalender.reading.employees import Employee
from vmh_sync.kalender.reading.unanswered import Unanswered
from vmh_sync.kalender.state.ledger import Attempts
from vmh_sync.kalender.state.pair_rows import Stored, record_id
from vmh_sync.kalender.telling.notices import Delivery
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result
from vmh_sync.systems.advoware.records import Termin
from vmh_sync.systems.google_calendar.changes import Changes


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """How a pass treats each employee; ``full_content`` None: as the settings say; ``whole``: read all of Google.

    ``approved``: what a person approved, appointment by appointment; nothing else is written then.
    ``stops_channels``: whether Google's channels that the settings do not want are stopped; a pass on the console may
    have other settings than the house that opened them and lets them ring.
    ``keeps_delays``: what failed is not tried before it is due again; a person's pass tries it at once.
    ``wait_seconds``: for so long it waits for a pass of the same calendar that is under way.
    """

    full_content: bool | None = None
    dry_run: bool = False
    allow_mass_change: bool = False
    whole: bool = False
    approved: Mapping[str, frozenset[str]] | None = None
    wait_seconds: float = 0.0
    keeps_delays: bool = False
    stops_channels: bool = True


@dataclass(slots=True, repr=False)
class EmployeeWork:
    """One employee on the way through a pass. ``failure`` says why there is nothing to carry out.

    ``nameless_termine``: how many rows of Advoware's list do not even tell their number. ``lost``: what a person is
    told of; ``delivery``: what became of the tasks. ``attempts``: what failed before; ``held``: which of that is not
    even read. ``busy``: the calendar was held when it was to be written. ``earlier``: how appointments ended by the
    plans before this one in the same pass; ``carried``: what was last to be done to each.
    """

    employee: Employee
    stored: Stored | None = None
    termine: tuple[Termin, ...] = ()
    google: CalendarRead | None = None
    generations: dict[int, int] = field(default_factory=dict)
    elsewhere: dict[int, PairElsewhere] = field(default_factory=dict)
    restored: frozenset[str] = frozenset()
    unstored: frozenset[str] = frozenset()
    made_anew: dict[str, PairElsewhere] = field(default_factory=dict)
    unanswered: Unanswered = field(default_factory=Unanswered)
    decision: DecisionContext | None = None
    reads: EmployeeReads | None = None
    plan: EmployeePlan | None = None
    nameless_termine: int = 0
    attempts: Attempts = field(default_factory=dict)
    held: Attempts = field(default_factory=dict)
    busy: bool = False
    failure: Failure | None = None
    outcomes: list[RecordOutcome] = field(default_factory=list)
    earlier: dict[str, RecordOutcome] = field(default_factory=dict)
    carried: dict[str, PlanItem] = field(default_factory=dict)
    lost: list[Finding] = field(default_factory=list)
    delivery: Delivery = field(default_factory=Delivery)

    @property
    def kuerzel(self) -> str:
        """Whose calendar."""
        return self.employee.kuerzel

    @property
    def name(self) -> str:
        """What the log calls it."""
        return f"kalender {self.kuerzel}"

    def blame(self, error: Exception) -> None:
        """Note why the employee cannot be synced in this pass."""
        self.failure = explain(error)

    def keep_outcomes(self) -> None:
        """Make room for the outcomes of a new plan."""
        self.earlier = {one.id: one for one in self._all_outcomes()}
        self.outcomes = []

    def ended(self, item: PlanItem, outcome: RecordOutcome) -> None:
        """Take note of how an appointment ended in the present plan."""
        self.outcomes.append(outcome)
        if item.decision.operations:
            self.carried[self._name(item)] = item

    def failed_before(self, item: PlanItem) -> RecordOutcome | None:
        """Return how an appointment failed earlier in this pass: the very same is not tried again in it."""
        before = self.earlier.get(self._name(item))
        failed = before is not None and before.result is Result.FAILED
        return before if failed and self.carried.get(self._name(item)) == item else None

    def is_untried(self, item: PlanItem) -> bool:
        """Tell whether nothing was done about an appointment in this pass so far."""
        before = self.earlier.get(self._name(item))
        return before is None or before.result is Result.UNCHANGED

    @property
    def whole_plan(self) -> EmployeePlan | None:
        """Return what was planned in the whole pass: the present plan, and what was done by those before it."""
        if self.plan is None:
            return None
        named = {self._name(item) for item in self.plan.items}
        present = [
            one if one.decision.operations else self.carried.get(self._name(one), one) for one in self.plan.items
        ]
        before = [one for name, one in self.carried.items() if name not in named]
        return replace(self.plan, items=(*present, *before))

    def _name(self, item: PlanItem) -> str:
        return record_id(self.kuerzel, item.fr_nr, item.event_id)

    def tell_all_outcomes(self) -> None:
        """Let the outcomes tell of each appointment what was done to it in the whole pass."""
        self.outcomes = self._all_outcomes()

    def _all_outcomes(self) -> list[RecordOutcome]:
        said = {one.id for one in self.outcomes}
        before = [one for name, one in self.earlier.items() if name not in said]
        return [_and_before(one, self.earlier.get(one.id)) for one in self.outcomes] + before

    @property
    def changes(self) -> Changes | None:
        """What was read of Google."""
        return self.google.changes if self.google is not None else None


def _and_before(outcome: RecordOutcome, before: RecordOutcome | None) -> RecordOutcome:
    if before is None or before is outcome:
        return outcome
    done = before.result is Result.SYNCED and outcome.result is Result.UNCHANGED
    return replace(
        outcome,
        result=Result.SYNCED if done else outcome.result,
        advoware_writes=outcome.advoware_writes + before.advoware_writes,
        google_writes=outcome.google_writes + before.google_writes,
        conflicts=outcome.conflicts + before.conflicts,
    )
