"""Moves the link of a record that was deleted in EspoCRM to the living record that took over its number.

The base goes: it says what the deleted record agreed on, and an empty field of the survivor is no person's decision.
So the survivor meets Advoware as on first contact, which blanks nothing on either side; so do its phones and e-mails,
whose pairs are buried. Addresses and bank accounts hang on the number and follow by themselves.
"""

import asyncio
from dataclasses import replace

from vmh_sync.beteiligte.diff import DELETED_IN_ESPOCRM
from vmh_sync.beteiligte.party import ENTITY, PartyRead
from vmh_sync.engine.pass_context import PassContext, WriteGate
from vmh_sync.kommunikation.pairs import bury_pairs
from vmh_sync.store.audit import Change
from vmh_sync.store.links import Link
from vmh_sync.store.store import Transaction
from vmh_sync.sync.plan import TaskKind
from vmh_sync.tasks.manual_tasks import close_tasks

LEASE_WAIT_SECONDS = 2.0
_ABOUT_THE_DELETION = frozenset({(TaskKind.GENERAL, (DELETED_IN_ESPOCRM,)), (TaskKind.MISSING_IN_ADVOWARE, ())})


async def take_over(context: PassContext, gate: WriteGate, heir: PartyRead) -> None:
    """Give ``heir``, whose lease is held, the link that it is heir of; the caller reads and plans anew in any case.

    The deleted record's lease is held as well: its own pass may be noting the deletion. Its tasks about that are closed
    first: what dies in between finds the link unmoved and does all of it again. Raises any ``EspoError``.
    """
    if heir.heir_of is None:
        raise ValueError("only an heir takes a link over")
    dead, betnr = heir.heir_of.espo_id, heir.heir_of.betnr or 0
    async with context.leases.hold(f"{ENTITY}:{dead}", wait=LEASE_WAIT_SECONDS) as lease:
        if lease is None:
            return
        link = await context.store.read(lambda tx: tx.links.get_by_betnr(betnr))
        if link is None or link.espo_id != dead:
            return
        await close_tasks(context, gate, await context.store.read(_tasks_of, link))
        await gate.ready()
        await asyncio.to_thread(_move, context, link, heir.espo_id)


def _tasks_of(tx: Transaction, link: Link) -> list[int]:
    tasks = tx.tasks.open_for_many(ENTITY, [link.espo_id]).get(link.espo_id, [])
    return [task.id for task in tasks if (task.kind, task.fields) in _ABOUT_THE_DELETION]


def _move(context: PassContext, link: Link, heir: str) -> None:
    note = Change(
        entity=ENTITY,
        kind="linked",
        reason=f"moved from {link.espo_id}, which was deleted in EspoCRM",
        espo_id=heir,
        betnr=link.betnr,
        run_id=context.run_id,
    )
    moved = replace(
        link,
        espo_id=heir,
        state="active",
        base={},
        extra={},
        espo_version=None,
        espo_modified_at=None,
        espo_read_at=None,
        verified_at=None,
    )
    with context.store.transaction() as tx:
        tx.links.save(moved)
        bury_pairs(tx, link.espo_id)
        tx.records.forget(ENTITY, [link.espo_id])
        tx.audit.append([note])
