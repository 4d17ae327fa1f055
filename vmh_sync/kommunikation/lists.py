"""The complete list to send to EspoCRM, built from the list just read.

A sent list replaces the whole list, and flags left out are reset (specification, espocrm.md B5): every item goes back
with ``optOut``, ``invalid`` and ``type`` as freshly read. The type belongs to the number, not to the record, so a type
that differs is never a reason to write.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from vmh_sync.kommunikation import kinds
from vmh_sync.kommunikation.members import ChannelWork, Member, Move
from vmh_sync.kommunikation.model import Channel, EspoEntry
from vmh_sync.kommunikation.notation import for_espo
from vmh_sync.kommunikation.plan import EspoList
from vmh_sync.sync.base import Side
from vmh_sync.sync.planning.plan import FieldChange, Finding, TaskKind, TaskWanted


@dataclass(slots=True, repr=False)
class ListOutcome:
    """EspoCRM's list of one channel after the merge.

    ``items`` by normal form in order; ``primary`` is the normal form of the primary item as EspoCRM has it now (after
    renames), ``None`` when there is none. ``blocked`` means that the list cannot be sent whole and stays as it is.
    """

    items: dict[str, EspoEntry]
    changed: bool = False
    primary: str | None = None
    blocked: bool = False
    added: list[str] = field(default_factory=list)
    changes: list[FieldChange] = field(default_factory=list)


def resolve(work: ChannelWork) -> ListOutcome:
    """Apply what the members want of the list; members whose wish cannot be met are put back as they were."""
    leaving = {member.leaves for member in work.members if member.leaves and member.leaves in work.items} - work.held
    primary = next((key for key, item in work.items.items() if item.primary), None)
    outcome = ListOutcome(dict(work.items), primary=primary)
    outcome.blocked = any(not _sendable(work, item) for item in work.items.values())
    if not leaving and not work.moves:
        return outcome
    if outcome.blocked:
        _block(work)
        return outcome
    renames = _renames(work, leaving)
    outcome.items = {}
    for key, item in work.items.items():
        if key in renames:
            _rename(work, outcome, key, renames[key])
        elif key in leaving:
            _drop(work, outcome, key)
        else:
            outcome.items[key] = item
    for move in work.moves:
        _add(work, outcome, move)
    for member in work.members:
        member.needs_espo = member.needs_espo or member.leaves in leaving
    return outcome


def build(work: ChannelWork, outcome: ListOutcome, primary: str | None) -> EspoList | None:
    """Return the list to send, with ``primary`` as its one primary item, or ``None`` when it stays as it is."""
    if not outcome.changed:
        return None
    items = tuple(_json(work, item, is_primary=key == primary) for key, item in outcome.items.items())
    return EspoList(work.channel, items, tuple(outcome.added), tuple(outcome.changes))


def _renames(work: ChannelWork, leaving: set[str]) -> dict[str, Move]:
    """Return the moves that take the place of an item: the first for each item, and not where the value stands."""
    renames: dict[str, Move] = {}
    staying = set(work.items) - leaving
    for move in work.moves:
        old = move.old_key
        if old is not None and old in leaving and old not in renames and move.key not in staying:
            renames[old] = move
            staying.add(move.key)
    return renames


def _rename(work: ChannelWork, outcome: ListOutcome, key: str, move: Move) -> None:
    old = work.items[key]
    # An opt-out follows the person to the corrected value; that the old value was invalid says nothing of the new.
    outcome.items[move.key] = replace(old, value=move.value, invalid=False, raw={})
    outcome.added.append(move.key)
    outcome.primary = move.key if outcome.primary == key else outcome.primary
    _wanted(outcome, move.member)


def _drop(work: ChannelWork, outcome: ListOutcome, key: str) -> None:
    outcome.changed = True
    outcome.primary = None if outcome.primary == key else outcome.primary
    if any(move.old_key == key for move in work.moves):
        return  # the value went on to another one and is told there
    member = next((one for one in work.members if one.leaves == key), None)
    name = work.field_name(member) if member else work.channel.value
    outcome.changes.append(FieldChange(name, work.items[key].value, None, reason="gone_in_advoware"))


def _add(work: ChannelWork, outcome: ListOutcome, move: Move) -> None:
    if move.key in outcome.items:
        if not move.member.needs_espo:
            _wanted(outcome, move.member)
        return
    limit = work.options.limit(work.channel)
    if len(outcome.items) >= limit:
        _no_room(work, move, limit)
        return
    phone_type = kinds.type_of(move.member.kind) if work.channel is Channel.PHONE else None
    outcome.items[move.key] = EspoEntry(work.channel, move.value, phone_type)
    outcome.added.append(move.key)
    _wanted(outcome, move.member)


def _wanted(outcome: ListOutcome, member: Member) -> None:
    member.needs_espo = True
    outcome.changed = True
    if member.change is not None:
        outcome.changes.append(member.change)


def _no_room(work: ChannelWork, move: Move, limit: int) -> None:
    name = work.field_name(move.member)
    message = f"EspoCRM nimmt höchstens {limit} Einträge an. Dieser Eintrag steht nur in Advoware."
    work.findings.append(Finding(name, Side.ADVOWARE, message))
    details = {"value": move.value, "reason": "limit", "message": message, "side": Side.ADVOWARE.value}
    work.tasks.append(TaskWanted(TaskKind.VALUE_REFUSED, (name,), details))
    put_back(work, move.member)


def put_back(work: ChannelWork, member: Member) -> None:
    """Leave a member's pair as it was: the next pass sees the same difference again."""
    base_key = work.key_of(member.before.espo_base) if member.before else None
    member.after, member.refused, member.change = member.before, None, None
    member.key = base_key if base_key in work.items else None
    member.leaves, member.needs_espo, member.hold = None, False, True
    name = work.field_name(member)
    work.conflicts = [change for change in work.conflicts if change.field != name]
    work.tasks = [task for task in work.tasks if task.kind is not TaskKind.CONFLICT or task.fields != (name,)]


