"""The schemas a simulated EspoCRM can start with.

``recorded`` is the instance of the recordings (specification, espocrm.md B13), ``demo`` the one of entities.md and
sync-semantics.md 4, ``blank`` an installation in which nobody has added an entity type yet.
"""

from vmh_sync.sandbox.crm.config import SchemaName
from vmh_sync.sandbox.crm.fields.schema import Fields, Schema, connect, new_entity_type, system_entities

RECORDED_STATES = ["pending_sync", "dirty", "syncing", "clean", "failed", "permanently_failed", "conflict"]
DEMO_STATES = [*RECORDED_STATES, "deleted_in_advoware"]
DEMO_LEGAL_FORMS = [
    "",
    "Einzelperson",
    "GmbH",
    "GmbH & Co. KG",
    "AG",
    "KG",
    "OHG",
    "GbR",
    "UG",
    "e.V.",
    "eG",
    "Stiftung",
    "Behörde",
    "Sonstige",
]


def _varchar(length: int, **more: object) -> dict[str, object]:
    return {"type": "varchar", "maxLength": length, "isCustom": True, **more}


def _enum(options: list[str], default: str | None) -> dict[str, object]:
    base: dict[str, object] = {"type": "enum", "options": options}
    if default is not None:
        base["default"] = default
    return base | {"style": [], "maxLength": 100, "isCustom": True}


def _custom(kind: str, **more: object) -> dict[str, object]:
    return {"type": kind, "isCustom": True, **more}


def _bookkeeping(states: list[str], default: str) -> Fields:
    return {
        "advowareRowId": _varchar(100),
        "syncStatus": _enum(states, default),
        "advowareLastSync": _custom("datetime"),
        "syncErrorMessage": _custom("text"),
        "syncRetryCount": _custom("int", default=0),
        "syncNextRetry": _custom("datetime"),
        "syncAutoResetAt": _custom("datetime"),
    }


def recorded_fields() -> dict[str, Fields]:
    """The fields that were added to the recorded instance by hand, by entity type, in their order there."""
    sync = _bookkeeping(RECORDED_STATES, "pending_sync")
    forms = ["", "Herr", "Frau", "Firma", "GmbH", "GbR", "AG", "Verein", "Behörde"]
    party: Fields = {
        "rechtsform": _enum(forms, ""),
        "dateOfBirth": _custom("date"),
        "betnr": _custom("int"),
        "advowareRowId": _varchar(100),
        "kommunikationHash": _varchar(100),
        **{name: definition for name, definition in sync.items() if name != "advowareRowId"},
    }
    account: Fields = {
        "iban": _varchar(34, required=True),
        "bic": _varchar(11),
        "bankname": _varchar(150),
        "kontoinhaber": _varchar(150),
        "advowareId": _custom("int"),
        **_bookkeeping(RECORDED_STATES, "pending_sync"),
    }
    address: Fields = {
        "anschrift": _custom("text"),
        "isActive": _custom("bool", default=True),
        "gueltigVon": _custom("date"),
        "gueltigBis": _custom("date"),
        **_bookkeeping(RECORDED_STATES, "pending_sync"),
        "adresse": _custom("address"),
    }
    return {"CBeteiligte": party, "CBankverbindungen": account, "CAdressen": address}


def demo_fields() -> dict[str, Fields]:
    """The fields of the demo's entity types (entities.md 1, 3, 4, 6)."""
    deleted: Fields = {"advowareDeletedAt": _custom("datetime")}
    party: Fields = {
        "firmenname": _varchar(150),
        "titel": _varchar(50),
        "rechtsform": _enum(DEMO_LEGAL_FORMS, ""),
        "dateOfBirth": _custom("date"),
        "briefAnrede": _varchar(150),
        "zusatz": _varchar(150),
        "handelsregisterNummer": _varchar(50),
        "registergericht": _varchar(100),
        "betnr": _custom("int"),
        "kommunikationHash": _varchar(100),
        **_bookkeeping(DEMO_STATES, "pending_sync"),
        **deleted,
    }
    account: Fields = {
        "iban": _varchar(34),
        "bic": _varchar(11),
        "bankname": _varchar(150),
        "kontoinhaber": _varchar(150),
        "advowareKontoId": _custom("int"),
        "istAktiv": _custom("bool", default=True),
        "istStandard": _custom("bool", default=False),
        **_bookkeeping(["clean", "unclean", "failed"], "unclean"),
        **deleted,
    }
    address: Fields = {
        "adresse": _custom("address"),
        "postfach": _varchar(50),
        "postfachPlz": _varchar(20),
        "anschrift": _custom("text"),
        "istStandard": _custom("bool", default=False),
        "istAktiv": _custom("bool", default=True),
        "gueltigVon": _custom("date"),
        "gueltigBis": _custom("date"),
        "advowareId": _custom("int"),
        **_bookkeeping(DEMO_STATES, "pending_sync"),
        **deleted,
    }
    consultation: Fields = {
        "status": _enum(["Neu", "Warte auf Rückruf", "In Bearbeitung", "Erledigt"], "Neu"),
        "nextCall": _custom("datetime"),
    }
    return {
        "CBeteiligte": party,
        "CBankverbindungen": account,
        "CAdressen": address,
        "CVmhErstgespraech": consultation,
    }


def installation(name: SchemaName) -> Schema:
    """Build the schema ``name`` afresh (the caller may change it)."""
    parties = ["CBeteiligte", "CBankverbindungen", "CAdressen"]
    if name == "blank":
        return system_entities([])
    schema = system_entities([*parties, "CVmhErstgespraech"])
    added = recorded_fields() if name == "recorded" else demo_fields()
    for entity, fields in added.items():
        person = entity == "CBeteiligte"
        schema[entity] = new_entity_type(entity, "Person" if person else "Base", stream=person, extra=fields)
    for child, link in (("CBankverbindungen", "bankverbindungen"), ("CAdressen", "adressen")):
        connect(schema, "CBeteiligte", link, child, "beteiligte")
    return schema
