"""The mass-change guard with its memory: what lost values within the last hour counts, over all runs."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from vmh_sync.runtime.context import PassContext
from vmh_sync.sync.guards import MassChangeLimits, check_mass_change, recent_records
from vmh_sync.sync.plan import RecordPlan


async def guard_mass_change(context: PassContext, entity: str, plans: Sequence[RecordPlan], *, allowed: bool) -> None:
    """Raise ``GuardTripped`` when too many records would lose values; remember how many do.

    ``allowed``: a person has looked and approved.
    """
    await asyncio.to_thread(_check, context, entity, plans, allowed)


def _check(context: PassContext, entity: str, plans: Sequence[RecordPlan], allowed: bool) -> None:
    name = f"guard:{entity}"
    limits = MassChangeLimits(context.rules.mass_change_records, context.rules.mass_change_share)
    now = context.clock.now()
    with context.store.reading() as tx:
        stored = tx.cursors.get(name) or []
        linked = tx.links.count(entity)
    entries = [(datetime.fromisoformat(at), records) for at, records in stored if isinstance(records, list)]
    recent: frozenset[str] = frozenset() if allowed else recent_records(entries, now)
    losing = check_mass_change(plans if not allowed else (), linked=linked, recent=recent, limits=limits)
    new = sorted(losing - recent)
    if new:
        kept = [(at.isoformat(), records) for at, records in entries if recent_records([(at, records)], now)]
        with context.store.transaction() as tx:
            tx.cursors.set(name, [*kept, (now.isoformat(), new)])
