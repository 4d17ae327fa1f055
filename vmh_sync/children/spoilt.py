"""A child record that a system tells unusably holds up itself alone, and what might be doubled because of it. Pure."""

from collections.abc import Iterable
from functools import partial

from vmh_sync.children.kind import ChildKind
from vmh_sync.children.plan import ChildPlan, Step
from vmh_sync.children.sync_state import PartyChildren, key_of
from vmh_sync.engine.isolation import isolated
from vmh_sync.sync.base import Side
from vmh_sync.sync.fields import WrongKind


def without_spoilt(memory: PartyChildren, plans: Iterable[ChildPlan]) -> list[ChildPlan]:
    """Return the plans that may be carried out although some records could not be read."""
    return [plan for plan in plans if held_back(memory, plan) is None]


def failures(memory: PartyChildren, plans: Iterable[ChildPlan]) -> dict[str, Exception]:
    """Return why children are held up, by EspoCRM id; by Advoware's where EspoCRM does not have it."""
    found: dict[str, Exception] = dict(memory.spoilt_here)
    linked = {str(link.advoware_id): link.espo_id for link in memory.links}
    found |= {linked.get(key, key): error for key, error in memory.spoilt_there.items()}
    if memory.nameless_there is not None:
        found["?"] = memory.nameless_there
    for plan in plans:
        error = held_back(memory, plan)
        if error is not None and (plan.has_work or plan.failed is not None):
            found.setdefault(plan.espo_id or _key(plan), error)
    return found


def set_apart(memory: PartyChildren, kind: ChildKind) -> None:
    """Set those records apart that hold what their fields never hold, before anything is compared or paired."""
    for espo_id, record in list(memory.espo.items()):
        with isolated(f"{kind.entity} {espo_id}", partial(_take_out_here, memory, espo_id), foreseen=(WrongKind,)):
            memory.table.read(Side.ESPOCRM, record.attributes)
            told = record.attributes.get(kind.key_attribute)
            if isinstance(told, bool) or not isinstance(told, int | str | None):
                raise WrongKind(kind.key_attribute, Side.ESPOCRM, type(told).__name__)
    for key, child in list(memory.advoware.items()):
        with isolated(f"{kind.entity} {key}", partial(_take_out_there, memory, key), foreseen=(WrongKind,)):
            kind.natural_key(kind.read_advoware(memory.table, child.model_dump()))


def _take_out_here(memory: PartyChildren, espo_id: str, error: Exception) -> None:
    del memory.espo[espo_id]
    memory.spoilt_here[espo_id] = error


def _take_out_there(memory: PartyChildren, key: str, error: Exception) -> None:
    del memory.advoware[key]
    memory.spoilt_there[key] = error


def _key(plan: ChildPlan) -> str:
    return key_of(plan.pair.advoware) if plan.pair.advoware is not None else "?"


def held_back(memory: PartyChildren, plan: ChildPlan) -> Exception | None:
    """Return the unusable record because of which nothing is decided about this child, ``None`` if there is none.

    A new record may be the one that the other side tells unusably: it is not created over there before that is known.
    """
    if plan.failed is not None:
        return plan.failed
    link = plan.pair.link
    if link is not None:
        missing = memory.nameless_there if plan.pair.advoware is None else None
        return memory.spoilt_here.get(link.espo_id) or memory.spoilt_there.get(str(link.advoware_id)) or missing
    known_here = {one.espo_id for one in memory.links}
    known_there = {str(one.advoware_id) for one in memory.links}
    if plan.step is Step.CREATE:
        unknown = [error for key, error in memory.spoilt_there.items() if key not in known_there]
        return next(iter(unknown), memory.nameless_there)
    if plan.step is Step.IMPORT:
        return next((error for espo_id, error in memory.spoilt_here.items() if espo_id not in known_here), None)
    return None
