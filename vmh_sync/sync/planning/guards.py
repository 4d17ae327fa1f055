"""Guards that stop a pass for a person before it does much damage (specification, sync-semantics.md 2). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from vmh_sync.sync.planning.plan import Action, RecordPlan

WINDOW = timedelta(hours=1)
"""A pass may be cut into several runs: what was blanked within this time counts together.

What lies further ahead than that was stored while the clock was wrong, and counts as nothing.
"""


class GuardTripped(Exception):
    """The pass must not go on without a person; the message is German and says what to do."""


@dataclass(frozen=True, slots=True)
class MassChangeLimits:
    """A run stops when more records than ``records`` *and* more than ``share`` of the linked ones lose values."""

    records: int = 50
    share: float = 0.20


def loses_values(plan: RecordPlan) -> bool:
    """Whether a plan blanks a filled field, removes an entry, or marks a record as deleted."""
    return any(
        operation.action is Action.REMOVE or any(change.blanks for change in operation.changes)
        for operation in plan.operations
    )


def check_mass_change(
    plans: Iterable[RecordPlan],
    *,
    linked: int,
    recent: frozenset[str] = frozenset(),
    limits: MassChangeLimits = MassChangeLimits(),
    so_far: str = "Es wurde nichts geschrieben.",
) -> frozenset[str]:
    """Return the records that would lose values; raises :class:`GuardTripped` when they are too many.

    ``linked`` is the number of linked records of this entity type, ``recent`` the ones that lost values in earlier runs
    within :data:`WINDOW`. ``so_far`` is the German sentence that says what has been written by now.
    """
    losing = frozenset(str(plan.espo_id or plan.betnr) for plan in plans if loses_values(plan))
    # A record that loses a value in each of several runs is one record.
    total = len(losing | recent)
    if losing and total > limits.records and total > limits.share * linked:
        raise GuardTripped(
            f"Angehalten: {total} von {linked} verknüpften Datensätzen würden Werte verlieren oder als gelöscht gelten "
            f"(Grenze: {limits.records} und {limits.share:.0%}). {so_far} Bitte die Ursache prüfen "
            "und den Plan nur freigeben, wenn das so gewollt ist."
        )
    return losing


def check_not_emptied(listed: int, linked: int, *, what: str) -> None:
    """Raise :class:`GuardTripped` when a list is empty although records are linked (never "all deleted")."""
    if listed == 0 and linked > 0:
        raise GuardTripped(
            f"Angehalten: Die Liste „{what}“ kam leer zurück, obwohl {linked} Datensätze verknüpft sind. "
            "Das ist eine Störung, keine Löschung. Es wurde nichts geschrieben; bitte die Anmeldung und die "
            "Rechte des API-Benutzers prüfen."
        )
