"""Recognises a record whose comparison would come out as the last time: "nothing to do" is not computed twice.

Planning is a function of what both sides said, of what our database says, of the rules and of the day. A fingerprint is
a hash of all of that, kept with the base when the plan made from it was empty and nothing was open. Where it is equal,
the plan would be empty again, so nothing is mapped, merged or planned. It says more than it must (any byte of an
answer, any line of the rules): what it costs then is a comparison, never an edit.
"""

import hashlib
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from vmh_sync.engine.passes.pass_context import PassContext

_DECIDING = (
    "adressen",
    "bankverbindungen",
    "beteiligte",
    "children",
    "engine",
    "kommunikation",
    "store",
    "sync",
    "systems/advoware",
    "systems/espocrm",
    "tasks",
)
"""The rooms whose code decides what a comparison comes to."""
_DECIDING_PACKAGES = ("vmh-sync", "phonenumbers", "pydantic", "schwifty")
_BYTES = 16


def rules_mark(context: PassContext) -> bytes:
    """Return a mark of everything but the records that a comparison depends on: code, packages, settings, tables.

    A change of any of it makes every fingerprint void.
    """
    settings = [context.rules.model_dump(mode="json"), context.field_changes, str(context.zone)]
    return _hash([code_mark(), canonical(settings)])


def fingerprint(rules: bytes, today: date, parts: Iterable[bytes]) -> str:
    """Return the fingerprint of a comparison made with these rules, on this day of the office, from ``parts``.

    The day stands for every rule that reads the clock: what depends on time is compared again tomorrow.
    """
    return _hash([rules, today.isoformat().encode(), *parts]).hex()


def canonical(value: Any) -> bytes:
    """Return JSON that is the same for the same value; other kinds (1, 1.0, "1", true) stay apart."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


@cache
def code_mark() -> bytes:
    """Return a mark of the code that decides, in this process."""
    root = Path(__file__).parents[2]
    files = sorted(path for room in _DECIDING for path in (root / room).rglob("*.py"))
    texts = [part for path in files for part in (str(path.relative_to(root)).encode(), path.read_bytes())]
    return _hash([sys.version.encode(), *(_version(name) for name in _DECIDING_PACKAGES), *texts])


def _version(package: str) -> bytes:
    try:
        return version(package).encode()
    except PackageNotFoundError:
        return b""


def _hash(parts: Sequence[bytes]) -> bytes:
    found = hashlib.blake2b(digest_size=_BYTES)
    for part in parts:
        # With its length: no two sequences of parts are the same text.
        found.update(len(part).to_bytes(8, "big"))
        found.update(part)
    return found.digest()
