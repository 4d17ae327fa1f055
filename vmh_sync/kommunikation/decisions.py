"""The six situations, entry by entry (specification, entities.md 2; sync-semantics.md 1).

=====================  =====================  =======================  ==============================
EspoCRM \\ Advoware     same                   changed to T             emptied or gone
=====================  =====================  =======================  ==============================
same                   nothing                T into the list          out of the list
changed to W           PUT W                  conflict                 W survives (refill or create)
deleted                empty the entry        T survives (back in)     nothing
=====================  =====================  =======================  ==============================

Equality under normalisation comes before everything else: a value that stands on both sides is linked, not written.
"""

from dataclasses import replace

from vmh_sync.kommunikation import kinds
from vmh_sync.kommunikation.matching import edited
from vmh_sync.kommunikation.members import ChannelWork, Member, Move, Write
from vmh_sync.kommunikation.model import Pair, PairState
from vmh_sync.kommunikation.notation import Refusal, for_espo
from vmh_sync.kommunikation.plan import Quarantined
from vmh_sync.kommunikation.slots import Slots
from vmh_sync.sync.base import Side
from vmh_sync.sync.merge import ConflictRule
from vmh_sync.sync.planning.plan import FieldChange, Finding, TaskKind, TaskWanted

TRIED_AGAIN = "tried again"
_ANSWERS = frozenset(one for one in Refusal if one.by_advoware or one.by_espocrm)


def decide(work: ChannelWork) -> None:
    """Decide every member of a channel and add one for each EspoCRM value that needs a new entry."""
    live = {work.key_of(member.tlf) for member in work.members} - {None}
    standing = [member for member in work.members if member.stands_for_value]
    based = {_base_key(work, member) for member in standing}
    gone: dict[str, list[Member]] = {}
    for member in standing:
        key = _base_key(work, member)
        linked = work.key_of(member.tlf) in work.items
        if key is not None and key not in work.items and member.id is not None and not linked:
            gone.setdefault(key, []).append(member)
    free = [key for key in work.items if key not in based and key not in live]
    edits = edited(work, gone, free)
    for member in work.members:
        _decide_member(work, member, edits, live)
    for old_key, new_key in edits.items():
        _keep_one_alive(work, gone[old_key], new_key)
    _create(work, [key for key in free if key not in edits.values()])


def _decide_member(work: ChannelWork, member: Member, edits: dict[str, str], live: set[str | None]) -> None:
    if not member.stands_for_value:
        _without_base(work, member)
    elif member.id is None:
        _refused_by_advoware(work, member, live)
    else:
        _with_base(work, member, edits)


def _with_base(work: ChannelWork, member: Member, edits: dict[str, str]) -> None:
    base = _base(member)
    base_key, value_key = _base_key(work, member), work.key_of(member.tlf)
    # An entry that never took its value is still empty: nobody has deleted anything.
    dropped = base.refusal is not None and Refusal(base.refusal).by_advoware
    same = (value_key is not None or dropped) and value_key == work.key_of(base.advoware_base)
    if base_key in work.items and same:
        _quiet(work, member, base_key)
    elif value_key is not None and value_key in work.items:
        _link(work, member, value_key, leaves=base_key)
    elif base_key in work.items:
        _changed_in_advoware(work, member, base_key) if value_key else _gone_in_advoware(member, base_key)
    elif base_key in edits:
        _changed_in_espo(work, member, edits[base_key], same=same)
    elif base_key is None:
        _never_in_espo(work, member, same=same)
    else:
        _deleted_in_espo(work, member, same=same)


def _without_base(work: ChannelWork, member: Member) -> None:
    """An entry that stands for nothing yet: new, a slot, a slot that a person typed into, or simply empty."""
    value_key = work.key_of(member.tlf)
    if value_key is None:
        if member.entry is not None:
            member.after = member.base
            if member.base is None and member.managed:
                member.after = Pair(member.id, member.kind, None, None, state=PairState.SLOT)
    elif value_key in work.items:
        _link(work, member, value_key)
    else:
        _to_espo(work, member, old_key=None, reason="new_in_advoware")


