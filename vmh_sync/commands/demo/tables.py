"""The tables of the demo."""

from collections import Counter
from collections.abc import Sequence

import httpx
from rich.table import Table

from vmh_sync.reconcile.read import Report
from vmh_sync.sandbox.people.edits import EditRecord

SHOWN_EDITS = 12
SHOWN_TASKS = 8

_SIDES = {"office": "Advoware", "crm": "EspoCRM"}


_FIELDS = {
    "emailAddressData": "E-Mail",
    "phoneNumberData": "Telefon",
    "dateOfBirth": "Geburtsdatum",
    "geburtsdatum": "Geburtsdatum",
    "firstName": "Vorname",
    "lastName": "Name",
    "firmenname": "Name",
    "salutationName": "Anrede",
    "bAnrede": "Briefanrede",
    "briefAnrede": "Briefanrede",
    "adresseStreet": "Straße",
    "strasse": "Straße",
    "adressePostalCode": "PLZ",
    "plz": "PLZ",
    "adresseCity": "Ort",
}
_NEW = {
    "CBeteiligte": "Beteiligter, neu",
    "Beteiligte": "Beteiligter, neu",
    "CAdressen": "Adresse, neu",
    "Adressen": "Adresse, neu",
    "CBankverbindungen": "Konto, neu",
    "Bankverbindungen": "Konto, neu",
}
WIDEST = 21
"""Four columns, so that the table fits into 80."""


def edits_table(edits: Sequence[EditRecord]) -> Table:
    """Show the first edits; the people are made up, so values may be shown."""
    sides = Counter(_SIDES[edit["side"]] for edit in edits)
    counts = ", ".join(f"{count} in {side}" for side, count in sorted(sides.items()))
    table = Table(title=f"{len(edits)} Änderungen ({counts}), davon:", title_justify="left")
    for heading in ("Seite", "Was", "vorher", "nachher"):
        table.add_column(heading, no_wrap=True, overflow="ellipsis", max_width=WIDEST)
    for edit in edits[:SHOWN_EDITS]:
        table.add_row(_SIDES[edit["side"]], _label(edit), _short(edit["old"]), _short(edit["new"]))
    return table


def _label(edit: EditRecord) -> str:
    name = edit["field"]
    if name == "*":
        return _NEW.get(edit["entity"], edit["entity"])
    if name == "tlf":
        return "E-Mail" if "@" in f"{edit['old']}{edit['new']}" else "Telefon"
    return _FIELDS.get(name, name[:1].upper() + name[1:])


def _short(value: object) -> str:
    if value in (None, ""):
        return "–"
    text = "neuer Datensatz" if isinstance(value, dict) else " ".join(str(value).split())
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def tasks_table(crm_url: str) -> Table:
    """Show the open tasks in EspoCRM: what the machine leaves to people."""
    state = httpx.get(f"{crm_url}/_sandbox/state", timeout=60, trust_env=False).json()
    tasks = [
        task
        for task in state["records"].get("Task", [])
        if not task.get("deleted") and task.get("status") not in ("Completed", "Canceled")
    ]
    table = Table(title=f"Offene Aufgaben in EspoCRM: {len(tasks)}", title_justify="left", min_width=32)
    table.add_column("Aufgabe")
    if not tasks:
        table.add_row("keine")
    for task in tasks[:SHOWN_TASKS]:
        table.add_row(str(task["name"]))
    return table


def closing_table(report: Report) -> Table:
    """Show whether every party exists once on both sides and agrees field by field."""
    numbers = report.to_json()
    table = Table(title="Jeder in EspoCRM und in Advoware einmal, Feld für Feld gleich?", title_justify="left")
    table.add_column("Prüfung")
    table.add_column("Anzahl", justify="right")
    table.add_column("Urteil")
    missing = len(report.only_espocrm) + len(report.only_advoware)
    with_task = len(report.only_espocrm_explained) + len(report.only_advoware_explained)
    rows = [
        ("auf beiden Seiten vorhanden", numbers["compared"], True),
        ("nur auf einer Seite", missing, missing == 0),
        ("nur auf einer Seite, eine Aufgabe sagt warum", with_task, True),
        ("doppelt", len(report.doubled), not report.doubled),
        ("Feld für Feld gleich", numbers["equal"], True),
        ("verschieden, eine Aufgabe sagt warum", numbers["explained"], True),
        ("verschieden ohne Erklärung", numbers["different"], numbers["different"] == 0),
    ]
    for name, count, good in rows:
        table.add_row(name, str(count), "in Ordnung" if good else "NICHT in Ordnung")
    return table
