"""What was read of a party, in canonical form: the one notation in which both sides are compared."""

from dataclasses import replace
from zoneinfo import ZoneInfo

from vmh_sync.beteiligte.master_data.state import PartyState, party_state
from vmh_sync.beteiligte.party import PartyRead
from vmh_sync.engine.writing.sending import Told, taken_back
from vmh_sync.sync.base import Fields, Side
from vmh_sync.sync.deciding.first_meeting import FirstMeeting
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.merge import Stamps
from vmh_sync.systems.advoware import wire


def map_party(read: PartyRead, table: FieldTable, zone: ZoneInfo) -> PartyState:
    """Bring what was read into canonical form. ``zone`` is the time zone of Advoware's local times."""
    attributes = read.espo.attributes if read.espo is not None else {}
    advoware = read.advoware.model_dump() if read.advoware is not None else None
    state = party_state(
        espo_id=read.espo_id,
        betnr=read.betnr,
        espo_attributes=attributes,
        advoware_attributes=advoware,
        base=read.base,
        table=table,
        stamps=Stamps(
            espocrm=read.espo.modified_at if read.espo is not None else None,
            advoware=wire.local_moment(read.advoware.geaendert_am, zone) if read.advoware is not None else None,
        ),
        tasks=read.open_tasks,
        retry_refused=read.retry_refused,
        meeting=FirstMeeting.from_json(read.meeting.natural_key)
        if read.meeting and read.meeting.betnr in (None, read.betnr)
        else None,
        made_from=read.made_from,
    )
    sending = read.link.notes.sending if read.link is not None else {}
    now: dict[Side, tuple[Told, Fields]] = {
        Side.ESPOCRM: (read.espo, state.espocrm),
        Side.ADVOWARE: (read.advoware, state.advoware or {}),
    }
    return replace(state, sending=sending, taken_back=taken_back(sending, table, now)) if sending else state
