"""``vmh-sync audit undo`` of more than one change: all of a record, a run or a time span."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from vmh_sync.beteiligte.failure import RECORD_FAILURES, explain
from vmh_sync.beteiligte.undo import undo_change
from vmh_sync.commands.screen import screen
from vmh_sync.commands.sync import SyncOrder, prepare, run_sync
from vmh_sync.commands.targets import target
from vmh_sync.engine.opening import PassSettings, open_context
from vmh_sync.engine.pass_context import PassContext
from vmh_sync.engine.undo import Undo, UndoRefused
from vmh_sync.entities import BETEILIGTE
from vmh_sync.store.audit import AuditQuery, Change
from vmh_sync.sync.outcome import PassSummary

MOST_CHANGES = 5000
"""Changes that are taken back at once; more than a run or a bad hour makes."""
TAKEN_BACK = ("applied", "created")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Changes that were not taken back, and why (German)."""

    change_ids: tuple[int, ...]
    entity: str
    espo_id: str | None
    field: str | None
    why: str


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


def chains(changes: Sequence[Change]) -> list[tuple[Change, ...]]:
    """Return changes of the same field together, newest first; they are taken back in one go.

    ``changes`` are newest first. What is undone already, or was written nowhere, is left out.
    """
    found: dict[tuple[str, str, str], list[Change]] = {}
    for change in changes:
        if change.undone_by is None and change.side_written is not None and change.kind in TAKEN_BACK:
            found.setdefault(_key(change), []).append(change)
    return [tuple(chain) for chain in found.values()]


def _key(change: Change) -> tuple[str, str, str]:
    name = str(change.field)
    if change.kind != "created" or change.entity == "kommunikation":
        # An entry of a list keeps its id while its value changes, and is created under a name that has none.
        entry = change.advoware_id if "/" in name and change.advoware_id else name
        return change.entity, str(change.espo_id), f"{name.partition('/')[0]}/{entry}"
    return change.entity, str(change.espo_id), "created"


def undo_all(query: AuditQuery, *, dry_run: bool) -> UndoReport:
    """Take back what a query means, and sync the parties that it touched.

    Raises ``SettingsError``; what cannot be taken back is in the report.
    """
    settings = PassSettings.read()
    prepare(settings)
    report = UndoReport()

    async def opened() -> None:
        async with open_context(f"undo-{uuid4().hex[:12]}", settings) as context:
            with context.store.reading() as tx:
                changes = tx.audit.find(query)
            for chain in chains(changes):
                await _take_back(context, chain, report, dry_run=dry_run)

    asyncio.run(opened())
    parties = tuple(dict.fromkeys(undo.party_id for undo in report.done))
    if parties and not dry_run:
        report.summary, _ = run_sync(target(BETEILIGTE.name), SyncOrder(parties, None))
    return report


async def _take_back(context: PassContext, chain: Sequence[Change], report: UndoReport, *, dry_run: bool) -> None:
    ids = tuple(change.id for change in chain if change.id is not None)
    try:
        report.done.append(await undo_change(context, *ids, dry_run=dry_run))
        return
    except UndoRefused as refusal:
        why = str(refusal)
    except RECORD_FAILURES as error:
        why = explain(error).message
    report.refused.append(Refusal(ids, chain[0].entity, chain[0].espo_id, chain[0].field, why))


def tell(report: UndoReport, *, values: bool, dry_run: bool) -> None:
    """Print what was taken back and what not, with the reasons."""
    console = screen()
    for done in report.done:
        console.print(f"„{done.label}“ {done.record}: {'würde zurückgesetzt' if dry_run else 'zurückgesetzt'}")
        if values:
            console.print(f"  {done.old!r} → {done.new!r}")
    for one in report.refused:
        console.print(f"Nr. {', '.join(map(str, one.change_ids))} ({one.entity} {one.field or ''}) bleibt: {one.why}")
    if not report.done and not report.refused:
        console.print("Es gibt nichts zurückzunehmen.")
    elif dry_run:
        console.print("Es wurde nichts geschrieben.")
    elif report.summary is not None and report.summary.failures:
        console.print("Der Abgleich danach ist fehlgeschlagen und wird wiederholt; EspoCRM steht schon richtig.")
