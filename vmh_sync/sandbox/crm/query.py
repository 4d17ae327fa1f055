"""Reading the parameters of a list: PHP array syntax or ``searchParams`` JSON (specification, espocrm.md B6)."""

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from vmh_sync.sandbox.crm.errors import ApiError, bad_request, crash

MAX_SIZE = 200

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\]]*\])*)")
_PART = re.compile(r"\[([^\]]*)\]")
_LEADING_INT = re.compile(r"\s*[+-]?\d+")


@dataclass(frozen=True)
class ListQuery:
    """A list request; ``select`` is ``None`` for all attributes, ``where`` items are as sent."""

    where: list[Any] = field(default_factory=list)
    order_by: str | None = None
    descending: bool = False
    offset: int = 0
    max_size: int = MAX_SIZE
    select: list[str] | None = None
    text: str | None = None
    bool_filters: list[str] = field(default_factory=list)
    primary_filter: str | None = None


def parse_parameters(query: str) -> dict[str, Any]:
    """Return query parameters as PHP would nest them; arrays with numeric keys come back as lists."""
    root: dict[str, Any] = {}
    for raw_key, value in parse_qsl(query, keep_blank_values=True):
        match = _KEY.fullmatch(raw_key)
        if match is None:
            continue
        path = [match.group(1), *_PART.findall(match.group(2))]
        node = root
        for step in path[:-1]:
            name = step or str(len(node))
            child = node.get(name)
            if not isinstance(child, dict):
                child = node[name] = {}
            node = child
        node[path[-1] or str(len(node))] = value
    return {key: _listed(value) for key, value in root.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    items = {key: _listed(child) for key, child in value.items()}
    if all(key.isdigit() for key in items):
        return [items[key] for key in sorted(items, key=int)]
    return items


def php_int(value: Any) -> int:
    """Return what PHP's ``(int)`` makes of a parameter: the leading digits, else 0."""
    if isinstance(value, int):
        return value
    match = _LEADING_INT.match(str(value))
    return int(match.group()) if match else 0


def parse_list_query(query: str, limit: int = MAX_SIZE) -> ListQuery:
    """Return the list request in a query string; raises the API's own refusals (403, 400, 500).

    ``limit`` is the largest page of the installation.
    """
    parameters = parse_parameters(query)
    if "searchParams" in parameters:
        parameters = _search_params(parameters["searchParams"])
    max_size = php_int(parameters.get("maxSize", limit))
    if max_size > limit:
        raise ApiError(403, f"Max size should not exceed {limit}. Use offset and limit.")
    offset = php_int(parameters.get("offset", 0))
    if offset < 0:
        raise crash()
    where = parameters.get("where") or parameters.get("whereGroup") or []
    return ListQuery(
        where=where if isinstance(where, list) else [],
        order_by=parameters.get("orderBy") or None,
        descending=str(parameters.get("order", "asc")).lower() == "desc",
        offset=offset,
        max_size=max(max_size, 0),
        select=_select(parameters.get("attributeSelect") or parameters.get("select")),
        text=parameters.get("q") or parameters.get("textFilter") or None,
        bool_filters=_string_list(parameters.get("boolFilterList")),
        primary_filter=parameters.get("primaryFilter") or None,
    )


def _search_params(text: Any) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, TypeError) as error:
        raise bad_request("Bad searchParams.") from error
    if not isinstance(value, dict):
        raise bad_request("Bad searchParams.")
    return value


def _select(value: Any) -> list[str] | None:
    if isinstance(value, str) and value:
        return value.split(",")
    if isinstance(value, list):
        return [str(item) for item in value]
    return None


def _string_list(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []
