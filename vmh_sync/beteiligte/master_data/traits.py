"""What the matcher compares of a party, from the record of either side. Pure."""

from collections.abc import Mapping
from typing import Any

from vmh_sync.beteiligte.model import PERSON, Form, espo_rechtsform, is_company, read_advoware, read_espo
from vmh_sync.matching.traits import Traits
from vmh_sync.sync.base import Side
from vmh_sync.sync.fields import FieldTable
from vmh_sync.sync.values import Value
from vmh_sync.systems.advoware.records import Beteiligter


def espo_traits(
    told: Mapping[str, object],
    table: FieldTable,
) -> Traits:
    """Return the traits of a CBeteiligte; what stands in records of their own (accounts, addresses) is not in them."""
    company = is_company(told, None, table)
    return _traits(
        read_espo(told, table, Form(company), base={}),
        company=company,
        rechtsform=espo_rechtsform(told, table),
        geburtsname=str(told.get("geburtsname") or ""),
        emails=_listed(told, "emailAddressData", "emailAddress"),
        phones=_listed(told, "phoneNumberData", "phoneNumber"),
    )


def advoware_traits(found: Beteiligter, table: FieldTable) -> Traits:
    """Return the traits of a party in Advoware, as far as the answer told them."""
    company, rechtsform = False, None
    if "rechtsform" in table:
        rechtsform = table["rechtsform"].read(Side.ADVOWARE, found.rechtsform)
        company = is_company({}, rechtsform, table)
    entries = [entry.tlf for entry in found.kommunikation]
    reached = (*entries, found.tel_gesch, found.tel_privat, found.mobil, found.email_gesch, found.email)
    return _traits(
        # A first name is read in any case: it tells a person whose legal form was mistyped.
        read_advoware(found.model_dump(), table, PERSON),
        company=company,
        rechtsform=rechtsform,
        geburtsname=found.geburtsname or "",
        emails=frozenset(one for one in reached if one and "@" in one),
        phones=frozenset(one for one in reached if one and "@" not in one),
        ibans=frozenset(one.iban for one in found.bankverbindungen or () if one.iban),
        towns=frozenset(one.ort for one in found.adressen or () if one.ort),
        streets=frozenset(one.strasse for one in found.adressen or () if one.strasse),
    )


def _traits(fields: Mapping[str, Value], *, company: bool, rechtsform: Value, **more: Any) -> Traits:
    def text(name: str) -> str:
        value = fields.get(name)
        return "" if value is None else str(value)

    return Traits(
        name=text("name"),
        vorname=text("vorname"),
        geburtsdatum=text("geburtsdatum"),
        company=company,
        rechtsform="" if rechtsform is None else str(rechtsform),
        register=text("handelsregister_nummer"),
        **more,
    )


def _listed(told: Mapping[str, object], many: str, one: str) -> frozenset[str]:
    entries = told.get(many)
    listed = [entry.get(one) for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return frozenset(str(value) for value in (*listed, told.get(one)) if value)
