"""Fingerprints of normal forms: the mark's content hash and the pair table's base hash."""

import hashlib
import json

from vmh_sync.kalender.model import Appointment, BaseForm


def content_hash(appointment: Appointment) -> str:
    """Return a fingerprint (32 hex characters) of a normal form; equal forms have equal fingerprints."""
    return _digest(appointment.to_json())


def base_hash(base: BaseForm) -> str:
    """Return a fingerprint (32 hex characters) of a base form, for the pair table's ``base_hash``."""
    return _digest(base.to_json())


def _digest(data: dict[str, object]) -> str:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
