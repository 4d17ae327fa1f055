"""A party in Advoware that no record of EspoCRM stands for any more: the tasks about it, and when they close.

Such a task asks a person to look after the party and to delete it over there. It is settled as soon as Advoware does
not have the party any more, or a record stands for it again (specification, sync-semantics.md 8).
"""

from contextlib import suppress
from datetime import datetime

from vmh_sync.beteiligte.master_data.diff import DELETED_IN_ESPOCRM
from vmh_sync.beteiligte.party import ENTITY, PartyRead
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.store.history.tasks import ManualTask
from vmh_sync.store.store import Transaction
from vmh_sync.sync.planning.plan import TaskKind
from vmh_sync.systems.errors import ForeignSystemError

MERGED = "merged"
"""Marks the task about a party in Advoware that a merge in EspoCRM has left without a record."""

LIVES = "lives"
"""Says in the details of that task that the party was still in Advoware."""


def asks_to_delete(task: ManualTask) -> bool:
    """Whether a task tells of a deletion in EspoCRM of a party that was still in Advoware."""
    return DELETED_IN_ESPOCRM in task.fields and bool(task.details.get(LIVES))


async def find_settled(context: PassContext, party: PartyRead) -> None:
    """Note which of a party's tasks are about a party in Advoware that is gone there, or has a record again.

    An answer that fails settles nothing: the next pass asks again.
    """
    for task in party.tasks:
        if await _is_settled(context, party, task):
            party.settled.add(task.id)


async def _is_settled(context: PassContext, party: PartyRead, task: ManualTask) -> bool:
    if asks_to_delete(task):
        return party.espo is None and party.gone_in_advoware
    numbers = [int(name) for name in task.fields if name.isdecimal()]
    about_left = task.kind == TaskKind.GENERAL and MERGED in task.fields
    return about_left and bool(numbers) and not await _is_left(context, numbers[0])


async def _is_left(context: PassContext, betnr: int) -> bool:
    link = await context.store.read(lambda tx: tx.links.get_by_betnr(betnr))
    if link is not None and link.state == "active":
        return False
    with suppress(ForeignSystemError):
        return await context.advoware.read_beteiligter(betnr) is not None
    return True


def deleted_and_asked_about(tx: Transaction, before: datetime | None = None) -> list[str]:
    """Return the records deleted in EspoCRM with such a task; with ``before``, those not looked at since then."""
    asked = [task.espo_id for task in tx.tasks.not_closed(ENTITY) if asks_to_delete(task)]
    links = tx.links.get_many(ENTITY, asked).values()
    dead = [link for link in links if link.state == "deleted_in_espocrm"]
    return [link.espo_id for link in dead if before is None or link.verified_at is None or link.verified_at < before]
