"""One request of the API: who asks, may they, what does it cost, which method answers it."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from vmh_sync.sandbox.google.channels import Channels, Post
from vmh_sync.sandbox.google.content import as_seen, shown
from vmh_sync.sandbox.google.errors import ApiError, bad_request, insufficient_permissions, not_found, required
from vmh_sync.sandbox.google.events import EventBook
from vmh_sync.sandbox.google.fields import partial
from vmh_sync.sandbox.google.listing import EventLists
from vmh_sync.sandbox.google.ownership import check_new
from vmh_sync.sandbox.google.quota import QuotaMeter
from vmh_sync.sandbox.google.sharing import Sharing
from vmh_sync.sandbox.google.tokens import AccessToken, TokenService
from vmh_sync.sandbox.google.world import World

Json = dict[str, Any]
SERVICE_PATH = "/calendar/v3/"
_SCOPE = "https://www.googleapis.com/auth/calendar"
_PATCH_COST = 3


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request below the service path: decoded path, repeated query values, lower-case headers, raw body."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """What goes back; ``body`` None means no content."""

    status: int
    body: Json | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """The HTTP reason phrase."""
        return HTTPStatus(self.status).phrase


@dataclass(frozen=True, slots=True)
class Call:
    """A request with its caller and the ids from its path."""

    token: AccessToken
    request: ApiRequest
    ids: tuple[str, ...]

    @property
    def account(self) -> str:
        """The acting account's address."""
        return self.token.account

    @property
    def query(self) -> dict[str, list[str]]:
        """The query parameters, each with all its values."""
        return dict(self.request.query)

    @property
    def if_match(self) -> str | None:
        """The ``If-Match`` header."""
        return self.request.headers.get("if-match")

    @property
    def may_invite(self) -> bool:
        """A person may invite guests, a bare service account may not."""
        return not self.token.is_service_account

    def body(self) -> Json:
        """Return the JSON object that was sent. Raises 400."""
        try:
            value = json.loads(self.request.body or b"{}")
        except ValueError:
            raise ApiError(400, "parseError", "Parse Error") from None
        if not isinstance(value, dict):
            raise ApiError(400, "parseError", "Parse Error")
        return value


Handler = Callable[[Call], Json | None]


