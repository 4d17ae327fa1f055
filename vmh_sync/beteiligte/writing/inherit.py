"""Moves the link of a record that was deleted in EspoCRM to the living record that took over its number.

The base goes: it says what the deleted record agreed on, and an empty field of the survivor is no person's decision.
So the survivor meets Advoware as on first contact, which blanks nothing on either side; so do its phones and e-mails,
whose pairs are buried. Addresses and bank accounts hang on the number and follow by themselves.

A survivor that was linked itself leaves a party behind in Advoware. The two records change places: the deleted one
stands for that party from then on, which nobody edits in EspoCRM any more, and one task names both numbers.
"""

from dataclasses import replace

from vmh_sync.beteiligte.master_data.diff import DELETED_IN_ESPOCRM
from vmh_sync.beteiligte.party import ENTITY, PartyRead
from vmh_sync.beteiligte.reading.left_party import MERGED
from vmh_sync.beteiligte.status.task_subject import subject
from vmh_sync.engine.passes.pass_context import PassContext, WriteGate
from vmh_sync.engine.writing.audit_rows import Audited
from vmh_sync.kommunikation.pairs import bury_pairs
from vmh_sync.store.link_notes import NOTHING
from vmh_sync.store.pairs.links import Link, LinkState
from vmh_sync.store.store import Transaction
from vmh_sync.sync.planning.plan import TaskKind, TaskWanted
from vmh_sync.tasks.manual_tasks import close_tasks, open_tasks

LEASE_WAIT_SECONDS = 2.0

_ABOUT_THE_DELETION = frozenset({(TaskKind.GENERAL, (DELETED_IN_ESPOCRM,)), (TaskKind.MISSING_IN_ADVOWARE, ())})


async def take_over(context: PassContext, gate: WriteGate, heir: PartyRead) -> None:
    """Give ``heir``, whose lease is held, the link that it is heir of; the caller reads and plans anew in any case.

    The deleted record's lease is held as well: its own pass may be noting the deletion. Its tasks about that are closed
    first, and the one about a party that is left is opened: what dies in between finds the link unmoved and does all of
    it again. Raises any ``EspoError``.
    """
    if heir.heir_of is None:
        raise ValueError("only an heir takes a link over")
    dead, betnr = heir.heir_of.espo_id, heir.heir_of.betnr or 0
    if dead == heir.espo_id:
        await gate.ready()
        await context.store.write(_relink, context, heir.heir_of)
        return
    async with context.leases.hold(f"{ENTITY}:{dead}", wait=LEASE_WAIT_SECONDS) as lease:
        if lease is None:
            return
        link = await context.store.read(lambda tx: tx.links.get_by_betnr(betnr))
        if link is None or link.espo_id != dead:
            return
        await close_tasks(context, gate, await context.store.read(_tasks_of, link))
        if heir.leaves is not None:
            await open_tasks(context, gate, subject(heir), [_left_behind(heir.leaves, link)], {})
        await gate.ready()
        await context.store.write(_move, context, link, heir)


def _relink(tx: Transaction, context: PassContext, link: Link) -> None:
    """Let a record whose party is gone in Advoware stand for the one whose number was entered instead."""
    why = "another number, after its party was deleted in Advoware"
    tx.links.save(_anew(link, link.espo_id, "active"))
    bury_pairs(tx, link.espo_id)
    tx.audit.append([Audited(ENTITY, link.espo_id, link.betnr, context.run_id).noted("linked", why)])


def _tasks_of(tx: Transaction, link: Link) -> list[int]:
    tasks = tx.tasks.open_for_many(ENTITY, [link.espo_id]).get(link.espo_id, [])
    return [task.id for task in tasks if (task.kind, task.fields) in _ABOUT_THE_DELETION]


def _left_behind(left: Link, taken: Link) -> TaskWanted:
    details = {
        "title": f"In EspoCRM zusammengeführt: Beteiligte {left.betnr} und {taken.betnr}",
        "intro": f"In EspoCRM wurden zwei Beteiligte zusammengeführt, die in Advoware die Nummern {left.betnr} und "
        f"{taken.betnr} haben. Der Datensatz ist jetzt mit {taken.betnr} verknüpft. Der Beteiligte {left.betnr} "
        "besteht in Advoware weiter und wird nicht mehr abgeglichen.",
        "steps": (
            f"In Advoware den Beteiligten {left.betnr} öffnen: Was nur dort steht (auch Akten), zu {taken.betnr} "
            "übernehmen.",
            f"Den Beteiligten {left.betnr} in Advoware löschen, wenn er nicht mehr gebraucht wird.",
            "Diese Aufgabe als erledigt kennzeichnen.",
        ),
    }
    return TaskWanted(TaskKind.GENERAL, (MERGED, str(left.betnr)), details)


def _anew(link: Link, espo_id: str, state: LinkState) -> Link:
    """Return the link as another record's, which has agreed on nothing yet."""
    return replace(
        link,
        espo_id=espo_id,
        state=state,
        base={},
        notes=NOTHING,
        espo_version=None,
        espo_modified_at=None,
        espo_read_at=None,
        verified_at=None,
    )


def _move(tx: Transaction, context: PassContext, link: Link, heir: PartyRead) -> None:
    why = f"moved from {link.espo_id}, which was deleted in EspoCRM"
    moved = _anew(link, heir.espo_id, "active")
    if heir.leaves is None:
        tx.links.save(moved)
    else:
        # A record has one living link: while they change places, the one that is left counts as none.
        left = tx.links.save(replace(heir.leaves, state="tombstone"))
        tx.links.save(moved)
        tx.links.save(_anew(left, link.espo_id, "deleted_in_espocrm"))
        bury_pairs(tx, heir.espo_id)
    bury_pairs(tx, link.espo_id)
    tx.records.forget(ENTITY, [link.espo_id])
    tx.audit.append([Audited(ENTITY, heir.espo_id, link.betnr, context.run_id).noted("linked", why)])
