"""What Dagster's pages call the numbers of a run: one language for everything people read there.

Inside, numbers have codes; they get their names where they leave for Dagster.
"""

from collections.abc import Mapping
from typing import TypeVar

from vmh_sync.sync.reporting.words_de import CALENDAR_ACTIONS, CALENDAR_FINDINGS, RESULTS, SIDES

_LABELS = {
    "dry_run": "Probelauf",
    "found": "gefunden",
    "written": "geschrieben",
    "left": "belassen",
    "failed": "fehlerhaft",
    "employees": "Mitarbeiter",
    "employees_failed": "Mitarbeiter fehlerhaft",
    "employees_later": "Mitarbeiter später",
    "google_full_reads": "Google vollständig gelesen",
    "appointments": "Termine",
    "lost": "Änderungen, die nicht gelten",
    "waiting_for_advoware": "warten auf Advoware",
    "tasks_written": "Aufgaben geschrieben",
    "tasks_waiting": "Aufgaben warten",
    "audit_rows": "alte Einträge im Protokoll",
    "linked_intents": "unbeantwortete Anlagen verknüpfter Datensätze",
    "settled_intents": "erledigte Anlagen",
    "closed_tasks": "geschlossene Aufgaben",
    "dead_calendar_pairs": "gelöschte Terminpaare",
    "emptied_calendar_pairs": "geleerte Terminpaare",
    "expired_plans": "abgelaufene Pläne",
    "pass_summaries": "alte Durchgänge",
    "runs_succeeded": "Läufe gelöscht",
    "runs_failed": "fehlgeschlagene Läufe gelöscht",
    "runs_kept": "Läufe, die gebraucht werden",
    "runs_left": "Läufe für die nächste Nacht",
    **RESULTS,
    **{f"read_{side}": f"gelesen in {told}" for side, told in SIDES.items()},
    **{f"writes_{side}": f"geschrieben nach {told}" for side, told in SIDES.items()},
    **CALENDAR_ACTIONS,
    "link_found": "Gefundenes verknüpfen",
    **{code.replace(":", "_"): told for code, told in CALENDAR_FINDINGS.items()},
}
Value = TypeVar("Value")
_MORE = {"plan_": "Plan: ", "google_token_refused_": "Google liest neu: "}


def in_german(metadata: Mapping[str, Value], prefix: str = "") -> dict[str, Value]:
    """Return metadata with the names that people read; ``prefix`` tells apart codes that others have, too."""
    return {label(prefix + code): value for code, value in metadata.items()}


def label(code: str) -> str:
    """Return what people call a number; a code without a name is shown as it is."""
    for start, told in _MORE.items():
        if code.startswith(start):
            return told + label(code.removeprefix(start))
    if code.endswith("_ids"):
        return f"{label(code.removesuffix('_ids'))}, IDs"
    return _LABELS.get(code, code)
