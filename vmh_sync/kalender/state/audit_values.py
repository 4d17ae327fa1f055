"""What the audit log holds of appointments: single values, and whole ones so that a deletion can be taken back."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from zoneinfo import ZoneInfo

from vmh_sync.kalender.decision.operations import (
    CreateAdvoware,
    DeleteAdvoware,
    DeleteGoogle,
    FieldChange,
    InsertGoogle,
    Operation,
    UpdateGoogle,
)
from vmh_sync.kalender.model import TIME_FIELDS, Appointment, Frequency, Recurrence, TerminFields

_FORM, _TERMIN = "appointment", "termin"
_OF_ADVOWARE = frozenset({"fr_nr", "az_rubrum", "zuletzt_geaendert_am"})
"""What Advoware gives a Termin by itself."""


def plain(value: object) -> object:
    """Return a value of the normal form as JSON."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Recurrence):
        until = value.until.isoformat() if value.until else None
        return {"frequency": value.frequency.value, "interval": value.interval, "until": until}
    return value


def from_plain(name: str, value: object, zone: ZoneInfo) -> object:
    """Return what :func:`plain` made of a field of the normal form. Raises ``KeyError``/``ValueError``."""
    if name in ("start", "end"):
        return datetime.fromisoformat(str(value)).astimezone(zone)
    if name == "recurrence" and isinstance(value, Mapping):
        until = value["until"]
        last = date.fromisoformat(str(until)) if until else None
        return Recurrence(Frequency(str(value["frequency"])), int(str(value["interval"])), last)
    if name in ("all_day", "private"):
        return bool(value)
    return value if name == "recurrence" else str(value or "")


def logged(operation: Operation, change: FieldChange | None) -> tuple[object, object]:
    """Return what stood there before an operation and what does after it, of one field or of the whole appointment.

    The content of an event that shows none is in Advoware alone; its times are no secret.
    """
    if change is not None:
        hidden = isinstance(operation, UpdateGoogle) and operation.anonymised and change.name not in TIME_FIELDS
        return (None, None) if hidden else (plain(change.old), plain(change.new))
    match operation:
        case InsertGoogle() | CreateAdvoware():
            return None, whole(operation.form)
        case DeleteGoogle() if operation.was is not None:
            return whole(operation.was), None
        case DeleteAdvoware() if operation.was is not None:
            return whole(operation.was, operation.termin), None
    return None, None


def whole(form: Appointment, termin: TerminFields | None = None) -> dict[str, object]:
    """Return a whole appointment, with what only Advoware says of it."""
    more = {name: value for name, value in asdict(termin).items() if value is not None} if termin is not None else {}
    return {_FORM: form.to_json()} | ({_TERMIN: more} if more else {})


def appointment_of(logged_value: object, zone: ZoneInfo) -> Appointment | None:
    """Return the appointment that :func:`whole` made a value of the audit log of, ``None`` for any other value."""
    form = logged_value.get(_FORM) if isinstance(logged_value, Mapping) else None
    return Appointment.from_json(form, zone) if isinstance(form, Mapping) else None


def termin_of(logged_value: object) -> dict[str, str | int]:
    """Return what a Termin said besides, as it is given to Advoware; empty where the log does not hold it."""
    termin = logged_value.get(_TERMIN) if isinstance(logged_value, Mapping) else None
    return {n: v for n, v in termin.items() if n not in _OF_ADVOWARE} if isinstance(termin, Mapping) else {}
