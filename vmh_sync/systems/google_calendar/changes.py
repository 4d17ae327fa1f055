"""Incremental reads with a sync token per calendar (specification, kalender.md 1 "Incremental reads").

The first read and the deltas use the same parameters, because Google wants them equal: masters of series, no
window. The window is applied by the caller to what comes out of here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from vmh_sync.systems.google_calendar.client import LIST, PAGE_SIZE, GoogleCalendarClient
from vmh_sync.systems.google_calendar.errors import (
    Answer,
    FullSyncRequiredError,
    GoneError,
    IncompleteReadError,
    UpdatedMinTooLongAgoError,
)
from vmh_sync.systems.google_calendar.events import Event
from vmh_sync.systems.json_answers import sound_part

# A stored token is only good for the parameters it was made with; change them and raise the version.
_PARAMS = {"singleEvents": False, "maxResults": PAGE_SIZE}
_VERSION = "1"

_FULL_ROLES = frozenset({"owner", "writer"})
_BUSY_ROLES = frozenset({"none", "freeBusyReader"})
_PRIVATE = frozenset({"private", "confidential"})


@dataclass(frozen=True, slots=True)
class Changes:
    """A complete read.

    ``full``: the events are everything that lives in the calendar; otherwise they are what changed since the
    token, deletions as cancelled events. ``token`` is to be stored only after the events were worked off.
    ``was_reset`` says that the given token was of no use, so what was deleted meanwhile is not listed;
    ``reset_reason`` is Google's word for why (``fullSyncRequired``, ``updatedMinTooLongAgo``), empty if it was ours.
    ``nameless``: what can be read of items whose id cannot. Nothing may be concluded about an event that is not listed
    then, and the token must not be stored: it would hide what became of them. ``role``: what Google says we may do.
    """

    events: tuple[Event, ...]
    token: str
    full: bool
    pages: int
    was_reset: bool = False
    reset_reason: str = ""
    nameless: tuple[Mapping[str, object], ...] = ()
    role: str = "owner"

    @property
    def shows_everything(self) -> bool:
        """Whether our role lets us see, and write, all events; else what is private comes without its content."""
        return self.role in _FULL_ROLES

    @property
    def shows_nothing(self) -> bool:
        """Whether our role lets us see only when somebody is busy."""
        return self.role in _BUSY_ROLES


def read_changes(client: GoogleCalendarClient, calendar_id: str, token: str | None) -> Changes:
    """Read everything (``token`` None or of another version) or what changed since ``token``.

    A token that Google declares dead leads to a full read; so does "too long ago", which is about ``updatedMin`` and
    is not sent here: Google's advice is the same. The third 410 (``deleted``) is no answer to a list.
    Raises :class:`IncompleteReadError` rather than return a part, and every error of the client. An empty calendar is
    believed only when two reads say so: everything would be created in it once more.
    """
    version, _, google_token = (token or "").partition(":")
    if version == _VERSION and google_token:
        try:
            return _read(client, calendar_id, google_token)
        except (FullSyncRequiredError, UpdatedMinTooLongAgoError) as refusal:
            return _whole(client, calendar_id, was_reset=True, reset_reason=refusal.reason)
        except GoneError as refusal:
            raise IncompleteReadError(LIST.name, Answer(410, refusal.reason)) from None
    return _whole(client, calendar_id, was_reset=token is not None)


def _whole(client: GoogleCalendarClient, calendar_id: str, *, was_reset: bool, reset_reason: str = "") -> Changes:
    read = _read(client, calendar_id, None, was_reset=was_reset, reset_reason=reset_reason)
    if read.events or read.nameless:
        return read
    return _read(client, calendar_id, None, was_reset=was_reset, reset_reason=reset_reason)


def _read(
    client: GoogleCalendarClient,
    calendar_id: str,
    google_token: str | None,
    *,
    was_reset: bool = False,
    reset_reason: str = "",
) -> Changes:
    params = {**_PARAMS, "syncToken": google_token} if google_token else dict(_PARAMS)
    latest: dict[str, Event] = {}
    nameless: list[Mapping[str, object]] = []
    next_token, pages, role = None, 0, "owner"
    for page in client.list_pages(calendar_id, params):
        pages += 1
        role = str(page.get("accessRole") or role)
        for item in page.get("items", ()):
            try:
                event = Event.as_told(item)
            except ValueError:
                nameless.append(sound_part(item) if isinstance(item, dict) else {})
                continue
            if role not in _FULL_ROLES and event.raw.get("visibility") in _PRIVATE:
                event = Event.from_wire({"id": event.id})  # its content is hidden from us, not empty
            latest[event.id] = event  # an event that changed while we paged counts in its last form
        next_token = page.get("nextSyncToken")
    if not next_token:
        raise IncompleteReadError(LIST.name, Answer(200, "noSyncToken"))
    return Changes(
        events=tuple(latest.values()),
        token=f"{_VERSION}:{next_token}",
        full=google_token is None,
        pages=pages,
        was_reset=was_reset,
        reset_reason=reset_reason,
        nameless=tuple(nameless),
        role=role,
    )
