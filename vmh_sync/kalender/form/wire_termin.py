"""Advoware's Termin record → the plain fields that the pure core works with."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from vmh_sync.kalender.model import TerminFields
from vmh_sync.systems.advoware.records import Termin

_NAMES = tuple(attribute.name for attribute in fields(TerminFields))


def to_fields(termin: Termin) -> TerminFields:
    """Return a Termin as read from the wire as plain fields; ``privat`` becomes 0 or 1."""
    values = {name: getattr(termin, name) for name in _NAMES}
    values["privat"] = int(bool(termin.privat))
    return TerminFields(**values)


def laid_over(current: TerminFields, values: Mapping[str, str | int]) -> TerminFields:
    """Return what a Termin says when these values (attribute names) have been written over it."""
    fields: dict[str, Any] = {name: getattr(current, name) for name in _NAMES} | dict(values)
    return TerminFields(**fields)
