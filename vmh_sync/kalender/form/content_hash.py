"""Fingerprints of normal forms: the mark's content hash and the pair table's base hash."""

import hashlib
import json
from datetime import datetime
from json.encoder import encode_basestring_ascii as said

from vmh_sync.kalender.model import Appointment, BaseForm

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))  # json.dumps would make one for each form
_SECONDS, _WITH_OFFSET = len("2026-03-02T10:30:00"), len("2026-03-02T10:30:00+01:00")
_WORD = {True: "true", False: "false"}


def content_hash(appointment: Appointment, start: str | None = None, end: str | None = None) -> str:
    """Return a fingerprint (32 hex characters) of a normal form; equal forms have equal fingerprints.

    It is that of the form's JSON with sorted keys, put together by hand: a calendar's first load makes thousands.
    ``start``, ``end``: its times with their offset as ISO text, where somebody has spelled them out already.
    """
    series = appointment.recurrence
    begins = start[:_SECONDS] if start and len(start) == _WITH_OFFSET else _wall_clock(appointment.start)
    ends = end[:_SECONDS] if end and len(end) == _WITH_OFFSET else _wall_clock(appointment.end)
    return _digest(
        f'{{"all_day":{_WORD[appointment.all_day]},"end":"{ends}",'
        f'"notiz":{said(appointment.notiz)},"ort":{said(appointment.ort)},"private":{_WORD[appointment.private]},'
        f'"recurrence":{"null" if series is None else _ENCODER.encode(series.to_json())},'
        f'"start":"{begins}","text":{said(appointment.text)}}}'
    )


def base_hash(base: BaseForm) -> str:
    """Return a fingerprint (32 hex characters) of a base form, for the pair table's ``base_hash``."""
    return _digest(_ENCODER.encode(base.to_json()))


def _wall_clock(moment: datetime) -> str:
    return moment.isoformat()[:_SECONDS] if not moment.microsecond else moment.replace(tzinfo=None).isoformat()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
