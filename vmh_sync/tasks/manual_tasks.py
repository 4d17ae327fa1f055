"""Opens and closes manual tasks in EspoCRM, once each, whatever is killed when.

API users may not create ``Notification`` records, so a ``Task`` it is (specification, espocrm.md B1.4, B1.5;
sync-semantics.md 8). The row in our database comes first; a Task whose creation was not answered is found again by a
mark in its description (:mod:`vmh_sync.engine.create_once`).
"""

import asyncio
import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from vmh_sync.engine.create_once import CreateContext, CreateOrder, Creation, create_once
from vmh_sync.engine.pass_context import PassContext, WriteGate
from vmh_sync.entities import espocrm_type
from vmh_sync.settings import EspoCrmSettings
from vmh_sync.store.store import Transaction
from vmh_sync.store.tasks import ManualTask
from vmh_sync.sync.base import Side
from vmh_sync.sync.plan import TaskKind, TaskWanted
from vmh_sync.systems.espocrm.client import EspoClient
from vmh_sync.systems.espocrm.errors import Forbidden, NotFound, ValidationRejected
from vmh_sync.systems.espocrm.query import contains
from vmh_sync.systems.espocrm.records import EspoRecord
from vmh_sync.tasks.task_texts import Wording, wording

TASK_ENTITY = "Task"
ENTITY = "task"
"""Our name of it, for the intents of its creation."""

_MARK = "Vorgang vmh-{id}"
_MOST_TRIES = 4
"""Without parent, without team, the default assignee instead, our own user instead."""
_DONE = "Completed"
_SETTLED = frozenset({"Completed", "Canceled"})
_URGENT = frozenset({TaskKind.CONFLICT, TaskKind.CALENDAR_LOSS, TaskKind.CALENDAR_DEADLINE})


class TaskContext(CreateContext, Protocol):
    """What writing a task needs of a pass."""

    @property
    def espo(self) -> EspoClient:
        """The CRM that the tasks stand in."""
        ...

    @property
    def espo_settings(self) -> EspoCrmSettings:
        """Who gets the tasks of nobody."""
        ...


def is_settled(task: EspoRecord) -> bool:
    """Whether a person (or we) closed this Task of EspoCRM."""
    return task.attributes.get("status") in _SETTLED


@dataclass(frozen=True, slots=True)
class TaskSubject:
    """The record that a task is about.

    ``entity`` is our name (``beteiligte``), ``espo_entity`` EspoCRM's; ``parent`` is false for a record that is
    deleted in EspoCRM, which cannot be linked to. ``hangs_on`` (entity type, id) is another record to hang the task
    on, where people look for it: a child's tasks stand with its party.
    """

    entity: str
    espo_entity: str
    espo_id: str
    betnr: int | None
    assigned_user_id: str | None = None
    parent: bool = True
    hangs_on: tuple[str, str] | None = None


async def open_tasks(
    context: PassContext,
    gate: WriteGate,
    subject: TaskSubject,
    wanted: Iterable[TaskWanted],
    labels: Mapping[str, str],
    *,
    noted: Collection[int] = (),
) -> int:
    """Make sure that each wanted task is open; returns how many were newly written to EspoCRM.

    A task that a person closed while its reason still stands is not opened again by the same situation, only by a
    new one (another value). ``noted`` are rows that :func:`note_tasks` made just now: they cannot be in EspoCRM yet.
    """
    opened = 0
    for task in wanted:
        about = _subject_of(subject, task)
        row, created = await asyncio.to_thread(_ensure, context, about, task)
        if row.espo_task_id is not None:
            if not await _reported_anew(context, gate, row, task, labels):
                continue
            row, created = await asyncio.to_thread(_ensure, context, about, task)
        may_exist = not created and row.id not in noted
        await write_task(context, gate, about, row, task, labels, may_exist=may_exist)
        opened += 1
    return opened


