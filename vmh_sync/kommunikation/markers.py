"""The remark markers of the original: read for first contact, written only if the setting says so.

``[ESPOCRM:<base64 of the value>:<kommKz>]`` stands for a synced value, ``[ESPOCRM-SLOT:<kommKz>]`` for an entry that
the sync emptied. Whatever is no valid marker is a person's text and kept byte for byte (specification, entities.md 2).
"""

import base64
import binascii
import re
from dataclasses import dataclass

_MARKER = re.compile(
    r"\[ESPOCRM:(?P<value>[A-Za-z0-9+/]+={0,2}):(?P<kind>\d{1,2})\]|\[ESPOCRM-SLOT:(?P<slot>\d{1,2})\]"
)
_KINDS = range(1, 13)


@dataclass(frozen=True, slots=True, repr=False)
class Remark:
    """A remark taken apart: ``before`` + marker + ``after`` is the remark as read.

    ``kind`` is the marker's kommKz, ``None`` when there is no valid marker (then ``before`` is the whole remark).
    ``value`` is the marked value, ``None`` for a slot marker.
    """

    before: str
    kind: int | None = None
    value: str | None = None
    after: str = ""

    @property
    def is_slot(self) -> bool:
        """Whether the marker says that the sync emptied this entry."""
        return self.kind is not None and self.value is None


def parse(remark: str | None) -> Remark:
    """Take a remark apart. The first valid marker counts; a damaged one stays part of the text."""
    plain = remark or ""
    for match in _MARKER.finditer(plain):
        slot = match["slot"]
        kind = int(slot if slot is not None else match["kind"])
        value = None if slot is not None else _decoded(match["value"])
        if kind in _KINDS and (slot is not None or value is not None):
            return Remark(plain[: match.start()], kind, value, plain[match.end() :])
    return Remark(plain)


def with_value(remark: str | None, value: str, kind: int, *, limit: int = 2000) -> str:
    """Return the remark with a value marker in place of its marker, or in front of its text.

    The text of the person comes first: where marker and text together exceed ``limit`` characters, the remark is
    returned as it is (our pair table knows the pair without a marker).
    """
    return _placed(remark, f"[ESPOCRM:{base64.b64encode(value.encode()).decode()}:{kind}]", limit)


def with_slot(remark: str | None, kind: int, *, limit: int = 2000) -> str:
    """Return the remark with a slot marker; rules as for :func:`with_value`."""
    return _placed(remark, f"[ESPOCRM-SLOT:{kind}]", limit)


def _placed(remark: str | None, marker: str, limit: int) -> str:
    parts = parse(remark)
    if parts.kind is not None:
        built = parts.before + marker + parts.after
    else:
        built = f"{marker} {parts.before}" if parts.before else marker
    return built if len(built) <= limit else remark or ""


def _decoded(encoded: str) -> str | None:
    try:
        value = base64.b64decode(encoded, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return value if value.strip() else None
