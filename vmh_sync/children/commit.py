"""Stores what became of a child: link with base, audit, and a settled intent, in one transaction."""

from dataclasses import dataclass, field, replace

from vmh_sync.children.difference import difference_text, different
from vmh_sync.children.kind import ChildKind
from vmh_sync.children.moved import bring_to_party
from vmh_sync.children.plan import ChildPlan
from vmh_sync.children.sync_state import PartyChildren, key_of
from vmh_sync.engine.failures.ledger import entry_of_difference
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.writing.audit_rows import Audited
from vmh_sync.engine.writing.sending import Sending
from vmh_sync.store.history.audit import Change
from vmh_sync.store.pairs.links import Link
from vmh_sync.store.pairs.records import REFUSED, SyncRecord
from vmh_sync.store.store import Transaction
from vmh_sync.sync.base import Base
from vmh_sync.systems.advoware.records import WireRecord
from vmh_sync.systems.espocrm.records import EspoRecord


@dataclass(slots=True, repr=False)
class Outcome:
    """What was written for one child, both records as they stand now, and the plan as writing has corrected it."""

    plan: ChildPlan
    espo: EspoRecord | None
    advoware: WireRecord | None
    base: Base | None
    link: Link | None
    rows: list[Change] = field(default_factory=list)
    sending: Sending | None = None


def commit(
    tx: Transaction,
    context: PassContext,
    kind: ChildKind,
    children: PartyChildren,
    done: Outcome,
    intent: str | None,
) -> Link:
    """Store a child's link and audit rows; ``intent`` is the create that this link settles."""
    espo_id = done.espo.id if done.espo is not None else done.plan.espo_id
    if espo_id is None:
        raise ValueError("a link needs an EspoCRM id")
    if intent is not None:
        tx.intents.complete(intent, key_of(done.advoware) if done.advoware is not None else "")
    audited = Audited(kind.entity, espo_id, children.betnr, context.run_id)
    moved = _moved_in(tx, children, done, espo_id) if done.link is None else None
    if moved is not None:
        why = "hung on another party in EspoCRM"
        done.rows.append(audited.noted("linked", why))
    link = done.link or moved or Link(entity=kind.entity, espo_id=espo_id, betnr=children.betnr)
    if link.id is None:
        done.rows.append(audited.noted("linked", "same child on both sides"))
    link = tx.links.save(
        replace(
            link,
            state=done.plan.state,
            advoware_id=key_of(done.advoware) if done.advoware is not None else link.advoware_id,
            base=done.base.to_json() if done.base is not None else link.base,
            notes=replace(done.plan.notes, kept_differently=done.plan.kept),
            advoware_row_id=getattr(done.advoware, "row_id", None) or link.advoware_row_id,
            espo_version=done.espo.version if done.espo is not None else link.espo_version,
            espo_modified_at=done.espo.modified_at if done.espo is not None else link.espo_modified_at,
            espo_read_at=done.espo.server_time if done.espo is not None else link.espo_read_at,
            verified_at=context.clock.now(),
        )
    )
    if done.rows:
        tx.audit.append(done.rows)
    _into_the_ledger(tx, context, kind, children, done, espo_id)
    done.rows = []
    return link


def _moved_in(tx: Transaction, children: PartyChildren, done: Outcome, espo_id: str) -> Link | None:
    """Move the link of a record that a person hung on this party; ``None`` for one that had none."""
    if done.plan.pair.leftover is not None:
        tx.links.save(replace(done.plan.pair.leftover, state="tombstone"))
    came = children.foreign_links.get(espo_id)
    if came is None or done.advoware is None:
        return None
    return bring_to_party(tx, children, came, key_of(done.advoware))


def _into_the_ledger(
    tx: Transaction, context: PassContext, kind: ChildKind, children: PartyChildren, done: Outcome, espo_id: str
) -> None:
    apart = different(kind, done.plan)
    if done.plan.message is not None:
        if done.espo is not None:
            tx.records.upsert([refusal(context, kind, done.espo, done.plan.message)])
    elif apart:
        known, now = children.ledger_rows.get(espo_id), context.clock.now()
        message = difference_text(kind, apart, done.plan.open_rows, (*done.plan.tasks, *done.plan.reported)) or ""
        entry = entry_of_difference(kind.entity, espo_id, known, message, now=now, run_id=context.run_id)
        if entry is not None:
            tx.records.upsert([entry])
    elif espo_id in children.ledger_rows:
        tx.records.forget(kind.entity, [espo_id])


def refusal(context: PassContext, kind: ChildKind, espo: EspoRecord, message: str) -> SyncRecord:
    """Return the ledger's entry of a record that no retry mends; it is looked at again once it changes."""
    return SyncRecord(
        entity=kind.entity,
        espo_id=espo.id,
        status="permanently_failed",
        attempts=1,
        error_text=message,
        error_class=REFUSED,
        run_id=context.run_id,
        espo_modified_at_seen=espo.modified_at,
    )
