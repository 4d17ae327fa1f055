"""Which records of EspoCRM changed since we looked at them, by the stamps that our database remembers."""

import asyncio
from collections.abc import AsyncIterator, Iterable

from vmh_sync.engine.selecting.listing import some_at_once
from vmh_sync.store.pairs.links import Link
from vmh_sync.store.store import Store
from vmh_sync.systems.espocrm.records import EspoRecord


def unseen(store: Store, entity: str, records: Iterable[EspoRecord], *, by_version: bool = False) -> list[str]:
    """Return the ids of records whose stamp neither their link nor their row in the ledger has seen.

    Our own writes move the stamp too; they are told apart by the stamp that the link remembers. ``by_version``:
    somebody else wrote the records last, so that another version under the same stamp (whole seconds) is news too.
    """
    by_id = {record.id: record for record in records}
    with store.reading() as tx:
        links = tx.links.get_many(entity, by_id)
        ledger_rows = tx.records.get_many(entity, by_id)
    found = []
    for espo_id, record in by_id.items():
        link, row = links.get(espo_id), ledger_rows.get(espo_id)
        seen = {link.espo_modified_at if link else None, row.espo_modified_at_seen if row else None}
        hidden = by_version and _another_version(link, record)
        if record.modified_at not in seen or hidden:
            found.append(espo_id)
    return found


async def unseen_of(store: Store, entity: str, records: AsyncIterator[EspoRecord]) -> list[str]:
    """Return the same of a whole list as it comes: neither it nor what we know of it is in memory as a whole."""
    return [
        espo_id
        async for some in some_at_once(records)
        for espo_id in await asyncio.to_thread(unseen, store, entity, some)
    ]


def _another_version(link: Link | None, record: EspoRecord) -> bool:
    """Whether the link was made from another version of the record than this one; versions may be switched off."""
    if link is None or link.espo_version is None or record.version is None:
        return False
    return link.espo_modified_at == record.modified_at and link.espo_version != record.version
