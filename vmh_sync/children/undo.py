"""Takes back one applied change of a child record, see :mod:`vmh_sync.engine.writing.undo`."""

from typing import Any

from vmh_sync.children.pairing import Pair
from vmh_sync.children.part import ChildrenPart
from vmh_sync.engine.passes.part import PartInput
from vmh_sync.engine.passes.pass_context import PassContext, WriteGate
from vmh_sync.engine.writing.undo import (
    Undo,
    UndoRefused,
    as_edit,
    one_sided,
    require_unmoved,
    require_writable,
    write_back,
)
from vmh_sync.store.history.audit import Change
from vmh_sync.sync.base import Base, Fields, Side
from vmh_sync.sync.fields import FieldRule, Unrepresentable
from vmh_sync.sync.reporting.status import SyncStatus
from vmh_sync.sync.values import Value
from vmh_sync.systems.espocrm.records import EspoRecord


def child_rule(context: PassContext, part: ChildrenPart, change: Change) -> FieldRule:
    """Return the rule of the field that changed; raises ``UndoRefused`` when it cannot be taken back."""
    table = context.table(part.entity, part.kind.table)
    if change.field not in table or change.espo_id is None:
        raise UndoRefused(
            f"{part.label}: Diese Änderung lässt sich nicht automatisch zurücknehmen; bitte von Hand ändern."
        )
    if change.reason == "rebuilt":
        raise UndoRefused(
            "Die Anschrift wurde aus Straße, PLZ und Ort neu gebildet; bitte deren Änderung rückgängig machen."
        )
    rule = table[str(change.field)]
    require_writable(rule, by_hand_in_advoware=not any(one.on_update for one in table.rules))
    return rule


async def undo_child(
    context: PassContext, part: ChildrenPart, change: Change, party: PartInput, gate: WriteGate, *, dry_run: bool
) -> Undo:
    """Write the old value of a child's field to EspoCRM, unless ``dry_run``; returns what was done or would be.

    ``party`` is the child's party as both sides have it now; its lease is ours. Raises ``UndoRefused`` as above, and
    when the field has moved since.
    """
    rule = child_rule(context, part, change)
    await part.fetch(context, [party])
    children = part.children(party)
    part.map(party)
    if children.problem is not None:
        raise children.problem
    pairs = part.mapped(party)
    found = next((pair for pair in pairs if pair.espo_id == change.espo_id), Pair())
    espo = _present(part, found)
    base = Base.from_json(found.link.base) if found.link is not None and found.link.base else None
    require_unmoved(rule, {Side.ESPOCRM: found.espo_fields, Side.ADVOWARE: found.advoware_fields}, change, base)
    payload = _payload(part, rule, change.old, found.espo_fields)
    if not dry_run:
        await write_back(context, gate, espo, as_edit(payload, espo, _status(part)))
    record = f"({part.label} {espo.id})"
    return Undo(change.id or 0, espo.id, (party.espo_id,), record, rule.name, rule.label, change.new, change.old)


def _status(part: ChildrenPart) -> str:
    """What an edit leaves behind: not every entity's list of statuses knows "dirty"."""
    takes_updates = any(rule.on_update for rule in part.kind.table.rules)
    return SyncStatus.DIRTY if takes_updates else part.kind.waiting_status


def _present(part: ChildrenPart, pair: Pair) -> EspoRecord:
    if pair.espo is None:
        raise UndoRefused(f"{part.label}: Den Datensatz gibt es in EspoCRM nicht mehr.")
    if pair.advoware is None or pair.link is None:
        raise UndoRefused(f"{part.label}: Den Datensatz gibt es in Advoware nicht (mehr).")
    return pair.espo


def _payload(part: ChildrenPart, rule: FieldRule, old: Value, stands: Fields) -> dict[str, Any]:
    problems = part.kind.problems({**stands, rule.name: old})
    if problems:
        raise UndoRefused(" ".join(problem.message for problem in problems))
    try:
        rule.write(Side.ADVOWARE, old)
        return part.kind.espo_values({rule.espo: rule.write(Side.ESPOCRM, old)})
    except Unrepresentable:
        raise one_sided(rule.label) from None
