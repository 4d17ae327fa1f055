"""Entries that a pass sent to Advoware and did not live to note: which they are, and what became of them since. Pure.

What was sent stands in the intent of the create (``engine/writing/create_once.py``), with the entries that stood there
before. An entry that holds the value is the one. Else a person may have typed over it, or emptied it: then it is one of
the same kind that was not there before. Nobody can tell that from a request that never arrived and an entry that the
person made; so the value it replaces is told, as the loser of a conflict.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from vmh_sync.engine.writing.typed_over import most_likely
from vmh_sync.kommunikation import kinds
from vmh_sync.kommunikation.model import AdvowareEntry, Channel, Pair, PartyCommunication
from vmh_sync.kommunikation.noted_lists import is_note
from vmh_sync.kommunikation.plan import EntryWrite, KommunikationPlan
from vmh_sync.store.pairs.intents import Intent
from vmh_sync.sync.base import Side
from vmh_sync.sync.planning.plan import FieldChange, TaskKind, TaskWanted

_SENT = ("kind", "value", "online", "entry")


@dataclass(frozen=True, slots=True, repr=False)
class Adopted:
    """A create of a crashed run and the pair that stands for it: what was sent. ``edited``: it holds that no more."""

    intent: Intent
    pair: Pair
    edited: bool = False


class Arriving(NamedTuple):
    """Between which moments a request was sent that may still arrive.

    What was sent later than that was sent while the clock was wrong: nobody knows when, so it is not waited for.
    """

    since: datetime
    until: datetime

    @classmethod
    def at(cls, now: datetime, longest: timedelta) -> "Arriving":
        """Return it for a request that lives ``longest`` at most."""
        return cls(now - longest, now + longest)

    def may(self, intent: Intent) -> bool:
        """Whether what was sent may still arrive."""
        return intent.sent_at is not None and self.since <= intent.sent_at <= self.until


def what_is_sent(write: EntryWrite, kind: int) -> dict[str, Any]:
    """Return what tells a write that fills an entry apart from the party's other ones."""
    payload = write.operation.payload
    sent = {"kind": kind, "value": payload["tlf"], "online": bool(payload["online"])}
    return sent if write.operation.key is None else {**sent, "entry": int(write.operation.key)}


def sent_by(intent: Intent) -> dict[str, Any]:
    """Return :func:`what_is_sent` as the intent of a write knows it."""
    return {name: intent.natural_key[name] for name in _SENT if name in intent.natural_key}


def natural_key(sent: Mapping[str, Any], write: EntryWrite, entries: Iterable[int]) -> dict[str, Any]:
    """Return what an entry is known by afterwards: a new one is not among ``entries``, a refilled one has moved."""
    return {**sent, "row_id": write.expected_row_id} if "entry" in sent else {**sent, "seen": sorted(entries)}


def claim_of(betnr: int, sent: Mapping[str, Any]) -> str:
    """Return the name under which a value is sent to a party: once at a time, however it is spelled and wherever to."""
    channel = kinds.channel_of(int(sent["kind"])) or Channel.PHONE
    return f"{betnr}/{channel}/{channel.normal(sent['value'])}"


def find_created(
    kind: int, value: str, entries: Iterable[AdvowareEntry], known: Collection[int | None]
) -> AdvowareEntry | None:
    """Return the newest entry without a pair that holds this value and does not contradict the kind."""
    channel = kinds.channel_of(kind)
    if channel is None:
        return None
    wanted = channel.normal(value)
    fitting = [
        one
        for one in entries
        if one.id not in known and channel.normal(one.tlf) == wanted and (one.komm_kz or kind) == kind
    ]
    return max(fitting, key=lambda one: one.id, default=None)


def adopted(intents: Sequence[Intent], sides: PartyCommunication, pairs: Sequence[Pair]) -> tuple[Adopted, ...]:
    """Return the entries of creates and refills that a run sent and did not live to note."""
    entries = sides.entries or ()
    known: set[int | None] = {pair.advoware_id for pair in pairs}
    found: list[Adopted] = []
    left: list[Intent] = []
    for intent in intents:
        key = intent.natural_key
        if "entry" in key:
            refilled = next((one for one in entries if one.id == key["entry"] and one.row_id != key["row_id"]), None)
            one = _adopted(intent, refilled) if refilled is not None else None
            found += [one] if one is not None and (not one.edited or _waits(intent, sides, pairs)) else []
            continue
        entry = find_created(int(key["kind"]), str(key["value"]), entries, known)
        if entry is None:
            left.append(intent)
            continue
        known.add(entry.id)
        found.append(_adopted(intent, entry))
    waiting = {one.id: one for one in left if _waits(one, sides, pairs)}
    fitting = {number: _fitting(one, sides, known) for number, one in waiting.items()}
    sent = {number: _told(one, str(one.natural_key["value"])) for number, one in waiting.items()}
    says = {number: {one.id: _told(waiting[number], one.tlf) for one in some} for number, some in fitting.items()}
    by_id = {one.id: one for one in entries}
    found += [_adopted(waiting[number], by_id[entry]) for number, entry in most_likely(sent, says).items()]
    return tuple(found)


