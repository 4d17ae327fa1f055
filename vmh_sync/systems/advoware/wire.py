"""Every path, query name, JSON field name and token field of Advoware, and nothing else.

The one module to edit for a firm whose Advoware answers differently (specification, advoware-wire.md). Which fields a
record has says ``records.py``, by the attribute names that the rest of the product uses.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from vmh_sync.clock import foreign_moment

API_PREFIX: Final = "api/v1/advonet/"


@dataclass(frozen=True, slots=True)
class Route:
    """A path below the API prefix, with ``{names}`` for the keys in it."""

    template: str

    def path(self, **keys: int) -> str:
        """The path below the API base (prefix included) with the keys filled in."""
        return API_PREFIX + self.template.format(**keys)


BETEILIGTE = Route("Beteiligte")
BETEILIGTER = Route("Beteiligte/{betnr}")
KOMMUNIKATIONEN = Route("Beteiligte/{betnr}/Kommunikationen")
KOMMUNIKATION = Route("Beteiligte/{betnr}/Kommunikationen/{key}")
ADRESSEN = Route("Beteiligte/{betnr}/Adressen")
ADRESSE = Route("Beteiligte/{betnr}/Adressen/{key}")
BANKVERBINDUNGEN = Route("Beteiligte/{betnr}/Bankverbindungen")
MITARBEITER = Route("Mitarbeiter")
TERMINE = Route("Termine")

# Query names
QUERY_SEARCH: Final = "search"
QUERY_AKTIV: Final = "aktiv"
QUERY_KUERZEL: Final = "kuerzel"
QUERY_FROM: Final = "from"
QUERY_TO: Final = "to"
QUERY_FRNR: Final = "frnr"  # lower case: with "frNr" the filter is silently ignored

OTHER_NAMES: Final[Mapping[str, str]] = {
    "postfach_plz": "postfachPLZ",
}
"""Attribute names of records.py whose name in the JSON is another one than the same in camel case."""


def json_name(attribute: str) -> str:
    """Return the name that an attribute of records.py has in Advoware's JSON: ``bet_nr`` is ``betNr``."""
    first, *others = attribute.split("_")
    return OTHER_NAMES.get(attribute, first + "".join(map(str.capitalize, others)))


# A party's child lists have calls of their own and are left out of a PUT of the party's own data.
BETEILIGTER_CHILDREN: Final = ("kommunikation", "adressen", "bankverbindungen")


def without_children(party: dict[str, Any]) -> dict[str, Any]:
    """Return a party as it was read, in the form of a PUT."""
    return {name: value for name, value in party.items() if name not in BETEILIGTER_CHILDREN}


KOMM_KZ_TOLD: Final = range(1, 13)  # 0 and null mean "not told"

# Discovery
DISCOVERY_PATH: Final = "Url"
QUERY_KANZLEI: Final = "Kanzlei"
DISCOVERY_RELAY: Final = "relayUrl"
DISCOVERY_CONNECTOR: Final = "connectorUrl"
DISCOVERY_GATEWAY: Final = "securityGateway"

# Token
TOKEN_PATH: Final = "api/v1/Token"  # noqa: S105 - a path, not a password
TOKEN_ACCESS: Final = "access_token"  # noqa: S105 - a field name
TOKEN_EXPIRES_AT: Final = "expiration_utc"  # noqa: S105 - a field name
TOKEN_EXPIRES_IN: Final = "expires_in"  # noqa: S105 - a field name


def token_request(
    *,
    app_id: str,
    kanzlei: str,
    database: str,
    user: str,
    role: int,
    product: int,
    password: str,
    nonce: str,
    signature: str,
    timestamp: str,
) -> dict[str, Any]:
    """The JSON body of the token request (wire contract 2)."""
    return {
        "AppID": app_id,
        "Kanzlei": kanzlei,
        "Database": database,
        "User": user,
        "Role": role,
        "Product": product,
        "Password": password,
        "Nonce": nonce,
        "HMAC512Signature": signature,
        "RequestTimeStamp": timestamp,
    }


# Texts that decide the class of an error wherever they stand in an error body (wire contract 4)
TEXT_OFFLINE: Final = ("ist nicht angemeldet", "ist nicht registriert")
TEXT_NOT_ENABLED: Final = "freigeschaltet"
TEXT_BAD_LOGIN: Final = ("Falscher Name oder falsches Kennwort", "Benutzer / Kennwort ung")


def join(base: str, path: str) -> str:
    """Join a base address and a path with exactly one slash between them."""
    return f"{base.rstrip('/')}/{path.lstrip('/')}"


def local_text(moment: dt.datetime, zone: ZoneInfo) -> str:
    """Write an aware moment as the office's local time, ``YYYY-MM-DDTHH:MM:SS`` without zone."""
    if moment.tzinfo is None:
        raise ValueError("Advoware times are made from aware datetimes (with time zone); got a naive one")
    return moment.astimezone(zone).replace(tzinfo=None).isoformat(timespec="seconds")


def local_moment(text: str | None, zone: dt.tzinfo) -> dt.datetime | None:
    """Read the office's local time as an aware UTC datetime; None when it is missing or no date-time.

    In the doubled hour in autumn the earlier of the two moments is meant. A text with a zone of its own keeps it.
    """
    if not text:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return foreign_moment(moment if moment.tzinfo else moment.replace(tzinfo=zone))


def json_value(value: Any) -> Any:
    """Turn a value into what stands on the wire: dates and times as text, everything else as it is.

    Raises TypeError for a datetime, whose zone only the caller knows: use :func:`local_text`.
    """
    if isinstance(value, dt.datetime):
        raise TypeError("pass office-local text (wire.local_text), not a datetime")
    if isinstance(value, dt.date):
        return f"{value.isoformat()}T00:00:00"
    if isinstance(value, dt.time):
        return value.isoformat(timespec="seconds")
    return value
