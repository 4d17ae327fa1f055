"""How a day is written to a field that is a date-time at this firm (specification, espocrm.md B4).

A date-time field refuses a day alone. Which fields are of that kind only the refusal tells an API user for certain; it
is remembered, so that each field costs one refused request per client.
"""

import re
from collections.abc import Mapping
from typing import Protocol

import httpx

from vmh_sync.systems.espocrm.errors import ValidationRejected

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MIDNIGHT = " 00:00:00"
_NOT_VALID = "valid"


class Send(Protocol):
    """Sends one request with this body."""

    async def __call__(self, *, body: Mapping[str, object]) -> httpx.Response:
        """Return the answer; raises ``ValidationRejected`` where a field is refused."""


class DayFields:
    """Which fields of this EspoCRM want a moment where we have a day."""

    def __init__(self) -> None:
        self._moments: set[tuple[str, str]] = set()

    async def save(self, entity: str, values: Mapping[str, object], send: Send) -> httpx.Response:
        """Send a record's values as ``body``, days of such fields as their midnights; returns the answer.

        Raises what ``send`` raises; ``ValidationRejected`` for a day only after both notations were refused.
        """
        while True:
            body = {
                name: f"{value}{_MIDNIGHT}" if (entity, name) in self._moments and _is_day(value) else value
                for name, value in values.items()
            }
            try:
                return await send(body=body)
            except ValidationRejected as refusal:
                field = (entity, refusal.field)
                if refusal.rule != _NOT_VALID or not _is_day(values.get(refusal.field)):
                    raise
                if not _is_day(body[refusal.field]):
                    self._moments.discard(field)  # the day itself is what it does not take
                    raise
                self._moments.add(field)


def _is_day(value: object) -> bool:
    return isinstance(value, str) and _DAY.fullmatch(value) is not None
