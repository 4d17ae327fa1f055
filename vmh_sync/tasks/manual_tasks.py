"""Opens and closes manual tasks in EspoCRM, once each, whatever is killed when.

API users may not create ``Notification`` records, so a ``Task`` it is (specification, espocrm.md B1.4, B1.5;
sync-semantics.md 8). The row in our database comes first; a Task whose creation was not answered is found again by a
mark in its description (:mod:`vmh_sync.engine.writing.create_once`).
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from vmh_sync.engine.passes.pass_context import PassContext, WriteGate
from vmh_sync.engine.writing.create_once import CreateOrder, Creation, create_once
from vmh_sync.entities import espocrm_type
from vmh_sync.store.history.tasks import ManualTask
from vmh_sync.store.store import Transaction
from vmh_sync.sync.base import Side
from vmh_sync.sync.planning.plan import TaskKind, TaskWanted
from vmh_sync.systems.espocrm.errors import NotFound
from vmh_sync.systems.espocrm.query import contains
from vmh_sync.systems.espocrm.records import EspoRecord
from vmh_sync.tasks.assignee import own_user, person_for
from vmh_sync.tasks.bounded_text import bounded
from vmh_sync.tasks.posting import TASK_ENTITY, TaskContext, post_task
from vmh_sync.tasks.settled import is_settled, say_done
from vmh_sync.tasks.task_texts import Wording, wording_of_all

ENTITY = "task"
"""Our name of it, for the intents of its creation."""

_MARK = "Vorgang vmh-{id}"
_EARLIER = "--- Zuvor ---"
_URGENT = frozenset({TaskKind.CONFLICT, TaskKind.CALENDAR_LOSS, TaskKind.CALENDAR_DEADLINE})


@dataclass(frozen=True, slots=True)
class LastEdit:
    """Who changed a record last on one side, and when, in German; ``user_id`` is who, if that side tells it."""

    text: str
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class TaskSubject:
    """The record that a task is about.

    ``entity`` is our name (``beteiligte``), ``espo_entity`` EspoCRM's; ``parent`` is false for a record that is
    deleted in EspoCRM, which cannot be linked to. ``hangs_on`` (entity type, id) is another record to hang the task
    on, where people look for it: a child's tasks stand with its party. ``people`` are EspoCRM users who know the
    record, for one that is assigned to nobody. ``edited`` says who changed it last on each side.
    """

    entity: str
    espo_entity: str
    espo_id: str
    betnr: int | None
    assigned_user_id: str | None = None
    parent: bool = True
    hangs_on: tuple[str, str] | None = None
    people: tuple[str | None, ...] = ()
    edited: "tuple[LastEdit, ...]" = ()


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
    wanted = list(wanted)
    subject = await _without_our_own_edit(context, subject) if wanted else subject
    bundles: dict[tuple[str, str, TaskKind], list[_Ensured]] = {}
    for task in wanted:
        about = _subject_of(subject, task)
        row, created = await context.store.write(_ensured, about, task)
        if row.espo_task_id is not None:
            if not await _reported_anew(context, gate, about, row, task, labels):
                continue
            row, created = await context.store.write(_ensured, about, task)
        key = (about.entity, about.espo_id, task.kind)
        may_exist = not created and row.id not in noted
        bundles.setdefault(key, []).append(_Ensured(about, row, task, may_exist))
    for bundle in bundles.values():
        # In a fixed order: an unanswered creation is looked for by the mark of the first.
        await _write_bundle(context, gate, sorted(bundle, key=lambda one: one.row.id), labels)
    return sum(map(len, bundles.values()))


async def _without_our_own_edit(context: PassContext, subject: TaskSubject) -> TaskSubject:
    if not any(one.user_id for one in subject.edited):
        return subject
    own = await own_user(context)
    return replace(subject, edited=tuple(one for one in subject.edited if one.user_id is None or one.user_id != own))


@dataclass(frozen=True, slots=True)
class _Ensured:
    """A task that stands in our database and is to be written."""

    about: TaskSubject
    row: ManualTask
    task: TaskWanted
    may_exist: bool


async def _write_bundle(
    context: PassContext, gate: WriteGate, bundle: Sequence[_Ensured], labels: Mapping[str, str]
) -> None:
    """Write all that is to be told of one record and kind as one Task, or add it to the one that is open there.

    However many entries of a record are refused, a person sees one task; each keeps a row of its own with us.
    """
    rows = [one.row for one in bundle]
    standing = await _open_sibling(context, rows[0])
    if standing is None:
        first, others = bundle[0], bundle[1:]
        more = [one.task for one in others]
        await write_task(
            context, gate, first.about, first.row, first.task, labels, may_exist=first.may_exist, more=more
        )
        written = await context.store.read(lambda tx: tx.tasks.get(first.row.id))
        espo_task_id = written.espo_task_id if written is not None else None
        rows = [one.row for one in others]
    else:
        text = _worded([one.task for one in bundle], bundle[0].about, labels)
        before = str(standing.attributes.get("description") or "")
        if text.description not in before:  # it may have been added by a run that died just after
            whole = f"{text.description}\n\n{_EARLIER}\n{before}"
            async with gate.sending(Side.ESPOCRM):
                await context.espo.update(TASK_ENTITY, standing.id, {"description": bounded(whole)})
        espo_task_id = standing.id
    if rows and espo_task_id is not None:
        await context.store.write(_attach_rows, [row.id for row in rows], espo_task_id)


async def _open_sibling(context: PassContext, row: ManualTask) -> EspoRecord | None:
    """Return the open Task about the same record and of the same kind that another of our rows stands for."""
    rows = await context.store.read(lambda tx: tx.tasks.open_for_many(row.entity, [row.espo_id]).get(row.espo_id, []))
    known = dict.fromkeys(one.espo_task_id for one in rows if one.kind == row.kind and one.espo_task_id)
    for task_id in known:
        task = await context.espo.read(TASK_ENTITY, str(task_id))
        if task is not None and not await is_settled(context, task):
            return task
    return None


def _attach_rows(tx: Transaction, task_ids: Sequence[int], espo_task_id: str) -> None:
    for task_id in task_ids:
        tx.tasks.attach_espo_id(task_id, espo_task_id)


async def _reported_anew(
    context: PassContext,
    gate: WriteGate,
    about: TaskSubject,
    row: ManualTask,
    task: TaskWanted,
    labels: Mapping[str, str],
) -> bool:
    """Deal with a task that exists already; true when a person closed it and the new situation needs another one."""
    same_situation = row.fingerprint == fingerprint(task)
    if same_situation and task.kind is not TaskKind.CONFLICT and not row.is_untold:
        return False
    standing = await context.espo.read(TASK_ENTITY, str(row.espo_task_id))
    if standing is None or await is_settled(context, standing):
        await context.store.write(lambda tx: tx.tasks.close(row.id))
        return True
    if not same_situation:
        description = _continued(standing, about, task, labels)
        if description is not None:
            async with gate.sending(Side.ESPOCRM):
                await context.espo.update(TASK_ENTITY, standing.id, {"description": description})
    if not same_situation or row.is_untold:
        await context.store.write(lambda tx: tx.tasks.refresh(row.id, fingerprint(task), dict(task.details)))
    return False


def _continued(standing: EspoRecord, about: TaskSubject, task: TaskWanted, labels: Mapping[str, str]) -> str | None:
    text, before = _worded([task], about, labels), str(standing.attributes.get("description") or "")
    if before.startswith(text.description):  # written by a run that died just after
        return None
    # The older report stays: what it names as lost must not vanish.
    return bounded(f"{text.description}\n\n{_EARLIER}\n{before}")


def _worded(tasks: Sequence[TaskWanted], about: TaskSubject, labels: Mapping[str, str]) -> Wording:
    told = [({name: labels.get(name, name) for name in task.fields}, task.details) for task in tasks]
    edited = "; ".join(one.text for one in about.edited)
    edited = f"Zuletzt geändert: {edited}." if edited else ""
    return wording_of_all(tasks[0].kind, told, betnr=about.betnr, edited=edited)


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
        people=subject.people,
        edited=subject.edited if task.entity == subject.entity else (),
    )


def fingerprint(task: TaskWanted) -> str:
    """Return what tells one situation from another: kind, fields and values, as a hash."""
    text = json.dumps([task.kind, task.fields, task.details], sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def note_tasks(tx: Transaction, subject: TaskSubject, wanted: Iterable[TaskWanted]) -> set[int]:
    """Store tasks in the transaction that lets the base learn what they tell; returns the ids of the new rows.

    Once the base knows a difference, no plan tells it again: killed before :func:`open_tasks`, only the row remembers,
    also where it has told of another value so far.
    """
    new = set[int]()
    for task in wanted:
        row, created = _ensured(tx, _subject_of(subject, task), task)
        if created:
            new.add(row.id)
        elif row.fingerprint != fingerprint(task):
            tx.tasks.note_untold(row.id, dict(task.details))
    return new


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
    more: Sequence[TaskWanted] = (),
) -> None:
    """Write a task of our database to EspoCRM, and note its id; ``may_exist``: look for it first by its mark.

    ``more`` are tasks of the same record and kind that the same Task tells about.
    """
    mark = mark_of(row)

    async def post() -> str:
        text = _worded([task, *more], about, labels)
        values: dict[str, Any] = {
            "name": text.name,
            "description": bounded(f"{text.description}\n\n{mark}"),
            "status": "Not Started",
            "priority": "High" if task.kind in _URGENT else "Normal",
        }
        assignee = await person_for(context, (about.assigned_user_id, *about.people))
        if assignee is not None:
            values["assignedUserId"] = assignee
        if context.espo_settings.default_team_id:
            values["teamsIds"] = [context.espo_settings.default_team_id]
        if about.hangs_on is not None:
            values |= {"parentType": about.hangs_on[0], "parentId": about.hangs_on[1]}
        elif about.parent:
            values |= {"parentType": about.espo_entity, "parentId": about.espo_id}
        return await post_task(context, gate, values)

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
    await context.store.write(_attach, row.id, creation)


async def _find(context: TaskContext, mark: str) -> str | None:
    # "contains" also finds vmh-12 inside vmh-123, so the right one may stand on a later page.
    found = context.espo.list_all(TASK_ENTITY, where=(contains("description", mark),), select=("id", "description"))
    async for task in found:
        if str(task.attributes.get("description", "")).endswith(mark):
            return task.id
    return None


def _attach(tx: Transaction, task_id: int, creation: Creation[str]) -> None:
    tx.intents.complete(creation.intent.id, creation.record)
    tx.tasks.attach_espo_id(task_id, creation.record)


async def close_tasks(context: TaskContext, gate: WriteGate, task_ids: Iterable[int]) -> int:
    """Close tasks that reality has settled, in EspoCRM and in our database; returns how many."""
    return sum([await _close(context, gate, task_id) for task_id in task_ids])


async def _close(context: TaskContext, gate: WriteGate, task_id: int) -> bool:
    row = await context.store.read(lambda tx: tx.tasks.get(task_id))
    if row is None or row.state == "closed":
        return False
    if row.espo_task_id is not None and not await context.store.read(_tells_more, row):
        await complete_in_espocrm(context, gate, row.espo_task_id)
    await context.store.write(lambda tx: tx.tasks.close(task_id))
    return True


async def complete_in_espocrm(context: TaskContext, gate: WriteGate, espo_task_id: str) -> None:
    """Mark a task as done in EspoCRM, as a person would; our own row stays as it is."""
    try:
        task = await context.espo.read(TASK_ENTITY, espo_task_id)
        if task is None or await is_settled(context, task):
            return
        # Where nobody tells the firm's own words, the Task is left to people.
        await say_done(context, partial(_set_status, context, gate, espo_task_id))
    except NotFound:
        return  # a person deleted the task: that closes it as well


async def _set_status(context: TaskContext, gate: WriteGate, espo_task_id: str, status: str) -> None:
    async with gate.sending(Side.ESPOCRM):
        await context.espo.update(TASK_ENTITY, espo_task_id, {"status": status})


def _tells_more(tx: Transaction, row: ManualTask) -> bool:
    """Whether the Task also tells about something else of the record that is not settled."""
    others = tx.tasks.open_for_many(row.entity, [row.espo_id]).get(row.espo_id, [])
    return any(other.espo_task_id == row.espo_task_id and other.id != row.id for other in others)
