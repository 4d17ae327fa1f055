"""Field names of the simulated Advoware and which of them each call honours (wire contract 3)."""

from datetime import datetime
from typing import Any

Json = dict[str, Any]

# Honoured by PUT, and emptied when a PUT leaves them out.
PARTY_WRITABLE = ("name", "vorname", "rechtsform", "anrede", "titel", "bAnrede", "zusatz", "geburtsdatum")
# Taken by POST and by a person in the office only.
PARTY_OTHER = ("kurzname", "geburtsname", "familienstand", "handelsRegisterNummer", "registergericht", "bemerkung")
PARTY_FIELDS = PARTY_WRITABLE + PARTY_OTHER

KOMM_CREATE = ("tlf", "bemerkung", "kommKz", "online")
KOMM_UPDATE = ("tlf", "bemerkung", "online")
KOMM_ART = {
    1: "TelGesch",
    2: "FaxGesch",
    3: "Mobil",
    4: "MailGesch",
    5: "Internet",
    6: "TelPrivat",
    7: "FaxPrivat",
    8: "MailPrivat",
    9: "AutoTelefon",
    10: "Sonstige",
    11: "EPost",
    12: "Bea",
}
# Top-level copies of a party's contacts: the first filled entry of that kind.
CONTACT_COPIES = {
    "telGesch": 1,
    "faxGesch": 2,
    "mobil": 3,
    "emailGesch": 4,
    "internet": 5,
    "telPrivat": 6,
    "email": 8,
}

ADDRESS_UPDATE = ("strasse", "plz", "ort", "anschrift")
ADDRESS_FIELDS = (
    *ADDRESS_UPDATE,
    "land",
    "postfach",
    "postfachPLZ",
    "standardAnschrift",
    "bemerkung",
    "gueltigVon",
    "gueltigBis",
    "reihenfolgeIndex",
)
BANK_FIELDS = ("kontoinhaber", "iban", "bic", "bank", "bemerkung")
EMPLOYEE_FIELDS = ("kuerzel", "vorname", "name", "email", "aktiv")
TERMIN_FIELDS = (
    "text",
    "notiz",
    "ort",
    "datum",
    "uhrzeitVon",
    "uhrzeitBis",
    "datumBis",
    "dauertermin",
    "turnus",
    "turnusArt",
    "abwesenheit",
    "privat",
    "anwalt",
    "sb",
    "nr",
    "azRubrum",
    "erinnerung",
    "erinnerungsDatum",
    "vorbereitungsDauer",
    "fahrzeit",
    "fahrtAnzeigeTyp",
)

_BOOLS = frozenset({"online", "standardAnschrift", "aktiv"})
_INTS = frozenset(
    {"kommKz", "reihenfolgeIndex", "dauertermin", "turnus", "turnusArt", "abwesenheit", "privat", "fahrtAnzeigeTyp"}
)
_DATES = frozenset({"geburtsdatum", "gueltigVon", "gueltigBis", "datum", "datumBis", "erinnerungsDatum"})
_TIMES = frozenset({"uhrzeitVon", "uhrzeitBis", "vorbereitungsDauer", "fahrzeit"})


class BadValueError(ValueError):
    """A value has a form that the field does not take; the message is the German text of the answer."""


def empty_of(name: str) -> Any:
    """Return what an empty field of that name reads as."""
    if name in _BOOLS:
        return False
    if name in _INTS:
        return 0
    return None if name in _DATES or name in _TIMES else ""


def taken(body: Json, names: tuple[str, ...]) -> Json:
    """Return exactly the named fields, checked; those left out of the body come back empty."""
    return {name: checked(name, body[name]) if name in body else empty_of(name) for name in names}


def checked(name: str, value: Any) -> Any:
    """Return the value in the form it is stored in; raises :class:`BadValueError`."""
    if value is None or (value == "" and name not in _BOOLS):
        return empty_of(name)
    if name in _BOOLS:
        return _expect(name, value, bool)
    if name in _INTS:
        return int(_expect(name, value, int | bool))
    text = _expect(name, value, str)
    return _date_time(name, text) if name in _DATES else text


def _expect(name: str, value: Any, kind: Any) -> Any:
    if not isinstance(value, kind):
        raise BadValueError(f"Der Wert des Feldes {name} hat einen falschen Typ.")
    return value


def _date_time(name: str, text: str) -> str:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None).isoformat(timespec="seconds")
    except ValueError as error:
        raise BadValueError(f"Das Feld {name} enthält kein gültiges Datum.") from error
