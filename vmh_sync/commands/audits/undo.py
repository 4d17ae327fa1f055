"""``vmh-sync audit undo``: one change, or all of a record, a run or a time span, of every entity."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from uuid import uuid4

from vmh_sync.commands.passes.sync import run_sync
from vmh_sync.commands.passes.sync_order import PassFailed, SyncOrder
from vmh_sync.commands.passes.targets import target
from vmh_sync.commands.screens.screen import screen
from vmh_sync.engine.passes.opening import open_migrated
from vmh_sync.engine.writing.undo import NOT_UNDOABLE, Chain, Refusal, Undo, Undoer
from vmh_sync.entities import KALENDER, every
from vmh_sync.services.valkey import ensure_redis
from vmh_sync.settings import VmhSettings, load
from vmh_sync.store import Store
from vmh_sync.store.history.audit import AuditQuery, Change
from vmh_sync.sync.deciding.apart import STAYS_APART
from vmh_sync.sync.planning.plan import TaskKind
from vmh_sync.sync.reporting.outcome import PassSummary

MOST_CHANGES = 5000
"""Changes that are taken back at once; more than a run or a bad hour makes."""
STILL_APART = "die andere Seite ist noch verschieden, eine Aufgabe in EspoCRM sagt, was dort zu tun ist."

_SAY_APART = STAYS_APART | {TaskKind.ADDRESS_FIELD_UPDATE, TaskKind.BANK_UPDATE, TaskKind.CHILD_UPDATE}


def undoers() -> dict[str, tuple[str, Undoer]]:
    """Return who takes changes back, by the entity of the audit log, with the name of the entity to sync afterwards."""
    found: dict[str, tuple[str, Undoer]] = {}
    for entity in every():
        name = f"{entity.package}.undo"
        undoer: Undoer | None = getattr(import_module(name), "UNDO", None) if find_spec(name) else None
        if undoer is not None:
            found |= dict.fromkeys(undoer.entities, (entity.name, undoer))
    return found


@dataclass(slots=True)
class UndoReport:
    """What was taken back, what not, and the pass over what it touched (None for a dry run)."""

    done: list[Undo] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    summary: PassSummary | None = None

    @property
    def failed(self) -> bool:
        """Whether something was left alone, or the pass failed for a record."""
        return bool(self.refused) or (self.summary is not None and bool(self.summary.failures))

    def to_json(self, *, values: bool, dry_run: bool) -> dict[str, Any]:
        """Return the report as plain data; values only when asked for."""
        return {
            "dry_run": dry_run,
            "undone": [undo_row(one, values=values) for one in self.done],
            "refused": [
                {"changes": list(one.change_ids), "id": one.espo_id, "field": one.field, "why": one.why}
                for one in self.refused
            ],
            "sync": self.summary.to_json() if self.summary else None,
        }


def undo_row(done: Undo, *, values: bool) -> dict[str, object]:
    """Return one undo as plain data."""
    row: dict[str, object] = {"undo_of": done.change_id, "id": done.espo_id, "field": done.field}
    return row | ({"old": done.old, "new": done.new} if values else {})


def undo_all(query: AuditQuery, *, dry_run: bool) -> UndoReport:
    """Take back what a query means, and sync what it touched.

    Raises ``PassFailed`` for a run that the log does not know and for the beginning of several runs, and
    ``SettingsError``; what cannot be taken back is in the report.
    """
    changes = _changes(query)
    runs = {change.run_id for change in changes} if query.run_id else set()
    if query.run_id in runs:
        changes = [change for change in changes if change.run_id == query.run_id]
    elif len(runs) > 1:
        raise PassFailed(f"„{query.run_id}“ ist der Anfang von {len(runs)} Läufen; bitte die ganze Nummer angeben.")
    if query.run_id and not changes:
        raise PassFailed(f"Der Lauf „{query.run_id}“ steht nicht im Protokoll, oder nicht mit diesen Änderungen.")
    return _undone(changes, dry_run=dry_run)


def undo_one(change_id: int, *, dry_run: bool) -> tuple[Undo, PassSummary | None]:
    """Take back a change and sync its record; returns what was undone and the pass's counts (None for a dry run).

    Raises ``PassFailed`` (with a German sentence) when nothing was changed, ``SettingsError`` for bad settings.
    """
    change = _change(change_id)
    if change is None:
        raise PassFailed(f"Eine Änderung mit der Nummer {change_id} gibt es nicht.")
    report = _undone([change], dry_run=dry_run, one=True)
    if report.refused:
        raise PassFailed(report.refused[0].why)
    return report.done[0], report.summary


def _undone(changes: Sequence[Change], *, dry_run: bool, one: bool = False) -> UndoReport:
    """Take back changes, each by the entity that it belongs to; ``one``: named by a person, so nothing is left out."""
    report, known, touched = UndoReport(), undoers(), dict[str, list[str]]()
    for name, undoer, of in _by_entity(changes, known):
        chains: Sequence[Chain] = [tuple(of)] if one else undoer.chains(of)
        if not chains:
            continue
        undone = asyncio.run(undoer.take_back(f"undo-{uuid4().hex[:12]}", chains, dry_run=dry_run))
        report.done += undone.done
        report.refused += undone.refused
        touched.setdefault(name, []).extend(key for done in undone.done for key in done.resync)
    if one and not report.done and not report.refused:
        report.refused.append(Refusal((), changes[0].entity, changes[0].espo_id, changes[0].field, NOT_UNDOABLE))
    for name, keys in touched.items():
        if keys and not dry_run:
            report.summary = (report.summary or PassSummary()).merge(_synced(name, tuple(dict.fromkeys(keys))))
    return report


def _by_entity(
    changes: Iterable[Change], known: dict[str, tuple[str, Undoer]]
) -> Iterator[tuple[str, Undoer, list[Change]]]:
    groups: dict[str, list[Change]] = {}
    for change in changes:
        if change.entity in known:
            groups.setdefault(known[change.entity][0], []).append(change)
    for of in groups.values():
        yield (*known[of[0].entity], of)


def _synced(entity: str, keys: tuple[str, ...]) -> PassSummary:
    if entity != KALENDER.name:
        return run_sync(target(entity), SyncOrder(keys, None))[0]
    from vmh_sync.commands.passes.sync_kalender import run_calendars
    from vmh_sync.kalender.calendars import Calendars

    return PassSummary().add(run_calendars(Calendars(kuerzel=list(keys))).outcomes)


def _changes(query: AuditQuery) -> list[Change]:
    with _open() as store, store.reading() as tx:
        return tx.audit.find(query)


def _change(change_id: int) -> Change | None:
    with _open() as store, store.reading() as tx:
        return tx.audit.get(change_id)


def _open() -> Store:
    settings = load(VmhSettings)
    ensure_redis(settings.home, settings.redis_url)
    return open_migrated(settings)


def tell(report: UndoReport, *, values: bool, dry_run: bool) -> None:
    """Print what was taken back and what not, with the reasons."""
    console = screen()
    for done in report.done:
        console.print(f"{done.subject}: {'würde ' if dry_run else ''}{done.became}")
        if values:
            console.print(f"  {done.old!r} → {done.new!r}")
    for one in report.refused:
        console.print(f"Nr. {', '.join(map(str, one.change_ids))} ({one.entity} {one.field or ''}) bleibt: {one.why}")
    if not report.done and not report.refused:
        console.print("Es gibt nichts zurückzunehmen.")
    elif dry_run:
        console.print("Es wurde nichts geschrieben.")
    elif report.summary is not None and report.summary.failures:
        sides = " und ".join(dict.fromkeys(done.written for done in report.done))
        console.print(f"Der Abgleich danach ist fehlgeschlagen und wird wiederholt; {sides} steht schon richtig.")
    elif left := apart(report.done):
        console.print(f"{', '.join(done.subject for done in left)}: {STILL_APART}")


def apart(undone: Sequence[Undo]) -> list[Undo]:
    """Return what a task says of: Advoware takes some changes from nobody but a person.

    A conflict that was decided stays told until a person closes its task, whatever both sides say by now.
    """
    with _open() as store, store.reading() as tx:
        tasks = [task for entity in every() for task in tx.tasks.not_closed(entity.name)]
    about = (task for task in tasks if task.kind in _SAY_APART or task.details.get("held"))
    told = {(task.espo_id, name) for task in about for name in task.fields}
    return [done for done in undone if (done.espo_id, done.field) in told]
