"""Children that a person hangs on another party in EspoCRM, by hand or by merging two parties.

Advoware cannot move a child: at its new party it is created, or paired with the same one that is there already, and the
link goes with it. What stays at the old party is remembered as a *leftover*, so that it is not taken for a new one, and
a person is asked to delete it; unless that party has no record in EspoCRM any more (merged), for then the task about
the party says it all. A leftover is a link whose ``espo_id`` stands for no record.

One that is only taken away from its party (EspoCRM: unlink) counts there as deleted, until somebody gives it back.
"""

from collections.abc import Iterable
from dataclasses import replace

from vmh_sync.children.sync_state import PartyChildren
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.store.link_notes import NOTHING, LinkNotes
from vmh_sync.store.pairs.links import Link
from vmh_sync.store.queue.inbox import InboxEvent
from vmh_sync.store.store import Transaction
from vmh_sync.systems.espocrm.errors import UnexpectedAnswer
from vmh_sync.systems.espocrm.records import EspoRecord

PARTY = "beteiligte"
PARTY_ESPO = "CBeteiligte"


async def read_living_owners(context: PassContext, memories: Iterable[PartyChildren]) -> None:
    """Find out which parties that children came from have a record in EspoCRM. Raises an ``EspoError``."""
    came = [children for children in memories if children.foreign_links]
    numbers = {link.betnr for children in came for link in children.foreign_links.values() if link.betnr is not None}
    if not numbers:
        return
    owners = await context.store.read(lambda tx: tx.links.get_many_by_betnr(numbers))
    ids = sorted(link.espo_id for link in owners.values())
    # One that cannot be read is there: to ask a person once too often harms nobody.
    spoilt: dict[str, UnexpectedAnswer] = {}
    listed = context.espo.list_ids_in(PARTY_ESPO, "id", ids, select=("id",), spoilt=spoilt)
    found = {record.id async for record in listed} | {*spoilt}
    for children in came:
        children.living = {betnr: link.espo_id for betnr, link in owners.items() if link.espo_id in found}


async def is_orphaned(context: PassContext, child: EspoRecord) -> bool:
    """Whether a child hangs on a party that EspoCRM has deleted. Raises an ``EspoError``."""
    parent = child.attributes.get("beteiligteId")
    return bool(parent) and await context.espo.read(PARTY_ESPO, str(parent)) is None


def is_nobodys(child: EspoRecord) -> bool:
    """Whether a person took a child away from its party; one that does not tell its party may have one."""
    return "beteiligteId" in child.attributes and not child.attributes["beteiligteId"]


def is_leftover(link: Link) -> bool:
    """Whether a link stands for what a moved child has left at its old party."""
    return link.espo_id == _leftover_id(link)


def _leftover_id(link: Link) -> str:
    return f"{link.betnr}:{link.advoware_id}"


def bring_to_party(tx: Transaction, children: PartyChildren, link: Link, key: str) -> Link:
    """Store that the record of ``link`` is this party's child ``key`` now; returns the link, which has no base yet."""
    anew = replace(
        link, betnr=children.betnr, advoware_id=key, base={}, notes=NOTHING, advoware_row_id=None, state="active"
    )
    moved = tx.links.save(anew)
    owner = children.living.get(link.betnr or 0)
    if owner is not None:
        notes = LinkNotes(moved_to=children.betnr)
        leftover = Link(entity=link.entity, espo_id=_leftover_id(link), betnr=link.betnr, advoware_id=link.advoware_id)
        tx.links.save(replace(leftover, state="deleted_in_espocrm", base=link.base, notes=notes))
        tx.inbox.add(PARTY, [InboxEvent(espo_id=owner, action="manual", source="moved")])
    return moved
