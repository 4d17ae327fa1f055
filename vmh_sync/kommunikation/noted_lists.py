"""Keeps what a pass is about to bring from Advoware's entries into EspoCRM's lists, until the pairs are stored.

An intent of its own, stored before the party's one PUT. After a crash it tells that a value in EspoCRM's list is our
own copy of an entry: what was typed over the entry since, or its deletion, is an edit of that value (specification,
sync-semantics.md 3).
"""

from collections.abc import Iterable, Iterator

from vmh_sync.kommunikation.kinds import channel_of
from vmh_sync.kommunikation.model import Pair, PairState, PartyCommunication
from vmh_sync.kommunikation.pairs import ENTITY
from vmh_sync.kommunikation.plan import KommunikationPlan, espo_step
from vmh_sync.store.pairs.intents import Intent
from vmh_sync.store.store import Transaction
from vmh_sync.sync.base import Side


def is_note(intent: Intent) -> bool:
    """Whether an unsettled intent of a party's Kommunikation is such a note, not the create of an entry."""
    return intent.system == Side.ESPOCRM


def brought(plan: KommunikationPlan) -> tuple[Pair, ...]:
    """Return the pairs that stand once EspoCRM has taken the lists: values that come from entries in Advoware."""
    steps = {espo_step(one.channel) for one in plan.lists}
    return tuple(
        change.after
        for change in plan.pairs
        if change.after is not None
        and change.after.state is PairState.ACTIVE
        and change.after.advoware_id is not None
        and change.needs
        and change.needs <= steps
    )


def note_lists(tx: Transaction, run_id: str, espo_id: str, betnr: int, pairs: Iterable[Pair]) -> str:
    """Store what is about to be written; returns the id to settle."""
    noted = [{"id": pair.advoware_id, **pair.to_json()} for pair in pairs]
    intent = tx.intents.start(
        system=str(Side.ESPOCRM),
        entity=ENTITY,
        espo_id=espo_id,
        betnr=betnr,
        natural_key={"pairs": noted},
        payload_hash="",
        run_id=run_id,
        sent=True,
    )
    return intent.id


def arrived(notes: Iterable[Intent], sides: PartyCommunication, betnr: int) -> Iterator[Pair]:
    """Return the noted pairs whose value stands in EspoCRM's list; of the others nobody knows whether it ever did."""
    for note in notes:
        for told in note.natural_key["pairs"] if note.betnr == betnr else ():
            pair = Pair.from_json(int(told["id"]), told)
            channel = channel_of(pair.kind)
            items = sides.items(channel) if channel is not None else None
            if channel is not None and channel.normal(pair.espo_base) in {item.key for item in items or ()}:
                yield pair
