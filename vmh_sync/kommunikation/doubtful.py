"""Lists of a party that read as empty although something would follow from it: they are read a second time."""

from collections.abc import Sequence
from functools import partial

from vmh_sync.engine.passes.part import PartInput
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.selecting.second_look import second_look
from vmh_sync.kommunikation.errors import EntryListMissing
from vmh_sync.kommunikation.model import AdvowareEntry, Channel, EspoEntry, PartyCommunication
from vmh_sync.kommunikation.plan import KommunikationPlan
from vmh_sync.kommunikation.planning import ESPO_ENTITY, entries_of, listed
from vmh_sync.sync.planning.plan import Action


async def reads_otherwise(
    context: PassContext, party: PartInput, sides: PartyCommunication, plan: KommunikationPlan
) -> bool:
    """Whether a list that was empty when the plan was made is not so now: then the plan must be made anew.

    Advoware's list matters when entries would be created or values would leave EspoCRM; one of EspoCRM's when a value
    would be emptied in Advoware. Raises the ``ForeignSystemError`` of the second read.
    """
    creates = any(write.operation.action is Action.CREATE for write in plan.writes)
    leaves = any(change.blanks for one in plan.lists for change in one.changes)
    if (
        not _filled(sides.entries)
        and not party.just_created
        and await second_look((), partial(_entries, context, party), something_follows=creates or leaves)
    ):
        return True
    empties = any(change.blanks for write in plan.writes for change in write.operation.changes)
    empty_channels = [channel for channel in Channel if sides.items(channel) == ()]
    items = await second_look(
        (), partial(_items, context, party, empty_channels), something_follows=empties and bool(empty_channels)
    )
    return bool(items)


def _filled(entries: Sequence[AdvowareEntry] | None) -> list[AdvowareEntry]:
    return [entry for entry in entries or () if not entry.is_empty]


async def _entries(context: PassContext, party: PartInput) -> list[AdvowareEntry]:
    fresh = await context.advoware.read_beteiligter(party.betnr)
    told = entries_of(fresh) if fresh is not None else None
    if told is None:
        raise EntryListMissing("GET Beteiligte/{betnr}: no list of Kommunikation")
    return _filled(told)


async def _items(context: PassContext, party: PartInput, channels: Sequence[Channel]) -> list[EspoEntry]:
    fresh = await context.espo.read(ESPO_ENTITY, party.espo_id)
    attributes = fresh.attributes if fresh is not None else {}
    return [item for channel in channels for item in listed(attributes, channel) or ()]
