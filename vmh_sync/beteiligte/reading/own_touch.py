"""What stood before a write of ours that is no value: a status, a question, the number of a first contact.

Without a base the newer record wins (sync-semantics.md 1), and such a write makes EspoCRM's record the newer one. So
what both sides say, and when somebody else changed them, is noted before it.
"""

from dataclasses import replace

from vmh_sync.beteiligte.fields import FIELDS
from vmh_sync.beteiligte.party import ENTITY, PartyRead
from vmh_sync.beteiligte.reading.canonical import edited_at, map_party
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.writing.noted_meetings import note_meeting, noted_meetings
from vmh_sync.engine.writing.sending import note_our_status, stamp_of
from vmh_sync.store.store import Transaction
from vmh_sync.sync.base import Base
from vmh_sync.sync.deciding.first_meeting import FirstMeeting
from vmh_sync.systems.espocrm.records import EspoRecord


def note_own_touch(tx: Transaction, context: PassContext, party: PartyRead, betnr: int | None = None) -> None:
    """Note the sides of a party that has no base; ``betnr`` is the number it is about to get."""
    earlier = noted_meetings(tx, ENTITY, [party.espo_id]).get(party.espo_id)
    state = map_party(replace(party, meeting=earlier), context.table(ENTITY, FIELDS), context.zone)
    said = Base(state.espocrm, state.advoware or {})
    meeting = FirstMeeting(said, said, state.stamps)
    note_meeting(tx, meeting, entity=ENTITY, espo_id=party.espo_id, betnr=betnr, run_id=context.run_id)


def note_told(tx: Transaction, context: PassContext, before: EspoRecord, after: EspoRecord) -> None:
    """Note that our word about a failure has moved a linked party's record, which nobody edited by that.

    Not where somebody else has changed a value meanwhile.
    """
    note_our_status(tx, ENTITY, before, after)
    link = tx.links.get_many(ENTITY, [before.id]).get(before.id)
    names = [rule.espo for rule in context.table(ENTITY, FIELDS).rules]
    if link is None or any(before.attributes.get(name) != after.attributes.get(name) for name in names):
        return
    edited = edited_at(link, before)
    if edited is not None:
        word = {"stamp": stamp_of(after), "edited": edited.isoformat()}
        tx.links.save(replace(link, notes=replace(link.notes, own_word=word)))


def note_own_word(tx: Transaction, context: PassContext, party: PartyRead) -> None:
    """Note EspoCRM's side of a party that has no base, before our word about a failure is written into it.

    What a first contact was about to write says more than that, and stays.
    """
    link = tx.links.get_many(ENTITY, [party.espo_id]).get(party.espo_id)
    if link is not None and link.base:
        return
    earlier = noted_meetings(tx, ENTITY, [party.espo_id]).get(party.espo_id)
    known = FirstMeeting.from_json(earlier.natural_key) if earlier is not None else None
    if known is not None and known.said != known.going_to_say:
        return
    alone = replace(party, advoware=None, meeting=earlier)
    state = map_party(alone, context.table(ENTITY, FIELDS), context.zone)
    said = Base(state.espocrm, {})
    meeting = FirstMeeting(said, said, replace(state.stamps, advoware=None))
    if state.espocrm and (known is None or meeting.to_json() != known.to_json()):
        betnr = earlier.betnr if earlier is not None else None
        note_meeting(tx, meeting, entity=ENTITY, espo_id=party.espo_id, betnr=betnr, run_id=context.run_id)
