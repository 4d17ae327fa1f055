"""Where conditions and search parameters, as far as EspoCRM allows them to an API user (specification, espocrm.md B6).

Left out on purpose: ``not`` (refused), ``equals`` with null (silently means IS NULL; say :func:`is_null`), ``in``
without values (refused). ``not_equals`` and ``not_in`` do not find rows whose value is null.
"""

import json
import urllib.parse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from vmh_sync.systems.espocrm.records import json_value

VALUE_CHARACTERS_PER_REQUEST = 4500
"""URL-encoded characters of the values of one ``in``: nginx refuses URLs of more than about 8 kB (B3)."""

LIST_LIMIT = 200
IDS_PER_REQUEST = 100


@dataclass(frozen=True, slots=True)
class ListLimits:
    """How long a page of a list may be here, and by how many values at once a list may be filtered."""

    page: int = LIST_LIMIT
    values: int = IDS_PER_REQUEST


@dataclass(frozen=True, slots=True)
class Where:
    """One condition; made by the functions of this module."""

    type: str
    attribute: str | None = None
    value: Any = None

    def to_json(self) -> dict[str, Any]:
        """The condition as EspoCRM takes it."""
        item: dict[str, Any] = {"type": self.type}
        if self.attribute is not None:
            item["attribute"] = self.attribute
        if self.value is not None:
            item["value"] = self.value
        return item


def _compare(kind: str, attribute: str, value: Any) -> Where:
    if value is None:
        raise ValueError(f"{kind} on {attribute!r} needs a value; use is_null or is_not_null for empty ones")
    return Where(kind, attribute, json_value(value))


def equals(attribute: str, value: Any) -> Where:
    """The attribute has this value (e-mail addresses: any of the record's, whatever the case)."""
    return _compare("equals", attribute, value)


def in_(attribute: str, values: Sequence[Any]) -> Where:
    """The attribute has one of these values. A URL holds about 100 ids: see ``EspoClient.list_ids_in``."""
    if not values or any(value is None for value in values):
        raise ValueError(f"{attribute!r} needs values, none of them null")
    return Where("in", attribute, [json_value(value) for value in values])


def is_not_null(attribute: str) -> Where:
    """The attribute is filled."""
    return Where("isNotNull", attribute)


def greater_than(attribute: str, value: Any) -> Where:
    """Strictly greater."""
    return _compare("greaterThan", attribute, value)


def greater_or_equals(attribute: str, value: Any) -> Where:
    """Greater or equal; for polling by ``modifiedAt`` with overlap."""
    return _compare("greaterThanOrEquals", attribute, value)


def before(attribute: str, value: Any) -> Where:
    """Strictly before a moment or date."""
    return _compare("before", attribute, value)


def after(attribute: str, value: Any) -> Where:
    """Strictly after a moment or date."""
    return _compare("after", attribute, value)


def contains(attribute: str, text: str) -> Where:
    """The attribute holds this text."""
    return _compare("contains", attribute, text)


def all_of(*items: Where) -> Where:
    """Every one of the conditions."""
    return Where("and", value=[item.to_json() for item in items])


def any_of(*items: Where) -> Where:
    """At least one of the conditions."""
    if not items:
        raise ValueError("any_of needs at least one condition")
    return Where("or", value=[item.to_json() for item in items])


def search_params(
    *,
    where: Sequence[Where],
    select: Sequence[str] | None,
    order_by: str,
    descending: bool,
    max_size: int,
) -> dict[str, str]:
    """The query of a list request: one ``searchParams`` JSON, shorter in the URL than PHP arrays (c38)."""
    search: dict[str, Any] = {
        "maxSize": max_size,
        "orderBy": order_by,
        "order": "desc" if descending else "asc",
    }
    if where:
        search["where"] = [item.to_json() for item in where]
    if select is not None:
        search["select"] = list(select)  # in this form an array: the server refuses a string
    return {"searchParams": json.dumps(search, separators=(",", ":"), ensure_ascii=False)}


def chunks(values: Iterable[Any], most: int) -> list[list[Any]]:
    """The values of several ``in``, each with at most ``most`` of them and short enough for an address."""
    found: list[list[Any]] = []
    size = 0
    for value in dict.fromkeys(values):
        length = len(urllib.parse.quote(json.dumps(str(value)))) + 3
        if not found or len(found[-1]) >= most or size + length > VALUE_CHARACTERS_PER_REQUEST:
            found.append([])
            size = 0
        found[-1].append(value)
        size += length
    return found
