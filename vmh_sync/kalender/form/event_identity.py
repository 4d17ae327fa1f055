"""Deterministic Google event ids, so that a repeated insert answers 409 instead of doubling (kalender.md 1)."""

import base64
import hashlib

GENERATIONS_TRIED = 8
"""As many inserts of one Termin are recognised by their ids."""

LENGTH = 52


def ids_of_inserts(kanzlei: str, kuerzel: str, fr_nr: int) -> dict[str, int]:
    """Return the ids of the events that we may have put into this calendar for a Termin, with their generations."""
    return {event_id(kanzlei, kuerzel, fr_nr, generation): generation for generation in range(GENERATIONS_TRIED)}


def event_id(kanzlei: str, kuerzel: str, fr_nr: int, generation: int = 0) -> str:
    """Return the event id (:data:`LENGTH` characters of base32hex) of a Termin in one employee's calendar.

    ``generation`` counts the inserts: an id whose event was deleted can never be inserted again.
    """
    seed = "\x1f".join(("vmh_sync", kanzlei, kuerzel.strip().upper(), str(fr_nr), str(generation)))
    digest = hashlib.sha256(seed.encode()).digest()
    return base64.b32hexencode(digest).decode().rstrip("=").lower()
