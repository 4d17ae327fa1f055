"""The back door of the simulated Google: its state, people who edit, seeds and commands.

Shapes (all plain JSON):

- ``edit``: ``{"calendar": id or name, "action": "create"|"update"|"delete"|"move", "id": event id or null,
  "values": event fields, "person": address}`` — a change in Google Calendar's web interface; ``update`` merges,
  ``move`` takes the event to the calendar ``to`` under the same id.
- ``seed``: ``{"calendars": [{"summary", "owner", "timeZone", "acl": {"user:address": role}, "subscribers": []}],
  "events": [{"calendar": id or name, …event fields}]}``.
- ``command``: see :data:`COMMANDS`.
"""

import json
from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from typing import Any

from vmh_sync.sandbox.control import ControlError
from vmh_sync.sandbox.google.api import CalendarApi
from vmh_sync.sandbox.google.config import GoogleConfig
from vmh_sync.sandbox.google.content import shown
from vmh_sync.sandbox.google.errors import DOCUMENTED, ApiError
from vmh_sync.sandbox.google.keys import ServiceAccountKey
from vmh_sync.sandbox.google.world import StoredCalendar

Json = dict[str, Any]

COMMANDS = (
    "invalidate_sync_tokens",
    "expire_tokens",
    "share",
    "unshare",
    "forbid",
    "allow",
    "delete_calendar",
    "purge_tombstones",
    "read_only",
    "set",
    "error_body",
)
_SETTABLE = {field.name for field in fields(GoogleConfig)} - {"clock", "token_clock", "service_account_email"}


