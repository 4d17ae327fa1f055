"""Compares what both sides say about one party. Pure; ids and field names only, never values."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vmh_sync.sync.values import date, email, iban, phone, text

Json = Mapping[str, Any]

SALUTATIONS = {"Mr.": "Herr", "Ms.": "Frau", "Mrs.": "Frau", "Firma": ""}
LEGAL_FORMS = {"Verein": "e.V.", "Firma": "Sonstige", "Einzelperson": "", "Herr": "", "Frau": ""}
NOT_IN_ESPOCRM = frozenset({5, 11, 12})
"""Kinds of Kommunikation that have no home in EspoCRM (specification, entities.md 2)."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One field in which both sides disagree; ``label`` is its German name."""

    id: str
    betnr: int
    field: str
    label: str
    why: str
    explained: bool = False


def _same_word(words: Mapping[str, str]) -> Callable[[object], str | None]:
    def normal(value: object) -> str | None:
        plain = text(value)
        return (words.get(plain, plain) or None) if plain else None

    return normal


_FIELDS: tuple[tuple[str, str, str, Callable[[object], object]], ...] = (
    ("titel", "titel", "Titel", text),
    ("zusatz", "zusatz", "Zusatz", text),
    ("briefAnrede", "bAnrede", "Briefanrede", text),
    ("dateOfBirth", "geburtsdatum", "Geburtsdatum", date),
    ("salutationName", "anrede", "Anrede", _same_word(SALUTATIONS)),
    ("rechtsform", "rechtsform", "Rechtsform", _same_word(LEGAL_FORMS)),
    ("handelsregisterNummer", "handelsRegisterNummer", "Handelsregisternummer", text),
    ("registergericht", "registergericht", "Registergericht", text),
)


def compare_party(crm: Json, office: Json) -> list[Difference]:
    """Return the differences of the master data. Takes both systems' own JSON of the same party."""
    company = bool(text(crm.get("firmenname"))) or bool(_same_word(LEGAL_FORMS)(office.get("rechtsform")))
    found = []
    if text(crm.get("firmenname") if company and crm.get("firmenname") else crm.get("lastName")) != text(
        office.get("name")
    ):
        found.append(_difference(crm, "name", "Name"))
    if not company and text(crm.get("firstName")) != text(office.get("vorname")):
        found.append(_difference(crm, "vorname", "Vorname"))
    found += [
        _difference(crm, ours, label)
        for theirs, ours, label, normal in _FIELDS
        if theirs in crm and normal(crm[theirs]) != normal(office.get(ours))
    ]
    return found


def _difference(crm: Json, name: str, label: str) -> Difference:
    return Difference(str(crm["id"]), int(crm["betnr"]), name, label, "beide Seiten sagen Verschiedenes")


def compare_kommunikation(crm: Json, office: Json) -> list[Difference]:
    """Return whether phones and e-mails are the same on both sides."""
    entries = [entry for entry in office.get("kommunikation") or () if text(entry.get("tlf"))]
    mails = {email(entry["tlf"]) for entry in entries if "@" in entry["tlf"] and entry.get("kommKz") not in (5, 11, 12)}
    phones = {
        phone(entry["tlf"])
        for entry in entries
        if "@" not in entry["tlf"] and entry.get("kommKz") not in NOT_IN_ESPOCRM
    }
    here_mails = {email(item["emailAddress"]) for item in crm.get("emailAddressData") or ()}
    here_phones = {phone(item["phoneNumber"]) for item in crm.get("phoneNumberData") or ()}
    return _sets(crm, "emailAddressData", "E-Mail", here_mails, mails) + _sets(
        crm, "phoneNumberData", "Telefon", here_phones, phones
    )


def compare_adressen(crm: Json, addresses: Iterable[Json], office: Json) -> list[Difference]:
    """Return whether the active addresses are the same on both sides."""
    here = {
        (text(row.get("adresseStreet")), text(row.get("adressePostalCode")), text(row.get("adresseCity")))
        for row in addresses
        if row.get("istAktiv", True) is not False
    }
    there = {(text(row.get("strasse")), text(row.get("plz")), text(row.get("ort"))) for row in office["adressen"]}
    return _sets(crm, "adressen", "Adresse", here, there)


def compare_konten(crm: Json, accounts: Iterable[Json], office: Json) -> list[Difference]:
    """Return whether the active bank accounts are the same on both sides."""
    here = {iban(row.get("iban")) for row in accounts if row.get("istAktiv", True) is not False}
    there = {iban(row.get("iban")) for row in office["bankverbindungen"]}
    return _sets(crm, "bankverbindungen", "Bankverbindung", here, there)


def _sets(crm: Json, name: str, label: str, here: set[Any], there: set[Any]) -> list[Difference]:
    if here == there:
        return []
    why = f"{len(here - there)} nur in EspoCRM, {len(there - here)} nur in Advoware"
    return [Difference(str(crm["id"]), int(crm["betnr"]), name, label, why)]
