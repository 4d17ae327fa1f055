"""Which new EspoCRM value is the edit of which vanished one.

EspoCRM's items have no ids: an edit looks like one value gone and another one come. Values are matched within one
phone type, most alike first; a pair of unlike types is matched only if the values are much alike, since the kind of an
entry cannot be changed and a wrong match would put a person's remark to another number.
"""

from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher

from vmh_sync.kommunikation import kinds
from vmh_sync.kommunikation.members import ChannelWork, Member
from vmh_sync.kommunikation.model import Channel

_MUCH_ALIKE = 0.7


def edited(work: ChannelWork, gone: Mapping[str, list[Member]], free: Iterable[str]) -> dict[str, str]:
    """Return vanished key -> new key. ``gone`` maps each vanished value to the members that stood for it."""
    new = list(free)
    scored = []
    for place, (old_key, members) in enumerate(gone.items()):
        for order, new_key in enumerate(new):
            alike = SequenceMatcher(None, old_key, new_key, autojunk=False).ratio()
            same_type = work.channel is Channel.EMAIL or work.items[new_key].type in _types(members)
            if same_type or alike >= _MUCH_ALIKE:
                scored.append((not same_type, -alike, place, order, old_key, new_key))
    matched: dict[str, str] = {}
    for *_, old_key, new_key in sorted(scored):
        if old_key not in matched and new_key not in matched.values():
            matched[old_key] = new_key
    return matched


def _types(members: list[Member]) -> set[str | None]:
    types: set[str | None] = set()
    for member in members:
        read = member.base.espo_type if member.base else None
        types.add(read or kinds.type_of(member.kind))
    return types
