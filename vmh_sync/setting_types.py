"""Forms in which a setting that is more than one word or number stands in the environment."""

import json
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode


def _json_or(empty: object) -> BeforeValidator:
    def parsed(value: object) -> object:
        return (json.loads(value) if value.strip() else empty) if isinstance(value, str) else value

    return BeforeValidator(parsed)


def _from_commas(value: object) -> object:
    return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value


def _one_calendar_each(ids: dict[str, str]) -> dict[str, str]:
    """Refuse what two would share: each one's pass would enter the other's appointments as its own."""
    named = {kuerzel: one.strip() for kuerzel, one in ids.items()}
    if "" in named.values():
        raise ValueError("eine Kalender-ID ist leer")
    if len({one.casefold() for one in named.values()}) < len(named):
        raise ValueError("zwei Kürzel haben dieselbe Kalender-ID; jedes braucht einen eigenen Kalender")
    return named


JsonList, JsonObject = _json_or([]), _json_or({})
"""Beside ``NoDecode``: JSON text; blank text is an empty one."""
CommaNames = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_from_commas)]
CalendarIds = Annotated[dict[str, str], NoDecode, AfterValidator(_one_calendar_each), JsonObject]
"""Kürzel → id of a calendar that is there already."""
