"""Takes back one corrected phone number or e-mail address, see :mod:`vmh_sync.engine.undo`.

Only a value that took the place of another one: of a value that was added or removed the audit log does not know the
kind, the flags and the place in the list.
"""

from dataclasses import replace

from vmh_sync.engine.part import PartInput
from vmh_sync.engine.pass_context import PassContext, WriteGate
from vmh_sync.engine.undo import Undo, UndoRefused, as_edit, moved, note_undone, one_sided, write_back
from vmh_sync.kommunikation.lists import ListOutcome, build
from vmh_sync.kommunikation.members import ChannelWork, unique_items
from vmh_sync.kommunikation.model import Channel, Options
from vmh_sync.kommunikation.notation import for_espo
from vmh_sync.kommunikation.plan import EspoList
from vmh_sync.kommunikation.planning import LISTS, entries_of, listed
from vmh_sync.kommunikation.shared_flags import with_shared_flags
from vmh_sync.store.audit import Change
from vmh_sync.systems.espocrm.records import EspoRecord

LABELS = {Channel.EMAIL: "E-Mail", Channel.PHONE: "Telefon"}


def entry_of_change(change: Change) -> tuple[Channel, int]:
    """Return which Advoware entry a change is about; raises ``UndoRefused`` when it is no corrected value."""
    name, _, number = (change.field or "").partition("/")
    if name not in set(Channel) or not number.isdigit():
        raise UndoRefused(
            "Kennzeichen von Nummern und Adressen (zum Beispiel „primär“) lassen sich nicht automatisch zurücknehmen; "
            "bitte in EspoCRM von Hand ändern."
        )
    if not change.old or not change.new:
        raise UndoRefused(
            f"{LABELS[Channel(name)]}: Der Eintrag wurde hinzugefügt oder entfernt. Das Protokoll kennt nur seinen "
            "Wert, nicht Art und Kennzeichen; bitte in EspoCRM von Hand eintragen oder löschen."
        )
    return Channel(name), int(number)


async def undo_entry(context: PassContext, change: Change, party: PartInput, gate: WriteGate, *, dry_run: bool) -> Undo:
    """Put the old value back into EspoCRM's list, unless ``dry_run``; returns what was done or would be.

    ``party`` is the full record of both sides as they are now; its lease is ours. Raises ``UndoRefused`` as above, and
    when the value has moved since.
    """
    channel, number = entry_of_change(change)
    label = LABELS[channel]
    new, old = channel.normal(change.new), channel.normal(change.old)
    entry = next((one for one in entries_of(party.advoware) or () if one.id == number), None)
    if entry is None or channel.normal(entry.tlf) != new:
        raise moved(label, "Advoware")
    planned = _list(channel, party.espo, new, old, str(change.old))
    if not dry_run:
        planned = await with_shared_flags(context, planned, party.espo_id)
        # A sent list replaces the whole list: what a person changed meanwhile must not be overwritten.
        fresh = await context.espo.read(party.espo.entity, party.espo_id)
        if fresh is None or fresh.attributes.get(LISTS[channel]) != party.espo.attributes.get(LISTS[channel]):
            raise moved(label, "EspoCRM")
        await write_back(
            context, gate, fresh, as_edit(planned.attributes, fresh), lambda now: _keys(channel, now) == planned.keys
        )
        await note_undone(context, change)
    record = f"des Beteiligten {party.espo_id}"
    return Undo(change.id or 0, party.espo_id, party.espo_id, record, change.field or "", label, change.new, change.old)


def _list(channel: Channel, espo: EspoRecord, new: str | None, old: str | None, value: str) -> EspoList:
    items = unique_items(listed(espo.attributes, channel) or ())
    if new is None or new not in items or old is None or old in items:
        raise moved(LABELS[channel], "EspoCRM")
    written = for_espo(channel, value).value
    if written is None:
        raise one_sided(LABELS[channel])
    # As after a correction in Advoware: the opt-out follows the person, that a value was invalid does not.
    place = replace(items[new], value=written, invalid=False, raw={})
    changed = {old if key == new else key: place if key == new else item for key, item in items.items()}
    primary = next((key for key, item in changed.items() if item.primary), None)
    outcome = ListOutcome(changed, changed=True, primary=primary, added=[old])
    sent = build(ChannelWork(channel, Options(), changed, []), outcome, primary)
    if sent is None:
        raise ValueError("a changed list is always built")
    return sent


def _keys(channel: Channel, record: EspoRecord) -> frozenset[str]:
    return frozenset(item.key or "" for item in listed(record.attributes, channel) or ())
