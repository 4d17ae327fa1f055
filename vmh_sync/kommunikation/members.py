"""Work items of the merge: one *member* per Advoware entry, vanished entry or EspoCRM value without an entry.

This file brings both sides and the pair table together; it decides nothing.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from vmh_sync.kommunikation import kinds, markers, slots
from vmh_sync.kommunikation.model import AdvowareEntry, Channel, EspoEntry, Options, Pair, PairState, PartyCommunication
from vmh_sync.kommunikation.plan import Quarantined
from vmh_sync.sync.planning.plan import FieldChange, Finding, TaskWanted


class Write(StrEnum):
    """What is written to the Advoware entry of a member."""

    NONE = "none"
    VALUE = "value"
    EMPTY = "empty"
    CREATE = "create"


@dataclass(slots=True, repr=False, eq=False)
class Member:
    """One entry with its pair, and what the merge decides about it.

    ``before`` is the stored pair, ``base`` the one to compare with (the stored pair, or what a valid marker of the
    original says). Decisions: ``write`` and ``value`` for Advoware, ``key`` the normal form of the EspoCRM item it
    stands for afterwards, ``leaves`` the one it stood for until now, ``after`` the pair then. ``hold`` means that a
    person must decide and nothing of it is touched.
    """

    kind: int
    entry: AdvowareEntry | None = None
    remark: markers.Remark = field(default_factory=lambda: markers.Remark(""))
    before: Pair | None = None
    base: Pair | None = None
    managed: bool = False
    write: Write = Write.NONE
    value: str | None = None
    key: str | None = None
    leaves: str | None = None
    hold: bool = False
    after: Pair | None = None
    refused: Pair | None = None
    needs_espo: bool = False
    online: bool | None = None
    change: FieldChange | None = None

    @property
    def id(self) -> int | None:
        """Advoware's id of the entry, also of a vanished one."""
        return self.entry.id if self.entry else self.before.advoware_id if self.before else None

    @property
    def tlf(self) -> str | None:
        """The entry's value, ``None`` when it is empty or gone."""
        return None if self.entry is None or self.entry.is_empty else self.entry.tlf

    @property
    def may_be_set_back(self) -> bool:
        """Whether the entry has moved since a killed pass sent it something else: nobody knows if that arrived."""
        sent = self.before.sent if self.before is not None else None
        if sent is None or self.entry is None or self.entry.row_id == sent["row_id"]:
            return False
        channel = kinds.channel_of(self.kind) or Channel.PHONE
        return channel.normal(self.tlf) != channel.normal(sent["value"])

    @property
    def stands_for_value(self) -> bool:
        """Whether the base is a synced or a quarantined value (not a slot)."""
        return self.base is not None and self.base.state in {PairState.ACTIVE, PairState.REFUSED}


@dataclass(slots=True, repr=False)
class Move:
    """A value that goes to EspoCRM: in place of ``old_key`` where that is free to be replaced, else as a new item."""

    member: Member
    old_key: str | None
    value: str
    key: str


@dataclass(slots=True, repr=False)
class ChannelWork:
    """One channel while it is merged. ``items`` is EspoCRM's fresh list by normal form."""

    channel: Channel
    options: Options
    items: dict[str, EspoEntry]
    members: list[Member]
    held: set[str] = field(default_factory=set)
    moves: list[Move] = field(default_factory=list)
    conflicts: list[FieldChange] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    tasks: list[TaskWanted] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def key_of(self, value: str | None) -> str | None:
        """Return the normal form of a value in this channel."""
        return self.channel.normal(value)

    def field_name(self, member: Member) -> str:
        """Return the name of a member's value in audit and tasks: channel and entry id, never the value."""
        return f"{self.channel.value}/{member.id if member.id is not None else 'new'}"


def unique_items(entries: Iterable[EspoEntry]) -> dict[str, EspoEntry]:
    """Return a list's items by normal form, in order.

    Two spellings of one value become one item (the same address twice makes EspoCRM lose its primary,
    espocrm.md B5): the first spelling, primary if one of them was, opted out or invalid if one of them was.
    """
    items: dict[str, EspoEntry] = {}
    for entry in entries:
        key = entry.key
        if key is None:
            continue
        first = items.get(key)
        if first is None:
            items[key] = entry
        else:
            items[key] = EspoEntry(
                kind=first.kind,
                value=first.value,
                type=first.type,
                primary=first.primary or entry.primary,
                opt_out=first.opt_out or entry.opt_out,
                invalid=first.invalid or entry.invalid,
                raw=first.raw,
            )
    return items


def gather(party: PartyCommunication, options: Options) -> list[ChannelWork]:
    """Return the work per channel whose EspoCRM list was read; entries of untouched kinds are left out."""
    works = []
    every = _members(party.entries or (), party)
    for channel in Channel:
        listed = party.items(channel)
        if listed is None:
            continue
        members = [one for one in every if kinds.channel_of(one.kind) is channel]
        work = ChannelWork(channel, options, unique_items(listed), members)
        _trust_markers(work)
        works.append(work)
    return works


def _members(entries: tuple[AdvowareEntry, ...], party: PartyCommunication) -> list[Member]:
    by_id = {pair.advoware_id: pair for pair in party.pairs if pair.advoware_id is not None}
    members = []
    for entry in sorted(entries, key=lambda one: one.id):
        pair = by_id.get(entry.id)
        if pair is not None and not kinds.made_another(entry, pair):
            del by_id[entry.id]
        else:
            pair = None
        remark = kinds.believed(entry, markers.parse(entry.bemerkung))
        kind = kinds.resolve(entry, pair, remark, party.contacts)
        base = pair.as_sent(kinds.channel_of(kind) or Channel.PHONE, entry) if pair is not None else None
        managed = slots.is_managed(entry, base, remark, kind)
        members.append(Member(kind, entry, remark, pair, base, managed))
    vanished = [*by_id.values(), *(pair for pair in party.pairs if pair.advoware_id is None)]
    members.extend(Member(pair.kind, before=pair, base=replace(pair, sent=None)) for pair in vanished)
    return members


def _trust_markers(work: ChannelWork) -> None:
    """Give unpaired entries the base that their marker tells, where this party's EspoCRM list proves it.

    A marker whose value EspoCRM does not hold may have been copied from another party: it is not believed, so that
    nothing is deleted because of it. Nor is one that two entries carry, or whose value stands elsewhere.
    """
    claims = Counter(work.key_of(one.remark.value) for one in work.members if one.before is None and one.remark.value)
    taken = {work.key_of(one.tlf) for one in work.members}
    taken |= {work.key_of(one.base.espo_base) for one in work.members if one.base is not None}
    for member in work.members:
        marked = member.remark.value
        key = work.key_of(marked)
        if member.before is not None or key is None or key not in work.items or key in taken or claims[key] > 1:
            continue
        member.base = Pair(member.id, member.kind, espo_base=marked, advoware_base=marked)
