"""Keeps the ledger after a pass over child records: failures in our ledger and where their owner looks."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from vmh_sync.children.difference import difference_text, keeps_apart
from vmh_sync.children.kind import ChildKind
from vmh_sync.children.status_fields import bookkeeping
from vmh_sync.engine.failures.isolation import isolated
from vmh_sync.engine.failures.ledger import Failing, enter, entry_of_difference, entry_of_failure, reported_already
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.writing.failure_told import tell_failure
from vmh_sync.engine.writing.sending import note_our_status
from vmh_sync.store.pairs.records import REFUSED, SyncRecord
from vmh_sync.store.store import Transaction
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result
from vmh_sync.systems.espocrm.records import EspoRecord
from vmh_sync.systems.espocrm.spoilt_lists import own_fields_of

STATUS_NAMES = ("syncStatus", "syncErrorMessage")
UNKNOWN_ID = "UnknownId"
"""Error class of a record that EspoCRM does not have and that is not linked: an id that means nothing."""


async def close_ledger(
    context: PassContext, kind: ChildKind, records: Mapping[str, EspoRecord], outcomes: Sequence[RecordOutcome]
) -> list[RecordOutcome]:
    """Enter failures and waiting records into the ledger, tell EspoCRM about failures, mark the rest as verified.

    Refused values were told already where they were found; faults that concern everything are no record's fault. What
    is in order again, or exists no more, leaves the ledger: nobody can repair it. A child in order may still differ
    where an open task waits for a person: its outcome names those fields.
    """
    known = await context.store.read(lambda tx: tx.records.get_many(kind.entity, [outcome.id for outcome in outcomes]))
    entries: list[SyncRecord] = []
    told = []
    for outcome in outcomes:
        final = outcome
        with isolated(f"{kind.entity} {outcome.id}", lambda error: None):
            record = records.get(outcome.id) or await _spoilt(context, kind, outcome)
            entry, final = await _enter(context, kind, record, outcome, known.get(outcome.id))
            entries += [entry] if entry is not None else []
        told.append(final)
    quiet = [outcome.id for outcome in told if outcome.result is Result.UNCHANGED]
    in_order = [outcome.id for outcome in told if outcome.result in (Result.SYNCED, Result.UNCHANGED)]
    apart = await context.store.read(_apart, kind, in_order)
    over = [i.id for i in told if i.id in known and i.id not in apart and _is_over(i, records)]
    # What a party's pass finds is in the ledger already; a difference that was never entered is entered here.
    entries += [entry for espo_id, names in apart.items() if (entry := _entry(context, kind, known, espo_id, names))]
    await asyncio.to_thread(_store, context, kind, entries, quiet, over)
    return [replace(outcome, different=apart.get(outcome.id, ())) for outcome in told]


def _entry(
    context: PassContext, kind: ChildKind, known: Mapping[str, SyncRecord], espo_id: str, names: Sequence[str]
) -> SyncRecord | None:
    message, now = difference_text(kind, names) or "", context.clock.now()
    return entry_of_difference(kind.entity, espo_id, known.get(espo_id), message, now=now, run_id=context.run_id)


def _apart(tx: Transaction, kind: ChildKind, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the fields in which both sides of a child stay apart: an open task tells each of them to a person."""
    tasks = tx.tasks.open_for_many(kind.entity, ids)
    apart = {
        espo_id: [one for one in rows if keeps_apart(kind, one.kind, one.details)] for espo_id, rows in tasks.items()
    }
    return {espo_id: tuple(sorted({n for row in rows for n in row.fields})) for espo_id, rows in apart.items() if rows}


async def _spoilt(context: PassContext, kind: ChildKind, outcome: RecordOutcome) -> EspoRecord | None:
    """Return what of a record can be used for its status when its list entry could not be used at all."""
    if outcome.result is not Result.FAILED or outcome.concerns_all or outcome.error_class == UNKNOWN_ID:
        return None
    return await own_fields_of(context.espo, kind.espo_entity, outcome.id, STATUS_NAMES)


def _is_over(outcome: RecordOutcome, records: Mapping[str, EspoRecord]) -> bool:
    if outcome.result in (Result.SYNCED, Result.UNCHANGED):
        return True
    return outcome.id not in records and outcome.error_class == UNKNOWN_ID


async def _enter(
    context: PassContext,
    kind: ChildKind,
    record: EspoRecord | None,
    outcome: RecordOutcome,
    known: SyncRecord | None,
) -> tuple[SyncRecord | None, RecordOutcome]:
    if record is None or outcome.concerns_all or outcome.result in (Result.SYNCED, Result.UNCHANGED):
        return None, outcome
    if outcome.result is Result.FAILED and outcome.error_class == REFUSED and _told_before(known, outcome):
        return None, outcome
    if outcome.result is Result.SKIPPED:
        entry = SyncRecord(
            entity=kind.entity, espo_id=record.id, status="pending_sync", espo_modified_at_seen=record.modified_at
        )
        return (entry if outcome.betnr is None else None), outcome
    failing = Failing(kind.entity, record.id, known, record.modified_at)
    entry = entry_of_failure(failing, outcome, now=context.clock.now(), run_id=context.run_id)
    return await _tell(context, kind, record, outcome, entry, known)


def _told_before(known: SyncRecord | None, outcome: RecordOutcome) -> bool:
    return known is not None and known.error_class == REFUSED and known.error_text == outcome.error


async def _tell(
    context: PassContext,
    kind: ChildKind,
    record: EspoRecord,
    outcome: RecordOutcome,
    entry: SyncRecord,
    known: SyncRecord | None,
) -> tuple[SyncRecord, RecordOutcome]:
    values = bookkeeping(
        record.attributes,
        status="failed" if entry.auto_reset_at is None else kind.given_up_status,
        message=outcome.error,
        key={},
        gone_since=None,
        attempts=entry.attempts,
        next_retry_at=entry.next_retry_at,
        auto_reset_at=entry.auto_reset_at,
    )
    # A further attempt is news, even where an installation makes something else of our values.
    if not values or (not outcome.retryable and reported_already(known, outcome.error, record.modified_at)):
        return entry, outcome
    return await tell_failure(
        context,
        record,
        values,
        (entry, outcome),
        status_fields=STATUS_NAMES,
        note=lambda tx, after: note_our_status(tx, kind.entity, record, after),
    )


def _store(
    context: PassContext, kind: ChildKind, entries: Sequence[SyncRecord], quiet: Sequence[str], over: Sequence[str]
) -> None:
    with context.store.transaction() as tx:
        if over:
            tx.records.forget(kind.entity, over)
        if quiet:
            tx.links.mark_verified(kind.entity, quiet, context.clock.now())
    enter(context.store, kind.entity, entries)