async def _reported_anew(
    context: PassContext, gate: WriteGate, row: ManualTask, task: TaskWanted, labels: Mapping[str, str]
) -> bool:
    """Deal with a task that exists already; true when a person closed it and the new situation needs another one."""
    same_situation = row.fingerprint == fingerprint(task)
    if same_situation and task.kind is not TaskKind.CONFLICT:
        return False
    standing = await context.espo.read(TASK_ENTITY, str(row.espo_task_id))
    if standing is None or is_settled(standing):
        await asyncio.to_thread(_close_row, context, row.id)
        return True
    if not same_situation:
        await gate.before(Side.ESPOCRM)
        description = _continued(standing, row, task, labels)
        await context.espo.update(TASK_ENTITY, standing.id, {"description": description})
        await asyncio.to_thread(_refresh, context, row.id, task)
    return False


def _continued(standing: EspoRecord, row: ManualTask, task: TaskWanted, labels: Mapping[str, str]) -> str:
    # The older report stays: what it names as lost must not vanish.
    text = _worded(task, row.betnr, labels)
    return f"{text.description}\n\n--- Zuvor ---\n{standing.attributes.get('description') or ''}"


def _worded(task: TaskWanted, betnr: int | None, labels: Mapping[str, str]) -> Wording:
    german = {name: labels.get(name, name) for name in task.fields}
    return wording(task.kind, labels=german, betnr=betnr, details=task.details)


def _refresh(context: PassContext, task_id: int, task: TaskWanted) -> None:
    with context.store.transaction() as tx:
        tx.tasks.refresh(task_id, fingerprint(task), dict(task.details))


def _subject_of(subject: TaskSubject, task: TaskWanted) -> TaskSubject:
    if task.espo_id is None or task.entity is None:
        return subject
    return TaskSubject(
        task.entity,
        espocrm_type(task.entity) or subject.espo_entity,
        task.espo_id,
        subject.betnr,
        subject.assigned_user_id,
        bool(task.details.get("parent", True)),
        # A child may be gone in EspoCRM, and people look for its tasks at the party.
        hangs_on=subject.hangs_on or (subject.espo_entity, subject.espo_id) if task.entity != subject.entity else None,
    )


