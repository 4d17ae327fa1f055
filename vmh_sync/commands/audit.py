"""``vmh-sync audit show`` and ``audit undo``: what they do, apart from printing."""

import asyncio
from uuid import uuid4

from vmh_sync.beteiligte.failure import RECORD_FAILURES, explain
from vmh_sync.beteiligte.undo import undo_change
from vmh_sync.commands.sync import PassFailed, SyncOrder, prepare, run_sync
from vmh_sync.commands.targets import target
from vmh_sync.engine.opening import PassSettings, open_context, open_database
from vmh_sync.engine.undo import Undo, UndoRefused
from vmh_sync.settings import VmhSettings, load
from vmh_sync.store import default_url, upgrade
from vmh_sync.store.audit import Change
from vmh_sync.sync.outcome import PassSummary


def changes_of(record_id: str, limit: int | None) -> list[Change]:
    """Return what the audit log says about a record, newest first; ``record_id`` is an EspoCRM id or a betnr."""
    settings = load(VmhSettings)
    upgrade(settings.database_url or default_url(settings.home))
    store = open_database(settings)
    try:
        with store.reading() as tx:
            return tx.audit.for_record(record_id, limit)
    finally:
        store.close()


def change_row(change: Change, *, values: bool) -> dict[str, object]:
    """Return a change as plain data; what stood in the field only when ``values`` were asked for."""
    row: dict[str, object] = {
        "id": change.id,
        "at": change.at.isoformat() if change.at else None,
        "entity": change.entity,
        "espo_id": change.espo_id,
        "betnr": change.betnr,
        "advoware_id": change.advoware_id,
        "field": change.field,
        "kind": change.kind,
        "side_written": change.side_written,
        "losing_side": change.losing_side,
        "reason": change.reason,
        "run_id": change.run_id,
        "undo_of": change.undo_of,
        "undone_by": change.undone_by,
    }
    if values:
        row |= {"old": change.old, "new": change.new, "losing_value": change.losing_value}
    return row


def run_undo(change_id: int, *, dry_run: bool) -> tuple[Undo, PassSummary | None]:
    """Take back a change and sync its party; returns what was undone and the pass's counts (None for a dry run).

    Raises ``PassFailed`` (with a German sentence) when nothing was changed, ``SettingsError`` for bad settings.
    """
    settings = PassSettings.read()
    prepare(settings)

    async def opened() -> Undo:
        async with open_context(f"undo-{uuid4().hex[:12]}", settings) as context:
            return await undo_change(context, change_id, dry_run=dry_run)

    try:
        undo = asyncio.run(opened())
    except UndoRefused as refusal:
        raise PassFailed(str(refusal)) from None
    except RECORD_FAILURES as error:
        raise PassFailed(explain(error).message) from error
    if dry_run:
        return undo, None
    summary, _ = run_sync(target("beteiligte"), SyncOrder((undo.party_id,), None))
    return undo, summary
