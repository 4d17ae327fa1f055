"""Takes back one corrected phone number or e-mail address, see :mod:`vmh_sync.engine.writing.undo`.

A value that took the place of another one gives it back with all its flags. One that was added is taken out of the list
again. One that was removed comes back at its end: the audit log knows the value, not its kind, flags and place.
"""

from dataclasses import replace

from vmh_sync.engine.passes.part import PartInput
from vmh_sync.engine.passes.pass_context import PassContext, WriteGate
from vmh_sync.engine.writing.undo import Undo, UndoRefused, as_edit, moved, one_sided, write_back
from vmh_sync.kommunikation.lists import ListOutcome, build
from vmh_sync.kommunikation.members import ChannelWork, unique_items
from vmh_sync.kommunikation.model import Channel, EspoEntry, Options
from vmh_sync.kommunikation.notation import for_espo
from vmh_sync.kommunikation.plan import EspoList
from vmh_sync.kommunikation.planning import LISTS, entries_of, listed
from vmh_sync.kommunikation.shared_flags import with_shared_flags
from vmh_sync.store.history.audit import Change
from vmh_sync.systems.espocrm.records import EspoRecord

LABELS = {Channel.EMAIL: "E-Mail", Channel.PHONE: "Telefon"}


def channel_of_change(change: Change) -> Channel:
    """Return which list a change is about; raises ``UndoRefused`` when it is no value of one."""
    name, _, number = (change.field or "").partition("/")
    if name not in set(Channel) or not (number.isdigit() or number.startswith("new")) or change.old == change.new:
        raise UndoRefused(
            "Kennzeichen von Nummern und Adressen (zum Beispiel „primär“) lassen sich nicht automatisch zurücknehmen; "
            "bitte in EspoCRM von Hand ändern."
        )
    return Channel(name)


async def undo_entry(context: PassContext, change: Change, party: PartInput, gate: WriteGate, *, dry_run: bool) -> Undo:
    """Put the old value back into EspoCRM's list, unless ``dry_run``; returns what was done or would be.

    ``party`` is the full record of both sides as they are now; its lease is ours. Raises ``UndoRefused`` as above, and
    when the value has moved since.
    """
    channel = channel_of_change(change)
    label = LABELS[channel]
    planned = _planned(channel, change, party)
    if not dry_run:
        planned = await with_shared_flags(context, planned, party.espo_id)
        # A sent list replaces the whole list: what a person changed meanwhile must not be overwritten.
        fresh = await context.espo.read(party.espo.entity, party.espo_id)
        if fresh is None or fresh.attributes.get(LISTS[channel]) != party.espo.attributes.get(LISTS[channel]):
            raise moved(label, "EspoCRM")
        await write_back(
            context, gate, fresh, as_edit(planned.attributes, fresh), lambda now: _keys(channel, now) == planned.keys
        )
    return Undo(
        change_id=change.id or 0,
        espo_id=party.espo_id,
        resync=(party.espo_id,),
        record=f"des Beteiligten {party.espo_id}",
        field=change.field or "",
        label=label,
        old=change.new,
        new=change.old,
        became=_became(change),
    )


def _became(change: Change) -> str:
    if change.old is None:
        return "entfernt"
    return "wieder eingetragen" if change.new is None else "zurückgesetzt"


def _planned(channel: Channel, change: Change, party: PartInput) -> EspoList:
    """Return the list to send; raises ``UndoRefused`` when either side has moved since the change."""
    new, old = channel.normal(change.new), channel.normal(change.old)
    values = {channel.normal(entry.tlf) for entry in entries_of(party.advoware) or ()}
    items = unique_items(listed(party.espo.attributes, channel) or ())
    for system, standing in (("Advoware", values), ("EspoCRM", set(items))):
        if (new is not None and new not in standing) or (old is not None and old in standing):
            raise moved(LABELS[channel], system)
    if old is None:
        return _sent(channel, {key: item for key, item in items.items() if key != new}, added=[])
    written = for_espo(channel, str(change.old)).value
    if written is None:
        raise one_sided(LABELS[channel])
    if new is None:
        item = EspoEntry(channel, written, primary=not items)
        return _sent(channel, {**items, old: item}, added=[old])
    # As after a correction in Advoware: the opt-out follows the person, that a value was invalid does not.
    place = replace(items[new], value=written, invalid=False, raw={})
    changed = {old if key == new else key: place if key == new else item for key, item in items.items()}
    return _sent(channel, changed, added=[old])


def _sent(channel: Channel, items: dict[str, EspoEntry], *, added: list[str]) -> EspoList:
    primary = next((key for key, item in items.items() if item.primary), next(iter(items), None))
    outcome = ListOutcome(items, changed=True, primary=primary, added=added)
    sent = build(ChannelWork(channel, Options(), items, []), outcome, primary)
    if sent is None:
        raise ValueError("a changed list is always built")
    return sent


def _keys(channel: Channel, record: EspoRecord) -> frozenset[str]:
    return frozenset(item.key or "" for item in listed(record.attributes, channel) or ())
