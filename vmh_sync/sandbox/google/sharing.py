"""Calendars, the account's list of calendars, and access rules."""

import base64
import json
from typing import Any

from vmh_sync.sandbox.google.errors import bad_request, full_sync_required, invalid, not_found, required
from vmh_sync.sandbox.google.quota import QuotaMeter
from vmh_sync.sandbox.google.times import zone
from vmh_sync.sandbox.google.world import ROLES, StoredCalendar, World

Json = dict[str, Any]
_SCOPES = {"default", "user", "group", "domain"}
_PAGE = 250


class Sharing:
    """The resources ``calendars``, ``calendarList`` and ``acl``; every method gets the acting account."""

    def __init__(self, world: World, quota: QuotaMeter) -> None:
        self._world = world
        self._quota = quota

    # calendars

    def create(self, account: str, body: Json) -> Json:
        """``calendars.insert``. Raises 400, and 403 quotaExceeded after too many."""
        if not body.get("summary"):
            raise required("Missing title.")
        name = str(zone(body["timeZone"])) if body.get("timeZone") else "UTC"
        self._quota.count_new_calendar(account)
        self._world.account(account)
        calendar = self._world.add_calendar(account, str(body["summary"]), name)
        calendar.description, calendar.location = str(body.get("description", "")), str(body.get("location", ""))
        return shown_calendar(calendar)

    def get(self, account: str, calendar_id: str) -> Json:
        """``calendars.get``."""
        return shown_calendar(self._world.calendar(calendar_id, account, "freeBusyReader"))

    def change(self, account: str, calendar_id: str, body: Json, *, replace: bool) -> Json:
        """``calendars.update`` and ``calendars.patch``."""
        calendar = self._world.calendar(calendar_id, account, "owner")
        if replace and not body.get("summary"):
            raise required("Missing title.")
        calendar.summary = str(body.get("summary") or calendar.summary)
        if body.get("timeZone"):
            calendar.time_zone = str(zone(body["timeZone"]))
        if replace or "description" in body:
            calendar.description = str(body.get("description") or "")
        if replace or "location" in body:
            calendar.location = str(body.get("location") or "")
        calendar.change = self._world.tick()
        return shown_calendar(calendar)

    def delete(self, account: str, calendar_id: str) -> None:
        """``calendars.delete``: gone for everybody."""
        calendar = self._world.calendar(calendar_id, account, "owner")
        if calendar.primary:
            raise bad_request("Primary calendars cannot be deleted.")
        self._world.remove_calendar(calendar.id)

    # the account's list

    def entries(self, account: str, query: dict[str, list[str]]) -> Json:
        """``calendarList.list``: only what was created or inserted by the account, page by page, or since a token."""
        token = query.get("syncToken")
        found = self._since(account, query, token[0]) if token else self._all(account, query)
        try:
            offset = int(query.get("pageToken", ["0"])[0])
            size = min(int(query.get("maxResults", ["100"])[0]), _PAGE)
        except ValueError:
            raise invalid("Invalid value.", "pageToken") from None
        body: Json = {"kind": "calendar#calendarList", "etag": f'"l{self._world.counter}"'}
        body["items"] = found[offset : offset + size]
        if offset + size < len(found):
            return {**body, "nextPageToken": str(offset + size)}
        return body if "minAccessRole" in query else {**body, "nextSyncToken": self._token(account)}

    def _all(self, account: str, query: dict[str, list[str]]) -> list[Json]:
        least = query.get("minAccessRole", ["none"])[0]
        known = [self._world.calendars[one] for one in self._world.account(account).entries]
        return [
            self._entry(calendar, account)
            for calendar in known
            if ROLES.index(self._world.role(calendar, account)) >= max(1, ROLES.index(least))
        ]

    def _since(self, account: str, query: dict[str, list[str]], token: str) -> list[Json]:
        if "minAccessRole" in query:
            raise bad_request("Sync token cannot be combined with minAccessRole.")
        if query.get("showDeleted") == ["false"]:
            raise bad_request("Sync token cannot be combined with showDeleted=false.")
        since = self._read_token(account, token)
        listed = self._world.account(account)
        changed = [
            self._entry(self._world.calendars[one], account)
            for one, entry in listed.entries.items()
            if max(self._world.calendars[one].change, entry["change"]) > since
        ]
        gone = [one for one, change in listed.left.items() if change > since]
        return changed + [
            {"kind": "calendar#calendarListEntry", "etag": f'"d{listed.left[one]}"', "id": one, "deleted": True}
            for one in gone
        ]

    def _token(self, account: str) -> str:
        claims = {"l": account, "n": self._world.counter, "e": self._world.list_epoch}
        return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode("ascii")

    def _read_token(self, account: str, token: str) -> int:
        try:
            claims = json.loads(base64.urlsafe_b64decode(token.encode("ascii")))
            since, epoch = int(claims["n"]), int(claims["e"])
        except (ValueError, KeyError, TypeError):
            raise invalid("Invalid sync token value.", "syncToken") from None
        if claims.get("l") != account or epoch != self._world.list_epoch:
            raise full_sync_required()
        return since

    def entry(self, account: str, calendar_id: str) -> Json:
        """``calendarList.get``: 404 unless subscribed."""
        calendar = self._world.calendar(calendar_id, account, "freeBusyReader")
        if calendar.id not in self._world.account(account).entries:
            raise not_found()
        return self._entry(calendar, account)

    def subscribe(self, account: str, body: Json) -> Json:
        """``calendarList.insert``: puts a shared calendar into the list."""
        if not body.get("id"):
            raise required("Missing calendar id.")
        calendar = self._world.calendar(str(body["id"]), account, "freeBusyReader")
        self._world.account(account).enter(calendar.id, self._world.tick())
        return self._entry(calendar, account)

    def unsubscribe(self, account: str, calendar_id: str) -> None:
        """``calendarList.delete``: takes a calendar off the list."""
        calendar = self._world.calendar(calendar_id, account, "freeBusyReader")
        if not self._world.account(account).leave(calendar.id, self._world.tick()):
            raise not_found()

    def _entry(self, calendar: StoredCalendar, account: str) -> Json:
        body = shown_calendar(calendar)
        entry = {
            **body,
            "kind": "calendar#calendarListEntry",
            "accessRole": self._world.role(calendar, account),
            "defaultReminders": [],
            "selected": True,
            "colorId": "14",
            "backgroundColor": "#9fe1e7",
            "foregroundColor": "#000000",
        }
        return {**entry, "primary": True} if calendar.id == account else entry

    # access rules

    def rules(self, account: str, calendar_id: str) -> Json:
        """``acl.list``; needs the owner role."""
        calendar = self._world.calendar(calendar_id, account, "owner")
        items = [shown_rule(calendar, scope) for scope, role in calendar.rules.items() if role != "none"]
        return {"kind": "calendar#acl", "etag": calendar.etag, "items": items}

    def rule(self, account: str, calendar_id: str, rule_id: str) -> Json:
        """``acl.get``."""
        calendar = self._world.calendar(calendar_id, account, "owner")
        if calendar.rules.get(rule_id, "none") == "none":
            raise not_found()
        return shown_rule(calendar, rule_id)

    def share(self, account: str, calendar_id: str, body: Json) -> Json:
        """``acl.insert`` (and update): one rule per scope, a second one replaces the first."""
        calendar = self._world.calendar(calendar_id, account, "owner")
        scope = body.get("scope") or {}
        role, kind = body.get("role"), scope.get("type")
        if role not in ROLES:
            raise invalid("Invalid role value.")
        if kind not in _SCOPES:
            raise invalid("Invalid scope value.")
        if kind != "default" and not scope.get("value"):
            raise required("Missing scope value.")
        rule_id = "default" if kind == "default" else f"{kind}:{str(scope['value']).lower()}"
        self.set_rule(calendar, rule_id, str(role))
        return shown_rule(calendar, rule_id)

    def unshare(self, account: str, calendar_id: str, rule_id: str) -> None:
        """``acl.delete``."""
        calendar = self._world.calendar(calendar_id, account, "owner")
        if calendar.rules.get(rule_id, "none") == "none":
            raise not_found()
        self.set_rule(calendar, rule_id, "none")

    def set_rule(self, calendar: StoredCalendar, rule_id: str, role: str) -> None:
        """Set or take away access; sync tokens of the calendar die with it."""
        if role == "none":
            calendar.rules.pop(rule_id, None)
        else:
            calendar.rules[rule_id] = role
        calendar.change = self._world.tick()
        if self._world.config.acl_change_invalidates_tokens:
            calendar.epoch += 1


def shown_calendar(calendar: StoredCalendar) -> Json:
    """Return the ``Calendar`` resource."""
    body: Json = {
        "kind": "calendar#calendar",
        "etag": calendar.etag,
        "id": calendar.id,
        "summary": calendar.summary,
        "timeZone": calendar.time_zone,
    }
    if not calendar.primary:
        body["dataOwner"] = calendar.owner
    texts = {"description": calendar.description, "location": calendar.location}
    return {**body, **{key: value for key, value in texts.items() if value}}


def shown_rule(calendar: StoredCalendar, rule_id: str) -> Json:
    """Return the ``AclRule`` resource."""
    kind, _, value = rule_id.partition(":")
    scope = {"type": kind, **({"value": value} if value else {})}
    role = calendar.rules.get(rule_id, "none")
    return {
        "kind": "calendar#aclRule",
        "etag": f'"{calendar.change:016d}"',
        "id": rule_id,
        "scope": scope,
        "role": role,
    }
