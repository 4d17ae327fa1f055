"""The setting that names the employees' calendars by their ids."""

from typing import Annotated

from pydantic import AfterValidator
from pydantic_settings import NoDecode


def _one_calendar_each(ids: dict[str, str]) -> dict[str, str]:
    """Refuse what two would share: each one's pass would enter the other's appointments as its own."""
    named = {kuerzel: one.strip() for kuerzel, one in ids.items()}
    if "" in named.values():
        raise ValueError("eine Kalender-ID ist leer")
    if len({one.casefold() for one in named.values()}) < len(named):
        raise ValueError("zwei Kürzel haben dieselbe Kalender-ID; jedes braucht einen eigenen Kalender")
    return named


CalendarIds = Annotated[dict[str, str], NoDecode, AfterValidator(_one_calendar_each)]
"""Kürzel → id of a calendar that is there already."""
