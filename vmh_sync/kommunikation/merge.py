"""From what both sides and the pair table say to a plan. Pure; this is where the other files of the folder meet."""

from dataclasses import replace

from vmh_sync.kommunikation import lists, markers
from vmh_sync.kommunikation.decisions import decide
from vmh_sync.kommunikation.kinds import channel_of
from vmh_sync.kommunikation.marking import marked_remark, to_mark
from vmh_sync.kommunikation.members import ChannelWork, Member, Write, gather, unique_items
from vmh_sync.kommunikation.model import Channel, Options, Pair, PairState, PartyCommunication
from vmh_sync.kommunikation.notation import Refusal
from vmh_sync.kommunikation.plan import (
    ENTITY,
    MARKER_ONLY,
    EntryWrite,
    EspoList,
    KommunikationPlan,
    PairChange,
    espo_step,
)
from vmh_sync.kommunikation.primary import settle
from vmh_sync.sync.base import Side
from vmh_sync.sync.planning.plan import Action, FieldChange, Operation

_SEVERAL = 2
_ACTIONS = {
    Write.NONE: Action.UPDATE,  # only its online flag
    Write.VALUE: Action.UPDATE,
    Write.EMPTY: Action.REMOVE,
    Write.CREATE: Action.CREATE,
}


def plan_communication(party: PartyCommunication, options: Options | None = None) -> KommunikationPlan:
    """Return what has to be done so that both sides say the same of a party's phones and e-mails.

    Takes fresh reads of both sides and the stored pairs. A side that was not read (``None``) is left alone; one that
    is suddenly empty is not believed before a second read (``KommunikationPlan.suspicious_empty``).
    """
    options = options or Options()
    if party.entries is None:
        return KommunikationPlan()
    suspicious = frozenset[Side]() if options.confirmed_empty else _suspicious(party)
    if suspicious:
        return KommunikationPlan(suspicious_empty=suspicious)
    works = gather(party, options)
    built: dict[Channel, EspoList | None] = {}
    writes: list[EntryWrite] = []
    changes: list[PairChange] = []
    for work in works:
        decide(work)
        outcome = lists.resolve(work)
        primary = settle(work, outcome)
        built[work.channel] = lists.build(work, outcome, primary)
        for number, member in enumerate(work.members):
            write = _entry_write(work, member, number) or _marker_write(work, member)
            if write is not None:
                writes.append(write)
            change = _pair_change(work, member, write, primary, blocked=outcome.blocked)
            if change is not None:
                changes.append(change)
    return KommunikationPlan(
        tasks=tuple(task for work in works for task in work.tasks),
        writes=tuple(writes),
        emails=built.get(Channel.EMAIL),
        phones=built.get(Channel.PHONE),
        pairs=tuple(changes),
        conflicts=tuple(conflict for work in works for conflict in work.conflicts),
        findings=tuple(finding for work in works for finding in work.findings),
        quarantined=tuple(one for work in works for one in work.quarantined),
    )


def _suspicious(party: PartyCommunication) -> frozenset[Side]:
    """Name the sides that read as empty although several synced pairs exist (sync-semantics.md 2).

    EspoCRM's two lists count apart: one of them may be hidden or fail alone.
    """
    synced = [pair for pair in party.pairs if pair.state is PairState.ACTIVE and pair.advoware_id is not None]
    sides = set[Side]()
    if len(synced) >= _SEVERAL and all(entry.is_empty for entry in party.entries or ()):
        sides.add(Side.ADVOWARE)
    for channel in Channel:
        paired = sum(channel_of(pair.kind) is channel for pair in synced)
        listed = party.items(channel)
        if listed is not None and paired >= _SEVERAL and not unique_items(listed):
            sides.add(Side.ESPOCRM)
    return frozenset(sides)


