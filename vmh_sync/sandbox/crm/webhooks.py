"""Webhooks: registering them, collecting what happened, and the queue with its retries (espocrm.md B9)."""

import base64
import hashlib
import hmac
import json
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from vmh_sync.sandbox.crm.accounts import Account
from vmh_sync.sandbox.crm.errors import forbidden, validation_failure
from vmh_sync.sandbox.crm.table import Row

if TYPE_CHECKING:
    from vmh_sync.sandbox.crm.state import Crm

RETRIED = frozenset({0, 401, 403, 404, 405, 408, 500, 503})
GONE = 410
EVENT_TYPES = {"create", "update", "delete", "fieldUpdate"}


@dataclass(frozen=True)
class Event:
    """Something that happened to a record, before it is known who wants to hear of it."""

    entity: str
    type: str
    payload: Row
    user_id: str
    field: str | None = None


@dataclass
class Item:
    """One event on its way to one webhook."""

    webhook_id: str
    payload: Row
    attempts: int = 0
    due: datetime | None = None


@dataclass
class Batch:
    """The items of one request to a receiver, with body and headers ready to send."""

    url: str
    body: bytes
    headers: dict[str, str]
    items: list[Item] = field(repr=False)


def signatures(webhook_id: str, secret: str, body: bytes) -> dict[str, str]:
    """Return both signature headers over the raw body: ``Signature`` (hex digest) and ``X-Signature`` (raw)."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256)
    prefix = webhook_id.encode() + b":"
    return {
        "Signature": base64.b64encode(prefix + digest.hexdigest().encode()).decode(),
        "X-Signature": base64.b64encode(prefix + digest.digest()).decode(),
    }


class Webhooks:
    """The registered webhooks and the queue between a save and the delivery."""

    def __init__(self, crm: "Crm") -> None:
        self._crm = crm
        self._config = crm.config.webhooks
        self.events: deque[Event] = deque()
        self.items: list[Item] = []
        self.failed: list[Item] = []
        self.delivered = 0

    @property
    def _rows(self) -> dict[str, Row]:
        return self._crm.tables["Webhook"].rows

    def register(self, user: Account, body: dict[str, Any]) -> Row:
        """Store a webhook of ``user`` and return the answer, with its ``secretKey``; the URL is not checked."""
        crm, layout = self._crm, self._crm.layouts["Webhook"]
        user.require("Webhook", "create")
        event, url = str(body.get("event") or ""), str(body.get("url") or "").strip()
        if not event:
            raise validation_failure("Webhook", "event", "required")
        if not url:
            raise validation_failure("Webhook", "url", "required")
        entity, kind, field_name = self._event_parts(event)
        if not user.is_admin and sum(1 for row in self._rows.values() if user.owns(row)) >= self._config.per_user:
            raise forbidden("Webhook maximum count exceeded.")
        now = crm.now()
        values: Row = {
            "id": crm.ids.new(),
            "event": event,
            "url": url,
            "isActive": bool(body.get("isActive", True)),
            "entityType": entity,
            "type": kind,
            "field": field_name,
            "secretKey": crm.ids.key(),
            "skipOwn": bool(body.get("skipOwn", False)),
            "createdAt": now,
            "modifiedAt": now,
            "createdById": user.id,
        }
        row = layout.empty | values
        crm.tables["Webhook"].insert(row)
        return crm.render.created(layout, row, ["deleted", *values], {})

    def _event_parts(self, event: str) -> tuple[str, str, str | None]:
        entity, _, rest = event.partition(".")
        kind, _, field_name = rest.partition(".")
        definition = self._crm.schema.get(entity)
        if definition is None or not (definition.custom or entity == "Task"):
            raise forbidden("Entity type is not available for Webhooks.")
        if kind not in EVENT_TYPES or (kind == "fieldUpdate") != bool(field_name):
            raise forbidden("Not supported event.")
        if field_name and field_name not in definition.fields:
            raise forbidden("Field does not exist.")
        return entity, kind, field_name or None

    def _emit(self, event: Event) -> None:
        for row in self._rows.values():
            if row["entityType"] == event.entity and row["type"] == event.type and row["field"] == event.field:
                self.events.append(event)
                return

    def created(self, user: Account, entity: str, record_id: str, payload: Row) -> None:
        """Note a create; ``payload`` holds the attributes with a value."""
        self._emit(Event(entity, "create", {"id": record_id} | payload, user.id))

    def updated(self, user: Account, entity: str, record_id: str, payload: Row) -> None:
        """Note an update; ``payload`` holds only what changed. Nothing changed: nothing is sent."""
        if not payload:
            return
        self._emit(Event(entity, "update", payload | {"id": record_id}, user.id))
        layout = self._crm.layouts[entity]
        by_field: dict[str, Row] = {}
        for name, value in payload.items():
            by_field.setdefault(layout.field_of(name), {})[name] = value
        for field_name, values in by_field.items():
            self._emit(Event(entity, "fieldUpdate", {"id": record_id} | values, user.id, field_name))

    def deleted(self, user: Account, entity: str, record_id: str) -> None:
        """Note a delete; only the id is sent."""
        self._emit(Event(entity, "delete", {"id": record_id}, user.id))

    def due_batches(self) -> list[Batch]:
        """Take one portion of events in, and return the requests that are due now, at most one per webhook."""
        for _ in range(min(self._config.portion_size, len(self.events))):
            self._queue(self.events.popleft())
        now = self._crm.clock.now()
        waiting: dict[str, list[Item]] = {}
        for item in self.items:
            chosen = waiting.setdefault(item.webhook_id, [])
            if (item.due is None or item.due <= now) and len(chosen) < self._config.batch_size:
                chosen.append(item)
        return [self._batch(webhook_id, items) for webhook_id, items in waiting.items() if items]

    def _queue(self, event: Event) -> None:
        for row in self._rows.values():
            wanted = (row["entityType"], row["type"], row["field"]) == (event.entity, event.type, event.field)
            own = row["skipOwn"] and row["createdById"] == event.user_id
            if wanted and row["isActive"] and not own:
                self.items.append(Item(row["id"], event.payload))

    def _batch(self, webhook_id: str, items: list[Item]) -> Batch:
        row = self._rows[webhook_id]
        body = json.dumps([item.payload for item in items], separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", "Accept": "*/*"} | signatures(webhook_id, row["secretKey"], body)
        return Batch(row["url"], body, headers, items)

    def settle(self, batch: Batch, status: int) -> None:
        """Book the receiver's answer (0: none); the items stay, fail or are done."""
        for item in batch.items:
            item.attempts += 1
        if status == GONE:
            self.drop(batch.items[0].webhook_id)
            return
        if status in RETRIED:
            self._retry(batch.items)
            return
        self._remove(batch.items)
        if 200 <= status < 400:
            self.delivered += len(batch.items)
        else:
            self.failed += batch.items

    def _retry(self, items: list[Item]) -> None:
        due = self._crm.clock.now() + timedelta(seconds=self._config.retry_after)
        given_up = [item for item in items if item.attempts >= self._config.attempts]
        for item in items:
            item.due = due
        self._remove(given_up)
        self.failed += given_up

    def _remove(self, items: list[Item]) -> None:
        gone = {id(item) for item in items}
        self.items = [item for item in self.items if id(item) not in gone]

    def drop(self, webhook_id: str) -> None:
        """Forget a webhook and what waits for it."""
        if webhook_id in self._rows:
            self._crm.tables["Webhook"].remove(webhook_id)
        self.items = [item for item in self.items if item.webhook_id != webhook_id]
