"""One made-up party, written down the way each system writes it."""

import base64
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from vmh_sync.sandbox.made_up.values import MadeUp

Json = dict[str, Any]

_PHONE_TYPE = {1: "Office", 2: "Fax", 3: "Mobile", 6: "Home"}
_ANREDE = {"Mr.": "Herr", "Ms.": "Frau", "": ""}
COUNTRY = "Deutschland"
MAIL_KIND = 4


@dataclass
class Truth:
    """What is so about a party.

    ``phones`` are (kommKz, E.164 number), ``addresses`` (street, code, town), ``accounts`` (IBAN, BIC, bank).
    """

    name: str
    first_name: str = ""
    salutation: str = ""
    title: str = ""
    form: str = ""
    is_company: bool = False
    born: date | None = None
    greeting: str = ""
    register_number: str = ""
    court: str = ""
    phones: list[tuple[int, str]] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)
    addresses: list[tuple[str, str, str]] = field(default_factory=list)
    accounts: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        """First and last name, or the firm's name."""
        return f"{self.first_name} {self.name}".strip()


def crm_party(truth: Truth, party_id: str) -> Json:
    """Return the CBeteiligte record, phones in international form."""
    return {
        "id": party_id,
        "lastName": truth.name,
        "firstName": truth.first_name or None,
        "firmenname": truth.name if truth.is_company else None,
        "salutationName": truth.salutation,
        "titel": truth.title or None,
        "rechtsform": truth.form,
        "dateOfBirth": truth.born.isoformat() if truth.born else None,
        "briefAnrede": truth.greeting or None,
        "zusatz": None,
        "handelsregisterNummer": truth.register_number or None,
        "registergericht": truth.court or None,
        "emailAddressData": [crm_mail(mail, primary=place == 0) for place, mail in enumerate(truth.mails)],
        "phoneNumberData": [
            crm_phone(number, _PHONE_TYPE[kind], primary=place == 0)
            for place, (kind, number) in enumerate(truth.phones)
        ],
    }


def crm_mail(mail: str, *, primary: bool) -> Json:
    """Return one item of ``emailAddressData``."""
    return {"emailAddress": mail, "lower": mail.lower(), "primary": primary, "optOut": False, "invalid": False}


def crm_phone(number: str, kind: str, *, primary: bool) -> Json:
    """Return one item of ``phoneNumberData``."""
    return {"phoneNumber": number, "type": kind, "primary": primary, "optOut": False, "invalid": False}


def crm_addresses(truth: Truth, party_id: str, made: MadeUp) -> list[Json]:
    """Return the CAdressen records of a party."""
    return [
        {
            "id": made.crm_id(),
            "name": f"{street}, {town}",
            "beteiligteId": party_id,
            "adresseStreet": street,
            "adressePostalCode": code,
            "adresseCity": town,
            "adresseCountry": COUNTRY,
            "istStandard": place == 0,
            "istAktiv": True,
            "syncStatus": "pending_sync",
        }
        for place, (street, code, town) in enumerate(truth.addresses)
    ]


def crm_accounts(truth: Truth, party_id: str, made: MadeUp) -> list[Json]:
    """Return the CBankverbindungen records of a party."""
    return [
        {
            "id": made.crm_id(),
            "name": bank,
            "beteiligteId": party_id,
            "iban": iban,
            "bic": bic,
            "bankname": bank,
            "kontoinhaber": truth.full_name,
            "istStandard": place == 0,
            "istAktiv": True,
            "syncStatus": "unclean",
        }
        for place, (iban, bic, bank) in enumerate(truth.accounts)
    ]


def office_party(truth: Truth, betnr: int, made: MadeUp, *, marked: bool) -> Json:
    """Return the Beteiligter with children inside, phones in the office's spelling.

    ``marked``: its Kommunikation carries the markers of the sync that was there before (entities.md 2).
    """
    return {
        "betNr": betnr,
        "name": truth.name,
        "vorname": truth.first_name,
        "rechtsform": truth.form,
        "anrede": "Firma" if truth.is_company else _ANREDE[truth.salutation],
        "titel": truth.title,
        "bAnrede": truth.greeting,
        "geburtsdatum": f"{truth.born.isoformat()}T00:00:00" if truth.born else None,
        "kurzname": truth.name[:12].upper(),
        "handelsRegisterNummer": truth.register_number,
        "registergericht": truth.court,
        "kommunikation": _entries(truth, made, marked=marked),
        "adressen": _office_addresses(truth),
        "bankverbindungen": _office_accounts(truth, made),
    }


def _entries(truth: Truth, made: MadeUp, *, marked: bool) -> list[Json]:
    values = [(kind, made.spelled(number), number) for kind, number in truth.phones]
    # Upper case is the same address: the office's people type as they like.
    values += [(MAIL_KIND, mail.upper() if made.rng.random() < 0.05 else mail, mail) for mail in truth.mails]
    first_phone, first_mail = 0, len(truth.phones)
    return [
        {
            "kommKz": kind,
            "tlf": spelled,
            "online": place in (first_phone, first_mail),
            "bemerkung": _marker(value, kind) if marked else "",
        }
        for place, (kind, spelled, value) in enumerate(values)
    ]


def _marker(value: str, kind: int) -> str:
    return f"[ESPOCRM:{base64.b64encode(value.encode()).decode()}:{kind}] Zentrale"


def _office_addresses(truth: Truth) -> list[Json]:
    return [
        {
            "strasse": street,
            "plz": code,
            "ort": town,
            "land": COUNTRY,
            "anschrift": f"{truth.full_name}\r\n{street}\r\n{code} {town}",
            "standardAnschrift": place == 0,
            "reihenfolgeIndex": place + 1,
        }
        for place, (street, code, town) in enumerate(truth.addresses)
    ]


def _office_accounts(truth: Truth, made: MadeUp) -> list[Json]:
    return [
        {
            "iban": " ".join(iban[i : i + 4] for i in range(0, len(iban), 4)) if made.rng.random() < 0.3 else iban,
            "bic": bic,
            "bank": bank,
            "kontoinhaber": truth.full_name,
        }
        for iban, bic, bank in truth.accounts
    ]
