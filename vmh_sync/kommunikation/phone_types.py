"""Phone types that this installation of EspoCRM does not have: its list is an administrator's (espocrm.md B5).

A number of such a type would be refused as if the number were wrong. It goes there under another type; a paired entry
keeps its kind in Advoware.
"""

from collections.abc import Sequence
from dataclasses import replace

from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.kommunikation.model import Channel
from vmh_sync.kommunikation.plan import EspoList
from vmh_sync.kommunikation.planning import ESPO_ENTITY
from vmh_sync.systems.errors import ForeignSystemError

_TYPES = f"entityDefs.{ESPO_ENTITY}.fields.phoneNumber.typeList"
_INSTEAD = ("Other", "Office", "Mobile")


async def with_types_of_the_installation(context: PassContext, one: EspoList) -> EspoList:
    """Return the list with types that EspoCRM takes; as it is where EspoCRM does not tell them.

    Also where no number is new: one that has stood there since before would have the whole list refused.
    """
    if one.channel is not Channel.PHONE:
        return one
    if _TYPES not in context.told:
        context.told[_TYPES] = await _told_by(context)
    known = context.told[_TYPES]
    if not isinstance(known, Sequence) or isinstance(known, str) or not known:
        return one
    instead = next((name for name in _INSTEAD if name in known), known[0])
    items = tuple(item if item.get("type") in (None, *known) else {**item, "type": instead} for item in one.items)
    return replace(one, items=items)


async def _told_by(context: PassContext) -> object:
    try:
        return await context.espo.metadata(_TYPES)
    except ForeignSystemError:
        # Not told to us, or not by this EspoCRM; one that is away says so at the write that follows.
        return None
