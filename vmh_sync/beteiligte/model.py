"""The canonical party: both sides' master data in one language. Pure.

A record is a company when its ``rechtsform`` says so or ``firmenname`` is filled; where EspoCRM demands ``lastName``
a company's name stands there too (specification, entities.md 1).
"""

from collections.abc import Mapping
from typing import Any

from vmh_sync.beteiligte.fields import PERSON_ONLY
from vmh_sync.sync.base import Base, Fields, Side
from vmh_sync.sync.fields import FieldTable, is_foreign
from vmh_sync.sync.values import Kind, Value, same, text

MIRROR = "_lastName"
"""Base key for a company's ``lastName``: it only repeats ``firmenname``, yet a person may edit it alone."""

FIRM = "_firmenname"
"""Base key for a company's ``firmenname``: either home of the name may refuse what the other takes."""

MIRROR_LABEL = "Name (die zweite Stelle des Firmennamens)"


def is_company(espo: Mapping[str, object], advoware_rechtsform: Value, table: FieldTable) -> bool:
    """Tell whether a party is a company.

    Takes the EspoCRM attributes and Advoware's canonical ``rechtsform``; either side may say so.
    """
    if text(espo.get("firmenname")):
        return True
    return _names_company(espo_rechtsform(espo, table)) or _names_company(advoware_rechtsform)


def turned_person(espo: Mapping[str, object], advoware: Mapping[str, Value], base: Base, table: FieldTable) -> bool:
    """Tell whether people made a person of a company on one side, while the other still says what the base says.

    In EspoCRM by its legal form and an emptied ``firmenname``, in Advoware by the legal form and a first name: a legal
    form alone does not take a company its name, and one that the table lacks makes nobody a person. ``advoware`` holds
    Advoware's canonical fields.
    """
    told, form = espo_rechtsform(espo, table), advoware.get("rechtsform")
    told_before, form_before = base.espocrm.get("rechtsform"), base.advoware.get("rechtsform")
    firm = text(espo.get("firmenname"))
    if firm is None and same(Kind.TEXT, form, form_before):
        return _names_company(told_before) and not told
    if not same(Kind.TEXT, told, told_before) or not same(Kind.TEXT, firm, base.espocrm.get(FIRM)):
        return False
    return _names_company(form_before) and not form and bool(advoware.get("vorname"))


def espo_rechtsform(espo: Mapping[str, object], table: FieldTable) -> Value:
    """Return EspoCRM's canonical ``rechtsform``, ``None`` when the installation has no such field."""
    if "rechtsform" not in table:
        return None
    rule = table["rechtsform"]
    return rule.read(Side.ESPOCRM, espo.get(rule.espo))


def _names_company(rechtsform: Value) -> bool:
    return bool(rechtsform) and not is_foreign(rechtsform)


def read_espo(espo: Mapping[str, object], table: FieldTable, *, company: bool, base: Fields) -> dict[str, Value]:
    """Return EspoCRM's canonical fields of a party.

    ``base`` is what EspoCRM said last; it tells which of ``firmenname`` and ``lastName`` a person edited.
    """
    fields = table.read(Side.ESPOCRM, espo)
    if company:
        fields = without_persons_fields(fields)
        if "firmenname" in espo:
            fields["name"] = _company_name(espo, base)
    return fields


def _company_name(espo: Mapping[str, object], base: Fields) -> Value:
    firm, last = text(espo.get("firmenname")), text(espo.get("lastName"))
    if firm is None:
        return last
    mirror = base.get(MIRROR)
    if mirror is None:
        return firm
    firm_before = base.get(FIRM, base.get("name"))
    if not same(Kind.TEXT, firm, firm_before):
        return firm
    if last and not same(Kind.TEXT, last, mirror):
        return last
    # Neither home moved: a home that refused the name says something old, and that is nobody's edit.
    return base.get("name") if FIRM in base else firm


def read_advoware(attributes: Mapping[str, object], table: FieldTable, *, company: bool) -> dict[str, Value]:
    """Return Advoware's canonical fields of a party; fields that the answer leaves out count as empty."""
    fields = table.read(Side.ADVOWARE, attributes, missing_is_empty=True)
    return without_persons_fields(fields) if company else fields


def without_persons_fields(fields: Fields) -> dict[str, Value]:
    """Return the fields that a company has."""
    return {name: value for name, value in fields.items() if name not in PERSON_ONLY}


def espo_payload(
    name: str, value: Value, table: FieldTable, *, company: bool, espo: Mapping[str, object]
) -> dict[str, Any]:
    """Return the EspoCRM attributes that say ``value``; raises ``Unrepresentable``."""
    rule = table[name]
    payload = {rule.espo: rule.write(Side.ESPOCRM, value)}
    if name == "name" and company and "firmenname" in espo:
        payload["firmenname"] = payload[rule.espo]
    return payload


def homes_of(espo: Mapping[str, object]) -> dict[str, Value]:
    """Return what the base must remember of the two homes of a company's name."""
    homes: dict[str, Value] = {MIRROR: text(espo.get("lastName"))}
    if "firmenname" in espo:
        homes[FIRM] = text(espo.get("firmenname"))
    return homes
