"""What an operator changes in the field tables (``VMH_FIELD_TABLES``), read and checked before any pass begins."""

import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from vmh_sync.entities import BETEILIGTE, every
from vmh_sync.settings import SettingsError
from vmh_sync.sync.fields import BadFieldTable, FieldTable, override
from vmh_sync.sync.merge import ConflictRule
from vmh_sync.systems.advoware.records import Adresse, Bankverbindung, Beteiligter, WireRecord

FieldChanges = Mapping[str, Mapping[str, Any]]

ENTRIES = "kommunikation"
"""Phones and e-mails have no table; only their conflict rule can be chosen, under the name ``tlf``."""

_RECORDS: Mapping[str, type[WireRecord]] = {
    BETEILIGTE.name: Beteiligter,
    "adressen": Adresse,
    "bankverbindungen": Bankverbindung,
}


def field_tables() -> dict[str, FieldTable]:
    """Return the table of every entity that has one (``FIELDS`` in its ``fields.py``), as it stands in the code."""
    found = {}
    for entity in every():
        module = f"{entity.package}.fields"
        table = getattr(import_module(module), "FIELDS", None) if find_spec(module) is not None else None
        if isinstance(table, FieldTable):
            found[entity.name] = table
    return found


def field_changes(path: Path | None, own_packages: Sequence[str] = ()) -> FieldChanges:
    """Read an operator's changes: entity -> field -> changes. Raises ``SettingsError`` for what cannot be obeyed.

    ``own_packages`` (``VMH_ENTITIES``): entities of the firm's own, which this process need not have loaded.
    """
    if path is None:
        return {}
    try:
        changes = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"VMH_FIELD_TABLES ist unbrauchbar ({_why(error)}): JSON-Datei mit Änderungen der Feldtabellen"
        ) from None
    if not isinstance(changes, dict) or not all(isinstance(one, dict) for one in changes.values()):
        raise SettingsError("VMH_FIELD_TABLES muss ein Objekt enthalten: Bereich -> Feld -> Änderungen")
    for entity, of_entity in changes.items():
        try:
            _check(entity, of_entity, strangers=bool(own_packages))
        except BadFieldTable as problem:
            raise SettingsError(f"VMH_FIELD_TABLES, {entity}: {problem}") from None
    return changes


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "die Datei gibt es nicht"
    return "die Datei ist nicht lesbar" if isinstance(error, OSError) else "kein gültiges JSON"


def _check(entity: str, changes: Mapping[str, Any], *, strangers: bool) -> None:
    for name, change in changes.items():
        if change is not None and not isinstance(change, Mapping):
            raise BadFieldTable(f"{name} braucht ein Objekt mit Änderungen, oder null.")
        _check_clocks(entity, name, change or {})
    if entity == ENTRIES:
        _check_entries(changes)
        return
    tables = field_tables()
    if entity not in tables:
        if strangers:
            return
        raise BadFieldTable(f"Diesen Bereich gibt es nicht; bekannt sind {', '.join([*tables, ENTRIES])}.")
    changed = override(tables[entity], changes)
    record = _RECORDS.get(entity)
    for rule in changed:
        if record is not None and rule.name not in tables[entity] and rule.advoware not in record.FIELDS:
            names = ", ".join(record.FIELDS)
            raise BadFieldTable(f"{rule.name}: In Advoware ist kein Feld {rule.advoware} bekannt, sondern {names}.")


def _check_clocks(entity: str, name: str, change: Mapping[str, Any]) -> None:
    """Only of a party do both systems say when it was changed: elsewhere ``newest_wins`` would be a guess."""
    if change.get("conflict") == ConflictRule.NEWEST_WINS and entity != BETEILIGTE.name:
        raise BadFieldTable(
            f"{name}: newest_wins geht nur bei Beteiligten, denn Advoware nennt sonst keinen Zeitpunkt der letzten "
            "Änderung; möglich sind espocrm_wins, advoware_wins und manual."
        )


def _check_entries(changes: Mapping[str, Any]) -> None:
    rules = {name: change for name, change in changes.items() if change}
    if set(rules) - {"tlf"} or any(set(change) - {"conflict"} for change in rules.values()):
        raise BadFieldTable('Hier lässt sich nur {"tlf": {"conflict": …}} wählen.')
    if any(change.get("conflict") not in set(ConflictRule) for change in rules.values()):
        raise BadFieldTable("tlf: conflict ist espocrm_wins, advoware_wins oder manual.")
