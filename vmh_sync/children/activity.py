"""Deactivated and reactivated in EspoCRM: what that means for Advoware, which knows no such flag. Pure."""

from dataclasses import replace

from vmh_sync.children.kind import ACTIVE, ChildKind
from vmh_sync.children.pending import not_yet_open, wanted
from vmh_sync.children.plan import ChildPlan
from vmh_sync.children.sync_state import PartyChildren
from vmh_sync.engine.writing.sending import still_held
from vmh_sync.store.link_notes import NOTHING, LinkNotes
from vmh_sync.sync.planning.plan import TaskKind
from vmh_sync.systems.espocrm.records import EspoRecord


def settle_activity(kind: ChildKind, children: PartyChildren, plan: ChildPlan, espo: EspoRecord) -> ChildPlan | None:
    """Add to a merge what follows from ``istAktiv``; ``None``: the child must be created anew in Advoware.

    Fills ``notes``: ``active`` is what EspoCRM said last, ``delete_wanted`` whether a person has to delete it over
    there.
    """
    link, child, rows = plan.pair.link, plan.pair.advoware, plan.open_rows
    left = plan.pair.leftover
    inherited = LinkNotes(retired=left.notes.retired) if left is not None else NOTHING
    before = link.notes if link is not None else inherited
    active = espo.attributes.get(ACTIVE) is not False
    was_active = active if before.active is None else before.active
    valid = child is not None and kind.valid(child.model_dump(), children.today)
    title = kind.title(plan.pair.espo_fields)
    held = plan.fields.held if plan.fields is not None else ()
    sending = still_held(before.sending, held)
    notes = replace(before, active=active, delete_wanted=False, moved_to=None, sending=sending)
    content, tasks = dict(plan.espo), [*plan.tasks]
    if link is not None and link.state == "deleted_in_advoware" and not active:
        # It is back in Advoware after it had been gone: we had switched it off, so we switch it on.
        content[ACTIVE], notes = True, replace(notes, active=True)
    elif not active:
        asked = kind.inactive_asks_for_deletion and (before.delete_wanted or was_active)
        notes = replace(notes, delete_wanted=asked and valid)
        if notes.delete_wanted:
            tasks.append(wanted(kind, kind.delete_task, espo.id, {"standing": title, "deleted": False}))
    elif not was_active and not valid:
        reactivation = kind.reactivation_task(children.rules)
        if reactivation is None:
            return None
        tasks.append(wanted(kind, reactivation, espo.id, {"wanted": title}))
    settled = {kind.delete_task} if not notes.delete_wanted else set()
    settled |= {TaskKind.ADDRESS_REACTIVATE} if valid else set()
    return replace(
        plan,
        espo=content,
        notes=notes,
        tasks=not_yet_open(tasks, rows),
        closing=(*plan.closing, *(row.id for row in rows if row.kind in settled)),
        link_moves=plan.link_moves or notes != before,
    )
