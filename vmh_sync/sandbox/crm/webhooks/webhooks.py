"""Webhooks: registering them, collecting what happened, and the queue with its retries (espocrm.md B9)."""

import base64
import hashlib
import hmac
import json
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from vmh_sync.sandbox.crm.errors import forbidden, validation_failure
from vmh_sync.sandbox.crm.fields.table import Row
from vmh_sync.sandbox.crm.fields.values import stamp
from vmh_sync.sandbox.crm.people.accounts import Account
from vmh_sync.sandbox.crm.query import ListQuery
from vmh_sync.sandbox.crm.webhooks.internal_hosts import address_of, is_internal

if TYPE_CHECKING:
    from vmh_sync.sandbox.crm.state import Crm

KEPT = 1000
"""How many finished items can be looked at; the real one keeps them for ten days."""
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
    event: Event | None = field(default=None, repr=False)
    number: int = 0
    created_at: str = ""
    processed_at: str | None = None
    status: str = "Pending"


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
        self.finished: deque[Item] = deque(maxlen=KEPT)
        self.number = 0
        self.delivered = 0

    @property
    def _rows(self) -> dict[str, Row]:
        return self._crm.tables["Webhook"].rows

    def register(self, user: Account, body: dict[str, Any]) -> Row:
        """Store a webhook of ``user`` and return the answer, with its ``secretKey``.

        Until 9.3.3 any URL is taken, later ones to the internal network only when they are listed.
        """
        crm, layout = self._crm, self._crm.layouts["Webhook"]
        user.require("Webhook", "create")
        event, url = str(body.get("event") or ""), str(body.get("url") or "").strip()
        if not event:
            raise validation_failure("Webhook", "event", "required")
        if not url:
            raise validation_failure("Webhook", "url", "required")
        if self._crm.release.refuses_internal_webhooks and not self._is_allowed(url):
            raise validation_failure("Webhook", "url", "notInternal")
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
            "userId": user.id if user.is_api else None,
        }
        row = layout.empty | values
        crm.tables["Webhook"].insert(row)
        return crm.render.visible_to(user, layout, crm.render.created(layout, row, ["deleted", *values], {}))

    def _is_allowed(self, url: str) -> bool:
        listed = self._crm.settings.get("webhookAllowedAddressList") or []
        return not is_internal(url) or address_of(url) in listed

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
        portion = int(self._crm.settings.get("webhookQueueEventPortionSize") or self._config.portion_size)
        for _ in range(min(portion, len(self.events))):
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
                self.number += 1
                item = Item(row["id"], event.payload, event=event, number=self.number, created_at=self._crm.now())
                self.items.append(item)

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
        at_once = status == 0 and self._crm.release.fails_refused_connections
        if status in RETRIED and not at_once and self._is_sendable(batch.url):
            self._retry(batch.items)
            return
        self._remove(batch.items)
        if 200 <= status < 400:
            self.delivered += len(batch.items)
            self._finish(batch.items, "Success")
        else:
            self.failed += batch.items
            self._finish(batch.items, "Failed")

    def _is_sendable(self, url: str) -> bool:
        """Whether a sender of this release would have opened a connection at all."""
        return not self._crm.release.refuses_internal_webhooks or self._is_allowed(url)

    def _finish(self, items: list[Item], status: str) -> None:
        for item in items:
            item.status, item.processed_at, item.due = status, self._crm.now(), None
        self.finished.extend(items)

    def _retry(self, items: list[Item]) -> None:
        due = self._crm.clock.now() + timedelta(seconds=self._config.retry_after)
        given_up = [item for item in items if item.attempts >= self._config.attempts]
        for item in items:
            item.due = due
        self._remove(given_up)
        self.failed += given_up
        self._finish(given_up, "Failed")

    def _remove(self, items: list[Item]) -> None:
        gone = {id(item) for item in items}
        self.items = [item for item in self.items if id(item) not in gone]

    def queue_items(self, user: Account, query: ListQuery) -> Row:
        """Return the list of queue items, the newest first; for an admin only."""
        if not user.is_admin:
            raise forbidden("No access to 'WebhookQueueItem'.")
        known = sorted([*self.finished, *self.items], key=lambda item: item.number, reverse=True)
        page = known[query.offset : query.offset + query.max_size]
        return {"total": max(self.number, len(known)), "list": [self._shown(item) for item in page]}

    def _shown(self, item: Item) -> Row:
        event = item.event
        table = self._crm.tables.get(event.entity if event else "")
        target = table.rows.get(str(item.payload.get("id"))) if table else None
        return {
            "id": f"{item.number:017x}",
            "deleted": False,
            "number": item.number,
            "event": f"{event.entity}.{event.type}" if event else None,
            "data": item.payload,
            "createdAt": item.created_at,
            "status": item.status,
            "processedAt": item.processed_at,
            "attempts": item.attempts,
            "processAt": stamp(item.due) if item.due else None,
            "webhookId": item.webhook_id,
            "webhookName": item.webhook_id,
            "targetId": item.payload.get("id"),
            "targetType": event.entity if event else None,
            "targetName": target.get("name") if target else None,
        }

    def drop(self, webhook_id: str) -> None:
        """Forget a webhook and what waits for it."""
        if webhook_id in self._rows:
            self._crm.tables["Webhook"].remove(webhook_id)
        self.items = [item for item in self.items if item.webhook_id != webhook_id]
