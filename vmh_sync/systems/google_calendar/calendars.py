"""Find or create an employee's calendar and give the right people access (specification, kalender.md 1)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar

from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.systems.google_calendar.client import GoogleCalendarClient, Operation
from vmh_sync.systems.google_calendar.errors import (
    ForbiddenError,
    NotFoundError,
    TransientError,
)
from vmh_sync.systems.google_calendar.quota import WRITE
from vmh_sync.systems.google_calendar.retry import Replay

_LIST_ROUTE = "users/me/calendarList"
_ACL_ROUTE = "calendars/{calendarId}/acl"
LIST_ENTRY = Operation("calendarList.get", "GET", f"{_LIST_ROUTE}/{{calendarId}}")
LIST_ALL = Operation("calendarList.list", "GET", _LIST_ROUTE)
SUBSCRIBE = Operation("calendarList.insert", "POST", _LIST_ROUTE, WRITE)
GET_CALENDAR = Operation("calendars.get", "GET", "calendars/{calendarId}")
CREATE = Operation("calendars.insert", "POST", "calendars", WRITE, Replay.NEVER)
ACL_LIST = Operation("acl.list", "GET", _ACL_ROUTE)
ACL_INSERT = Operation("acl.insert", "POST", _ACL_ROUTE, WRITE)
WRITABLE = frozenset({"owner", "writer"})
"""Roles with which a calendar can be synced."""


class Found(Enum):
    """How the calendar was found."""

    BY_ID = "by_id"
    BY_NAME = "by_name"
    CREATED = "created"


@dataclass(frozen=True, slots=True)
class FoundCalendar:
    """An employee's calendar: its id and how it was found."""

    id: str
    found: Found


@dataclass(frozen=True, slots=True)
class AccessRule:
    """Who gets which access: ``role`` and scope as Google names them."""

    role: str
    scope_type: str
    value: str = field(default="", repr=False)

    def scope(self) -> dict[str, str]:
        """Return Google's scope object."""
        return {"type": self.scope_type, **({"value": self.value} if self.value else {})}


class CalendarProblem(ForeignSystemError):
    """This employee's calendar cannot be used; the others can. The message says why and what to do."""

    system: ClassVar[str] = "google"
    people: ClassVar[str] = "Die Freigaben des Kalenders konnten nicht gesetzt werden; dazu braucht es Besitzrechte."


class CalendarGoneError(CalendarProblem):
    """The stored calendar was deleted by hand or our access was taken away."""

    people: ClassVar[str] = (
        "Der Google-Kalender wurde gelöscht oder ist nicht mehr freigegeben; bitte wieder für das Dienstkonto "
        "freigeben oder neu anlegen lassen (CALENDAR_SYNC_RECREATE_CALENDARS=true)."
    )


class AmbiguousCalendarError(CalendarProblem):
    """Several calendars carry the employee's calendar name."""

    people: ClassVar[str] = "Mehrere Google-Kalender tragen denselben Namen; bitte alle bis auf einen umbenennen."


class NamedCalendarError(CalendarProblem):
    """The calendar that the settings name for the employee cannot be reached; none is made in its place."""

    people: ClassVar[str] = (
        "Der Google-Kalender, den GOOGLE_CALENDAR_IDS nennt, ist nicht zu erreichen; bitte die Kalender-ID prüfen und "
        "ihn für das Dienstkonto mit „Änderungen vornehmen“ freigeben."
    )


class ReadOnlyCalendarError(CalendarProblem):
    """The calendar is shared with us, but not for writing."""

    people: ClassVar[str] = "Der Google-Kalender ist nur zum Lesen freigegeben; bitte Schreibrecht erteilen."


class CreationDeferredError(CalendarProblem):
    """Enough calendars were created for now; the next pass goes on."""

    retryable: ClassVar[bool] = True
    people: ClassVar[str] = (
        "Der Google-Kalender wird in einem späteren Durchgang von selbst angelegt; in der letzten Stunde sind schon "
        "genug neue Kalender entstanden (mehr auf einmal würde Google sperren)."
    )


CreationBudget = Callable[[], bool]
"""Takes one of the calendars that may be created now, and tells whether there was one: more than about 60 in a short
time put the account into read-only."""