class CalendarApi:
    """Calendar v3 on top of the world."""

    def __init__(self, world: World, tokens: TokenService, quota: QuotaMeter, post: Post) -> None:
        self.world = world
        self.quota = quota
        self.tokens = tokens
        self.book = EventBook(world)
        self.lists = EventLists(world, self.book)
        self.sharing = Sharing(world, quota)
        self.channels = Channels(world, post)
        self._routes = [(re.compile(f"^{pattern}$"), methods) for pattern, methods in self._table().items()]

    def handle(self, request: ApiRequest) -> ApiResponse:
        """Answer one request; errors become Google's error bodies."""
        try:
            return self._answer(request)
        except ApiError as error:
            return ApiResponse(error.status, error.body(), error.headers)

    def _answer(self, request: ApiRequest) -> ApiResponse:
        token = self.tokens.check(request.headers.get("authorization", ""))
        handler, ids = self._route(request)
        self.quota.charge(token.account, _PATCH_COST if self._is_event_patch(request) else 1)
        self._check_scopes(token, request)
        if request.method != "GET":
            self.quota.check_writable(token.account)
        body = handler(Call(token, request, ids))
        self.channels.ring()
        if body is None:
            return ApiResponse(204)
        if request.method == "GET" and request.headers.get("if-none-match") == body.get("etag"):
            return ApiResponse(304)
        headers = {"etag": str(body["etag"])} if "etag" in body else {}
        selection = request.query.get("fields")
        return ApiResponse(200, partial(body, selection[0]) if selection else body, headers)

    def _route(self, request: ApiRequest) -> tuple[Handler, tuple[str, ...]]:
        for pattern, methods in self._routes:
            match = pattern.match(request.path)
            if match:
                if request.method not in methods:
                    break
                return methods[request.method], match.groups()
        raise not_found()

    @staticmethod
    def _is_event_patch(request: ApiRequest) -> bool:
        return request.method == "PATCH" and "/events/" in request.path

    @staticmethod
    def _check_scopes(token: AccessToken, request: ApiRequest) -> None:
        of_events = "/events" in request.path or request.path == "channels/stop"
        accepted = {_SCOPE, f"{_SCOPE}.events"} if of_events else {_SCOPE}
        if request.method == "GET":
            accepted |= {f"{scope}.readonly" for scope in accepted}
        if not accepted & token.scopes:
            raise insufficient_permissions()

    def _table(self) -> dict[str, dict[str, Handler]]:
        s, one = self.sharing, "([^/]+)"
        calendar, entry = f"calendars/{one}", f"users/me/calendarList/{one}"
        return {
            "calendars": {"POST": lambda c: s.create(c.account, c.body())},
            calendar: {
                "GET": lambda c: s.get(c.account, c.ids[0]),
                "PUT": lambda c: s.change(c.account, c.ids[0], c.body(), replace=True),
                "PATCH": lambda c: s.change(c.account, c.ids[0], c.body(), replace=False),
                "DELETE": lambda c: s.delete(c.account, c.ids[0]),
            },
            "users/me/calendarList": {
                "GET": lambda c: s.entries(c.account, c.query),
                "POST": lambda c: s.subscribe(c.account, c.body()),
            },
            entry: {
                "GET": lambda c: s.entry(c.account, c.ids[0]),
                "DELETE": lambda c: s.unsubscribe(c.account, c.ids[0]),
            },
            f"{calendar}/acl": {
                "GET": lambda c: s.rules(c.account, c.ids[0]),
                "POST": lambda c: s.share(c.account, c.ids[0], c.body()),
            },
            f"{calendar}/acl/{one}": {
                "GET": lambda c: s.rule(c.account, *c.ids),
                "PUT": self._change_rule,
                "PATCH": self._change_rule,
                "DELETE": lambda c: s.unshare(c.account, *c.ids),
            },
            f"{calendar}/events": {"GET": self._list, "POST": self._insert},
            f"{calendar}/events/import": {"POST": self._import},
            f"{calendar}/events/watch": {"POST": self._watch},
            "channels/stop": {"POST": lambda c: self.channels.stop(c.account, c.body())},
            f"{calendar}/events/{one}/move": {"POST": self._move},
            f"{calendar}/events/{one}": {
                "GET": self._get,
                "PUT": self._update,
                "PATCH": self._patch,
                "DELETE": self._delete,
            },
            f"{calendar}/events/{one}/instances": {"GET": self._instances},
        }

    def _change_rule(self, call: Call) -> Json:
        old = self.sharing.rule(call.account, *call.ids)
        return self.sharing.share(call.account, call.ids[0], {"scope": old["scope"], **call.body()})

    def _list(self, call: Call) -> Json:
        calendar = self.world.calendar(call.ids[0], call.account, "reader")
        role = self.world.role(calendar, call.account)
        return self.lists.events(calendar, call.query, call.account, role)

    def _instances(self, call: Call) -> Json:
        calendar = self.world.calendar(call.ids[0], call.account, "reader")
        role = self.world.role(calendar, call.account)
        return self.lists.instances(calendar, call.ids[1], call.query, call.account, role)

    def _insert(self, call: Call) -> Json:
        calendar = self.world.calendar(call.ids[0], call.account, "writer")
        body = _with_conference(call, call.body(), {})
        check_new(calendar, body)
        event = self.book.insert(calendar, body, call.account, may_invite=call.may_invite)
        return shown(event, calendar, call.account)

    def _import(self, call: Call) -> Json:
        calendar = self.world.calendar(call.ids[0], call.account, "writer")
        return shown(self.book.import_copy(calendar, call.body(), call.account), calendar, call.account)

    def _watch(self, call: Call) -> Json:
        calendar = self.world.calendar(call.ids[0], call.account, "reader")
        return self.channels.watch(calendar, call.account, call.body())

    def _move(self, call: Call) -> Json:
        calendar = self.world.calendar(call.ids[0], call.account, "writer")
        destination = call.query.get("destination")
        if not destination:
            raise required("Missing destination calendar.")
        to = self.world.calendar(destination[0], call.account, "writer")
        return shown(self.book.move(calendar, call.ids[1], to), to, call.account)

    def _get(self, call: Call) -> Json:
        calendar = self.world.calendar(call.ids[0], call.account, "reader")
        zone = call.query.get("timeZone", [None])[0]
        role = self.world.role(calendar, call.account)
        return as_seen(shown(self.book.find(calendar, call.ids[1]), calendar, call.account, zone), role)

    def _update(self, call: Call) -> Json:
        calendar = self.world.calendar(call.ids[0], call.account, "writer")
        body = call.body()
        if body.get("id") not in (None, call.ids[1]):
            raise bad_request("The id in the body differs from the id in the path.")
        body = _with_conference(call, body, self.book.find(calendar, call.ids[1]).content)
        event = self.book.replace(calendar, call.ids[1], body, if_match=call.if_match, may_invite=call.may_invite)
        return shown(event, calendar, call.account)

    def _patch(self, call: Call) -> Json:
        calendar = self.world.calendar(call.ids[0], call.account, "writer")
        body = _with_conference(call, call.body(), {})
        event = self.book.patch(calendar, call.ids[1], body, if_match=call.if_match, may_invite=call.may_invite)
        return shown(event, calendar, call.account)

    def _delete(self, call: Call) -> None:
        calendar = self.world.calendar(call.ids[0], call.account, "writer")
        self.book.delete(calendar, call.ids[1], if_match=call.if_match)


def _with_conference(call: Call, body: Json, before: Json) -> Json:
    """Return the body as Google reads it: without version 1 of conference data what it says about one is ignored."""
    if call.query.get("conferenceDataVersion") == ["1"]:
        return body
    ignored = {name: value for name, value in body.items() if name != "conferenceData"}
    return ignored | {name: value for name, value in before.items() if name == "conferenceData"}
