"""A party whose record somebody locked in EspoCRM 10: it waits, which is no failure (espocrm.md, last section).

It counts no attempt and is looked at again after a pause, or at once when the record moves: unlocking moves its stamp.
The record says so, as far as our fields may be written while it is locked; a person is told after days.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from vmh_sync.beteiligte.errors import PartFailed
from vmh_sync.beteiligte.fields import ESPO_ENTITY
from vmh_sync.beteiligte.party import ENTITY, PartyRead
from vmh_sync.beteiligte.reading.own_touch import note_told
from vmh_sync.engine.passes.pass_context import PassContext, WriteGate
from vmh_sync.store.errors import StaleRow
from vmh_sync.store.pairs.records import SyncRecord
from vmh_sync.sync.planning.plan import TaskKind, TaskWanted
from vmh_sync.sync.reporting.outcome import RecordOutcome
from vmh_sync.sync.reporting.status import SyncStatus
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.systems.espocrm.errors import RecordLocked
from vmh_sync.tasks.manual_tasks import TaskSubject, open_tasks

LOCKED = RecordLocked.__name__
"""Error class of an outcome and of a ledger entry that wait for somebody to unlock the record."""
PAUSE = timedelta(minutes=15)
TOLD_AFTER = timedelta(days=3)
_FIELD = "gesperrt"


def is_locked(error: Exception) -> bool:
    """Whether an error says that the record is locked, also when a part of the party met it."""
    return isinstance(error.cause if isinstance(error, PartFailed) else error, RecordLocked)


async def tell_long_locked(context: PassContext, gate: WriteGate, read: PartyRead, subject: TaskSubject) -> None:
    """Give a person a task when the record has been locked for days and something waits for it."""
    known = read.ledger_row
    told_at = known.auto_reset_at if known is not None and known.error_class == LOCKED else None
    if told_at is None or context.clock.now() < told_at:
        return
    details = {
        "title": f"Seit Tagen gesperrt: Beteiligter {read.betnr or ''}".rstrip(),
        "intro": "Der Datensatz ist in EspoCRM gesperrt. Eine Änderung aus Advoware wartet seit Tagen darauf, dass ihn "
        "jemand entsperrt.",
        "steps": (
            "In EspoCRM den Datensatz öffnen und entsperren (Menü neben „Bearbeiten“); dann geht es von selbst weiter.",
            "Soll er gesperrt bleiben: nichts tun; Advoware und EspoCRM bleiben verschieden.",
            "Diese Aufgabe als erledigt kennzeichnen.",
        ),
    }
    await open_tasks(context, gate, subject, [TaskWanted(TaskKind.GENERAL, (_FIELD,), details)], {})


async def note_locked(
    context: PassContext, read: PartyRead, outcome: RecordOutcome
) -> tuple[SyncRecord | None, RecordOutcome]:
    """Return the ledger entry of a party that waits, and the outcome with the write that says so in EspoCRM."""
    now, known = context.clock.now(), read.ledger_row
    waits_already = known is not None and known.error_class == LOCKED
    entry = SyncRecord(
        entity=ENTITY,
        espo_id=read.espo_id,
        status=SyncStatus.DIRTY.value,
        attempts=known.attempts if known is not None else 0,
        next_retry_at=now + PAUSE,
        # While a record is locked: when a person is told.
        auto_reset_at=known.auto_reset_at if known is not None and waits_already else now + TOLD_AFTER,
        error_text=outcome.error,
        error_class=LOCKED,
        run_id=context.run_id,
        espo_modified_at_seen=read.espo.modified_at if read.espo is not None else None,
    )
    if read.espo is None or read.espo.attributes.get("syncErrorMessage") == outcome.error:
        return entry, outcome
    values = {"syncStatus": SyncStatus.DIRTY.value, "syncErrorMessage": outcome.error}
    try:
        record = await context.espo.update(ESPO_ENTITY, read.espo_id, values)
    except ForeignSystemError:
        return entry, outcome  # where our fields are locked too, the run and our ledger say it
    with suppress(StaleRow):  # another process has stored what it knows
        await context.store.write(note_told, context, read.espo, record)
    entry = replace(entry, espo_modified_at_seen=record.modified_at)
    return entry, replace(outcome, espocrm_writes=outcome.espocrm_writes + 1)
