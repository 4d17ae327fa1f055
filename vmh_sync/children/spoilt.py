"""A child record that a system tells unusably holds up itself alone, and what might be doubled because of it. Pure."""

from collections.abc import Iterable

from vmh_sync.children.plan import ChildPlan, Step
from vmh_sync.children.sync_state import PartyChildren, key_of


def without_spoilt(children: PartyChildren, plans: Iterable[ChildPlan]) -> list[ChildPlan]:
    """Return the plans that may be carried out although some records could not be read."""
    return [plan for plan in plans if held_back(children, plan) is None]


def failures(children: PartyChildren, plans: Iterable[ChildPlan]) -> dict[str, Exception]:
    """Return why children are held up, by EspoCRM id; by Advoware's where EspoCRM does not have it."""
    found: dict[str, Exception] = dict(children.spoilt_in_espocrm)
    linked = {str(link.advoware_id): link.espo_id for link in children.links}
    found |= {linked.get(key, key): error for key, error in children.spoilt_in_advoware.items()}
    if children.nameless_in_advoware is not None:
        found["?"] = children.nameless_in_advoware
    for plan in plans:
        error = held_back(children, plan)
        if error is not None and (plan.has_work or plan.failed is not None):
            found.setdefault(plan.espo_id or _key(plan), error)
    return found


def _key(plan: ChildPlan) -> str:
    return key_of(plan.pair.advoware) if plan.pair.advoware is not None else "?"


def held_back(children: PartyChildren, plan: ChildPlan) -> Exception | None:
    """Return the unusable record because of which nothing is decided about this child, ``None`` if there is none.

    A new record may be the one that the other side tells unusably: it is not created over there before that is known.
    """
    if plan.failed is not None:
        return plan.failed
    link = plan.pair.link
    if link is not None:
        missing = children.nameless_in_advoware if plan.pair.advoware is None else None
        return (
            children.spoilt_in_espocrm.get(link.espo_id)
            or children.spoilt_in_advoware.get(str(link.advoware_id))
            or missing
        )
    known_ids = {one.espo_id for one in children.links}
    known_keys = {str(one.advoware_id) for one in children.links}
    if plan.step is Step.CREATE:
        unknown = [error for key, error in children.spoilt_in_advoware.items() if key not in known_keys]
        return next(iter(unknown), children.nameless_in_advoware)
    if plan.step is Step.IMPORT:
        return next((error for espo_id, error in children.spoilt_in_espocrm.items() if espo_id not in known_ids), None)
    return None
