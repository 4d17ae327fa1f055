"""A party that one side does not have any more (specification, sync-semantics.md 6).

Nothing is deleted on the other side: the link remembers, a person gets a task.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from vmh_sync.beteiligte.fields import ESPO_ENTITY, FIELDS
from vmh_sync.beteiligte.master_data.diff import DELETED_IN_ESPOCRM
from vmh_sync.beteiligte.party import ENTITY, PartyRead, espo_betnr
from vmh_sync.beteiligte.reading.left_party import LIVES, asks_to_delete
from vmh_sync.beteiligte.status import status_fields
from vmh_sync.beteiligte.twins.twin_question import QUESTION, TwinSuspected
from vmh_sync.beteiligte.twins.unanswered import CreateOutcomeUnknown, find_unanswered, wait_for_arrival
from vmh_sync.engine.passes.pass_context import PassContext, WriteGate
from vmh_sync.engine.writing.audit_rows import Audited
from vmh_sync.engine.writing.crm_write import update_record
from vmh_sync.kommunikation.pairs import ENTITY as ENTRIES
from vmh_sync.store.pairs.intents import Intent
from vmh_sync.store.pairs.links import Link, LinkState
from vmh_sync.store.store import Transaction
from vmh_sync.sync.base import Base, Fields
from vmh_sync.sync.planning.plan import TaskKind, TaskWanted
from vmh_sync.sync.reporting.status import SyncStatus
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.systems.espocrm.query import all_of, any_of, equals, is_not_null
from vmh_sync.tasks.manual_tasks import TaskSubject, close_tasks, open_tasks

_MOST_MAILS = 10
_MOST_ALIKE = 3


async def settle_missing(context: PassContext, gate: WriteGate, party: PartyRead) -> bool:
    """Note a party's deletion on one side; returns whether there was anything to do.

    The task comes first: a crash after it repeats the rest.
    """
    if party.espo is None:
        return await _gone_in_espo(context, gate, party)
    if party.gone_in_advoware:
        return await _gone_in_advoware(context, gate, party)
    return False


async def _gone_in_espo(context: PassContext, gate: WriteGate, party: PartyRead) -> bool:
    link = party.link or await _made_unheard(context, party)
    if link is None:
        # It never got to Advoware: what was asked about it has no answer any more.
        closed = await close_tasks(context, gate, [task.id for task in party.tasks if task.fields == QUESTION])
        return bool(closed) or party.unanswered is not None
    if link.state == "deleted_in_espocrm":
        asking = [task.id for task in party.tasks if asks_to_delete(task)]
        if not asking or await _lives_in_advoware(context, link):
            return False
        return bool(await close_tasks(context, gate, asking))
    about = TaskSubject(ENTITY, ESPO_ENTITY, party.espo_id, link.betnr, link.notes.assigned_user_id, parent=False)
    lives = await _lives_in_advoware(context, link)
    told = _deleted_in_espocrm(link, await _alike(context, link)) if lives else _deleted_on_both_sides(link)
    await open_tasks(context, gate, about, [told], {})
    await context.store.write(_mark, context, link, "deleted_in_espocrm")
    return True


async def _made_unheard(context: PassContext, party: PartyRead) -> Link | None:
    """Return the stored link to the party that a create without an answer has made for a record deleted since.

    Raises ``CreatePutOff`` while the create may still arrive. What cannot be told for certain is left to the list of
    parties that nobody stands for (``vmh-sync reconcile``): there is no record to ask on.
    """
    if party.unanswered is None:
        return None
    wait_for_arrival(context, party.unanswered)
    found = None
    with suppress(TwinSuspected, CreateOutcomeUnknown):
        found = await find_unanswered(context, party, party.unanswered, context.table(ENTITY, FIELDS))
    return await context.store.write(_settle, party.espo_id, party.unanswered, found.bet_nr if found else None)


def _settle(tx: Transaction, espo_id: str, create: Intent, betnr: int | None) -> Link | None:
    if betnr is None:
        tx.intents.abandon(create.id)
        return None
    tx.intents.complete(create.id, str(betnr))
    sent: Fields = create.natural_key.get("fields", {})
    base = Base(sent, sent).to_json()
    return tx.links.save(Link(entity=ENTITY, espo_id=espo_id, betnr=betnr, advoware_id=str(betnr), base=base))


async def _lives_in_advoware(context: PassContext, link: Link) -> bool:
    """Ask: people act on what the task says of the other side. Raises ``AdvowareError``."""
    return link.betnr is not None and await context.advoware.read_beteiligter(link.betnr) is not None


def _deleted_on_both_sides(link: Link) -> TaskWanted:
    details = {
        "title": f"Auf beiden Seiten gelöscht: Beteiligter {link.betnr}",
        "intro": f"Der Beteiligte {link.betnr} wurde in EspoCRM gelöscht. In Advoware gibt es ihn auch nicht mehr.",
        "steps": (
            "Prüfen, ob beide Löschungen gewollt waren.",
            "Wenn nicht: den Datensatz in EspoCRM wiederherstellen lassen (Administration) und den Beteiligten in "
            "Advoware wiederherstellen.",
            "Diese Aufgabe als erledigt kennzeichnen.",
        ),
    }
    return TaskWanted(TaskKind.GENERAL, (DELETED_IN_ESPOCRM,), details)


async def _alike(context: PassContext, link: Link) -> list[int]:
    """Return the numbers of living records that this one may have been merged into: EspoCRM does not tell.

    They have an e-mail of it, or its first and last name. Only to be named in the task.
    """
    pairs = await context.store.read(lambda tx: tx.links.entries_of(ENTRIES, [link.espo_id]).get(link.espo_id, []))
    mails = sorted({str(pair.base.get("espo_base") or "") for pair in pairs if "@" in str(pair.base.get("espo_base"))})
    alike = [equals("emailAddress", mail) for mail in mails[:_MOST_MAILS]]
    base = Base.from_json(link.base).espocrm if link.base else {}
    if base.get("name") and base.get("vorname"):
        alike.append(all_of(equals("lastName", base["name"]), equals("firstName", base["vorname"])))
    if not alike:
        return []
    where = (is_not_null("betnr"), any_of(*alike))
    numbers: set[int | None] = set()
    with suppress(ForeignSystemError):  # a hint: without it the task is told all the same
        listed = context.espo.list_all(ESPO_ENTITY, where=where, select=("id", "betnr"), spoilt=[])
        numbers = {espo_betnr(one) async for one in listed}
    return sorted(number for number in numbers if number is not None and number != link.betnr)[:_MOST_ALIKE]


def _deleted_in_espocrm(link: Link, alike: Sequence[int]) -> TaskWanted:
    merged = " oder ".join(map(str, alike))
    details = {
        LIVES: True,
        "title": f"In EspoCRM gelöscht: Beteiligter {link.betnr}",
        "intro": f"Der Beteiligte {link.betnr} wurde in EspoCRM gelöscht. In Advoware besteht er weiter.",
        "steps": (
            f"In Advoware den Beteiligten {link.betnr} öffnen und prüfen, ob er noch gebraucht wird.",
            *(
                [
                    f"Wurde er in EspoCRM mit {merged} zusammengeführt (gleiche E-Mail-Adresse oder gleicher Name): in "
                    f"Advoware ebenso zusammenführen; was nur bei {link.betnr} steht (auch Akten), übernehmen."
                ]
                if alike
                else []
            ),
            "Wenn nicht: in Advoware löschen.",
            "Wenn doch: den Datensatz in EspoCRM wiederherstellen lassen (Administration).",
            "Diese Aufgabe als erledigt kennzeichnen.",
        ),
    }
    return TaskWanted(TaskKind.GENERAL, (DELETED_IN_ESPOCRM,), details)


async def _gone_in_advoware(context: PassContext, gate: WriteGate, party: PartyRead) -> bool:
    if party.espo is None:
        return False
    espo = party.espo
    about = TaskSubject(
        ENTITY, ESPO_ENTITY, party.espo_id, party.betnr, espo.attributes.get("assignedUserId"), parent=True
    )
    known = party.link is not None and party.link.state == "deleted_in_advoware"
    if not known:
        await open_tasks(context, gate, about, [TaskWanted(TaskKind.MISSING_IN_ADVOWARE, ())], {})
    link = party.link or Link(entity=ENTITY, espo_id=party.espo_id, betnr=party.betnr, advoware_id=str(party.betnr))
    if not known:
        await context.store.write(_mark, context, link, "deleted_in_advoware")
    values = status_fields.agreed(
        espo.attributes,
        now=context.clock.now(),
        betnr=party.betnr if not party.changed_number else None,  # what a person entered stands
        row_id=None,
        status=SyncStatus.DELETED_IN_ADVOWARE,
    )
    if values:
        await update_record(context, gate, espo, values)
    return bool(values) or not known


def _mark(tx: Transaction, context: PassContext, link: Link, state: LinkState) -> None:
    tx.links.save(replace(link, state=state, verified_at=context.clock.now()))
    tx.audit.append([Audited(ENTITY, link.espo_id, link.betnr, context.run_id).noted("task", state)])
