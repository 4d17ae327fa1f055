"""What this Google holds: accounts, calendars with their access rules, events, and one counter of changes."""

import base64
import hashlib
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from vmh_sync.sandbox.google.config import GoogleConfig
from vmh_sync.sandbox.google.errors import forbidden, needs_role, not_found

Json = dict[str, Any]
ROLES = ("none", "freeBusyReader", "reader", "writerWithoutPrivateAccess", "writer", "owner")
_ID_ALPHABET = "0123456789abcdefghijklmnopqrstuv"


@dataclass(slots=True)
class StoredEvent:
    """One event, exception or tombstone.

    ``content`` holds the normalised resource (times as UTC), ``change`` the counter at its last change, ``order``
    the counter at its creation. ``hidden``: an exception that went down with its series.
    """

    id: str
    content: Json
    change: int
    order: int
    hidden: bool = False

    @property
    def cancelled(self) -> bool:
        """True for a tombstone and for a cancelled occurrence."""
        return bool(self.content["status"] == "cancelled")

    @property
    def master_id(self) -> str | None:
        """The id of the series this is an exception of."""
        master: str | None = self.content.get("recurringEventId")
        return master

    @property
    def etag(self) -> str:
        """A value that no other version of any event has."""
        return f'"{3_400_000_000_000_000 + self.change * 2}"'


@dataclass(slots=True)
class StoredCalendar:
    """One calendar. ``rules`` maps a scope (``user:…``) to a role; ``epoch`` grows when sync tokens die."""

    id: str
    owner: str
    summary: str
    time_zone: str
    updated: datetime
    change: int
    primary: bool = False
    description: str = ""
    location: str = ""
    rules: dict[str, str] = field(default_factory=dict)
    events: dict[str, StoredEvent] = field(default_factory=dict)
    used_ids: set[str] = field(default_factory=set)
    epoch: int = 0

    @property
    def etag(self) -> str:
        """The version of the calendar itself."""
        return f'"c{self.change}"'


@dataclass(slots=True)
class Account:
    """An account's own list of calendars: calendar id → the entry; ``left``: when others went off the list."""

    email: str
    entries: dict[str, Json] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)

    def enter(self, calendar_id: str, change: int) -> None:
        """Put a calendar into the list; one that is there already stays as it is."""
        if calendar_id not in self.entries:
            self.entries[calendar_id] = {"change": change}
            self.left.pop(calendar_id, None)

    def leave(self, calendar_id: str, change: int) -> bool:
        """Take a calendar off the list; tells whether it stood there."""
        if self.entries.pop(calendar_id, None) is None:
            return False
        self.left[calendar_id] = change
        return True


class World:
    """All state behind the API."""

    def __init__(self, config: GoogleConfig) -> None:
        self.config = config
        self.calendars: dict[str, StoredCalendar] = {}
        self.forbidden: set[tuple[str, str]] = set()
        self._accounts: dict[str, Account] = {}
        self._rng = random.Random(config.seed)
        self.counter = 0
        self.list_epoch = 0
        self.touched: set[str] = set()

    def tick(self) -> int:
        """Count one change and return the counter."""
        self.counter += 1
        return self.counter

    def event_tick(self, calendar: StoredCalendar) -> int:
        """Count one change of a calendar's events and return the counter."""
        self.touched.add(calendar.id)
        return self.tick()

    def now_text(self) -> str:
        """Return the moment as Google writes ``updated``: UTC with milliseconds."""
        return self.config.clock.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"

    def new_event_id(self) -> str:
        """Return an id as Google itself makes them."""
        return "".join(self._rng.choices(_ID_ALPHABET, k=26))

    def account(self, email: str) -> Account:
        """Return the account, with its primary calendar, creating both at first sight."""
        if email not in self._accounts:
            self._accounts[email] = Account(email)
            self.add_calendar(email, email, "UTC", calendar_id=email).primary = True
        return self._accounts[email]

    def accounts(self) -> list[Account]:
        """Return every account seen so far."""
        return list(self._accounts.values())

    def add_calendar(
        self, owner: str, summary: str, time_zone: str, *, calendar_id: str | None = None
    ) -> StoredCalendar:
        """Create a calendar that ``owner`` owns and has in their list."""
        token = hashlib.sha256(self._rng.randbytes(16)).hexdigest()
        calendar = StoredCalendar(
            id=calendar_id or f"c_{token}@group.calendar.google.com",
            owner=owner,
            summary=summary,
            time_zone=time_zone,
            updated=self.config.clock.now(),
            change=self.tick(),
            rules={f"user:{owner.lower()}": "owner"},
        )
        self.calendars[calendar.id] = calendar
        self.account(owner).enter(calendar.id, calendar.change)
        return calendar

    def remove_calendar(self, calendar_id: str) -> None:
        """Delete a calendar for everybody."""
        del self.calendars[calendar_id]
        for account in self._accounts.values():
            account.leave(calendar_id, self.tick())

    def role(self, calendar: StoredCalendar, email: str) -> str:
        """Return the best role that the rules give the account."""
        domain = email.rpartition("@")[2].lower()
        scopes = (f"user:{email.lower()}", f"group:{email.lower()}", f"domain:{domain}", "default")
        return max((calendar.rules.get(scope, "none") for scope in scopes), key=ROLES.index)

    def calendar(self, calendar_id: str, email: str, least: str) -> StoredCalendar:
        """Return a calendar the account may use with at least this role.

        Raises 404 without any access, 403 with too little, 403 forbidden where access was switched off.
        """
        self.account(email)
        calendar = self.calendars.get(email if calendar_id == "primary" else calendar_id)
        if calendar is None:
            raise not_found()
        if (calendar.id, email) in self.forbidden:
            raise forbidden()
        role = self.role(calendar, email)
        if role == "none":
            raise not_found()
        if ROLES.index(role) < ROLES.index(least):
            raise needs_role("owner" if least == "owner" else "writer" if least == "writer" else "reader")
        return calendar

    def html_link(self, calendar_id: str, event_id: str) -> str:
        """Return the address of an event in Google's web interface."""
        eid = base64.urlsafe_b64encode(f"{event_id} {calendar_id}".encode()).decode("ascii").rstrip("=")
        return f"https://www.google.com/calendar/event?eid={eid}"
