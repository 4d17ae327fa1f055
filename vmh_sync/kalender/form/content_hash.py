"""Fingerprints of normal forms: the mark's content hash and the pair table's base hash."""

import hashlib
import json
from datetime import datetime

from vmh_sync.kalender.model import Appointment, BaseForm

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))  # json.dumps would make one for each form
_WORD = {True: "true", False: "false"}


def content_hash(appointment: Appointment) -> str:
    """Return a fingerprint (32 hex characters) of a normal form; equal forms have equal fingerprints.

    It is that of the form's JSON with sorted keys, put together by hand: a calendar's first load makes thousands.
    """
    said, series = _ENCODER.encode, appointment.recurrence
    return _digest(
        f'{{"all_day":{_WORD[appointment.all_day]},"end":"{_wall_clock(appointment.end)}",'
        f'"notiz":{said(appointment.notiz)},"ort":{said(appointment.ort)},"private":{_WORD[appointment.private]},'
        f'"recurrence":{"null" if series is None else said(series.to_json())},'
        f'"start":"{_wall_clock(appointment.start)}","text":{said(appointment.text)}}}'
    )


def base_hash(base: BaseForm) -> str:
    """Return a fingerprint (32 hex characters) of a base form, for the pair table's ``base_hash``."""
    return _digest(_ENCODER.encode(base.to_json()))


def _wall_clock(moment: datetime) -> str:
    return moment.isoformat()[:19] if not moment.microsecond else moment.replace(tzinfo=None).isoformat()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