def _quiet(work: ChannelWork, member: Member, base_key: str | None) -> None:
    base = _base(member)
    if _tried_again(work, base):
        if base.refusal == Refusal.ADVOWARE_ANSWERED:
            _put(work, member, base_key or "", reason=TRIED_AGAIN)
        else:
            _to_espo(work, member, old_key=base_key, reason=TRIED_AGAIN)
        member.refused = base
        return
    member.key = base_key
    work.held.add(base_key or "")
    item = work.items[base_key or ""]
    member.after = replace(base, espo_type=item.type) if item.type else base
    if base.refusal:
        _report_refusal(work, member, Refusal(base.refusal), new=False)


def _link(work: ChannelWork, member: Member, key: str, leaves: str | None = None) -> None:
    item = work.items[key]
    work.held.add(key)
    member.key = key
    if leaves is not None and leaves != key and leaves in work.items:
        member.leaves = leaves
    member.after = Pair(member.id, member.kind, item.value, member.tlf, espo_type=item.type)


def _changed_in_advoware(work: ChannelWork, member: Member, base_key: str | None) -> None:
    _to_espo(work, member, old_key=base_key)


def _gone_in_advoware(member: Member, base_key: str | None) -> None:
    member.leaves = base_key
    member.after = _emptied(member)


def _changed_in_espo(work: ChannelWork, member: Member, new_key: str, *, same: bool) -> None:
    if member.tlf is None:  # an edit here against a delete there: _keep_one_alive sees to it that the edit survives
        member.after = _emptied(member)
        if member.may_be_set_back:
            _report_conflict(work, member, new_key, winner=Side.ESPOCRM)
        return
    changed_too = not same or member.may_be_set_back
    rule = work.options.conflict if changed_too else ConflictRule.ESPOCRM_WINS
    if rule is ConflictRule.NEWEST_WINS and work.options.stamps.newer() is Side.ADVOWARE:
        rule = ConflictRule.ADVOWARE_WINS
    if rule is ConflictRule.MANUAL:
        _hold(work, member, new_key)
    elif rule is ConflictRule.ADVOWARE_WINS:
        _report_conflict(work, member, new_key, winner=Side.ADVOWARE)
        _to_espo(work, member, old_key=new_key, losing=work.items[new_key].value, reason="conflict")
    else:
        losing = member.tlf if changed_too else None
        if changed_too:
            _report_conflict(work, member, new_key, winner=Side.ESPOCRM)
        _put(work, member, new_key, losing=losing, reason="conflict" if changed_too else "changed_in_espocrm")


def _put(
    work: ChannelWork, member: Member, key: str, *, losing: str | None = None, reason: str = "changed_in_espocrm"
) -> None:
    """Write an EspoCRM value to an existing entry, in the notation of EspoCRM's edit."""
    item = work.items[key]
    work.held.add(key)
    member.key, member.write, member.value = key, Write.VALUE, item.value
    member.change = FieldChange(work.field_name(member), member.tlf, item.value, reason=reason, losing=losing)
    member.after = Pair(member.id, member.kind, item.value, item.value, espo_type=item.type)
    member.refused = _kept_in_espo(member.after, member.tlf)


def _deleted_in_espo(work: ChannelWork, member: Member, *, same: bool) -> None:
    base = _base(member)
    if member.tlf is None:
        member.after = _emptied(member)
    elif same and base.state is PairState.REFUSED and not Refusal(base.refusal or Refusal.ESPOCRM_ANSWERED).by_advoware:
        # What stands in Advoware is an edit that EspoCRM never took: it survives the delete of the older value.
        member.after = replace(base, espo_base=None, espo_type=None)
        _report_refusal(work, member, Refusal(base.refusal or Refusal.ESPOCRM_ANSWERED), new=False)
    elif same and not member.may_be_set_back:
        member.write, member.value = Write.EMPTY, ""
        member.change = FieldChange(work.field_name(member), member.tlf, None, reason="deleted_in_espocrm")
        member.after = Pair(member.id, member.kind, None, None, online_base=False, state=PairState.SLOT)
    else:
        _to_espo(work, member, old_key=None, reason="edit_survives_delete")


