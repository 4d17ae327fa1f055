"""The pages of the documentation that are made from the code: ``python -m vmh_sync_tests.docs_pages`` (``make docs``).

They are kept in the repository, so that they can be read without building anything; a test compares them with the code.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from vmh_sync import settings
from vmh_sync.adressen.fields import FIELDS as ADDRESS_FIELDS
from vmh_sync.bankverbindungen.fields import FIELDS as ACCOUNT_FIELDS
from vmh_sync.beteiligte.fields import FIELDS as PARTY_FIELDS
from vmh_sync.gateway.http.call_metrics import OWN
from vmh_sync.gateway.monitoring.metrics import Snapshot, SnapshotCollector
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.merge import ConflictRule
from vmh_sync.sync.reporting.status import AUTO_RESET_AFTER, RETRY_AFTER, SyncStatus

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
_MADE = "<!-- Aus dem Code erzeugt (make docs); Änderungen von Hand gehen verloren. -->"
_TABLES: Mapping[str, FieldTable] = {
    "Beteiligte": PARTY_FIELDS,
    "Adressen": ADDRESS_FIELDS,
    "Bankverbindungen": ACCOUNT_FIELDS,
}
_RULES = {
    ConflictRule.ESPOCRM_WINS: "EspoCRM gilt",
    ConflictRule.ADVOWARE_WINS: "Advoware gilt",
    ConflictRule.NEWEST_WINS: "das Neuere gilt",
    ConflictRule.MANUAL: "ein Mensch entscheidet",
}
_STATUSES = {
    SyncStatus.PENDING: ("neu, noch nie abgeglichen", "nichts"),
    SyncStatus.DIRTY: ("geändert, wird gleich abgeglichen", "nichts"),
    SyncStatus.SYNCING: ("von Hand oder von einem alten Programm gesetzt; wird wie „geändert“ behandelt", "nichts"),
    SyncStatus.CLEAN: ("beide Seiten stimmen überein", "nichts"),
    SyncStatus.FAILED: ("hat nicht geklappt, wird wieder versucht", "nichts; die Meldung am Datensatz nennt den Grund"),
    SyncStatus.PERMANENTLY_FAILED: ("auch die letzte Wiederholung ist gescheitert", "Ursache beheben und speichern"),
    SyncStatus.CONFLICT: ("verschieden, eine Aufgabe ist offen", "die Aufgabe am Datensatz öffnen"),
    SyncStatus.DELETED_IN_ADVOWARE: ("in Advoware nicht mehr vorhanden", "die Aufgabe am Datensatz öffnen"),
}


def pages() -> dict[str, str]:
    """Return every page by its file name."""
    return {
        "einstellungen.md": _settings(),
        "felder.md": _fields(),
        "status.md": _statuses(),
        "messzahlen.md": _metrics(),
    }


def write() -> list[str]:
    """Write the pages; returns the names of those that were not up to date."""
    FOLDER.mkdir(exist_ok=True)
    stale = [name for name, text in pages().items() if not _is_current(FOLDER / name, text)]
    for name in stale:
        (FOLDER / name).write_text(pages()[name], encoding="utf-8")
    return stale


def _is_current(file: Path, text: str) -> bool:
    return file.exists() and file.read_text(encoding="utf-8") == text


def _page(title: str, intro: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", _MADE, intro, *parts]) + "\n"


def _table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def _settings() -> str:
    kinds = [
        kind
        for kind in vars(settings).values()
        if isinstance(kind, type) and issubclass(kind, BaseSettings) and kind.model_fields
    ]
    parts = []
    for kind in sorted(set(kinds), key=lambda kind: kind.__name__):
        prefix = str(kind.model_config.get("env_prefix", "")).upper()
        rows = []
        for name, info in kind.model_fields.items():
            default = "**Pflicht**" if info.is_required() else _shown(info.get_default(call_default_factory=True))
            secret = " (geheim)" if SecretStr in (info.annotation, *getattr(info.annotation, "__args__", ())) else ""
            variable = info.alias or f"{prefix}{name.upper()}"
            rows.append((f"`{variable}`", default, f"{info.description or ''}{secret}"))
        parts += [f"## {kind.__name__.removesuffix('Settings')}", _table(("Variable", "Vorgabe", "Bedeutung"), rows)]
    intro = "Umgebungsvariablen oder Zeilen der Datei `.env`; ausführlicher steht alles in `.env.example`."
    return _page("Einstellungen", intro, *parts)


def _shown(value: object) -> str:
    if value is None or value in ({}, (), [], ""):
        return "–"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`"


def _fields() -> str:
    parts = []
    for title, table in _TABLES.items():
        rows = [
            (
                f"{rule.label} (zuschaltbar: `{rule.name}`)" if rule in table.optional else rule.label,
                f"`{rule.espo}`",
                f"`{rule.advoware}`",
                "ja" if rule.on_create else "nein",
                "ja" if rule.on_update else "nein, kommt als Aufgabe",
                _RULES[rule.conflict],
            )
            for rule in (*table, *table.optional)
        ]
        headings = ("Feld", "EspoCRM", "Advoware", "bei Anlage", "bei Änderung in Advoware", "Beide geändert")
        parts += [f"## {title}", _table(headings, rows)]
    intro = "Was in welches Feld der anderen Seite geht. Eine Datei, die `VMH_FIELD_TABLES` nennt, kann es ändern."
    how = (
        "Die Datei ist ein JSON-Objekt: Bereich → Feld → Änderungen. Zum Beispiel schaltet "
        '`{"beteiligte": {"kurzname": {}, "titel": {"conflict": "advoware_wins"}, "zusatz": null}}` den Kurznamen zu, '
        "lässt beim Titel Advoware gelten und nimmt den Zusatz heraus. Ein ganz neues Feld nennt `espo`, `advoware` "
        "und `label`, dazu `kind` (`text`, `date`, `number`, `flag`), wenn es kein Text ist; das Feld in EspoCRM muss "
        "es geben (`vmh-sync doctor` prüft es). `newest_wins` geht nur bei Beteiligten: Nur von ihnen sagt Advoware, "
        "wann sie zuletzt geändert wurden. Was nicht geht, wird beim Start mit einem Satz abgelehnt."
    )
    return _page("Feldtabellen", intro, how, *parts)


def _statuses() -> str:
    rows = [(f"`{status}`", *_STATUSES[status]) for status in SyncStatus]
    minutes = ", ".join(str(int(wait.total_seconds() // 60)) for wait in RETRY_AFTER)
    hours = int(AUTO_RESET_AFTER.total_seconds() // 3600)
    waits = (
        f"Wiederholt wird {minutes} Minuten nach dem jeweils vorigen Scheitern, und {hours} Stunden nach der letzten "
        "Wiederholung noch einmal von vorn. Wer den Datensatz speichert, wartet auf nichts davon."
    )
    intro = "Was im Feld `syncStatus` eines Datensatzes in EspoCRM steht."
    return _page("Status", intro, _table(("Status", "Bedeutung", "Was zu tun ist"), rows), waits)


def _metrics() -> str:
    snapshot = Snapshot(database_up=True, redis_up=True, leases=0, held_back={}, google_spent=0)
    families = [*SnapshotCollector(snapshot, 600).collect(), *OWN.collect()]
    rows = []
    for family in families:
        name = family.name + ("_total" if family.type == "counter" else "")
        rows.append((f"`{name}`", family.type, family.documentation))
    intro = (
        "Was das Gateway unter `/metrics` für Prometheus zeigt. Keine Bezeichnung enthält Kennungen oder Werte von "
        "Datensätzen. Mit `VMH_METRICS_KEY` verlangt es diesen Schlüssel (`Authorization: Bearer …`). Fertige Regeln "
        "und eine Übersicht für Grafana liegen in `deploy/prometheus` und `deploy/grafana`."
    )
    return _page("Messzahlen", intro, _table(("Name", "Art", "Bedeutung"), sorted(rows)))


if __name__ == "__main__":
    write()