def _entry_write(work: ChannelWork, member: Member, number: int) -> EntryWrite | None:
    if member.write is Write.NONE and member.online is None:
        return None
    entry = member.entry
    changes = [] if member.change is None or member.write is Write.NONE else [member.change]
    if entry is not None and _online_after(member) != entry.online:
        changes.append(FieldChange(f"{work.field_name(member)}/online", entry.online, _online_after(member)))
    payload: dict[str, object] = {
        "tlf": member.value if member.write is not Write.NONE else entry.tlf if entry else None,
        "bemerkung": _remark(work, member),
        "online": _online_after(member),
    }
    if member.write is Write.CREATE:
        payload["komm_kz"] = member.kind
    operation = Operation(
        side=Side.ADVOWARE,
        action=_ACTIONS[member.write],
        entity=ENTITY,
        key=str(entry.id) if entry else None,
        payload=payload,
        changes=tuple(changes),
        reason=member.change.reason if changes and member.change else "primary",
    )
    return EntryWrite(
        step=f"advoware:{entry.id}" if entry else f"advoware:new:{work.channel.value}:{number}",
        operation=operation,
        expected_row_id=entry.row_id if entry else None,
        must_be_empty=member.write is Write.VALUE and member.tlf is None,
    )


def _marker_write(work: ChannelWork, member: Member) -> EntryWrite | None:
    """Return the write of a marker alone, for an entry of ours of which both sides already say the same."""
    entry, after = member.entry, member.after
    if entry is None or after is None or member.hold or member.needs_espo or member.refused is not None:
        return None
    remark = marked_remark(after, entry, work.options)
    if remark is None:
        return None
    member.after = replace(after, marked=to_mark(after, entry))
    member.refused = member.after  # an Advoware that does not take it is not asked again
    payload = {"tlf": entry.tlf, "bemerkung": remark, "online": entry.online}
    return EntryWrite(
        step=f"advoware:{entry.id}",
        operation=Operation(
            side=Side.ADVOWARE,
            action=Action.UPDATE,
            entity=ENTITY,
            key=str(entry.id),
            payload=payload,
            changes=(),
            reason=MARKER_ONLY,
        ),
        expected_row_id=entry.row_id,
    )


def _remark(work: ChannelWork, member: Member) -> str | None:
    """Return the remark to send: as read, with our marker only where the setting asks for one."""
    read = member.entry.bemerkung if member.entry else ""
    if not work.options.write_markers or member.write is Write.NONE:
        return read
    if member.write is Write.EMPTY:
        return markers.with_slot(read, member.kind, limit=work.options.max_remark)
    return markers.with_value(read, member.value or "", member.kind, limit=work.options.max_remark)


def _online_after(member: Member) -> bool:
    if member.write is Write.EMPTY:
        return False
    if member.online is not None:
        return member.online
    return member.entry.online if member.entry else False


def _pair_change(
    work: ChannelWork, member: Member, write: EntryWrite | None, primary: str | None, *, blocked: bool
) -> PairChange | None:
    after = member.after
    if after is not None and not member.hold and after.state in {PairState.ACTIVE, PairState.REFUSED}:
        after = _with_flags(member, after, primary, blocked=blocked)
    if after == member.before and write is None:
        return None
    needs = set[str]()
    if write is not None:
        needs.add(write.step)
    if member.needs_espo:
        needs.add(espo_step(work.channel))
    created_by = write.step if write is not None and member.write is Write.CREATE else None
    refused = member.refused
    if refused is not None and refused is member.before and member.entry is not None:
        # Sent once more: what is known of its flags is learned all the same.
        refused = replace(refused, online_base=member.entry.online, primary_base=member.key == primary)
    elif refused is not None and refused.refusal == Refusal.ESPOCRM_ANSWERED.value and member.entry is not None:
        # What stood in EspoCRM stays there: known at once, or each try would be followed by a write that learns it.
        # A flag that a person moved along with the value is not: it moves the main entry without the value.
        before = member.before
        moved = before is not None and before.online_base is not None and member.online is None
        online = before.online_base if before is not None and moved else _online_after(member)
        stays = before is not None and before.primary_base is True
        refused = replace(refused, online_base=online, primary_base=stays)
    return PairChange(member.before, after, frozenset(needs), created_by, refused)


def _with_flags(member: Member, after: Pair, primary: str | None, *, blocked: bool) -> Pair:
    online: bool | None = _online_after(member)
    if blocked and member.before is not None and member.online is None:
        online = member.before.online_base  # not yet acted upon: the next pass must still see the change
    return replace(after, online_base=online, primary_base=member.key is not None and member.key == primary)
