"""Moments as people write them on the command line, in the firm's time zone."""

import re
from collections.abc import Callable
from datetime import datetime, time, timedelta

import typer

from vmh_sync.clock import FIRM_ZONE

_SPANS: dict[str, Callable[[int], timedelta]] = {
    "m": lambda number: timedelta(minutes=number),
    "h": lambda number: timedelta(hours=number),
    "d": lambda number: timedelta(days=number),
    "w": lambda number: timedelta(weeks=number),
}
_DAYS = {"heute": 0, "gestern": 1, "vorgestern": 2}
_FORMS = ("%Y-%m-%d", "%d.%m.%Y", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S")
_LONGEST = 100_000


def moment(text: str, now: datetime) -> datetime:
    """Return the moment (aware) that a person means: a date, a date with time, ``gestern``, or a span like ``24h``.

    Raises ``typer.BadParameter`` that names the possible forms.
    """
    text = text.strip()
    if text.lower() in _DAYS:
        day = now.astimezone(FIRM_ZONE).date() - timedelta(days=_DAYS[text.lower()])
        return datetime.combine(day, time(), FIRM_ZONE)
    found = re.fullmatch(r"(\d{1,6})([mhdw])", text)
    if found and int(found[1]) <= _LONGEST:
        return now - _SPANS[found[2]](int(found[1]))
    for form in _FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=FIRM_ZONE)
        except ValueError:
            continue
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"„{text}“ ist kein Zeitpunkt. Möglich sind zum Beispiel 2026-11-27, 27.11.2026 08:00, gestern, 24h, 7d."
        ) from None
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=FIRM_ZONE)
