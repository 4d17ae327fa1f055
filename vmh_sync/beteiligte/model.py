"""The canonical party: both sides' master data in one language. Pure.

A record is a company when its ``rechtsform`` says so or ``firmenname`` is filled; where EspoCRM demands ``lastName``
a company's name stands there too (specification, entities.md 1).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vmh_sync.beteiligte.fields import PERSON_ONLY
from vmh_sync.sync.base import Fields, Side
from vmh_sync.sync.fields import FieldTable, is_foreign
from vmh_sync.sync.values import Kind, Value, same, text

MIRROR = "_lastName"
"""Base key for a company's ``lastName``: it only repeats ``firmenname``, yet a person may edit it alone."""

FIRM = "_firmenname"
"""Base key for a company's ``firmenname``: either home of the name may refuse what the other takes."""

HOME_LABELS = {MIRROR: "Name (die zweite Stelle des Firmennamens)", FIRM: "Firmenname"}
"""What people call the homes of a company's name."""


@dataclass(frozen=True, slots=True)
class Form:
    """Company or person.

    ``kept`` are the fields that only a person has and that a company still has from then: carried on until they are
    empty. ``new``: it has just become what it is. ``disputed``: both sides tell different forms.
    """

    company: bool
    kept: frozenset[str] = frozenset()
    new: bool = False
    disputed: bool = False

    def has(self, name: str) -> bool:
        """Whether such a party has a field, which is left alone on both sides otherwise."""
        return not self.company or name not in PERSON_ONLY or name in self.kept


PERSON, COMPANY = Form(company=False), Form(company=True)


def is_company(espo: Mapping[str, object], advoware_rechtsform: Value, table: FieldTable) -> bool:
    """Tell whether a party is a company.

    Takes the EspoCRM attributes and Advoware's canonical ``rechtsform``; either side may say so.
    """
    if text(espo.get("firmenname")):
        return True
    return names_company(espo_rechtsform(espo, table)) or names_company(advoware_rechtsform)


def espo_rechtsform(espo: Mapping[str, object], table: FieldTable) -> Value:
    """Return EspoCRM's canonical ``rechtsform``, ``None`` when the installation has no such field."""
    if "rechtsform" not in table:
        return None
    rule = table["rechtsform"]
    return rule.read(Side.ESPOCRM, espo.get(rule.espo))


def names_company(rechtsform: Value) -> bool:
    """Whether a legal form is one of a company; a word that only one side knows is none."""
    return bool(rechtsform) and not is_foreign(rechtsform)


def read_espo(espo: Mapping[str, object], table: FieldTable, form: Form, *, base: Fields) -> dict[str, Value]:
    """Return EspoCRM's canonical fields of a party.

    ``base`` is what EspoCRM said last; it tells which of ``firmenname`` and ``lastName`` a person edited.
    """
    fields = _of_form(table.read(Side.ESPOCRM, espo), form)
    if form.company and "firmenname" in espo:
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


def read_advoware(attributes: Mapping[str, object], table: FieldTable, form: Form) -> dict[str, Value]:
    """Return Advoware's canonical fields of a party; fields that the answer leaves out count as empty."""
    return _of_form(table.read(Side.ADVOWARE, attributes, missing_is_empty=True), form)


def _of_form(fields: Fields, form: Form) -> dict[str, Value]:
    return {name: value for name, value in fields.items() if form.has(name)}


def espo_payload(name: str, value: Value, table: FieldTable, form: Form, espo: Mapping[str, object]) -> dict[str, Any]:
    """Return the EspoCRM attributes that say ``value``; raises ``Unrepresentable``.

    An empty ``firmenname`` is filled only for a new company: whoever emptied it may be about to make it a person.
    """
    rule = table[name]
    payload = {rule.espo: rule.write(Side.ESPOCRM, value)}
    if name == "name" and form.company and "firmenname" in espo and (form.new or text(espo["firmenname"])):
        payload["firmenname"] = payload[rule.espo]
    return payload


def homes_of(espo: Mapping[str, object]) -> dict[str, Value]:
    """Return what the base must remember of the two homes of a company's name."""
    homes: dict[str, Value] = {MIRROR: text(espo.get("lastName"))}
    if "firmenname" in espo:
        homes[FIRM] = text(espo.get("firmenname"))
    return homes
