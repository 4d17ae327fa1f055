"""What was read of a party, in canonical form: the one notation in which both sides are compared."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from vmh_sync.beteiligte.master_data.form import with_our_homes
from vmh_sync.beteiligte.master_data.state import PartyState, party_state
from vmh_sync.beteiligte.party import PartyRead
from vmh_sync.engine.writing.sending import Told, brought, stamp_of, taken_back, with_ours
from vmh_sync.store.pairs.links import Link
from vmh_sync.sync.base import Base, Fields, Side
from vmh_sync.sync.deciding.first_meeting import FirstMeeting
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.merge import Stamps
from vmh_sync.systems.advoware import wire
from vmh_sync.systems.espocrm.records import EspoRecord


def map_party(read: PartyRead, table: FieldTable, zone: ZoneInfo) -> PartyState:
    """Bring what was read into canonical form. ``zone`` is the time zone of Advoware's local times."""
    state = _map(read, read.base, table, zone)
    sending = read.link.notes.sending if read.link is not None else {}
    if not sending:
        return state
    if read.base is not None:
        says: dict[Side, Fields] = {Side.ESPOCRM: state.espocrm, Side.ADVOWARE: state.advoware or {}}
        base = with_ours(read.base, sending, table, says)
        if base is not read.base:
            base = with_our_homes(base, brought(sending, table, says), state.espo_attributes)
            state = replace(_map(read, base, table, zone), agreed_name=state.agreed_name)
    now: dict[Side, tuple[Told, Fields]] = {
        Side.ESPOCRM: (read.espo, state.espocrm),
        Side.ADVOWARE: (read.advoware, state.advoware or {}),
    }
    return replace(state, sending=sending, taken_back=taken_back(sending, table, now))


def _map(read: PartyRead, base: Base | None, table: FieldTable, zone: ZoneInfo) -> PartyState:
    attributes = read.espo.attributes if read.espo is not None else {}
    advoware = read.advoware.model_dump() if read.advoware is not None else None
    return party_state(
        espo_id=read.espo_id,
        betnr=read.betnr,
        espo_attributes=attributes,
        advoware_attributes=advoware,
        base=base,
        table=table,
        stamps=Stamps(
            espocrm=edited_at(read.link, read.espo) if read.espo is not None else None,
            advoware=wire.local_moment(read.advoware.geaendert_am, zone) if read.advoware is not None else None,
        ),
        tasks=read.open_tasks,
        retry_refused=read.retry_refused,
        meeting=FirstMeeting.from_json(read.meeting.natural_key)
        if read.meeting and read.meeting.betnr in (None, read.betnr)
        else None,
        made_from=read.made_from,
    )


def edited_at(link: Link | None, espo: EspoRecord) -> datetime | None:
    """Return when somebody else edited EspoCRM's record last: not when we told a failure in it."""
    word = link.notes.own_word if link is not None else {}
    own = bool(word) and word["stamp"] == stamp_of(espo)
    return datetime.fromisoformat(word["edited"]) if own else espo.modified_at
