"""Fingerprints of normal forms: the mark's content hash and the pair table's base hash."""

import hashlib
import json

from vmh_sync.kalender.model import Appointment, BaseForm

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))  # json.dumps would make one for each form


def content_hash(appointment: Appointment) -> str:
    """Return a fingerprint (32 hex characters) of a normal form; equal forms have equal fingerprints."""
    return _digest(appointment.to_json())


def base_hash(base: BaseForm) -> str:
    """Return a fingerprint (32 hex characters) of a base form, for the pair table's ``base_hash``."""
    return _digest(base.to_json())


def _digest(data: dict[str, object]) -> str:
    return hashlib.sha256(_ENCODER.encode(data).encode()).hexdigest()[:32]
