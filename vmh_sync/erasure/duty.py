"""How long a firm must keep what it knows of a person (a setting), and until when that is. Pure."""

from datetime import date, datetime
from zoneinfo import ZoneInfo


def kept_until(years: int, ended: date | datetime | None, zone: ZoneInfo) -> date | None:
    """Return the last day on which a person must not be erased; ``None`` without a duty.

    A duty of so many years begins with the end of the calendar year in which the matter ended (as in § 50 BRAO);
    ``ended`` is that day, or the last change that we know of.
    """
    if not years or ended is None:
        return None
    day = ended.astimezone(zone).date() if isinstance(ended, datetime) else ended
    return date(day.year + years, 12, 31)