def filled_by(
    intent: Intent, entries: Collection[AdvowareEntry], known: Collection[int | None]
) -> AdvowareEntry | None:
    """Return the entry that holds what was sent, ``None`` while there is none."""
    key = intent.natural_key
    if "entry" not in key:
        return find_created(int(key["kind"]), str(key["value"]), entries, known)
    entry = next((one for one in entries if one.id == key["entry"]), None)
    return entry if entry is not None and not _adopted(intent, entry).edited else None


def in_the_way(intents: Iterable[Intent], claim: str | None, entry: int | None) -> Iterator[Intent]:
    """Yield the requests that could bring the same value to another entry, or another value to this one.

    ``claim`` is that of the value to be written, if it is one. That of an intent follows from what it says, not from
    its id: the version before named it otherwise.
    """
    for intent in intents:
        same_value = claim_of(intent.betnr or 0, intent.natural_key) == claim
        same_entry = entry is not None and intent.natural_key.get("entry") == entry
        if same_entry or same_value:
            yield intent


def pointless(
    intents: Iterable[Intent], taken: Iterable[Adopted], sides: PartyCommunication, arriving: Arriving | None
) -> tuple[Intent, ...]:
    """Return the fills that nobody asks after any more: nothing waits for them, and nothing of them can arrive."""
    known = {one.intent.id for one in taken}
    fills = (one for one in intents if not is_note(one) and one.id not in known)
    over_now = (one for one in fills if one.sent_at is None or (arriving is not None and not arriving.may(one)))
    return tuple(one for one in over_now if _is_told(one, sides) and not _waits(one, sides, sides.pairs))


def _is_told(intent: Intent, sides: PartyCommunication) -> bool:
    channel = kinds.channel_of(int(intent.natural_key["kind"]))
    return channel is not None and sides.items(channel) is not None


def with_edits_told(plan: KommunikationPlan, taken: Iterable[Adopted], sides: PartyCommunication) -> KommunikationPlan:
    """Return the plan, which tells of values of EspoCRM that an entry typed over since replaces there."""
    conflicts, tasks = list(plan.conflicts), list(plan.tasks)
    told = {change.field for change in conflicts}
    now = {entry.id: entry.tlf for entry in sides.entries or ()}
    for one in taken:
        channel = kinds.channel_of(one.pair.kind) or Channel.PHONE
        name, lost = f"{channel.value}/{one.pair.advoware_id}", one.pair.espo_base
        stands = now.get(one.pair.advoware_id or 0) or None
        leaves = any(change.field == name for list_ in plan.lists for change in list_.changes)
        if not one.edited or not leaves or name in told:
            continue
        conflicts.append(FieldChange(name, lost, stands, reason=f"conflict: {Side.ADVOWARE} wins", losing=lost))
        details = {"espocrm": lost, "advoware": stands, "before": None, "stands": Side.ADVOWARE.value}
        tasks.append(TaskWanted(TaskKind.CONFLICT, (name,), details))
    return replace(plan, conflicts=tuple(conflicts), tasks=tuple(tasks))


def _adopted(intent: Intent, entry: AdvowareEntry) -> Adopted:
    key = intent.natural_key
    kind, value = int(key["kind"]), str(key["value"])
    sent = Pair(entry.id, kind, value, value, online_base=bool(key["online"]), espo_type=key.get("type"))
    channel = kinds.channel_of(kind) or Channel.PHONE
    return Adopted(intent, sent, channel.normal(entry.tlf) != channel.normal(value))


def _waits(intent: Intent, sides: PartyCommunication, pairs: Iterable[Pair]) -> bool:
    """Whether EspoCRM still says what was sent, and no entry stands for it: else nothing waits for this create."""
    channel = kinds.channel_of(int(intent.natural_key["kind"]))
    if channel is None:
        return False
    sent = channel.normal(intent.natural_key["value"])
    paired = {channel.normal(pair.espo_base) for pair in pairs if kinds.channel_of(pair.kind) is channel}
    return sent not in paired and sent in {item.key for item in sides.items(channel) or ()}


def _fitting(intent: Intent, sides: PartyCommunication, known: Collection[int | None]) -> list[AdvowareEntry]:
    """Return the entries that may be the one sent, typed over or emptied since."""
    key = intent.natural_key
    kind, seen = int(key["kind"]), key.get("seen")
    channel = kinds.channel_of(kind)
    if channel is None or seen is None:
        return []
    held = {item.key for item in sides.items(channel) or ()}
    return [
        one
        for one in sides.entries or ()
        if one.id not in known
        and one.id not in seen
        and _may_be(one, kind)
        and (one.is_empty or channel.normal(one.tlf) not in held)
    ]


def _told(intent: Intent, value: str | None) -> str:
    channel = kinds.channel_of(int(intent.natural_key["kind"])) or Channel.PHONE
    return channel.normal(value) or ""


def _may_be(entry: AdvowareEntry, kind: int) -> bool:
    if entry.komm_kz:
        return entry.komm_kz == kind
    return entry.is_empty or kinds.channel_of(kinds.kind_of_value(entry.tlf or "")) is kinds.channel_of(kind)
