"""``primary`` in EspoCRM and ``online`` in Advoware (specification, entities.md 2).

EspoCRM's primary sets ``online`` true on its entry. A change of ``online`` alone in Advoware moves ``primary``, but
only if EspoCRM's did not move. Several entries may be online in Advoware: only the entry that loses the primary in
EspoCRM is set to false, and only when another is set to true for it.
"""

from vmh_sync.kommunikation.lists import ListOutcome
from vmh_sync.kommunikation.members import ChannelWork, Member, Write
from vmh_sync.sync.planning.plan import FieldChange

Holders = dict[str, list[Member]]


def settle(work: ChannelWork, outcome: ListOutcome) -> str | None:
    """Decide the primary item and set ``online`` on the members that need it. Returns its normal form."""
    holders: Holders = {}
    for member in work.members:
        if member.key in outcome.items:
            holders.setdefault(member.key or "", []).append(member)
    primary = _choose(outcome, holders)
    if primary != outcome.primary and primary is not None and not outcome.blocked:
        _move(work, outcome, holders, primary)
    if primary is not None:
        _raise_online(work, holders, primary)
    return primary


def _choose(outcome: ListOutcome, holders: Holders) -> str | None:
    current = outcome.primary
    if current is not None:
        # A value that nobody stood for, or whose holder was not the primary, became it in EspoCRM.
        moved_in_espo = not any(_was_primary(member) for member in holders.get(current, []))
        if moved_in_espo or outcome.blocked:
            return current
        return _ticked(current, holders) or current
    if not outcome.changed:
        return None
    online = next((key for key in outcome.items if any(_is_online(one) for one in holders.get(key, []))), None)
    return online or next(iter(outcome.items), None)


def _ticked(current: str, holders: Holders) -> str | None:
    """Return the item that a person made ``online`` in Advoware since the last pass."""
    for key, members in holders.items():
        if any(_moved(member) and _is_online(member) for member in members):
            if any(_moved(member) and _is_online(member) for member in holders[current]):
                return current
            return key
    if any(_moved(member) for member in holders[current]) and not any(map(_is_online, holders[current])):
        return next((key for key, members in holders.items() if any(map(_is_online, members))), None)
    return None


def _move(work: ChannelWork, outcome: ListOutcome, holders: Holders, primary: str) -> None:
    outcome.changed = True
    old = outcome.items[outcome.primary].value if outcome.primary else None
    change = FieldChange(f"{work.channel.value}/primary", old, outcome.items[primary].value, reason="online")
    outcome.changes.append(change)
    for member in [*holders.get(primary, []), *holders.get(outcome.primary or "", [])]:
        member.needs_espo = not member.hold


def _raise_online(work: ChannelWork, holders: Holders, primary: str) -> None:
    members = [member for member in holders.get(primary, []) if not member.hold]
    if not members or any(_is_online(member) or (_was_primary(member) and not _refilled(member)) for member in members):
        return
    if not work.options.online_at_first_contact and all(
        member.before is None and member.write is Write.NONE for member in members
    ):
        return
    members[0].online = True
    for member in work.members:
        if member.key != primary and _was_primary(member) and _is_online(member) and not _moved(member):
            member.online = False if member.tlf is not None and not member.hold else None


def _was_primary(member: Member) -> bool:
    return member.before is not None and member.before.primary_base is True


def _refilled(member: Member) -> bool:
    """Tell whether an empty entry gets its value from EspoCRM: it then takes its flag from there too."""
    return member.write is Write.VALUE and member.tlf is None


def _is_online(member: Member) -> bool:
    return member.entry is not None and member.entry.online and member.write is not Write.EMPTY


def _moved(member: Member) -> bool:
    """Tell whether a person changed ``online`` since it was last agreed."""
    known = member.before.online_base if member.before else None
    return known is not None and member.entry is not None and member.entry.online != known
