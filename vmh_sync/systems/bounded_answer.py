"""Answers have an end: so many bytes at most, packed and unpacked, before anything holds or reads them as a whole.

A body that never ends, or a few kilobytes that unpack to gigabytes, would take the process along with all its records.
"""

from collections.abc import AsyncIterator, Iterable, Iterator

import httpx

LONGEST = 128 * 1024 * 1024
"""Far more than a list page or a year of appointments."""
PART = 64 * 1024
_MOST_SWELLING = 1032
"""How much deflate can unpack from a byte."""


class AnswerTooLong(Exception):
    """An answer has more than :data:`LONGEST` bytes."""


class Parts(httpx.SyncByteStream):
    """A body in parts, so that what is unpacked of it can be counted as it comes."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        """Yield the parts."""
        for start in range(0, len(self._content), PART):
            yield self._content[start : start + PART]


async def whole(parts: AsyncIterator[bytes]) -> bytes:
    """Return the parts of a body as one. Raises :class:`AnswerTooLong`."""
    found, size = list[bytes](), 0
    async for part in parts:
        size = _within(size + len(part))
        found.append(part)
    return b"".join(found)


def measure(parts: Iterable[bytes]) -> None:
    """Count unpacked parts and keep none. Raises :class:`AnswerTooLong`."""
    size = 0
    for part in parts:
        size = _within(size + len(part))


def may_swell(size: int, encoding: str | None) -> bool:
    """Whether a packed body of this size can unpack to more than is taken."""
    return bool(encoding) and (size * _MOST_SWELLING > LONGEST or "," in (encoding or ""))


def _within(size: int) -> int:
    if size > LONGEST:
        raise AnswerTooLong(f"more than {LONGEST} bytes")
    return size
