"""How much a pass read, planned and left, in numbers for a run's metadata."""

from collections import Counter

from vmh_sync.kalender.employee.employee_work import EmployeeWork


def phase_counts(works: list[EmployeeWork]) -> dict[str, int]:
    """Return numbers per phase and side over several employees, for a run's metadata."""
    numbers: Counter[str] = Counter()
    for work in works:
        numbers["employees"] += 1
        numbers["employees_failed"] += work.failure is not None and not work.failure.later
        numbers["employees_later"] += work.failure is not None and work.failure.later
        if work.reads is not None:
            numbers["read_advoware"] += len(work.reads.termine)
            numbers["read_google"] += len(work.reads.events)
        if work.changes is not None and work.changes.full:
            numbers["google_full_reads"] += 1
            if work.changes.reset_reason:
                numbers[f"google_token_refused_{work.changes.reset_reason}"] += 1
        if (planned := work.whole_plan) is not None:
            numbers.update({f"plan_{name}": count for name, count in planned.counts().items()})
    return dict(numbers)
