"""Stores what became of a child: link with base, audit, and a settled intent, in one transaction."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from vmh_sync.children.kind import ChildKind
from vmh_sync.children.plan import ChildPlan
from vmh_sync.children.sync_state import PartyChildren, key_of
from vmh_sync.engine.audit_sides import stored_side
from vmh_sync.engine.pass_context import PassContext
from vmh_sync.store.audit import Change, ChangeKind
from vmh_sync.store.links import Link
from vmh_sync.store.records import SyncRecord
from vmh_sync.sync.base import Base, Side
from vmh_sync.sync.plan import FieldChange
from vmh_sync.systems.advoware.records import WireRecord
from vmh_sync.systems.espocrm.records import EspoRecord


@dataclass(slots=True, repr=False)
class Outcome:
    """What was written for one child, and both records as they stand now."""

    plan: ChildPlan
    espo: EspoRecord | None
    advoware: WireRecord | None
    base: Base | None
    link: Link | None
    rows: list[Change] = field(default_factory=list)


def commit(context: PassContext, kind: ChildKind, memory: PartyChildren, done: Outcome, intent: str | None) -> Link:
    """Store a child's link and audit rows; ``intent`` is the create that this link settles."""
    espo_id = done.espo.id if done.espo is not None else done.plan.espo_id
    if espo_id is None:
        raise ValueError("a link needs an EspoCRM id")
    with context.store.transaction() as tx:
        if intent is not None:
            tx.intents.complete(intent, key_of(done.advoware) if done.advoware is not None else "")
        link = done.link or Link(entity=kind.entity, espo_id=espo_id, betnr=memory.betnr)
        if link.id is None:
            done.rows.append(_change(context, kind, memory, espo_id, "linked", "same child on both sides"))
        link = tx.links.save(
            replace(
                link,
                state=done.plan.state,
                advoware_id=key_of(done.advoware) if done.advoware is not None else link.advoware_id,
                base=done.base.to_json() if done.base is not None else link.base,
                extra=done.plan.extra,
                advoware_row_id=getattr(done.advoware, "row_id", None) or link.advoware_row_id,
                espo_version=done.espo.version if done.espo is not None else link.espo_version,
                espo_modified_at=done.espo.modified_at if done.espo is not None else link.espo_modified_at,
                espo_read_at=done.espo.server_time if done.espo is not None else link.espo_read_at,
                verified_at=context.clock.now(),
            )
        )
        if done.rows:
            tx.audit.append(done.rows)
        if done.plan.message is None:
            tx.records.forget(kind.entity, [espo_id])
        elif done.espo is not None:
            tx.records.upsert([refusal(context, kind, done.espo, done.plan.message)])
    done.rows = []
    return link


def refusal(context: PassContext, kind: ChildKind, espo: EspoRecord, message: str) -> SyncRecord:
    """Return the ledger's entry of a record that no retry mends; it is looked at again once it changes."""
    return SyncRecord(
        entity=kind.entity,
        espo_id=espo.id,
        status="permanently_failed",
        attempts=1,
        error_text=message,
        error_class="Refused",
        run_id=context.run_id,
        espo_modified_at_seen=espo.modified_at,
    )


def applied(
    context: PassContext,
    kind: ChildKind,
    memory: PartyChildren,
    espo_id: str,
    changes: Iterable[FieldChange],
    side: Side | None,
    what: ChangeKind = "applied",
) -> list[Change]:
    """Return one audit row per change written to ``side``."""
    return [
        replace(
            _change(context, kind, memory, espo_id, what, change.reason),
            field=change.field,
            old=change.old,
            new=change.new,
            side_written=stored_side(side),
            losing_value=change.losing,
            losing_side=stored_side(side) if change.losing is not None else None,
        )
        for change in changes
    ]


def noted(
    context: PassContext, kind: ChildKind, memory: PartyChildren, espo_id: str, what: ChangeKind, reason: str
) -> list[Change]:
    """Return one audit row without a field: a refusal, a task, a state."""
    return [_change(context, kind, memory, espo_id, what, reason)]


def _change(
    context: PassContext, kind: ChildKind, memory: PartyChildren, espo_id: str, what: ChangeKind, reason: str
) -> Change:
    return Change(
        entity=kind.entity,
        kind=what,
        reason=reason,
        espo_id=espo_id,
        betnr=memory.betnr,
        run_id=context.run_id,
    )
