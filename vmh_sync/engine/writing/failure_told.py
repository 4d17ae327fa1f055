"""Tells a failure where the owner of the record looks: in its status fields in EspoCRM."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.store.errors import StaleRow
from vmh_sync.store.pairs.records import SyncRecord
from vmh_sync.store.store import Transaction
from vmh_sync.sync.reporting.outcome import RecordOutcome
from vmh_sync.systems.errors import ForeignSystemError, OutcomeUnknown
from vmh_sync.systems.espocrm.records import EspoRecord
from vmh_sync.systems.espocrm.spoilt_lists import own_fields_of

log = logging.getLogger(__name__)


async def tell_failure(
    context: PassContext,
    record: EspoRecord,
    values: dict[str, Any],
    told: tuple[SyncRecord, RecordOutcome],
    *,
    status_fields: Sequence[str],
    note: Callable[[Transaction, EspoRecord], object],
) -> tuple[SyncRecord, RecordOutcome]:
    """Write ``values`` into a failed record; returns the ledger's entry and the outcome, with that taken in.

    ``note`` stores what our word has made of the record. While EspoCRM does not take it, our ledger and the run know of
    the failure, and EspoCRM learns it with the next try.
    """
    entry, outcome = told
    try:
        written = await _update(context, record, values, status_fields)
    except ForeignSystemError as error:
        log.warning("%s %s: failure could not be noted in EspoCRM (%s)", entry.entity, record.id, type(error).__name__)
        return entry, outcome
    with suppress(StaleRow):  # another process has stored what it knows
        await context.store.write(note, written)
    more = replace(outcome, espocrm_writes=outcome.espocrm_writes + 1)
    return replace(entry, espo_modified_at_seen=written.modified_at), more


async def _update(
    context: PassContext, record: EspoRecord, values: dict[str, Any], status_fields: Sequence[str]
) -> EspoRecord:
    try:
        return await context.espo.update(record.entity, record.id, values)
    except OutcomeUnknown:
        # The answer to the write is as unusable as the record; what stands there now tells its stamp.
        found = await own_fields_of(context.espo, record.entity, record.id, status_fields)
        if found is None or found.attributes.get("syncStatus") != values.get("syncStatus"):
            raise
        return found