def _never_in_espo(work: ChannelWork, member: Member, *, same: bool) -> None:
    """A value that EspoCRM refused so far: tried again after it has changed."""
    base = _base(member)
    if member.tlf is None:
        member.after = _emptied(member)
    elif same and base.refusal in _ANSWERS and not _tried_again(work, base):
        member.after = base
        _report_refusal(work, member, Refusal(base.refusal), new=False)
    else:
        _to_espo(work, member, old_key=None)
        member.refused = base if same and base.refusal in _ANSWERS else member.refused


def _refused_by_advoware(work: ChannelWork, member: Member, live: set[str | None]) -> None:
    key = _base_key(work, member)
    if key is None or key not in work.items or key in live:
        return
    base = _base(member)
    work.held.add(key)
    if _tried_again(work, base):
        _create_again(work, member, key)
        return
    member.hold, member.after = True, member.before
    _report_refusal(work, member, Refusal(base.refusal or Refusal.ADVOWARE_ANSWERED), new=False)


def _tried_again(work: ChannelWork, base: Pair) -> bool:
    refusal = Refusal(base.refusal) if base.refusal is not None else None
    if refusal is None or not refusal.may_pass:
        return False
    return (Side.ADVOWARE if refusal.by_advoware else Side.ESPOCRM) in work.options.retry_refused


def _create_again(work: ChannelWork, member: Member, key: str) -> None:
    item = work.items[key]
    member.kind = kinds.kind_of_item(work.channel, item.type, item.value)
    member.key, member.write, member.value, member.refused = key, Write.CREATE, item.value, member.before
    member.change = FieldChange(work.field_name(member), None, item.value, reason=TRIED_AGAIN)
    member.after = Pair(None, member.kind, item.value, item.value, espo_type=item.type)


def _to_espo(
    work: ChannelWork,
    member: Member,
    *,
    old_key: str | None,
    losing: str | None = None,
    reason: str = "changed_in_advoware",
) -> None:
    """Send an entry's value to EspoCRM, or quarantine it: then EspoCRM keeps what it has."""
    value = member.tlf or ""
    answer = for_espo(work.channel, value)
    old = work.items.get(old_key) if old_key else None
    stays = Pair(
        member.id,
        member.kind,
        old.value if old else None,
        value,
        state=PairState.REFUSED,
        espo_type=old.type if old else None,
        refusal=Refusal.ESPOCRM_ANSWERED.value,
    )
    if answer.refusal is not None:
        if old_key:
            work.held.add(old_key)
        member.key = old_key
        member.after = replace(stays, refusal=answer.refusal.value)
        known = member.before is not None and member.before.refusal == answer.refusal
        same = member.before is not None and work.key_of(member.before.advoware_base) == work.key_of(value)
        _report_refusal(work, member, answer.refusal, new=not (known and same))
        return
    key = work.key_of(answer.value) or ""
    member.key, member.leaves, member.refused = key, old_key, stays
    member.change = FieldChange(
        work.field_name(member), old.value if old else None, answer.value, reason=reason, losing=losing
    )
    phone_type = old.type if old else kinds.type_of(member.kind)
    member.after = Pair(member.id, member.kind, answer.value, value, espo_type=phone_type)
    work.moves.append(Move(member, old_key, answer.value or "", key))


