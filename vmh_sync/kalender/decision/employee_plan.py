"""What is to be done for one employee: the items of a plan, and how they are counted and shown."""

from collections import Counter
from dataclasses import dataclass

from vmh_sync.kalender.decision.operations import Decision, Finding, FindingKind, Operation, side_written
from vmh_sync.kalender.model import Recurrence


@dataclass(frozen=True, slots=True)
class PlanItem:
    """What is to happen to one appointment. One item's failure touches no other item."""

    fr_nr: int | None
    event_id: str | None
    decision: Decision

    @property
    def writes(self) -> bool:
        """Whether Google or Advoware is to be written."""
        return any(side_written(operation) is not None for operation in self.decision.operations)

    @property
    def waits(self) -> bool:
        """Whether it stands in Google only, and waits until Advoware may be written."""
        kinds = {finding.kind for finding in self.decision.findings}
        return self.fr_nr is None and not self.decision.operations and FindingKind.WRITE_PROTECTED in kinds

    @property
    def put_off(self) -> str | None:
        """Why nothing is done about it before a person has done something (German, without content)."""
        if self.doubts:
            whose = f"frNr {self.fr_nr}" if self.fr_nr is not None else f"Ereignis {self.event_id}"
            return f"{whose}: " + "; ".join(finding.text for finding in self.doubts)
        waiting = [one for one in self.decision.findings if one.kind is FindingKind.WRITE_PROTECTED]
        if self.decision.operations or not waiting:
            return None
        return f"{waiting[0].text} (Ereignis {self.event_id})"

    @property
    def doubts(self) -> tuple[Finding, ...]:
        """What a person has to say first: which events may be this Termin. Until then nothing of them is created."""
        return tuple(finding for finding in self.decision.findings if finding.kind is FindingKind.DOUBTFUL)


@dataclass(frozen=True, slots=True)
class EmployeePlan:
    """The plan for one employee. ``stopped`` is the German reason why nothing of it may be carried out."""

    kuerzel: str
    items: tuple[PlanItem, ...] = ()
    findings: tuple[Finding, ...] = ()
    stopped: str | None = None

    @property
    def operations(self) -> tuple[Operation, ...]:
        """All planned operations in order, also of a stopped plan (for showing it)."""
        return tuple(operation for item in self.items for operation in item.decision.operations)

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """The findings about reading followed by those of the items."""
        return self.findings + tuple(finding for item in self.items for finding in item.decision.findings)

    @property
    def executable(self) -> tuple[PlanItem, ...]:
        """The items that may be carried out: those with operations, none if the plan is stopped."""
        return () if self.stopped else tuple(item for item in self.items if item.decision.operations)

    @property
    def writing(self) -> int:
        """How many items will write to Google or Advoware."""
        return sum(1 for item in self.executable if item.writes)

    def counts(self) -> dict[str, int]:
        """Return numbers for metadata: per operation, per side written, per finding, ``unchanged`` appointments."""
        numbers: Counter[str] = Counter()
        for operation in self.operations:
            numbers[snake(type(operation).__name__)] += 1
            side = side_written(operation)
            if side is not None:
                numbers[f"writes_{side}"] += 1
        for finding in self.all_findings:
            numbers[f"finding_{finding.kind.value}"] += 1
        numbers["unchanged"] = sum(1 for item in self.items if not item.decision.operations)
        numbers["appointments"] = len(self.items)
        return dict(numbers)

    def rows(self, *, show_values: bool = False) -> list[dict[str, object]]:
        """Return what a dry run shows: one row per operation and per finding; values only when asked for."""
        rows = [_row(snake(type(op).__name__), op, op.reason, show_values=show_values) for op in self.operations]
        return rows + [
            _row(f"finding:{finding.kind.value}", finding, finding.text, show_values=show_values)
            for finding in self.all_findings
        ]


def snake(name: str) -> str:
    """Return the name of an operation as rows and metadata spell it."""
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name).lstrip("_")


def _row(what: str, source: Operation | Finding, reason: str, *, show_values: bool) -> dict[str, object]:
    changes = getattr(source, "changes", ())
    row: dict[str, object] = {
        "what": what,
        "frNr": getattr(source, "fr_nr", None),
        "event": getattr(source, "event_id", None),
        "reason": reason,
        "fields": [change.name for change in changes],
    }
    if show_values:
        row["values"] = {change.name: [_value(change.old), _value(change.new)] for change in changes}
    return row


def _value(value: object) -> object:
    if isinstance(value, Recurrence):
        until = value.until.isoformat() if value.until else None
        return {"frequency": value.frequency.value, "interval": value.interval, "until": until}
    # What Google holds as an object or a list is told part by part.
    return value if value is None or isinstance(value, dict | list) else str(value)
