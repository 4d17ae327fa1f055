"""Brakes: when a plan must not be carried out at all (specification, kalender.md 5 and sync-semantics.md 2)."""

from collections.abc import Iterable

from vmh_sync.kalender.decision.operations import DeleteAdvoware, DeleteGoogle, Operation, UpdateAdvoware, UpdateGoogle
from vmh_sync.kalender.model import TEXT_FIELDS, CalendarRules


def stop_on_empty_list(kuerzel: str, termine: int, living_pairs: int, rules: CalendarRules) -> str | None:
    """Return the German message that stops an employee whose Advoware list came back empty, else ``None``."""
    if termine or living_pairs <= rules.empty_list_tolerance:
        return None
    return (
        f"Kalender {kuerzel}: Advoware meldet keinen einzigen Termin, verknüpft sind aber {living_pairs}. "
        "Das ist vermutlich ein Fehler in Advoware; es wurde nichts geändert. "
        "Bitte die Termine in Advoware prüfen und den Abgleich erneut starten."
    )


def stop_on_mass_change(
    kuerzel: str, operations: Iterable[Operation], living_pairs: int, rules: CalendarRules
) -> str | None:
    """Return the German message that stops a plan which deletes or empties too much, else ``None``.

    Too much is more than ``mass_change_records`` appointments and more than ``mass_change_share`` of the linked ones.
    Content that goes because of anonymised mode is meant to go and does not count.
    """
    destroyed = sum(1 for operation in operations if deletes_or_empties(operation))
    if not is_mass_change(destroyed, living_pairs, rules):
        return None
    return (
        f"Kalender {kuerzel}: {destroyed} von {living_pairs} verknüpften Terminen würden gelöscht oder geleert. "
        "Das ist ungewöhnlich viel; es wurde nichts geändert. Bitte den Plan ansehen und freigeben."
    )


def is_mass_change(destroyed: int, living_pairs: int, rules: CalendarRules) -> bool:
    """Tell whether so many deleted or emptied appointments are too many to happen without a person."""
    return destroyed > rules.mass_change_records and destroyed > rules.mass_change_share * living_pairs


def deletes_or_empties(operation: Operation) -> bool:
    """Tell whether the operation deletes an appointment or empties one of its texts."""
    if isinstance(operation, DeleteGoogle | DeleteAdvoware):
        return True
    if isinstance(operation, UpdateAdvoware) or (isinstance(operation, UpdateGoogle) and not operation.anonymised):
        return any(change.name in TEXT_FIELDS and change.old and not change.new for change in operation.changes)
    return False