@dataclass(frozen=True, slots=True)
class CalendarTemplate:
    """What a new calendar looks like: name template with ``{kuerzel}``, IANA zone, rules as the setting has them.

    ``ids``: Kürzel → id of a calendar that is there already; it need not be in our list, nor carry the name.
    """

    name: str = "AW-{kuerzel}"
    time_zone: str = "Europe/Berlin"
    rules: Sequence[dict[str, str]] = ()
    ids: Mapping[str, str] = field(default_factory=dict)

    def named(self, kuerzel: str) -> str | None:
        """Return the id of the employee's calendar where the settings name one."""
        return next((one for name, one in self.ids.items() if name.upper() == kuerzel.upper()), None)

    def title(self, kuerzel: str) -> str:
        """Return the calendar name of an employee."""
        return self.name.replace("{kuerzel}", kuerzel)

    def access_rules(self, kuerzel: str, email: str | None) -> list[AccessRule]:
        """Return the rules with placeholders filled; one that needs an unknown address is left out."""
        rules = []
        for rule in self.rules:
            value = rule.get("value", "")
            if "{email}" in value and not email:
                continue
            filled = value.replace("{kuerzel}", kuerzel).replace("{email}", email or "")
            rules.append(AccessRule(rule["role"], rule["type"], filled))
        return rules


def listed(client: GoogleCalendarClient) -> list[dict[str, Any]]:
    """Return the calendars in the client's list, as Google tells them; raises the errors of the client."""
    pages = client.pages(LIST_ALL, lambda s, page: s.calendarList().list(maxResults=250, showHidden=True, **page))
    return [entry for page in pages for entry in page.get("items", ())]


