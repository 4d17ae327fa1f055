"""Deterministic event ids and the marks that lead from an event back to its appointment (kalender.md 1)."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

PREFIX = "vmh"  # inside a–v, so a legal start; tells our events from others at a glance
FR_NR = "vmhFrNr"
KUERZEL = "vmhKuerzel"
GENERATION = "vmhGeneration"
CONTENT_HASH = "vmhHash"


def event_id(kanzlei: str, kuerzel: str, fr_nr: int, generation: int = 0) -> str:
    """Return the id of the event for one appointment in one employee's calendar.

    The same four values always give the same id, so a repeated insert answers 409 instead of doubling. A new
    ``generation`` gives a new id for an appointment whose earlier event was deleted: Google never frees an id.
    The result has 55 characters of base32hex in lower case (``a–v0–9``).
    """
    key = json.dumps([kanzlei, kuerzel, fr_nr, generation], ensure_ascii=True, separators=(",", ":"))
    digest = hashlib.sha256(key.encode("ascii")).digest()
    return PREFIX + base64.b32hexencode(digest).decode("ascii").rstrip("=").lower()


@dataclass(frozen=True, slots=True)
class Mark:
    """What our private extended properties say about an event; rebuilds the pair table from calendars alone."""

    kuerzel: str
    fr_nr: int
    generation: int
    content_hash: str

    def properties(self) -> dict[str, str]:
        """Return the private extended properties (keys at most 44 characters, values strings)."""
        return {
            KUERZEL: self.kuerzel,
            FR_NR: str(self.fr_nr),
            GENERATION: str(self.generation),
            CONTENT_HASH: self.content_hash,
        }


def read_mark(properties: Mapping[str, str]) -> Mark | None:
    """Read our mark from an event's private extended properties; None when it is absent or damaged."""
    try:
        return Mark(
            kuerzel=properties[KUERZEL],
            fr_nr=int(properties[FR_NR]),
            generation=int(properties.get(GENERATION, "0")),
            content_hash=properties.get(CONTENT_HASH, ""),
        )
    except (KeyError, ValueError):
        return None
