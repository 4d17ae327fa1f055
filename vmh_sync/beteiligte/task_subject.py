"""A party as the subject of manual tasks."""

from vmh_sync.beteiligte.fields import ESPO_ENTITY
from vmh_sync.beteiligte.party import ENTITY, PartyRead
from vmh_sync.tasks.manual_tasks import TaskSubject


def subject(read: PartyRead) -> TaskSubject:
    """Return the party as the subject of manual tasks."""
    attributes = read.espo.attributes if read.espo is not None else {}
    return TaskSubject(
        ENTITY, ESPO_ENTITY, read.espo_id, read.betnr, attributes.get("assignedUserId"), parent=read.espo is not None
    )
