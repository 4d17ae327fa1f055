"""What has to be told to a person about an appointment: stored together with the loss, delivered as a task later.

The rows of ``manual_tasks`` are the outbox. A notice is written in the same transaction as the audit row of what is
lost, before anything is overwritten; a pass that is killed, or an EspoCRM that does not answer, delays the task and
never loses or doubles it (specification, sync-semantics.md 8).
"""

import hashlib
import json
import logging
from dataclasses import dataclass, field
from typing import Any

from vmh_sync.engine.failures.isolation import isolated
from vmh_sync.engine.passes.pass_context import WriteGate
from vmh_sync.kalender.context import CalendarContext, TaskDesk
from vmh_sync.kalender.failure import explain
from vmh_sync.kalender.reading.employees import Employee
from vmh_sync.kalender.state.pair_rows import ENTITY, read_doubtful, record_id
from vmh_sync.kalender.telling.employee_users import user_of
from vmh_sync.kalender.telling.notice_texts import NoticeText
from vmh_sync.store.history.tasks import ManualTask
from vmh_sync.store.store import Transaction
from vmh_sync.sync.base import Side
from vmh_sync.sync.planning.plan import TaskKind, TaskWanted
from vmh_sync.systems.espocrm.records import EspoRecord
from vmh_sync.tasks.bounded_text import bounded
from vmh_sync.tasks.manual_tasks import TaskSubject, close_tasks, complete_in_espocrm, mark_of, write_task
from vmh_sync.tasks.posting import TASK_ENTITY
from vmh_sync.tasks.settled import is_settled
from vmh_sync.tasks.task_texts import wording

log = logging.getLogger(__name__)

_CONTINUES = "continues"
_SUPERSEDES = "supersedes"
EARLIER = "--- Zuvor ---"
"""Below it stands what a task said before."""


@dataclass(frozen=True, slots=True, repr=False)
class Notice:
    """One thing to tell. ``record`` is the appointment (``SB/4711``), ``situation`` tells one occasion from the next:
    the same occasion, met again after a crash, is told once. ``pairs`` are the Termine and events a question is about,
    in the order of its text."""

    kuerzel: str
    record: str
    kind: TaskKind
    text: NoticeText
    fields: tuple[str, ...] = ()
    situation: str = ""
    pairs: tuple[tuple[int, str], ...] = ()

    @property
    def fingerprint(self) -> str:
        """Return what is equal for the same occasion only."""
        said = [self.kind, self.record, self.text.title, self.text.intro, self.situation]
        return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Delivery:
    """How many notices became tasks, how many still wait, and why (German)."""

    told: int = 0
    waiting: int = 0
    reason: str | None = None

    @property
    def what_waits(self) -> str:
        """Return what the reason keeps from happening, in German."""
        return f"{self.waiting} Aufgaben warten" if self.waiting else "Antworten aus Aufgaben wurden nicht gelesen"


def note(tx: Transaction, notice: Notice) -> None:
    """Store a notice inside the caller's transaction.

    An earlier one about the same fields that is not settled is continued: its text is not lost, and a person who is
    told of the same appointment again finds both in one task.
    """
    details: dict[str, Any] = {
        "kuerzel": notice.kuerzel,
        "title": notice.text.title,
        "intro": notice.text.intro,
        "steps": list(notice.text.steps),
    }
    if notice.pairs:
        details["pairs"] = [list(pair) for pair in notice.pairs]
    earlier = tx.tasks.find_open(ENTITY, notice.record, notice.kind, notice.fields)
    if earlier is not None:
        if earlier.fingerprint == notice.fingerprint:
            return
        details |= _continuing(earlier, notice)
        tx.tasks.close(earlier.id)
    tx.tasks.ensure(
        entity=ENTITY,
        espo_id=notice.record,
        kind=notice.kind,
        fields=notice.fields,
        fingerprint=notice.fingerprint,
        details=details,
    )


def _continuing(earlier: ManualTask, notice: Notice) -> dict[str, Any]:
    if notice.kind is TaskKind.DEADLINE_LIST:
        # A list of another day says nothing any more: its task is closed when the new one stands there.
        known = earlier.espo_task_id or earlier.details.get(_SUPERSEDES)
        return {_SUPERSEDES: known} if known else {}
    if earlier.espo_task_id is not None:
        return {_CONTINUES: earlier.espo_task_id}
    intro = f"{notice.text.intro}\n\n{EARLIER}\n{earlier.details.get('intro', '')}"
    known = earlier.details.get(_CONTINUES)
    return {"intro": intro} | ({_CONTINUES: known} if known else {})


