"""Keeps what a first contact is about to write, until the base stands (:mod:`vmh_sync.sync.deciding.first_meeting`).

An intent of its own: stored before the first write, settled in the transaction that stores the base.
"""

from collections.abc import Iterable, Mapping

from vmh_sync.store.pairs.intents import Intent
from vmh_sync.store.store import Transaction
from vmh_sync.sync.deciding.first_meeting import FirstMeeting

NOTED = "first_contact"
"""Under this entity the intents are kept; their system is the entity that they are about."""


def note_meeting(
    tx: Transaction, meeting: FirstMeeting, *, entity: str, espo_id: str, betnr: int | None, run_id: str
) -> str:
    """Store what is about to be written, in place of an earlier note; returns the id to settle."""
    earlier = tx.intents.history(entity, NOTED, espo_id, "").unsettled
    if earlier is not None:
        tx.intents.abandon(earlier.id)
    intent = tx.intents.start(
        system=entity,
        entity=NOTED,
        espo_id=espo_id,
        betnr=betnr,
        natural_key=meeting.to_json(),
        payload_hash="",
        run_id=run_id,
        claim="",
        sent=True,
    )
    return intent.id


def noted_meetings(tx: Transaction, entity: str, espo_ids: Iterable[str]) -> dict[str, Intent]:
    """Return what was noted of these records and never settled, by EspoCRM id."""
    found = tx.intents.open_for_many(NOTED, espo_ids)
    return {espo_id: one for espo_id, some in found.items() for one in some if one.system == entity}


def never_agreed(tx: Transaction, entity: str, known: Mapping[str, int]) -> list[str]:
    """Return those of ``known`` (numbers by EspoCRM id) whose first contact was noted and never came to its base."""
    return sorted(one.espo_id for one in noted_meetings(tx, entity, known).values() if one.betnr == known[one.espo_id])
