"""What people call records and fields: the audit log has our names, a page for the office needs theirs."""

from vmh_sync.adressen.fields import FIELDS as ADRESSEN
from vmh_sync.bankverbindungen.fields import FIELDS as BANKVERBINDUNGEN
from vmh_sync.beteiligte.fields import FIELDS as BETEILIGTE
from vmh_sync.kalender.telling.notice_texts import LABELS as TERMINE

_CHANNELS = {"email": "E-Mail", "phone": "Telefon"}
_LABELS = TERMINE | ADRESSEN.labels | BANKVERBINDUNGEN.labels | BETEILIGTE.labels
_RECORDS = {
    "beteiligte": "Beteiligter",
    "adressen": "Adresse",
    "bankverbindungen": "Bankverbindung",
    "kommunikation": "Telefon und E-Mail",
    "kalender": "Termin",
}


def field_name(field: str) -> str:
    """Return a field's German name; a phone or an e-mail by its channel, an unknown field as it is."""
    channel, _, entry = field.partition("/")
    if channel in _CHANNELS:
        return f"{_CHANNELS[channel]} (Haupteintrag)" if entry == "primary" else _CHANNELS[channel]
    return _LABELS.get(field, field)


def record_name(entity: str, betnr: int | None) -> str:
    """Return what a record is called without saying its content: its kind, and whose it is."""
    kind = _RECORDS.get(entity, entity)
    if not betnr:
        return kind
    return f"{kind} {betnr}" if entity == "beteiligte" else f"{kind} bei Beteiligtem {betnr}"
