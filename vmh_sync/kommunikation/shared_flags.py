"""Flags and types of numbers and addresses that other records have too.

They live in rows shared by all records (specification, espocrm.md B5): a value that is new at this party goes there
with the flags that other parties show, so that an opt-out or a type is not reset for them.
"""

from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.kommunikation.model import Channel, EspoEntry
from vmh_sync.kommunikation.plan import EspoList
from vmh_sync.kommunikation.planning import ESPO_ENTITY, listed
from vmh_sync.systems.espocrm.query import equals

_ATTRIBUTE = {Channel.EMAIL: "emailAddress", Channel.PHONE: "phoneNumber"}


async def with_shared_flags(context: PassContext, one: EspoList, espo_id: str) -> EspoList:
    """Return the list with flags and types of its added values as another party shows them; two reads a value."""
    known: dict[str, EspoEntry] = {}
    attribute = _ATTRIBUTE[one.channel]
    for item in one.items:
        key = one.channel.normal(item[attribute])
        if key is None or key not in one.added:
            continue
        found = await _elsewhere(context, one.channel, str(item[attribute]), espo_id)
        if found is not None:
            known[key] = found
    return one.with_known_flags(known) if known else one


async def _elsewhere(context: PassContext, channel: Channel, value: str, espo_id: str) -> EspoEntry | None:
    attribute = _ATTRIBUTE[channel]
    page = await context.espo.list_page(ESPO_ENTITY, where=(equals(attribute, value),), select=("id",), page_size=2)
    other = next((record.id for record in page.records if record.id != espo_id), None)
    record = await context.espo.read(ESPO_ENTITY, other) if other is not None else None
    items = listed(record.attributes, channel) if record is not None else None
    wanted = channel.normal(value)
    return next((item for item in items or () if item.key == wanted), None)
