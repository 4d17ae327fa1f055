"""What the other side really holds after a write (specification, sync-semantics.md 3).

A write may be ignored without an error, and the answer to a create may be lost: both are told from a fresh read.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from vmh_sync.kommunikation.kinds import channel_of
from vmh_sync.kommunikation.model import AdvowareEntry, Channel, EspoEntry, Pair, PairState
from vmh_sync.kommunikation.notation import Refusal
from vmh_sync.kommunikation.plan import EspoList, PairDelta
from vmh_sync.sync.base import Side
from vmh_sync.sync.deciding.read_back import Fate, learned
from vmh_sync.sync.planning.plan import Finding
from vmh_sync.sync.values import Kind, same


@dataclass(frozen=True, slots=True, repr=False)
class ReadBack:
    """Pairs with what was really read, what a person should know, the entries whose value was not taken (their ids),
    and whether one was edited since."""

    delta: PairDelta
    findings: tuple[Finding, ...] = ()
    not_taken: frozenset[int | None] = frozenset()
    edited: bool = False


_Corrected = tuple[Pair, ReadBack]


def as_read(delta: PairDelta, entries: Iterable[AdvowareEntry], planned: Iterable[AdvowareEntry]) -> ReadBack:
    """Return the pairs with what was learned of Advoware as its base.

    Takes the pairs about to be stored, the entries as read after the writes and as they were ``planned`` from. A value
    that Advoware ignored or altered becomes a finding and is told like one that it refused; because the base is kept
    per side it is not written again for ever. Any other value is somebody's edit, and the base is what was sent. Pairs
    whose entry is not among ``entries`` stay as planned.
    """
    read = {entry.id: entry for entry in entries}
    before = {entry.id: entry.tlf for entry in planned}
    result = ReadBack(delta)
    stored = []
    for pair in delta.stored:
        entry = read.get(pair.advoware_id) if pair.advoware_id is not None else None
        stored.append(pair)
        if entry is not None:
            stored[-1], result = _corrected(pair, entry, before, result)
    return replace(result, delta=replace(delta, stored=tuple(stored)))


def missing_values(sent: EspoList, read: Iterable[EspoEntry]) -> frozenset[str]:
    """Return the normal forms of values that were sent and that EspoCRM does not show afterwards."""
    return sent.keys - {entry.key for entry in read}


def _corrected(pair: Pair, entry: AdvowareEntry, before: Mapping[int, str | None], result: ReadBack) -> _Corrected:
    channel = channel_of(pair.kind) or Channel.PHONE
    name = f"{channel.value}/{entry.id}"
    if pair.state is PairState.SLOT and not entry.is_empty:
        # Not emptied: without this the next pass would take the old value for one that a person typed in.
        return _not_taken(pair, entry, Finding(name, Side.ADVOWARE, "Advoware hat den Eintrag nicht geleert."), result)
    if pair.state is not PairState.ACTIVE:
        return pair, result
    fate = _fate(channel, before.get(entry.id), pair.advoware_base, entry.tlf)
    if fate is Fate.EDITED:
        return pair, replace(result, edited=True)
    if fate is not Fate.TAKEN:
        return _not_taken(pair, entry, Finding(name, Side.ADVOWARE, "Advoware hat den Wert nicht übernommen."), result)
    if entry.online != pair.online_base:
        told = Finding(f"{name}/online", Side.ADVOWARE, "Advoware hat das Kennzeichen nicht übernommen.")
        result = replace(result, findings=(*result.findings, told))
    return replace(pair, advoware_base=entry.tlf, online_base=entry.online), result


def _fate(channel: Channel, before: str | None, sent: str | None, stands: str | None) -> Fate:
    kind = Kind.EMAIL if channel is Channel.EMAIL else Kind.PHONE
    if same(kind, before, sent) and not same(kind, stands, sent):
        return Fate.EDITED  # nothing was written that Advoware could have made something else of
    return learned(kind, before=before, sent=sent, stands=stands).fate


def _not_taken(pair: Pair, entry: AdvowareEntry, told: Finding, result: ReadBack) -> _Corrected:
    refusal = Refusal.ADVOWARE_IGNORED.value
    refused = replace(pair, state=PairState.REFUSED, advoware_base=entry.tlf, online_base=entry.online, refusal=refusal)
    return refused, replace(result, findings=(*result.findings, told), not_taken=result.not_taken | {pair.advoware_id})