class GoogleHooks:
    """What the control layer and the tests may do to this Google."""

    def __init__(self, config: GoogleConfig, key: ServiceAccountKey, build: Callable[[], CalendarApi]) -> None:
        self.config = config
        self._key = key
        self._build = build
        self._initial = {name: getattr(config, name) for name in _SETTABLE}
        self.api = build()

    def service_account_key(self, base_url: str) -> Json:
        """Return the service account's key file; its ``token_uri`` is plain http below ``base_url``."""
        return self._key.as_json(f"{base_url.rstrip('/')}/token")

    def state(self) -> Json:
        """Return every calendar with rules and events (tombstones too), and who has it in their list."""
        world = self.api.world
        accounts = [{"email": one.email, "calendars": list(one.entries)} for one in world.accounts()]
        calendars = [self._calendar_state(calendar) for calendar in world.calendars.values()]
        quota = {"refused": self.api.quota.refused, "peak": self.api.quota.peak}
        channels = [{"id": one.id, "calendar": one.calendar_id} for one in self.api.channels.open.values()]
        state = {"accounts": accounts, "calendars": calendars, "channels": channels, "quota": quota}
        return state | {"tokens": self.api.tokens.issued}

    def edit(self, body: Json) -> Json:
        """Do what a person does in Google Calendar; answers the event as it is afterwards."""
        calendar = self._calendar(body.get("calendar"))
        action, event_id = body.get("action", "update" if body.get("id") else "create"), str(body.get("id") or "")
        values = dict(body.get("values") or {})
        person = str(body.get("person") or calendar.owner)
        book = self.api.book
        try:
            if action == "create":
                event = book.insert(calendar, values, person, may_invite=True, organised=True)
            elif action == "update":
                event = book.patch(calendar, event_id, values, if_match=None, may_invite=True, as_person=True)
            elif action == "delete":
                book.delete(calendar, event_id, if_match=None)
                event = calendar.events[event_id]
            elif action == "move":
                event = book.move(calendar, event_id, self._calendar(body.get("to")))
            else:
                raise ControlError("action is create, update, delete or move")
        except ApiError as error:
            raise ControlError(f"Google would answer {error.status} {error.reason}: {error.message}") from None
        self.api.channels.ring()
        return shown(event, calendar, person)

    def seed(self, body: Json) -> Json:
        """Add calendars and events; answers their ids in order."""
        calendars = [self._seed_calendar(one).id for one in body.get("calendars", ())]
        events = []
        for one in body.get("events", ()):
            values = {key: value for key, value in one.items() if key != "calendar"}
            events.append(self.edit({"calendar": one.get("calendar"), "action": "create", "values": values})["id"])
        return {"calendars": calendars, "events": events}

    def reset(self, body: Json) -> Json:
        """Forget everything and turn the switches back; ``{"config": {…}}`` sets some of them for what follows."""
        self._set({**self._initial, **(body.get("config") or {})})
        self.api = self._build()
        return {"ok": True}

    def command(self, name: str, body: Json) -> Json:
        """Run one of :data:`COMMANDS`."""
        if name not in COMMANDS:
            raise ControlError(f"no command {name!r}; there are {', '.join(COMMANDS)}")
        answer: Json | None = getattr(self, f"_{name}")(body)
        return answer or {"ok": True}

    # commands

    def _invalidate_sync_tokens(self, body: Json) -> None:
        world = self.api.world
        chosen = [self._calendar(body["calendar"])] if body.get("calendar") else list(world.calendars.values())
        for calendar in chosen:
            calendar.epoch += 1
        world.list_epoch += not body.get("calendar")

    def _expire_tokens(self, _: Json) -> None:
        self.api.tokens.expire_all()

    def _share(self, body: Json) -> None:
        rule = f"user:{str(body['account']).lower()}"
        self.api.sharing.set_rule(self._calendar(body.get("calendar")), rule, str(body.get("role", "writer")))

    def _unshare(self, body: Json) -> None:
        rule = f"user:{str(body['account']).lower()}"
        self.api.sharing.set_rule(self._calendar(body.get("calendar")), rule, "none")

    def _forbid(self, body: Json) -> None:
        account = str(body.get("account") or self.config.service_account_email)
        self.api.world.forbidden.add((self._calendar(body.get("calendar")).id, account))

    def _allow(self, body: Json) -> None:
        account = str(body.get("account") or self.config.service_account_email)
        self.api.world.forbidden.discard((self._calendar(body.get("calendar")).id, account))

    def _delete_calendar(self, body: Json) -> None:
        self.api.world.remove_calendar(self._calendar(body.get("calendar")).id)

    def _purge_tombstones(self, body: Json) -> None:
        calendar = self._calendar(body.get("calendar"))
        for event in [event for event in calendar.events.values() if event.cancelled and not event.master_id]:
            del calendar.events[event.id]

    def _read_only(self, body: Json) -> None:
        account = str(body.get("account") or self.config.service_account_email)
        self.api.quota.make_read_only(account, timedelta(seconds=float(body.get("seconds", 3600))))

    def _set(self, body: Json) -> None:
        unknown = set(body) - _SETTABLE
        if unknown:
            raise ControlError(f"unknown switches: {', '.join(sorted(unknown))}")
        for name, value in body.items():
            setattr(self.config, name, tuple(value) if isinstance(value, list) else value)

    def _error_body(self, body: Json) -> Json:
        """Answer ``{"status", "body"}`` of a documented error, to be used in a fault rule."""
        reason = str(body.get("reason"))
        if reason not in DOCUMENTED:
            raise ControlError(f"no such error; there are {', '.join(sorted(DOCUMENTED))}")
        error = DOCUMENTED[reason]
        return {"status": error.status, "body": json.dumps(error.body())}

    # look-ups

    def _calendar(self, wanted: object) -> StoredCalendar:
        world = self.api.world
        if wanted in world.calendars:
            return world.calendars[str(wanted)]
        named = [calendar for calendar in world.calendars.values() if calendar.summary == wanted]
        if len(named) != 1:
            raise ControlError(f"{len(named)} calendars have this id or name")
        return named[0]

    def _seed_calendar(self, body: Json) -> StoredCalendar:
        world = self.api.world
        owner = str(body.get("owner") or self.config.service_account_email)
        world.account(owner)
        calendar = world.add_calendar(
            owner, str(body["summary"]), str(body.get("timeZone", "Europe/Berlin")), calendar_id=body.get("id")
        )
        for rule, role in (body.get("acl") or {}).items():
            calendar.rules[str(rule).lower()] = str(role)
        for subscriber in body.get("subscribers", ()):
            world.account(str(subscriber)).enter(calendar.id, world.tick())
        return calendar

    def _calendar_state(self, calendar: StoredCalendar) -> Json:
        events = [shown(event, calendar, calendar.owner) for event in calendar.events.values() if not event.hidden]
        return {
            "id": calendar.id,
            "summary": calendar.summary,
            "owner": calendar.owner,
            "timeZone": calendar.time_zone,
            "acl": dict(calendar.rules),
            "events": {event["id"]: event for event in events},
        }
