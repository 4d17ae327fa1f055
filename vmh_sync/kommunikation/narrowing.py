"""One value at a time: EspoCRM refuses a whole list for one bad value and does not say which.

After such a refusal the values that are new at the record go there one by one, each in a list of its own with what
stands there already, so that only the bad one stays behind (specification, sync-semantics.md 1).
"""

from dataclasses import replace

from vmh_sync.kommunikation.model import Channel, EspoEntry
from vmh_sync.kommunikation.plan import EspoList, KommunikationPlan, espo_step

_VALUE = {Channel.EMAIL: "emailAddress", Channel.PHONE: "phoneNumber"}


def only_first(one: EspoList, standing: tuple[EspoEntry, ...]) -> EspoList:
    """Return the list as it stands in EspoCRM with only the first of the added values."""
    channel, key = one.channel, one.added[0]
    attribute = _VALUE[channel]
    item = next(item for item in one.items if channel.normal(item[attribute]) == key)
    change = next((change for change in one.changes if channel.normal(change.new) == key), None)
    replaced = channel.normal(change.old) if change is not None else None
    kept = [dict(entry.raw) for entry in standing if entry.key != replaced]
    has_primary = any(entry.get("primary") for entry in kept)
    items = (*kept, {**item, "primary": not has_primary})
    return EspoList(channel, items, (key,), (change,) if change is not None else ())


def without_postponed(plan: KommunikationPlan, one: EspoList) -> KommunikationPlan:
    """Return the plan without the pairs that wait for another round of this channel."""
    (key,) = one.added
    step = espo_step(one.channel)
    pairs = tuple(
        change
        for change in plan.pairs
        if step not in change.needs or (change.after is not None and one.channel.normal(change.after.espo_base) == key)
    )
    return replace(plan, pairs=pairs)
