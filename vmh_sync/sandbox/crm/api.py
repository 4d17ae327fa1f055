"""Which request means what: the routes of EspoCRM's API (specification, espocrm.md B3)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote

from vmh_sync.sandbox.crm.administration.administration import Administration
from vmh_sync.sandbox.crm.administration.app_user import app_user
from vmh_sync.sandbox.crm.administration.entity_manager import EntityManager
from vmh_sync.sandbox.crm.administration.field_manager import FieldManager
from vmh_sync.sandbox.crm.administration.metadata import metadata
from vmh_sync.sandbox.crm.administration.open_api import open_api
from vmh_sync.sandbox.crm.administration.preferences import Preferences
from vmh_sync.sandbox.crm.errors import ApiError, crash, forbidden, no_route, not_found
from vmh_sync.sandbox.crm.people.accounts import Account
from vmh_sync.sandbox.crm.query import ListQuery, parse_list_query, parse_parameters
from vmh_sync.sandbox.crm.records.lists import Lists
from vmh_sync.sandbox.crm.records.locking import act
from vmh_sync.sandbox.crm.records.records import Records
from vmh_sync.sandbox.crm.records.relations import Relations
from vmh_sync.sandbox.crm.records.stream import Stream
from vmh_sync.sandbox.crm.state import Crm
from vmh_sync.sandbox.crm.webhooks.webhooks import Webhooks

COLLECTION_METHODS = ("GET", "POST")
RECORD_METHODS = ("GET", "DELETE", "PUT", "PATCH")
LINK_METHODS = ("GET", "POST", "DELETE")
TRUE = {"true", "1"}


@dataclass(frozen=True)
class Request:
    """One request; ``path`` is the part after ``/api/v1/``, header names are in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    address: str = "127.0.0.1"

    @cached_property
    def data(self) -> dict[str, Any]:
        """The body as an object; forms are read too, arrays count as empty, broken JSON crashes the server."""
        if not self.body.strip():
            return {}
        if self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))
        value = self.json
        return value if isinstance(value, dict) else {}

    @cached_property
    def json(self) -> Any:
        """The body as the JSON value it is; broken JSON crashes the server."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise crash() from error


@dataclass(frozen=True)
class Answer:
    """A successful answer: a JSON value and its status."""

    value: Any
    status: int = 200


class Api:
    """Dispatches requests to the services of one installation."""

    def __init__(self, crm: Crm) -> None:
        self.crm = crm
        self.webhooks = Webhooks(crm)
        self.stream = Stream(crm)
        self.records = Records(crm, self.webhooks, self.stream)
        self.lists = Lists(crm)
        self.relations = Relations(crm, self.records, self.lists)
        self.administration = Administration(crm)
        self.entity_manager = EntityManager(crm)
        self.field_manager = FieldManager(crm)
        self.preferences = Preferences(crm)

    def handle(self, request: Request) -> Answer:
        """Return the answer; raises :class:`ApiError` for every other outcome."""
        parts = [unquote(part) for part in request.path.split("/")]
        self._check_route(request.method, parts)
        user = self.crm.gate.authenticate(request.method, request.path, request.headers, request.address)
        special = self._special(user, request, parts)
        if special is not None:
            return special
        entity = parts[0]
        if entity not in self.crm.tables:
            raise not_found(f"Controller '{entity}' does not exist.")
        if len(parts) == 1:
            return self._collection(user, request, entity)
        if parts[1] == "action" and len(parts) == len(("entity", "action", "name")):
            return self._action(user, request, entity, parts[2])
        if len(parts) == len(("entity", "id")):
            return self._record(user, request, entity, parts[1])
        return self._link(user, request, entity, parts[1], parts[2])

    @staticmethod
    def _check_route(method: str, parts: list[str]) -> None:
        """Answer 404 or 405 as the router does, before anybody looks at the login."""
        if parts[0] == "Admin":
            return
        if len(parts) > len(("entity", "id", "link")) or "" in parts:
            raise no_route(404)
        action = len(parts) > 1 and parts[1] in {"action", "user"}
        allowed = {1: COLLECTION_METHODS, 2: RECORD_METHODS, 3: LINK_METHODS}[len(parts)]
        if parts[1:2] == ["layout"]:
            allowed = ("GET", "PUT")
        if parts == ["Settings"]:
            allowed = ("GET", "PUT", "PATCH")
        if method == "OPTIONS":
            raise ApiError(200, None, None, headers={"Allow": ", ".join(allowed)})
        if method == "HEAD":
            name = "list" if len(parts) == 1 else "read"
            raise not_found(f"Action HEAD '{name}' does not exist in controller '{parts[0]}'.")
        if not action and method not in allowed:
            raise no_route(405, ", ".join(allowed))

    def _special(self, user: Account, request: Request, parts: list[str]) -> Answer | None:
        head, method = parts[0], request.method
        if head == "Admin":
            return Answer(self._admin(user, request, parts[1:]))
        if parts == ["App", "user"] and method == "GET":
            return Answer(app_user(self.crm, user))
        if parts == ["Metadata"] and method == "GET":
            return Answer(metadata(self.crm.schema, parse_parameters(request.query).get("key")))
        if parts == ["Settings"]:
            if method == "GET":
                return Answer(self.administration.settings(user))
            return Answer(self.administration.update_settings(user, request.data))
        if parts == ["MassAction"] and method == "POST":
            return Answer(self.relations.mass_action(user, request.data))
        if head == "EntityManager" and len(parts) > 1 and parts[1] == "action":
            return Answer(self.entity_manager.do(user, parts[-1], request.data))
        if head == "Role":
            return Answer(self._role(user, request, parts[1:]))
        if head == "Notification":
            return Answer(self._notification(user, request, parts[1:]))
        return self._set_up(user, request, parts)

    def _set_up(self, user: Account, request: Request, parts: list[str]) -> Answer | None:
        """What only people who set an installation up ask for."""
        head, method = parts[0], request.method
        if len(parts) == len(("scope", "layout", "name")) and parts[1] == "layout":
            if method == "PUT":
                return Answer(self.crm.page_layouts.write(user, head, parts[2], request.json))
            return Answer(self.crm.page_layouts.read(user, head, parts[2]))
        if parts == ["Layout", "action", "resetToDefault"] and method == "POST":
            asked = request.data
            return Answer(self.crm.page_layouts.reset(user, str(asked.get("scope")), str(asked.get("name"))))
        if head == "Preferences" and len(parts) == len(("Preferences", "id")):
            if method == "GET":
                return Answer(self.preferences.read(user, parts[1]))
            return Answer(self.preferences.write(user, parts[1], request.data))
        if head == "WebhookQueueItem" and method == "GET":
            return Answer(self.webhooks.queue_items(user, self._list_query(request)))
        if head == "ScheduledJob" and not user.is_admin:
            raise forbidden(f"No access to '{head}'.")
        if parts == ["Action"] and method == "POST" and self.crm.release.locks_records:
            return Answer(act(self.crm, user, request.data))
        if parts == ["OpenApi"] and method == "GET" and self.crm.release.describes_itself:
            return Answer(open_api(user, self.crm.schema))
        return None

    def _admin(self, user: Account, request: Request, parts: list[str]) -> Any:
        if parts[:1] != ["fieldManager"]:
            raise no_route(404)
        return self.field_manager.handle(user, request.method, parts[1:], request.data)

    def _role(self, user: Account, request: Request, parts: list[str]) -> Any:
        if not parts:
            if request.method == "POST":
                return self.administration.create_role(user, request.data)
            return self.administration.list_roles(user)
        if request.method == "GET":
            return self.administration.read_role(user, parts[0])
        return self.administration.update_role(user, parts[0], request.data)

    def _notification(self, user: Account, request: Request, parts: list[str]) -> Any:
        if not parts:
            if request.method == "POST":
                return self.stream.create_notification(user, request.data)
            return self.stream.notifications(user, self._list_query(request))
        if parts == ["action", "notReadCount"] and request.method == "GET":
            return self.stream.unread(user)
        raise not_found()

    def _list_query(self, request: Request) -> ListQuery:
        return parse_list_query(request.query, self.crm.config.firm.list_limit)

    def _collection(self, user: Account, request: Request, entity: str) -> Answer:
        if request.method == "GET":
            count = request.headers.get("x-no-total", "").lower() not in TRUE
            return Answer(self.lists.records(user, entity, self._list_query(request), count=count))
        if entity == "Webhook":
            return Answer(self.webhooks.register(user, request.data), 201)
        if entity == "Note":
            return Answer(self.stream.post(user, request.data))
        if entity == "User":
            return Answer(self.administration.create_user(user, request.data))
        if entity == "Team":
            return Answer(self.administration.create_team(user, request.data))
        skip = request.headers.get("x-skip-duplicate-check", "").lower() in TRUE
        skip = skip or bool(request.data.get("_skipDuplicateCheck"))
        return Answer(self.records.create(user, entity, request.data, skip_duplicates=skip))

    def _record(self, user: Account, request: Request, entity: str, record_id: str) -> Answer:
        if request.method == "GET":
            if entity == "User" and user.is_admin:
                return Answer(self.administration.read_user(user, record_id))
            return Answer(self.records.read(user, entity, record_id))
        if request.method == "DELETE":
            self.records.delete(user, entity, record_id)
            if entity == "Webhook":
                self.webhooks.drop(record_id)
            return Answer(value=True)
        if entity == "User":
            return Answer(self.administration.update_user(user, record_id, request.data))
        version = request.headers.get("x-version-number")
        return Answer(self.records.update(user, entity, record_id, request.data, version))

    def _action(self, user: Account, request: Request, entity: str, name: str) -> Answer:
        if name == "restoreDeleted" and request.method == "POST":
            return Answer(self.records.restore(user, entity, str(request.data.get("id") or "")))
        raise ApiError(404, f"Action {request.method} '{name}' does not exist in controller '{entity}'.")

    def _link(self, user: Account, request: Request, entity: str, record_id: str, link: str) -> Answer:
        if request.method == "POST":
            return Answer(self.relations.link(user, entity, record_id, link, request.data))
        if request.method == "DELETE":
            return Answer(self.relations.unlink(user, entity, record_id, link, request.data))
        query = self._list_query(request)
        if link == "stream":
            return Answer(self.stream.of_record(user, entity, record_id, query))
        count = request.headers.get("x-no-total", "").lower() not in TRUE
        return Answer(self.lists.linked(user, entity, record_id, link, query, count=count))
