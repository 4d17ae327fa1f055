"""What the product needs in EspoCRM (specification, entities.md 1, 3, 4 and 5). Pure data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vmh_sync.beteiligte.fields import RECHTSFORM
from vmh_sync.sync.reporting.status import SyncStatus

Definition = Mapping[str, object]

ROLE = "vmh_sync"


@dataclass(frozen=True, slots=True)
class WantedEntity:
    """An entity type with the fields that its template does not bring; ``kind`` is EspoCRM's template."""

    name: str
    kind: str
    label: str
    stream: bool
    fields: Mapping[str, Definition]
    webhook: str
    """Its name in the paths of the gateway."""

    @property
    def short(self) -> str:
        """The name to ask for: EspoCRM itself puts the C of custom types before it."""
        return self.name.removeprefix("C")


@dataclass(frozen=True, slots=True)
class WantedLink:
    """A one-to-many relation from parties to their children."""

    entity: str
    link: str
    foreign_entity: str
    foreign_link: str


def _varchar(label: str, length: int) -> Definition:
    return {"type": "varchar", "label": label, "maxLength": length}


def _plain(kind: str, label: str, **more: Any) -> Definition:
    return {"type": kind, "label": label, **more}


def _enum(label: str, options: list[str], default: str) -> Definition:
    return {"type": "enum", "label": label, "options": options, "default": default}


def _bookkeeping(statuses: list[str], default: str) -> dict[str, Definition]:
    return {
        "syncStatus": _enum("Abgleich", statuses, default),
        "syncErrorMessage": _plain("text", "Fehler beim Abgleich"),
        "syncRetryCount": _plain("int", "Versuche", default=0),
        "syncNextRetry": _plain("datetime", "Nächster Versuch"),
        "syncAutoResetAt": _plain("datetime", "Neuer Anlauf"),
        "advowareLastSync": _plain("datetime", "Zuletzt abgeglichen"),
        "advowareRowId": _varchar("Advoware-Zeile", 100),
        "advowareDeletedAt": _plain("datetime", "In Advoware gelöscht"),
    }


NOT_LOCKABLE = (
    *("syncStatus", "syncErrorMessage", "syncRetryCount", "syncNextRetry", "syncAutoResetAt"),
    *("advowareLastSync", "advowareRowId", "advowareDeletedAt", "betnr", "advowareId", "advowareKontoId"),
)
"""Fields of ours that are written to locked records too (EspoCRM 10)."""


def _legal_forms() -> list[str]:
    words: dict[str, str] = {}
    for espo, advoware in RECHTSFORM.pairs:
        words.setdefault(advoware, espo)
    return ["", *words.values()]


_STATUSES = [str(status) for status in SyncStatus]

PARTY = WantedEntity(
    "CBeteiligte",
    "Person",
    "Beteiligte",
    True,
    {
        "firmenname": _varchar("Firmenname", 150),
        "titel": _varchar("Titel", 50),
        "rechtsform": _enum("Rechtsform", _legal_forms(), ""),
        "dateOfBirth": _plain("date", "Geburtsdatum"),
        "briefAnrede": _varchar("Briefanrede", 150),
        "zusatz": _varchar("Zusatz", 150),
        "handelsregisterNummer": _varchar("Handelsregisternummer", 50),
        "registergericht": _varchar("Registergericht", 100),
        "betnr": _plain("int", "Beteiligten-Nr."),
        **_bookkeeping(_STATUSES, "pending_sync"),
    },
    "beteiligte",
)
ADDRESS = WantedEntity(
    "CAdressen",
    "Base",
    "Adressen",
    False,
    {
        "adresse": _plain("address", "Adresse"),
        "anschrift": _plain("text", "Anschrift"),
        "postfach": _varchar("Postfach", 50),
        "postfachPlz": _varchar("Postfach-PLZ", 20),
        "istStandard": _plain("bool", "Standardanschrift", default=False),
        "istAktiv": _plain("bool", "Aktiv", default=True),
        "gueltigVon": _plain("date", "Gültig von"),
        "gueltigBis": _plain("date", "Gültig bis"),
        "advowareId": _plain("int", "Advoware-ID"),
        **_bookkeeping(_STATUSES, "pending_sync"),
    },
    "adressen",
)
ACCOUNT = WantedEntity(
    "CBankverbindungen",
    "Base",
    "Bankverbindungen",
    False,
    {
        "iban": _varchar("IBAN", 34),
        "bic": _varchar("BIC", 11),
        "bankname": _varchar("Bank", 150),
        "kontoinhaber": _varchar("Kontoinhaber", 150),
        "istAktiv": _plain("bool", "Aktiv", default=True),
        "istStandard": _plain("bool", "Standardkonto", default=False),
        "advowareKontoId": _plain("int", "Advoware-Konto-ID"),
        **_bookkeeping(["clean", "unclean", "failed"], "unclean"),
    },
    "bankverbindungen",
)

ENTITIES = (PARTY, ADDRESS, ACCOUNT)
LINKS = (
    WantedLink("CBeteiligte", "adressen", "CAdressen", "beteiligte"),
    WantedLink("CBeteiligte", "bankverbindungen", "CBankverbindungen", "beteiligte"),
)
ACTIONS = ("create", "update", "delete")

_FULL = {"create": "yes", "read": "all", "edit": "all", "delete": "no", "stream": "all"}
ROLE_VALUES: Mapping[str, object] = {
    "name": ROLE,
    "assignmentPermission": "all",
    "userPermission": "all",
    "data": {
        **{entity.name: _FULL for entity in ENTITIES},
        "Task": _FULL,
        "User": {"read": "all", "edit": "no"},
        "Webhook": True,
        "OpenApi": True,
    },
}
"""What the API user needs: its own entities and tasks without deleting, users to assign tasks, webhooks.

``OpenApi`` lets doctor read how EspoCRM describes its interface (from 9.3; before that nobody asks for the name).
"""
