"""A span of time as a selection: all that was changed in it, to sync it once more (a backfill). Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime

from vmh_sync.engine.passes.entity_pipeline import UnknownSelection

_PREFIX = "changed:"


@dataclass(frozen=True, slots=True)
class Span:
    """From ``since`` on, until before ``until``; both aware, ``until`` ``None`` for now."""

    since: datetime
    until: datetime | None = None

    @property
    def name(self) -> str:
        """The span as the name of a selection."""
        return f"{_PREFIX}{self.since.isoformat()}/{self.until.isoformat() if self.until else ''}"


def selection_name(selection: str, since: str, until: str) -> str:
    """Return the selection that a run's configuration means: the named one, or a span when ``since`` is given."""
    if not since.strip() and not until.strip():
        return selection
    return f"{_PREFIX}{since.strip()}/{until.strip()}"


def span_of(selection: str) -> Span | None:
    """Return the span that a selection means, ``None`` for any other. Raises ``UnknownSelection`` for no moments.

    A moment without a zone is taken for UTC.
    """
    if not selection.startswith(_PREFIX):
        return None
    since, _, until = selection.removeprefix(_PREFIX).partition("/")
    try:
        return Span(_moment(since), _moment(until) if until else None)
    except ValueError:
        raise UnknownSelection(selection, ("since und until als 2026-11-27 oder 2026-11-27T08:00",)) from None


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
