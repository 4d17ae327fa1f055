"""A request as httpx would send it, without httpx's request object: to build one took a tenth of a first load's CPU.

Addresses and parameters that need any thought are left to httpx itself.
"""

import json as json_library
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import httpx

Params = Mapping[str, Any] | list[tuple[str, Any]] | None

_PLAIN = re.compile(r"(https?://[A-Za-z0-9.-]+(?::[0-9]+)?)(/[A-Za-z0-9_~./-]*)?")
"""An address that httpx leaves as it is, but for its origin."""
_LONGEST = 60_000
"""Of more than 65,536 characters httpx makes no address."""
_ENCODER = json_library.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_HAVE_A_BODY = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is sent."""

    method: str
    address: str
    headers: list[tuple[str, str]]
    body: bytes | None


def outgoing(method: str, url: str, *, params: Params, json: Any, headers: Mapping[str, str]) -> Outgoing:
    """Return what is sent for a call.

    Raises ``httpx.InvalidURL``, ``httpx.UnsupportedProtocol``, and ValueError or TypeError for what is no JSON and no
    header.
    """
    method = method.upper()
    "".join(headers.values()).encode("ascii")
    address, login = _address(url, params)
    body = _ENCODER.encode(json).encode() if json is not None else None
    fields = [*login, *(one for one in headers.items() if not login or one[0] != login[0][0])]
    if body is not None:
        fields += [("Content-Length", str(len(body))), ("Content-Type", "application/json")]
    elif method in _HAVE_A_BODY:
        fields.append(("Content-Length", "0"))
    return Outgoing(method, address, fields, body)


def _address(url: str, params: Params) -> tuple[str, list[tuple[str, str]]]:
    """Return the address as it is sent, and a login that stands in it as a header, which is how httpx does it."""
    query = str(httpx.QueryParams(params)) if params else ""
    if len(url) + len(query) <= _LONGEST and "/." not in url and (plain := _PLAIN.fullmatch(url)):
        return _origin(plain[1]) + (plain[2] or "/") + (query and f"?{query}"), []
    whole = httpx.URL(url) if params is None else httpx.URL(url, params=params)
    if whole.scheme not in ("http", "https") or not whole.host:
        raise httpx.UnsupportedProtocol("no address of the web")
    if not whole.userinfo:
        return str(whole), []
    request = next(httpx.BasicAuth(whole.username, whole.password).sync_auth_flow(httpx.Request("GET", whole)))
    return str(whole.copy_with(userinfo=b"")), [("Authorization", request.headers["Authorization"])]


@lru_cache(maxsize=16)
def _origin(plain: str) -> str:
    return str(httpx.URL(plain))
