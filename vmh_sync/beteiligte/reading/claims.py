"""Whose a number is: never two records in EspoCRM for one party in Advoware.

Duplicates are merged in EspoCRM: the survivor takes the number of a record that is deleted then. Such a survivor,
linked itself or not, is the heir of that link (:attr:`PartyRead.heir_of`); under its lease the link moves to it, see
:mod:`vmh_sync.beteiligte.writing.inherit`.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from vmh_sync.background import all_of
from vmh_sync.beteiligte.fields import ESPO_ENTITY
from vmh_sync.beteiligte.party import ENTITY, PartyRead, espo_betnr
from vmh_sync.engine.failures.isolation import isolated
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.store.pairs.links import Link
from vmh_sync.systems.espocrm.errors import UnexpectedAnswer


async def settle_claims(context: PassContext, parties: Iterable[PartyRead]) -> None:
    """Refuse unlinked parties whose number is another living record's; make heirs of those whose owner is deleted.

    A linked party that carries another number is an heir too; what else it may be is not decided here. An owner that
    cannot be read is not gone: that is the party's problem, and it is tried again.
    """
    claims = {
        party.espo_id: (party, betnr)
        for party in parties
        if (party.link is None or party.changed_number)
        if party.problem is None and (betnr := espo_betnr(party.espo)) is not None
    }
    if not claims:
        return
    numbers = sorted({betnr for _, betnr in claims.values()})
    owners = await context.store.read(lambda tx: tx.links.get_many_by_betnr(numbers))
    # EspoCRM finds a number that is a text there only as it is written: whoever claims it counts too ("01001").
    holders: dict[int, set[str]] = defaultdict(set)
    for espo_id, (_, betnr) in claims.items():
        holders[betnr].add(espo_id)
    spoilt: dict[str, UnexpectedAnswer] = {}
    async for record in context.espo.list_ids_in(ESPO_ENTITY, "betnr", numbers, select=("id", "betnr"), spoilt=spoilt):
        holders[espo_betnr(record) or 0].add(record.id)
    for party, betnr in claims.values():
        party.problem = spoilt.get(str(betnr))
    sound = [(party, betnr) for party, betnr in claims.values() if party.problem is None]
    await all_of(*(_settle(context, party, betnr, owners.get(betnr), len(holders[betnr])) for party, betnr in sound))


async def _settle(context: PassContext, party: PartyRead, betnr: int, owner: Link | None, holders: int) -> None:
    if owner is not None and owner.espo_id == party.espo_id:
        return
    if owner is None and party.link is not None and party.link.state != "deleted_in_advoware":
        return
    if owner is not None:
        # Only a direct read says that a record is gone (invariant 5).
        current = None
        with isolated(f"{ENTITY} {party.espo_id}", party.blame):
            current = await context.espo.read(ESPO_ENTITY, owner.espo_id)
        if party.problem is not None or (current is not None and party.link is not None):
            return
        if current is not None:
            party.refusal = (
                f"Die Nummer {betnr} gehört in EspoCRM schon zu einem anderen Beteiligten (ID {owner.espo_id}). "
                "Bitte einen der beiden löschen oder die Nummer berichtigen."
            )
            return
    if holders > 1:
        party.refusal = (
            f"Die Nummer {betnr} steht in EspoCRM bei mehreren Beteiligten. "
            "Bitte zusammenführen oder die Nummer berichtigen."
        )
        return
    if owner is not None:
        party.inherit(owner)
    elif party.link is not None:
        # The party it stood for is gone over there: whoever corrects the number means another one.
        party.inherit(replace(party.link, betnr=betnr, advoware_id=str(betnr)))
