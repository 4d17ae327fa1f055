"""What a write's read-back means, field by field: agreed, ignored, or already edited by somebody (sync-semantics.md 3).

Pure. A server may rewrite what it is given; apart from the rewritings that are known, whatever differs from what was
sent is a person's edit and must never become the base.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from vmh_sync.kalender.model import TEXT_FIELDS, TIME_FIELDS, Appointment, changed_fields

SHORTEST_CUT = 40
"""A text that comes back as the beginning of what was sent was cut off by the server, if at least so much is left.

No known column is shorter, and a person who shortens a text leaves less, or changes its end.
"""


@dataclass(frozen=True, slots=True)
class ReadBack:
    """``agreed`` is to become the base, ``ignored`` are sent fields that the server left as they were.

    ``edited`` are fields that somebody changed since: the base keeps what was sent, so that the edit is planned.
    """

    agreed: Appointment
    ignored: frozenset[str] = frozenset()
    edited: frozenset[str] = frozenset()


def compare(sent: Appointment, answer: Appointment, before: Appointment | None) -> ReadBack:
    """Compare what was sent with what now stands there; ``before`` is what stood there when we sent."""
    differing = changed_fields(sent, answer)
    spelled = frozenset(name for name in differing if _is_spelling(name, sent, answer))
    left = differing - spelled
    ignored = frozenset(name for name in left if before is not None and getattr(answer, name) == getattr(before, name))
    if (left - ignored) & TIME_FIELDS:
        # Start, end and series go together: one of them edited means that the times are a person's.
        ignored -= TIME_FIELDS
    agreed = replace(sent, **{name: getattr(answer, name) for name in spelled | ignored})
    return ReadBack(agreed, ignored, left - ignored)


def _is_spelling(name: str, sent: Appointment, answer: Appointment) -> bool:
    wanted, back = getattr(sent, name), getattr(answer, name)
    if name in TEXT_FIELDS:
        return _same_words(wanted, back) or (len(back) >= SHORTEST_CUT and wanted.startswith(back))
    if isinstance(wanted, datetime) and isinstance(back, datetime):
        return wanted.replace(second=0, microsecond=0) == back.replace(second=0, microsecond=0)
    return False


def _same_words(one: str, other: str) -> bool:
    return one.split() == other.split()
