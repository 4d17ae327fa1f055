"""A party as the subject of manual tasks."""

from vmh_sync.beteiligte.fields import ESPO_ENTITY
from vmh_sync.beteiligte.party import ENTITY, PartyRead
from vmh_sync.clock import FIRM_ZONE
from vmh_sync.systems.advoware import wire
from vmh_sync.tasks.manual_tasks import LastEdit, TaskSubject

_TIME = "%d.%m.%Y %H:%M"


def subject(read: PartyRead) -> TaskSubject:
    """Return the party as the subject of manual tasks."""
    attributes = read.espo.attributes if read.espo is not None else {}
    return TaskSubject(
        ENTITY,
        ESPO_ENTITY,
        read.espo_id,
        read.betnr,
        attributes.get("assignedUserId"),
        parent=read.espo is not None,
        people=(attributes.get("createdById"), attributes.get("modifiedById")),
        edited=_edited(read),
    )


def _edited(read: PartyRead) -> tuple[LastEdit, ...]:
    """Say who changed the party last, and when, on each side; Advoware does not tell who."""
    told = []
    if read.espo is not None and read.espo.modified_at is not None:
        who = read.espo.attributes.get("modifiedByName")
        at = f"in EspoCRM am {read.espo.modified_at.astimezone(FIRM_ZONE):{_TIME}}"
        told.append(LastEdit(f"{at} von {who}" if who else at, read.espo.modified_by_id))
    changed = read.advoware.geaendert_am if read.advoware is not None else None
    local = wire.local_moment(changed, FIRM_ZONE)
    if local is not None:
        at = f"in Advoware am {local.astimezone(FIRM_ZONE):{_TIME}}"
        told.append(LastEdit(f"{at} (ohne Namen)"))
    return tuple(told)