def _block(work: ChannelWork) -> None:
    """Report a list that cannot be sent whole and put back every member that wanted it changed."""
    bad = [key for key, item in work.items.items() if not _sendable(work, item)]
    message = (
        f"{len(bad)} Nummer(n) dieser Person nimmt EspoCRM in der gespeicherten Schreibweise nicht mehr an. "
        "Änderungen aus Advoware warten, bis sie in EspoCRM international eingetragen sind."
    )
    name = f"{work.channel.value}/list"
    work.findings.append(Finding(name, Side.ESPOCRM, message))
    details = {"values": [work.items[key].value for key in bad], "reason": "list", "message": message}
    work.tasks.append(TaskWanted(TaskKind.VALUE_REFUSED, (name,), {**details, "side": Side.ESPOCRM.value}))
    moving = {id(move.member) for move in work.moves}
    for member in work.members:
        if id(member) in moving or (member.leaves in work.items and member.leaves not in work.held):
            put_back(work, member)


def refused_whole(one: EspoList, why: str) -> TaskWanted:
    """Return the task about a list that EspoCRM refuses although nothing in it is new: something that stands there."""
    values = sorted(str(item[one.value_name]) for item in one.items)
    message = (
        f"einer der gespeicherten Einträge gilt dort nicht mehr: {why.rstrip('.')}; Änderungen aus Advoware warten"
    )
    details = {"values": values, "reason": "list", "message": message, "side": Side.ESPOCRM.value}
    return TaskWanted(TaskKind.VALUE_REFUSED, (f"{one.channel.value}/list",), details)


def _sendable(work: ChannelWork, item: EspoEntry) -> bool:
    """Tell whether EspoCRM takes a stored item again without loss (old national spellings are rewritten)."""
    if work.channel is Channel.EMAIL or not work.options.international or item.value.strip().startswith("+"):
        return True
    return for_espo(work.channel, item.value).value is not None


def _json(work: ChannelWork, item: EspoEntry, *, is_primary: bool) -> dict[str, Any]:
    flags = {"primary": is_primary, "optOut": item.opt_out, "invalid": item.invalid}
    if work.channel is Channel.EMAIL:
        return {**item.raw, "emailAddress": item.value, "lower": item.value.lower(), **flags}
    value = item.value
    if work.options.international and not value.strip().startswith("+"):
        value = for_espo(work.channel, value).value or value
    return {**item.raw, "phoneNumber": value, "type": item.type or "Mobile", **flags}
