"""The mass-change guard with its memory: what lost values within the last hour counts, over all runs."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.sync.planning.guards import WINDOW, MassChangeLimits, check_mass_change, loses_values
from vmh_sync.sync.planning.plan import RecordPlan


async def guard_mass_change(context: PassContext, entity: str, plans: Sequence[RecordPlan], *, allowed: bool) -> None:
    """Raise ``GuardTripped`` when too many records would lose values; remember how many do.

    ``allowed``: a person has looked and approved.
    """
    await asyncio.to_thread(_check, context, entity, plans, allowed, "Es wurde nichts geschrieben.")


@dataclass(slots=True)
class ReplanGuard:
    """The same guard for what a pass plans anew under a lease, after it was let through as a whole.

    One for all records of a pass: they are written at the same time, and each must count with those before it.
    """

    context: PassContext
    entity: str
    allowed: bool
    _one_by_one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def __call__(self, plans: Sequence[RecordPlan]) -> None:
        """Raise ``GuardTripped`` when a record may not be written that loses values; costs nothing when it loses none.

        The error is the record's own outcome: the others have been planned and written by themselves.
        """
        if self.context.approval is not None:
            self.context.approval.check(plans)
        if not any(loses_values(plan) for plan in plans):
            return
        async with self._one_by_one:
            so_far = "Dieser Datensatz wurde nicht weiter geschrieben."
            await asyncio.to_thread(_check, self.context, self.entity, plans, self.allowed, so_far)


def _check(context: PassContext, entity: str, plans: Sequence[RecordPlan], allowed: bool, so_far: str) -> None:
    limits = MassChangeLimits(context.rules.mass_change_records, context.rules.mass_change_share)
    now = context.clock.now()
    with context.store.reading() as tx:
        recent = frozenset() if allowed else tx.value_losses.between(entity, now - WINDOW, now + WINDOW)
        linked = tx.links.count(entity)
    losing = check_mass_change(plans if not allowed else (), linked=linked, recent=recent, limits=limits, so_far=so_far)
    new = sorted(losing - recent)
    if new:
        with context.store.transaction() as tx:
            tx.value_losses.forget_outside(entity, now - WINDOW, now + WINDOW)
            tx.value_losses.note(entity, new, now)
