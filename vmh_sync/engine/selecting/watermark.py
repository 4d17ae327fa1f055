"""From when on a sensor asks EspoCRM for changes."""

from datetime import datetime, timedelta

FIRST_LOOK_BACK = timedelta(days=1)


def watermark(cursor: str | None, now: datetime) -> datetime:
    """Return the moment in a sensor's cursor; a day ago without one.

    The same when the cursor lies in the future: it was set while the clock was wrong, and what changed until now may
    never have been looked at.
    """
    since = datetime.fromisoformat(cursor) if cursor else None
    return since if since is not None and since <= now else now - FIRST_LOOK_BACK
