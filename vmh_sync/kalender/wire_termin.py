"""Advoware's Termin record → the plain fields that the pure core works with."""

from dataclasses import fields

from vmh_sync.kalender.model import TerminFields
from vmh_sync.systems.advoware.records import Termin

_NAMES = tuple(attribute.name for attribute in fields(TerminFields))


def to_fields(termin: Termin) -> TerminFields:
    """Return a Termin as read from the wire as plain fields; ``privat`` becomes 0 or 1."""
    values = {name: getattr(termin, name) for name in _NAMES}
    values["privat"] = int(bool(termin.privat))
    return TerminFields(**values)
