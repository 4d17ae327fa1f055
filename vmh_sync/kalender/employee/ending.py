"""How a pass over one employee ended: what failed, what waits, and which events have to be looked at again."""

from vmh_sync.kalender.decision.employee_plan import EmployeePlan
from vmh_sync.kalender.decision.operations import FindingKind
from vmh_sync.kalender.employee.employee_work import EmployeeWork
from vmh_sync.kalender.employee.sync_state import Ending
from vmh_sync.kalender.model import UnreadableAppointmentError
from vmh_sync.kalender.reading.calendar_read import CalendarRead
from vmh_sync.kalender.state.ledger import Failures, termin_hashes
from vmh_sync.kalender.state.pair_rows import record_id
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result

_NOT_TRIED = "PlanMoved"  # a person had approved something else


def unreadable_outcomes(work: EmployeeWork, made: EmployeePlan) -> list[RecordOutcome]:
    """Return an outcome for every appointment that could not be read: nothing was decided about it."""
    return [
        RecordOutcome(
            record_id(work.kuerzel, one.fr_nr, one.event_id),
            Result.FAILED,
            error=one.text,
            error_class=UnreadableAppointmentError.__name__,
        )
        for one in made.findings
        if one.kind is FindingKind.UNREADABLE
    ]


def failures_of(work: EmployeeWork, made: EmployeePlan) -> Failures:
    """Return what failed, and what failed before and waits; ``work.outcomes`` are those of the plan's items."""
    ended = list(zip(work.outcomes, made.items, strict=True))
    failed = tuple((one, item) for one, item in ended if one.result is Result.FAILED and one.error_class != _NOT_TRIED)
    skipped = {one.id for one, _ in ended if one.result is Result.SKIPPED and one.id in work.attempts}
    unread = work.held.keys() - {one.id for one, _ in ended}
    return Failures(failed, frozenset(skipped | unread))


def ending_of(work: EmployeeWork, made: EmployeePlan, google: CalendarRead, failures: Failures) -> Ending:
    """Return what is kept of a pass that ran to its end."""
    failed = [(item, one) for item, one in zip(made.items, work.outcomes, strict=True) if one.result is Result.FAILED]
    before = [work.attempts[name] for name in sorted(failures.waiting)]
    texts = [one.error for _, one in failed] + [one.record.error_text for one in before]
    error = f"{len(texts)} Termine fehlerhaft: {texts[0]}" if texts else None
    silent = [one for one in made.findings if one.kind is FindingKind.UNREADABLE]
    if error is None and silent:
        error = f"{len(silent)} Termine nicht lesbar: {silent[0].text}"
    if error is None and google.remark is not None:
        error = google.remark.message
    unreadable = {one.fr_nr for one in silent if one.fr_nr is not None}
    put_off = [item for item, one in zip(made.items, work.outcomes, strict=True) if one.result is Result.SKIPPED]
    waiting = [item.event_id for item in made.items if item.waits and item.event_id is not None]
    left_over = [item.event_id for item, _ in failed if item.event_id is not None]
    left_over += [one.event_id for one in before if one.event_id is not None]
    left_over += [item.event_id for item in put_off if item.event_id is not None and not item.waits]
    # Nothing was decided about these: what a person changed in Google meanwhile has to be looked at again.
    left_over += [item.event_id for item in made.items if item.fr_nr in unreadable and item.event_id is not None]
    left_over += [one.event_id for one in silent if one.event_id is not None]
    # Its Termin may yet be found, with a colleague or in a later list.
    left_over += [one.event_id for one in made.all_findings if one.kind is FindingKind.ORPHAN and one.event_id]
    doubts = [(one.fr_nr, one.event_id) for item in made.items for one in item.doubts if one.fr_nr and one.event_id]
    said = work.reads.termine if work.reads is not None else ()
    return Ending(
        anonymised=work.decision is not None and not work.decision.full_content,
        failed=len(texts),
        error=error,
        left_over=left_over,
        waiting=waiting,
        doubtful=doubts,
        nameless=bool(work.nameless_termine or google.changes.nameless),
        failures=failures,
        attempts=work.attempts,
        said=termin_hashes(said, work.decision.rules) if work.decision is not None and failures.failed else {},
        copied=_copied(work, made, google),
    )


def _copied(work: EmployeeWork, made: EmployeePlan, google: CalendarRead) -> frozenset[int]:
    """Return of which numbers an equal copy was seen, or was seen before and not looked for this time."""
    seen = {one.fr_nr for one in made.all_findings if one.kind is FindingKind.DUPLICATE and one.fr_nr is not None}
    if google.changes.full or work.stored is None:
        return frozenset(seen)
    named = {event.id for event in google.changes.events if not event.is_exception}
    unnamed = {row.frnr for row in work.stored.pairs if row.frnr is not None and row.event_id not in named}
    return frozenset(seen | (work.stored.copied & unnamed))
