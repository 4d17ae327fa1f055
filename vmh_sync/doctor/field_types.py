"""Compares types and lengths of EspoCRM's fields with what the sync writes (specification, entities.md 5). Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from vmh_sync.crm_setup.wanted import ENTITIES
from vmh_sync.doctor.line import Line, hint, problem
from vmh_sync.sync.fields import FieldRule, FieldTable
from vmh_sync.sync.values import Kind
from vmh_sync.systems.espocrm.field_types import fits, misfit, too_short

_KINDS = {Kind.DATE: "date", Kind.FLAG: "bool", Kind.NUMBER: "int"}
_WANTED: Mapping[str, Mapping[str, Any]] = {entity.name: entity.fields for entity in ENTITIES}
_RENAME = (
    "In EspoCRM ein Feld der richtigen Art anlegen und in der Datei VMH_FIELD_TABLES nennen, oder das falsche löschen "
    "und `vmh-sync crm setup` ausführen."
)


def type_lines(name: str, espo_entity: str, table: FieldTable, fields: Mapping[str, Any]) -> Iterator[Line]:
    """Yield a problem for every field that cannot hold our values, a hint for one that is shorter than usual."""
    own = _WANTED.get(espo_entity, {})
    seen: set[str] = set()
    for rule in table:
        seen.add(rule.espo)
        yield from _lines(name, rule.espo, rule.label, _definition(rule, own), fields)
    for attribute, wanted in own.items():
        if attribute not in seen and attribute not in {known.espo for known in table}:
            yield from _lines(name, attribute, str(wanted["label"]), wanted, fields)


def _definition(rule: FieldRule, own: Mapping[str, Any]) -> Mapping[str, Any]:
    if rule.espo in own:
        found: Mapping[str, Any] = own[rule.espo]
        return found
    if rule.choices is not None:
        return {"type": "enum"}
    return {"type": _KINDS.get(rule.kind, "varchar")}


def _lines(
    name: str, attribute: str, label: str, wanted: Mapping[str, object], fields: Mapping[str, object]
) -> Iterator[Line]:
    found = fields.get(attribute)
    if not isinstance(found, Mapping) or not found.get("type") or found.get("readOnly"):
        return  # a field that cannot be written is told as that
    if not fits(wanted, found):
        yield problem(name, f"Das Feld {attribute} ({label}) {misfit(wanted, found)}.", _RENAME)
        return
    short = too_short(wanted, found)
    if short is not None:
        has, needs = short
        yield hint(
            name,
            f"Das Feld {attribute} ({label}) nimmt nur {has} statt {needs} Zeichen; längere Werte werden gemeldet und "
            "bleiben auf ihrer Seite.",
            "Wenn gewünscht, in EspoCRM die Länge des Feldes erhöhen.",
        )
