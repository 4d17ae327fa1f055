"""A party that waits for a person's decision says so: in EspoCRM, and in our ledger (sync-semantics.md 4)."""

from vmh_sync.beteiligte.party import ENTITY, PartyRead
from vmh_sync.beteiligte.reading.own_touch import note_own_touch
from vmh_sync.beteiligte.status import status_fields
from vmh_sync.beteiligte.twins.twin_question import TwinSuspected
from vmh_sync.engine.passes.pass_context import PassContext, WriteGate
from vmh_sync.engine.writing.crm_write import update_record
from vmh_sync.store.pairs.records import SyncRecord
from vmh_sync.store.store import Transaction
from vmh_sync.sync.reporting.status import SyncStatus
from vmh_sync.systems.espocrm.records import EspoRecord


async def wait_for_person(context: PassContext, gate: WriteGate, party: PartyRead, message: str) -> None:
    """Note that nothing goes on with a party before a person decides. ``message`` is one German sentence.

    The status is ``conflict``; where an installation does not know that word, ``permanently_failed``: with any other
    one the record would be taken up again and again. Raises the ``ForeignSystemError`` of EspoCRM.
    """
    if party.espo is None:
        return
    stands = party.espo
    if not _says(stands, message):
        await context.store.write(note_own_touch, context, party)
        answer = await update_record(context, gate, stands, status_fields.waiting(SyncStatus.CONFLICT, message))
        if "syncStatus" in answer.refused:
            last = status_fields.waiting(SyncStatus.PERMANENTLY_FAILED, message)
            answer = await update_record(context, gate, answer.record, last)
        stands = answer.record
    await context.store.write(_note, context, stands, message)


def _says(espo: EspoRecord, message: str) -> bool:
    told = (espo.attributes.get("syncStatus"), espo.attributes.get("syncErrorMessage"))
    return told in {(str(status), message) for status in (SyncStatus.CONFLICT, SyncStatus.PERMANENTLY_FAILED)}


def _note(tx: Transaction, context: PassContext, espo: EspoRecord, message: str) -> None:
    # The stamp tells the sensor that the record's last edit was our own.
    entry = SyncRecord(
        entity=ENTITY,
        espo_id=espo.id,
        status=SyncStatus.CONFLICT.value,
        error_text=message,
        error_class=TwinSuspected.__name__,
        run_id=context.run_id,
        espo_modified_at_seen=espo.modified_at,
    )
    tx.records.upsert([entry])