def fingerprint(task: TaskWanted) -> str:
    """Return what tells one situation from another: kind, fields and values, as a hash."""
    text = json.dumps([task.kind, task.fields, task.details], sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def note_tasks(tx: Transaction, subject: TaskSubject, wanted: Iterable[TaskWanted]) -> set[int]:
    """Store tasks in the transaction that lets the base learn what they tell; returns the ids of the new rows.

    Once the base knows a difference, no plan tells it again: killed before :func:`open_tasks`, only the row remembers.
    """
    ensured = [_ensured(tx, _subject_of(subject, task), task) for task in wanted]
    return {row.id for row, created in ensured if created}


def _ensure(context: PassContext, about: TaskSubject, task: TaskWanted) -> tuple[ManualTask, bool]:
    with context.store.transaction() as tx:
        return _ensured(tx, about, task)


def _ensured(tx: Transaction, about: TaskSubject, task: TaskWanted) -> tuple[ManualTask, bool]:
    return tx.tasks.ensure(
        entity=about.entity,
        espo_id=about.espo_id,
        betnr=about.betnr,
        kind=task.kind,
        fields=task.fields,
        fingerprint=fingerprint(task),
        details=dict(task.details),
    )


def mark_of(row: ManualTask) -> str:
    """Return the line in a task's description by which it is found again."""
    return _MARK.format(id=row.id)


async def write_task(
    context: TaskContext,
    gate: WriteGate,
    about: TaskSubject,
    row: ManualTask,
    task: TaskWanted,
    labels: Mapping[str, str],
    *,
    may_exist: bool,
) -> None:
    """Write a task of our database to EspoCRM, and note its id; ``may_exist``: look for it first by its mark."""
    mark = mark_of(row)

    async def post() -> str:
        text = _worded(task, about.betnr, labels)
        values: dict[str, Any] = {
            "name": text.name,
            "description": f"{text.description}\n\n{mark}",
            "status": "Not Started",
            "priority": "High" if task.kind in _URGENT else "Normal",
            "assignedUserId": about.assigned_user_id or await _fallback_assignee(context),
        }
        if context.espo_settings.default_team_id:
            values["teamsIds"] = [context.espo_settings.default_team_id]
        if about.hangs_on is not None:
            values |= {"parentType": about.hangs_on[0], "parentId": about.hangs_on[1]}
        elif about.parent:
            values |= {"parentType": about.espo_entity, "parentId": about.espo_id}
        return await _create(context, gate, values)

    order = CreateOrder(
        system=Side.ESPOCRM,
        entity=ENTITY,
        espo_id=str(row.id),
        natural_key={"mark": mark},
        payload={"mark": mark},
        post=post,
        find=lambda _: _find(context, mark),
        look_first=(lambda: _find(context, mark)) if may_exist else None,
    )
    creation = await create_once(context, order)
    await asyncio.to_thread(_attach, context, row.id, creation)


async def _create(context: TaskContext, gate: WriteGate, values: dict[str, Any]) -> str:
    """Create the task, without what EspoCRM refuses of it: a parent, team or person that is gone keeps no task back.

    The installation's Task may not take this entity type as parent either (espocrm.md B12).
    """
    for _ in range(_MOST_TRIES):
        try:
            await gate.before(Side.ESPOCRM)
            return (await context.espo.create(TASK_ENTITY, values)).id
        except (Forbidden, ValidationRejected) as error:
            values = await _without_refused(context, values, error)
    await gate.before(Side.ESPOCRM)
    return (await context.espo.create(TASK_ENTITY, values)).id


async def _without_refused(
    context: TaskContext, values: dict[str, Any], error: Forbidden | ValidationRejected
) -> dict[str, Any]:
    """Return what to try next; raises ``error`` when nothing of the task could be the reason."""
    named = error.field if isinstance(error, ValidationRejected) else getattr(error, "link", None)
    if named in {"assignedUser", "assignedUserId"}:
        other = await _fallback_assignee(context)
        if other == values.get("assignedUserId"):
            other = await _own_user(context)
        if other == values.get("assignedUserId"):
            raise error
        return values | {"assignedUserId": other}
    if "teamsIds" in values and (named == "teams" or "parentId" not in values):
        return {name: value for name, value in values.items() if name != "teamsIds"}
    if "parentId" in values:
        return {name: value for name, value in values.items() if name not in {"parentType", "parentId"}}
    raise error


async def _find(context: TaskContext, mark: str) -> str | None:
    # "contains" also finds vmh-12 inside vmh-123, so the right one may stand on a later page.
    found = context.espo.list_all(TASK_ENTITY, where=(contains("description", mark),), select=("id", "description"))
    async for task in found:
        if str(task.attributes.get("description", "")).endswith(mark):
            return task.id
    return None


async def _fallback_assignee(context: TaskContext) -> str | None:
    return context.espo_settings.default_assignee_id or await _own_user(context)


async def _own_user(context: TaskContext) -> str | None:
    user = (await context.espo.app_user()).get("user")
    return str(user["id"]) if isinstance(user, dict) and user.get("id") else None


def _attach(context: TaskContext, task_id: int, creation: Creation[str]) -> None:
    with context.store.transaction() as tx:
        tx.intents.complete(creation.intent.id, creation.record)
        tx.tasks.attach_espo_id(task_id, creation.record)


async def close_tasks(context: TaskContext, gate: WriteGate, task_ids: Iterable[int]) -> int:
    """Close tasks that reality has settled, in EspoCRM and in our database; returns how many."""
    closed = 0
    for task_id in task_ids:
        row = await asyncio.to_thread(_get, context, task_id)
        if row is None or row.state == "closed":
            continue
        if row.espo_task_id is not None:
            await complete_in_espocrm(context, gate, row.espo_task_id)
        await asyncio.to_thread(_close_row, context, task_id)
        closed += 1
    return closed


async def complete_in_espocrm(context: TaskContext, gate: WriteGate, espo_task_id: str) -> None:
    """Mark a task as done in EspoCRM, as a person would; our own row stays as it is."""
    try:
        task = await context.espo.read(TASK_ENTITY, espo_task_id)
        if task is not None and not is_settled(task):
            await gate.before(Side.ESPOCRM)
            await context.espo.update(TASK_ENTITY, espo_task_id, {"status": _DONE})
    except NotFound:
        return  # a person deleted the task: that closes it as well


def _get(context: TaskContext, task_id: int) -> ManualTask | None:
    with context.store.reading() as tx:
        return tx.tasks.get(task_id)


def _close_row(context: TaskContext, task_id: int) -> None:
    with context.store.transaction() as tx:
        tx.tasks.close(task_id)
