"""The tables of the demo."""

from collections import Counter
from collections.abc import Sequence

import httpx
from rich.table import Table

from vmh_sync.reconcile.read import Report
from vmh_sync.sandbox.edits import EditRecord

SHOWN_EDITS = 12
SHOWN_TASKS = 8

_SIDES = {"office": "Advoware", "crm": "EspoCRM"}


def edits_table(edits: Sequence[EditRecord]) -> Table:
    """Show the first edits; the people are made up, so values may be shown."""
    sides = Counter(_SIDES[edit["side"]] for edit in edits)
    counts = ", ".join(f"{count} in {side}" for side, count in sorted(sides.items()))
    table = Table(title=f"{len(edits)} Änderungen ({counts}), davon:", title_justify="left")
    for heading in ("Seite", "Was", "Feld", "vorher", "nachher"):
        table.add_column(heading, overflow="fold")
    for edit in edits[:SHOWN_EDITS]:
        table.add_row(_SIDES[edit["side"]], edit["entity"], edit["field"], _short(edit["old"]), _short(edit["new"]))
    return table


def _short(value: object) -> str:
    if value is None:
        return "–"
    text = "neuer Datensatz" if isinstance(value, dict) else str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


def tasks_table(crm_url: str) -> Table:
    """Show the open tasks in EspoCRM: what the machine leaves to people."""
    state = httpx.get(f"{crm_url}/_sandbox/state", timeout=60, trust_env=False).json()
    tasks = [
        task
        for task in state["records"].get("Task", [])
        if not task.get("deleted") and task.get("status") not in ("Completed", "Canceled")
    ]
    table = Table(title=f"{len(tasks)} offene Aufgaben in EspoCRM", title_justify="left")
    table.add_column("Aufgabe")
    for task in tasks[:SHOWN_TASKS]:
        table.add_row(str(task["name"]))
    return table


def closing_table(report: Report) -> Table:
    """Show whether every party exists once on both sides and agrees field by field."""
    numbers = report.to_json()
    table = Table(title="Jeder einmal hier, einmal dort, Feld für Feld gleich?", title_justify="left")
    table.add_column("Prüfung")
    table.add_column("Anzahl", justify="right")
    table.add_column("Urteil")
    missing = len(report.only_espocrm) + len(report.only_advoware)
    rows = [
        ("auf beiden Seiten vorhanden", numbers["compared"], True),
        ("nur auf einer Seite", missing, missing == 0),
        ("doppelt", len(report.doubled), not report.doubled),
        ("Feld für Feld gleich", numbers["equal"], True),
        ("verschieden, eine Aufgabe sagt warum", numbers["explained"], True),
        ("verschieden ohne Erklärung", numbers["different"], numbers["different"] == 0),
    ]
    for name, count, good in rows:
        table.add_row(name, str(count), "in Ordnung" if good else "NICHT in Ordnung")
    return table
