"""Keeps the books after a batch: verified links, failures in our ledger, and failures where their owner looks."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from vmh_sync.background import all_of
from vmh_sync.beteiligte.fields import BOOKKEEPING, ESPO_ENTITY, FIELDS
from vmh_sync.beteiligte.party import ENTITY, PartyRead
from vmh_sync.beteiligte.reading.own_touch import note_own_word, note_told
from vmh_sync.beteiligte.reading.recognise import fingerprints_to_keep
from vmh_sync.beteiligte.status import status_fields
from vmh_sync.beteiligte.status.labels_de import told_different
from vmh_sync.beteiligte.status.locked import LOCKED, note_locked
from vmh_sync.engine.failures.isolation import isolated
from vmh_sync.engine.failures.ledger import Failing, enter, entry_of_difference, entry_of_failure
from vmh_sync.engine.passes.modified_stamps import settled
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.writing.failure_told import tell_failure
from vmh_sync.store.errors import StaleLink
from vmh_sync.store.pairs.records import SyncRecord
from vmh_sync.store.queue.inbox import InboxEvent
from vmh_sync.sync.fields import WrongKind
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result
from vmh_sync.sync.reporting.status import BROKEN, RecordStatus, SyncStatus
from vmh_sync.systems.espocrm.spoilt_lists import own_fields_of
from vmh_sync.tasks.answered import all_answered


def mark_unchanged(context: PassContext, reads: Sequence[PartyRead]) -> None:
    """Note that both sides of these parties were read and agree.

    Where EspoCRM's stamp moved without a change that concerns us (our own write, a field we do not sync), the link
    learns the new stamp, so that the next pass need not look closer. A party whose link somebody else changed since it
    was read (another run, a sensor) is nobody's failure: it goes into the inbox and is looked at again.
    """
    if not reads:
        return
    moved: set[str] = set()
    with context.store.transaction() as tx:
        for read in reads:
            link, espo = read.link, read.espo
            if link is None or espo is None or not read.espo_full:
                continue
            if (link.espo_modified_at, link.espo_version) != (espo.modified_at, espo.version) or not settled(
                link_read_at=link.espo_read_at, modified_at=espo.modified_at
            ):
                seen = replace(
                    link,
                    notes=replace(link.notes, assigned_user_id=espo.attributes.get("assignedUserId")),
                    espo_modified_at=espo.modified_at,
                    espo_version=espo.version,
                    espo_read_at=espo.server_time,
                )
                try:
                    tx.links.save(seen)
                except StaleLink:
                    moved.add(read.espo_id)
        agreed = [read.espo_id for read in reads if read.espo_id not in moved]
        tx.links.mark_verified(ENTITY, agreed, context.clock.now())
        tx.fingerprints.keep(fingerprints_to_keep(read for read in reads if read.espo_id not in moved))
        tx.inbox.add(ENTITY, [InboxEvent(espo_id=espo_id, action="manual", source="moved") for espo_id in moved])


async def close_ledger(
    context: PassContext, reads: Sequence[PartyRead], outcomes: Sequence[RecordOutcome]
) -> list[RecordOutcome]:
    """Enter all outcomes into the ledger and tell EspoCRM about failures; returns the outcomes with all writes counted.

    Faults that concern everything (office offline, bad login) are no record's fault: they are not entered. A party that
    failed and exists no more leaves the ledger: nobody can repair it.
    """
    by_id = {read.espo_id: read for read in reads}
    told = await all_of(*(_tell_alone(context, by_id[outcome.id], outcome) for outcome in outcomes))
    records = [record for record, _ in told if record is not None]
    # One deleted before its create was answered is looked for until that is settled; then the next pass forgets it.
    retried = (one.id for one in outcomes if one.result is Result.FAILED and one.retryable)
    looked_for = {espo_id for espo_id in retried if by_id[espo_id].unanswered is not None}
    done_with = [read for read in reads if read.ledger_row is not None and read.espo_id not in looked_for]
    gone = [read.espo_id for read in done_with if _exists_no_more(read)]
    if records or gone:
        await asyncio.to_thread(_store, context, records, gone)
    return [outcome for _, outcome in told]


def _store(context: PassContext, records: Sequence[SyncRecord], gone: Sequence[str]) -> None:
    enter(context.store, ENTITY, records)
    with context.store.transaction() as tx:
        tx.records.forget(ENTITY, gone)


def _exists_no_more(read: PartyRead) -> bool:
    return read.espo is None and read.link is None and read.problem is None and read.refusal is None


async def _tell_alone(
    context: PassContext, read: PartyRead, outcome: RecordOutcome
) -> tuple[SyncRecord | None, RecordOutcome]:
    told: list[tuple[SyncRecord | None, RecordOutcome]] = [(None, outcome)]
    with isolated(f"{ENTITY} {read.espo_id}", lambda error: None):
        told.append(await _tell_owner(context, read, outcome))
    return told[-1]


async def _tell_owner(
    context: PassContext, read: PartyRead, outcome: RecordOutcome
) -> tuple[SyncRecord | None, RecordOutcome]:
    if outcome.error_class == LOCKED:
        return await note_locked(context, read, outcome)
    if outcome.result is not Result.FAILED:
        return _entry_of_success(read, outcome, context), outcome
    if outcome.concerns_all:
        return None, outcome
    if read.espo is None and read.problem is not None:
        read.espo = await own_fields_of(context.espo, ESPO_ENTITY, read.espo_id, BOOKKEEPING)
    if read.espo is None and read.link is None and not (read.unanswered is not None and outcome.retryable):
        return None, outcome
    failing = Failing(ENTITY, read.espo_id, read.ledger_row, read.espo.modified_at if read.espo is not None else None)
    entry = entry_of_failure(failing, outcome, now=context.clock.now(), run_id=context.run_id)
    return await _write_failure(context, read, outcome, entry)


async def _write_failure(
    context: PassContext, read: PartyRead, outcome: RecordOutcome, entry: SyncRecord
) -> tuple[SyncRecord, RecordOutcome]:
    espo = read.espo
    if espo is None:
        return entry, outcome
    status = RecordStatus(SyncStatus(entry.status), entry.attempts, entry.next_retry_at, entry.auto_reset_at)
    values = status_fields.failed(espo.attributes, status, outcome.error or "")
    if not values:
        return entry, outcome
    if read.base is None:
        with isolated(f"{ENTITY} {read.espo_id}", lambda error: None, foreseen=(WrongKind,)):
            await context.store.write(note_own_word, context, read)
    return await tell_failure(
        context,
        espo,
        values,
        (entry, outcome),
        status_fields=BOOKKEEPING,
        note=lambda tx, after: note_told(tx, context, espo, after),
    )


def _entry_of_success(read: PartyRead, outcome: RecordOutcome, context: PassContext) -> SyncRecord | None:
    if outcome.result is Result.SKIPPED:
        return None
    if outcome.different:
        now, answered = context.clock.now(), all_answered(outcome.different, read.tasks)
        message = told_different(outcome.different, context.table(ENTITY, FIELDS), answered=answered)
        return entry_of_difference(ENTITY, read.espo_id, read.ledger_row, message, now=now, run_id=context.run_id)
    waited = read.ledger_row is not None and read.ledger_row.error_class == LOCKED
    if read.ledger_row is not None and (waited or read.ledger_row.status in (*BROKEN, SyncStatus.CONFLICT)):
        return SyncRecord(entity=ENTITY, espo_id=read.espo_id, status="clean", run_id=context.run_id)
    return None
