"""What the other side really holds after a write (specification, sync-semantics.md 3).

A write may be ignored without an error, and the answer to a create may be lost: both are told from a fresh read.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from vmh_sync.kommunikation.kinds import channel_of
from vmh_sync.kommunikation.model import AdvowareEntry, Channel, EspoEntry, Pair, PairState
from vmh_sync.kommunikation.notation import Refusal
from vmh_sync.kommunikation.plan import EntryWrite, EspoList, PairDelta
from vmh_sync.sync.base import Side
from vmh_sync.sync.plan import Finding


@dataclass(frozen=True, slots=True, repr=False)
class ReadBack:
    """Pairs with what was really read, and what a person should know."""

    delta: PairDelta
    findings: tuple[Finding, ...] = ()


def as_read(delta: PairDelta, entries: Iterable[AdvowareEntry]) -> ReadBack:
    """Return the pairs with Advoware's own last word as its base.

    Takes the pairs about to be stored and the entries as read after the writes. A value that Advoware ignored becomes
    a finding, and because the base is kept per side it is not written again for ever. Pairs whose entry is not among
    ``entries`` stay as planned.
    """
    read = {entry.id: entry for entry in entries}
    findings: list[Finding] = []
    stored = []
    for pair in delta.stored:
        entry = read.get(pair.advoware_id) if pair.advoware_id is not None else None
        stored.append(pair if entry is None else _corrected(pair, entry, findings))
    return ReadBack(replace(delta, stored=tuple(stored)), tuple(findings))


def created_entry(write: EntryWrite, entries: Iterable[AdvowareEntry], pairs: Iterable[Pair]) -> AdvowareEntry | None:
    """Find the entry of a create whose outcome is unknown: same value, not paired yet, newest id.

    ``None`` means that a fresh and complete read does not show it: it was not created.
    """
    payload: Mapping[str, object] = write.operation.payload
    channel = channel_of(int(str(payload["komm_kz"]))) or Channel.PHONE
    known = {pair.advoware_id for pair in pairs}
    wanted = channel.normal(payload["tlf"])
    found = [one for one in entries if one.id not in known and channel.normal(one.tlf) == wanted]
    return max(found, key=lambda one: one.id, default=None)


def missing_values(sent: EspoList, read: Iterable[EspoEntry]) -> frozenset[str]:
    """Return the normal forms of values that were sent and that EspoCRM does not show afterwards."""
    return sent.keys - {entry.key for entry in read}


def _corrected(pair: Pair, entry: AdvowareEntry, findings: list[Finding]) -> Pair:
    channel = channel_of(pair.kind) or Channel.PHONE
    name = f"{channel.value}/{entry.id}"
    if pair.state is PairState.SLOT and not entry.is_empty:
        # Not emptied: without this the next pass would take the old value for one that a person typed in.
        findings.append(Finding(name, Side.ADVOWARE, "Advoware hat den Eintrag nicht geleert."))
        refusal = Refusal.ADVOWARE_ANSWERED.value
        return replace(pair, state=PairState.REFUSED, advoware_base=entry.tlf, refusal=refusal)
    if pair.state is not PairState.ACTIVE:
        return pair
    if channel.normal(entry.tlf) != channel.normal(pair.advoware_base):
        findings.append(Finding(name, Side.ADVOWARE, "Advoware hat den Wert nicht übernommen."))
    elif entry.online != pair.online_base:
        findings.append(Finding(f"{name}/online", Side.ADVOWARE, "Advoware hat das Kennzeichen nicht übernommen."))
    return replace(pair, advoware_base=entry.tlf, online_base=entry.online)
