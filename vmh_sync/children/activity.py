"""Deactivated and reactivated in EspoCRM: what that means for Advoware, which knows no such flag. Pure."""

from collections.abc import Sequence

from vmh_sync.children.kind import ACTIVE, ChildKind
from vmh_sync.children.pending import not_yet_open, wanted
from vmh_sync.children.plan import ChildPlan
from vmh_sync.children.sync_state import PartyChildren
from vmh_sync.store.tasks import ManualTask
from vmh_sync.sync.base import Side
from vmh_sync.sync.plan import TaskKind
from vmh_sync.systems.espocrm.records import EspoRecord


def settle_activity(
    kind: ChildKind, memory: PartyChildren, plan: ChildPlan, espo: EspoRecord, rows: Sequence[ManualTask]
) -> bool:
    """Add to a merge what follows from ``istAktiv``; returns whether the child must be created anew in Advoware.

    Fills ``extra``: ``active`` is what EspoCRM said last, ``delete_wanted`` whether a person has to delete it over
    there.
    """
    link, there = plan.pair.link, plan.pair.advoware
    before = dict(link.extra) if link is not None else {}
    active = espo.attributes.get(ACTIVE) is not False
    was_active = before.get("active", active)
    valid = there is not None and kind.valid(there.model_dump(), memory.today)
    title = kind.title(memory.table.read(Side.ESPOCRM, espo.attributes))
    plan.extra = {**before, "active": active}
    if link is not None and link.state == "deleted_in_advoware" and not active:
        # It is back in Advoware after it had been gone: we had switched it off, so we switch it on.
        plan.espo[ACTIVE] = True
        plan.extra |= {"active": True, "delete_wanted": False}
    elif not active:
        asked = kind.inactive_asks_for_deletion and (before.get("delete_wanted") or was_active)
        plan.extra["delete_wanted"] = bool(asked) and valid
        if plan.extra["delete_wanted"]:
            task = wanted(kind, kind.delete_task, espo.id, {"standing": title, "deleted": False})
            plan.tasks += not_yet_open([task], rows)
    else:
        plan.extra["delete_wanted"] = False
        if not was_active and not valid:
            reactivation = kind.reactivation_task(memory.rules)
            if reactivation is None:
                return True
            plan.tasks += not_yet_open([wanted(kind, reactivation, espo.id, {"wanted": title})], rows)
    if not plan.extra["delete_wanted"]:
        plan.closing += [row.id for row in rows if row.kind == kind.delete_task]
    if valid:
        plan.closing += [row.id for row in rows if row.kind == TaskKind.ADDRESS_REACTIVATE]
    plan.link_moves = plan.link_moves or plan.extra != before
    return False