def _keep_one_alive(work: ChannelWork, group: list[Member], new_key: str) -> None:
    """Where every entry of an edited value is gone, refill one that still exists, else let a new one be made."""
    if any(member.key is not None or member.hold for member in group):
        return
    refill = next((member for member in group if member.entry is not None), None)
    if refill is not None:
        _put(work, refill, new_key, reason="edit_survives_delete")
    else:
        _create(work, [new_key])


def _create(work: ChannelWork, keys: list[str]) -> None:
    """Give each EspoCRM value an entry: one of our empty slots of that kind, else a new one."""
    managed = {
        one.entry.id: one for one in work.members if one.entry is not None and one.managed and one.write is Write.NONE
    }
    slots = Slots(
        [one.entry for one in managed.values() if one.entry], {one: member.kind for one, member in managed.items()}
    )
    for key in keys:
        item = work.items[key]
        kind = kinds.kind_of_item(work.channel, item.type, item.value)
        slot = slots.take(kind)
        if slot is not None:
            _put(work, managed[slot.id], key, reason="new_in_espocrm")
            continue
        after = Pair(None, kind, item.value, item.value, espo_type=item.type)
        change = FieldChange(f"{work.channel.value}/new", None, item.value, reason="new_in_espocrm")
        member = Member(kind, key=key, write=Write.CREATE, value=item.value, after=after, change=change)
        member.refused = _kept_in_espo(after, None)
        work.held.add(key)
        work.members.append(member)


def _hold(work: ChannelWork, member: Member, new_key: str) -> None:
    member.hold, member.after = True, member.before
    work.held.add(new_key)
    _report_conflict(work, member, new_key, winner=None)


def _emptied(member: Member) -> Pair | None:
    if member.entry is None:
        return None
    return Pair(member.id, member.kind, None, None, state=PairState.EMPTIED)


def _report_conflict(work: ChannelWork, member: Member, new_key: str, *, winner: Side | None) -> None:
    name, espo, advoware = work.field_name(member), work.items[new_key].value, member.tlf
    old, new = (espo, advoware) if winner is Side.ADVOWARE else (advoware, espo)
    reason = f"conflict: {winner.value} wins" if winner else "conflict: manual"
    work.conflicts.append(FieldChange(name, old, new, reason=reason, losing=old if winner else None))
    details = {
        "espocrm": espo,
        "advoware": advoware,
        "before": member.base.espo_base if member.base else None,
        "stands": winner.value if winner else None,
    }
    work.tasks.append(TaskWanted(TaskKind.CONFLICT, (name,), details))


def _report_refusal(work: ChannelWork, member: Member, refusal: Refusal, *, new: bool) -> None:
    name = work.field_name(member)
    side = Side.ESPOCRM if refusal.by_advoware else Side.ADVOWARE
    said = member.base.said if member.base is not None and refusal is Refusal.ADVOWARE_ANSWERED else ""
    message = f"{refusal.message} Advoware sagt: {said}" if said else refusal.message
    value = (member.tlf if side is Side.ADVOWARE or member.base is None else member.base.espo_base) or ""
    work.quarantined.append(Quarantined(name, side, value, refusal, new))
    work.findings.append(Finding(name, side, refusal.message))
    details = {"value": value, "reason": refusal.value, "message": message, "side": side.value}
    work.tasks.append(TaskWanted(TaskKind.VALUE_REFUSED, (name,), details))


def _kept_in_espo(after: Pair, advoware_value: str | None) -> Pair:
    """The pair to store when Advoware refuses the value of ``after``; an empty entry then stands for nothing."""
    return replace(
        after,
        advoware_id=after.advoware_id if advoware_value else None,
        advoware_base=advoware_value,
        state=PairState.REFUSED,
        refusal=Refusal.ADVOWARE_ANSWERED.value,
    )


def _base(member: Member) -> Pair:
    if member.base is None:
        raise ValueError("a member without base has no base state to compare with")
    return member.base


def _base_key(work: ChannelWork, member: Member) -> str | None:
    return work.key_of(member.base.espo_base) if member.base else None