class CalendarDirectory:
    """Finds, creates and shares the employees' calendars.

    ``account`` acts as the service account and does the daily work. ``owner`` acts as the delegation subject, if
    there is one: it creates and shares, so that a person owns the calendar and not the service account for good.
    """

    def __init__(
        self,
        account: GoogleCalendarClient,
        service_account_email: str,
        template: CalendarTemplate,
        *,
        budget: CreationBudget,
        owner: GoogleCalendarClient | None = None,
    ) -> None:
        self._account = account
        self._email = service_account_email
        self._template = template
        self._delegated = owner
        self._owner = owner or account
        self._budget = budget

    def find_or_create(
        self, kuerzel: str, *, email: str | None = None, stored_id: str | None = None, recreate: bool = False
    ) -> FoundCalendar:
        """Return the employee's calendar, by the id of the settings, else by stored id, by name, or created.

        Access rules are completed. A calendar that the settings name is never made anew nor replaced by another one.
        Costs at least two calls, so it is for employees without a stored calendar or whose stored one answered 404
        or 403, not for every pass. With a ``stored_id`` that leads nowhere nothing is created unless ``recreate``:
        somebody deleted the calendar or took our access away, and that is for a person to decide.
        Raises :class:`CalendarProblem` and the errors of the client.
        """
        found = self._named_by_settings(kuerzel)
        found = found or (self._by_id(stored_id) if stored_id else None)
        found = found or self._by_name(self._template.title(kuerzel))
        if found is None:
            if stored_id and not recreate:
                raise CalendarGoneError(
                    f"the calendar of {kuerzel} was deleted or is no longer shared with the service account; "
                    "share it again, or allow it to be created anew"
                )
            found = FoundCalendar(self._create(kuerzel), Found.CREATED)
        self.complete_access(found.id, self.rules_for(kuerzel, email))
        return found

    def look_up(self, kuerzel: str) -> str | None:
        """Return the id of the employee's calendar by settings or name, without creating or sharing anything."""
        if named := self.named(kuerzel):
            return named
        matches = self._named(self._account, self._template.title(kuerzel))
        return str(matches[0]["id"]) if len(matches) == 1 else None

    def foresee(self, kuerzel: str) -> tuple[str | None, bool]:
        """Return the calendar that a pass would use, and whether it would create one; changes nothing.

        Raises :class:`AmbiguousCalendarError` and :class:`NamedCalendarError` as a pass would.
        """
        if named := self.named(kuerzel):
            self._require_reach(kuerzel, named)
            return named, False
        title = self._template.title(kuerzel)
        matches = self._named(self._account, title)
        self._require_one(title, matches)
        if matches:
            return str(matches[0]["id"]), False
        return None, self._delegated is None or not self._named(self._delegated, title)

    def named(self, kuerzel: str) -> str | None:
        """Return the id of the employee's calendar where the settings name one."""
        return self._template.named(kuerzel)

    def title(self, kuerzel: str) -> str:
        """Return the name that the employee's calendar has or would get."""
        return self._template.title(kuerzel)

    def rules_for(self, kuerzel: str, email: str | None) -> list[AccessRule]:
        """Return the access rules that the settings want for an employee's calendar."""
        return self._template.access_rules(kuerzel, email)

    def complete_access(self, calendar_id: str, rules: Sequence[AccessRule]) -> int:
        """Add the rules whose scope has none yet (never lowering or raising what a person set); return how many.

        Sharing needs the owner role: without it, and with rules missing, raises :class:`CalendarProblem`.
        """
        if not rules:
            return 0
        try:
            present = self._scopes(calendar_id)
            missing = [rule for rule in rules if (rule.scope_type, rule.value.lower()) not in present]
            for rule in missing:
                self._add_rule(calendar_id, rule)
        except (ForbiddenError, NotFoundError):
            raise CalendarProblem(
                "the access rules need the owner role on the calendar; grant it or set them"
            ) from None
        return len(missing)

    def _named_by_settings(self, kuerzel: str) -> FoundCalendar | None:
        named = self.named(kuerzel)
        if named is None:
            return None
        self._require_reach(kuerzel, named)
        return self._by_id(named)

    def _require_reach(self, kuerzel: str, calendar_id: str) -> None:
        """Google shows a shared calendar by its id also while it is not in our list."""
        try:
            self._account.run(GET_CALENDAR, lambda s: s.calendars().get(calendarId=calendar_id))
        except (NotFoundError, ForbiddenError):
            raise NamedCalendarError(f"the calendar that the settings name for {kuerzel} cannot be reached") from None

    def _by_id(self, calendar_id: str) -> FoundCalendar | None:
        entry: dict[str, Any] | None
        try:
            entry = self._account.run(LIST_ENTRY, lambda s: s.calendarList().get(calendarId=calendar_id))
        except NotFoundError:
            entry = self._subscribe_shared(calendar_id)
        if entry is None:
            return None
        if entry.get("accessRole") not in WRITABLE:
            raise ReadOnlyCalendarError("the stored calendar is shared without write access; grant 'writer'")
        return FoundCalendar(str(entry["id"]), Found.BY_ID)

    def _subscribe_shared(self, calendar_id: str) -> dict[str, Any] | None:
        """A calendar shared to the account is in its list only after an insert there."""
        try:
            self._account.run(GET_CALENDAR, lambda s: s.calendars().get(calendarId=calendar_id))
            return self._subscribe(calendar_id)
        except NotFoundError:
            return None

    def _subscribe(self, calendar_id: str) -> dict[str, Any]:
        body = {"id": calendar_id}
        return self._account.run(SUBSCRIBE, lambda s: s.calendarList().insert(body=body))

    def _by_name(self, title: str) -> FoundCalendar | None:
        matches = self._named(self._account, title)
        if not matches and self._delegated is not None:
            matches = self._named(self._delegated, title)
            for entry in matches[:1]:
                self._hand_over(str(entry["id"]))
        self._require_one(title, matches)
        if not matches:
            return None
        if matches[0].get("accessRole") not in WRITABLE:
            raise ReadOnlyCalendarError(f"the calendar {title!r} is shared without write access; grant 'writer'")
        return FoundCalendar(str(matches[0]["id"]), Found.BY_NAME)

    @staticmethod
    def _require_one(title: str, matches: Sequence[dict[str, Any]]) -> None:
        if len(matches) > 1:
            ids = ", ".join(sorted(str(entry["id"]) for entry in matches))
            raise AmbiguousCalendarError(
                f"several calendars carry the name {title!r}: {ids}; rename or delete all but one"
            )

    @staticmethod
    def _named(client: GoogleCalendarClient, title: str) -> list[dict[str, Any]]:
        return [entry for entry in listed(client) if entry.get("summary") == title]

    def _create(self, kuerzel: str) -> str:
        if not self._budget():
            raise CreationDeferredError(
                f"the calendar of {kuerzel} is created in a later pass: enough new ones for now"
            )
        title = self._template.title(kuerzel)
        body = {"summary": title, "timeZone": self._template.time_zone}
        try:
            calendar_id = str(self._owner.run(CREATE, lambda s: s.calendars().insert(body=body))["id"])
        except TransientError as error:
            if error.certainly_not_done:
                raise
            # The calendar may exist: look before a second one is made.
            entries = self._named(self._owner, title)
            if not entries:
                raise
            calendar_id = str(entries[0]["id"])
        if self._delegated is not None:
            self._hand_over(calendar_id)
        return calendar_id

    def _hand_over(self, calendar_id: str) -> None:
        """Give the service account write access to the person's calendar and put it into its list."""
        rule = AccessRule("writer", "user", self._email)
        if ("user", self._email.lower()) not in self._scopes(calendar_id):
            self._add_rule(calendar_id, rule)
        self._subscribe(calendar_id)

    def _scopes(self, calendar_id: str) -> set[tuple[str, str]]:
        pages = self._owner.pages(
            ACL_LIST, lambda s, page: s.acl().list(calendarId=calendar_id, maxResults=250, **page)
        )
        scopes = [item.get("scope", {}) for page in pages for item in page.get("items", ())]
        return {(str(scope.get("type")), str(scope.get("value", "")).lower()) for scope in scopes}

    def _add_rule(self, calendar_id: str, rule: AccessRule) -> None:
        body = {"role": rule.role, "scope": rule.scope()}
        self._owner.run(
            ACL_INSERT, lambda s: s.acl().insert(calendarId=calendar_id, body=body, sendNotifications=False)
        )