async def deliver(context: CalendarContext, employee: Employee) -> Delivery:
    """Write one employee's notices to EspoCRM; never raises for what lies with EspoCRM or with a busy lease."""
    waiting, settled = _waiting_and_settled(context, employee.kuerzel)
    if not waiting and not settled:
        return Delivery()
    if context.desk is None:
        return Delivery(0, len(waiting), "EspoCRM ist nicht eingerichtet (ESPOCRM_API_BASE_URL, ESPOCRM_API_KEY).")
    posted = _Posted()
    async with context.leases.hold(f"kalender-aufgaben:{employee.kuerzel.upper()}") as lease:
        if lease is None:
            return Delivery(0, len(waiting), "Ein anderer Lauf schreibt diese Aufgaben gerade.")
        with isolated(f"kalender {employee.kuerzel}: tasks", posted.blame):
            await close_tasks(context.desk, WriteGate(lease), settled)
            await _post(context, context.desk, employee, WriteGate(lease), posted)
    left, _ = _waiting_and_settled(context, employee.kuerzel)
    return Delivery(posted.count, len(left), posted.reason)


@dataclass(slots=True)
class _Posted:
    count: int = 0
    reason: str | None = field(default=None)

    def blame(self, error: Exception) -> None:
        self.reason = explain(error).message


def _waiting_and_settled(context: CalendarContext, kuerzel: str) -> tuple[list[ManualTask], list[int]]:
    """Return what has to be told, and the tasks about doubts that nobody has any more: decided, or equal by now."""
    with context.store.reading() as tx:
        rows, edges = tx.tasks.not_closed(ENTITY), read_doubtful(tx, kuerzel)
    asked = [
        name for fr_nr, event in edges for name in (record_id(kuerzel, fr_nr, None), record_id(kuerzel, None, event))
    ]
    of_employee = [row for row in rows if str(row.details.get("kuerzel", "")).upper() == kuerzel.upper()]
    settled = [row.id for row in of_employee if row.kind == TaskKind.CALENDAR_DOUBTFUL and row.espo_id not in asked]
    return [row for row in of_employee if row.state == "pending"], settled


async def _post(context: CalendarContext, desk: TaskDesk, employee: Employee, gate: WriteGate, posted: _Posted) -> None:
    assignee = await user_of(context, desk, employee)
    waiting, _ = _waiting_and_settled(context, employee.kuerzel)
    for row in waiting:
        await _post_one(desk, gate, row, assignee)
        posted.count += 1


async def _post_one(desk: TaskDesk, gate: WriteGate, row: ManualTask, assignee: str | None) -> None:
    task = TaskWanted(TaskKind(row.kind), row.fields, row.details)
    standing = await _espo_task(desk, row)
    if standing is None:
        subject = TaskSubject(ENTITY, "", row.espo_id, None, assignee, parent=False)
        await write_task(desk, gate, subject, row, task, {}, may_exist=True)
        if old := row.details.get(_SUPERSEDES):
            await complete_in_espocrm(desk, gate, str(old))
        return
    before = str(standing.attributes.get("description") or "")
    if mark_of(row) not in before.split("\n"):
        text = wording(task.kind, labels={}, betnr=None, details=row.details)
        description = bounded(f"{text.description}\n\n{mark_of(row)}\n\n{EARLIER}\n{before}")
        async with gate.sending(Side.ESPOCRM):
            await desk.espo.update(TASK_ENTITY, standing.id, {"name": text.name, "description": description})
    with desk.store.transaction() as tx:
        tx.tasks.attach_espo_id(row.id, standing.id)


async def _espo_task(desk: TaskDesk, row: ManualTask) -> EspoRecord | None:
    """Return the open task that this notice continues, if a person has not settled it."""
    known = row.details.get(_CONTINUES)
    task = await desk.espo.read(TASK_ENTITY, str(known)) if known else None
    return None if task is None or await is_settled(desk, task) else task
