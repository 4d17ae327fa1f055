"""How one record stands by our own database: link, base, ledger, inbox, tasks, changes, children."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from vmh_sync.entities import BETEILIGTE, with_records
from vmh_sync.store.history.audit import AuditQuery, Change
from vmh_sync.store.history.tasks import ManualTask
from vmh_sync.store.pairs.intents import Intent
from vmh_sync.store.pairs.links import Link
from vmh_sync.store.pairs.records import SyncRecord
from vmh_sync.store.store import Store, Transaction

LAST_CHANGES = 20


@dataclass(frozen=True, slots=True, repr=False)
class RecordView:
    """What we know of one record. ``link`` holds the base: its values are personal."""

    entity: str
    espo_id: str
    betnr: int | None
    link: Link | None
    ledger: SyncRecord | None
    waiting: bool
    tasks: tuple[ManualTask, ...]
    intents: tuple[Intent, ...]
    changes: tuple[Change, ...]
    children: dict[str, tuple[Link, ...]] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """The status; the ledger only holds records that were in trouble once."""
        if self.ledger is not None:
            return self.ledger.status
        if self.link is None:
            return "pending_sync"
        return "clean" if self.link.state == "active" else self.link.state

    @property
    def runs(self) -> tuple[str, ...]:
        """The runs that changed something here, newest first."""
        return tuple(dict.fromkeys(change.run_id for change in self.changes if change.run_id))


def read_record(store: Store, entity: str, espo_id: str) -> RecordView:
    """Read what we know of a record; a party's changes include those of its children. Raises ``StoreError``."""
    with store.reading() as tx:
        link = tx.links.get_by_espo(entity, espo_id)
        betnr = link.betnr if link is not None else None
        party = entity == BETEILIGTE.name
        query = AuditQuery(espo_ids=(espo_id,), betnr=betnr if party else None, limit=LAST_CHANGES)
        return RecordView(
            entity,
            espo_id,
            betnr,
            link,
            tx.records.get(entity, espo_id),
            bool(tx.inbox.waiting_ids(entity, [espo_id])),
            tuple(_tasks(tx, entity, espo_id, betnr)),
            tuple(tx.intents.open_for(entity, espo_id)),
            tuple(tx.audit.find(query)),
            _children(tx, betnr) if party and betnr is not None else {},
        )


def _children(tx: Transaction, betnr: int) -> dict[str, tuple[Link, ...]]:
    names = ["kommunikation", *(entity.name for entity in with_records() if entity.name != BETEILIGTE.name)]
    found = {name: tuple(tx.links.children_of(name, [betnr]).get(betnr, ())) for name in names}
    return {name: links for name, links in found.items() if links}


def _tasks(tx: Transaction, entity: str, espo_id: str, betnr: int | None) -> Sequence[ManualTask]:
    own = tx.tasks.open_for_many(entity, [espo_id]).get(espo_id, [])
    if entity != BETEILIGTE.name or betnr is None:
        return own
    others = [name for name in ("kommunikation", *(known.name for known in with_records())) if name != entity]
    return own + [task for name in others for task in tx.tasks.not_closed(name) if task.betnr == betnr]
