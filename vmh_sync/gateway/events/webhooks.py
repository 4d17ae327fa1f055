"""EspoCRM's webhooks (specification, http-endpoints.md 1).

The status codes follow EspoCRM's rules for sending again (espocrm.md B9): 401, 408 and 503 come again, everything else
above 299 is lost for good.
"""

import hmac
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from vmh_sync.entities import with_records
from vmh_sync.gateway.events.signatures import is_signed
from vmh_sync.gateway.http.call_metrics import WEBHOOK_EVENTS, WEBHOOK_SECONDS
from vmh_sync.gateway.http.documented import problems
from vmh_sync.gateway.services import GatewayServices, fingerprint, services_of
from vmh_sync.store.errors import StoreError
from vmh_sync.store.queue.inbox import InboxEvent
from vmh_sync.systems.espocrm.record_id import is_record_id, record_id
from vmh_sync.systems.json_answers import UnreadableJson, read_json

_log = logging.getLogger(__name__)

Action = Literal["create", "update", "delete"]


class Received(BaseModel):
    """The answer to a delivery."""

    status: Literal["received"] = "received"
    action: Action
    new_ids_count: int = Field(description="ids that did not wait already")
    total_ids_in_batch: int = Field(description="different ids in this delivery")


class NeverValid(ValueError):
    """The body can never be taken, however often it is sent."""


def ids_in(body: bytes) -> list[str]:
    """Return the different valid ids in a delivery, in their order: an array of records, or one record.

    Records without a usable id are left out, and what else a record says does not matter, so that none takes the others
    of its batch with it: what is refused never comes again. Raises :class:`NeverValid` when nothing usable is in it.
    """
    try:
        content = read_json(body)
    except UnreadableJson:
        raise NeverValid("the body is not JSON") from None
    records = content if isinstance(content, list) else [content]
    found = [record.get("id") if isinstance(record, dict) else None for record in records]
    valid = [record_id(one) for one in found if isinstance(one, str) and is_record_id(one)]
    if len(valid) < len(found):
        _log.warning("webhook: %d of %d records have no usable id", len(found) - len(valid), len(found))
        if not valid:
            raise NeverValid("no record has a usable id (17 hex digits or a UUID)")
    return list(dict.fromkeys(valid))


async def _receive(request: Request, services: GatewayServices, entity: str, action: Action) -> JSONResponse | Received:
    started = time.perf_counter()
    body = await request.body()
    try:
        ids = ids_in(body)
    except NeverValid as problem:
        WEBHOOK_EVENTS.labels(entity, action, "refused").inc()
        return JSONResponse({"error": str(problem)}, 400)
    events = [InboxEvent(espo_id=espo_id, action=action, source="webhook") for espo_id in ids]
    try:
        new = await services.intake.put(entity, events) if events else 0
    except StoreError:
        WEBHOOK_EVENTS.labels(entity, action, "unavailable").inc(len(ids))
        return JSONResponse({"error": "the inbox is not available"}, 503, {"Retry-After": "60"})
    if events:
        services.debouncer.notice(entity, len(events))
    WEBHOOK_EVENTS.labels(entity, action, "new").inc(new)
    WEBHOOK_EVENTS.labels(entity, action, "waiting").inc(len(ids) - new)
    WEBHOOK_SECONDS.observe(time.perf_counter() - started)
    return Received(action=action, new_ids_count=new, total_ids_in_batch=len(ids))


def _signed_endpoint(entity: str, action: Action) -> Callable[..., Awaitable[JSONResponse | Received]]:
    async def endpoint(
        request: Request,
        signature: Annotated[str | None, Header(description="base64(webhookId:hex digest)")] = None,
        x_signature: Annotated[str | None, Header(description="base64(webhookId:raw digest)")] = None,
    ) -> JSONResponse | Received:
        services = services_of(request)
        if not is_signed(await request.body(), signature, x_signature, services.webhook_secrets):
            WEBHOOK_EVENTS.labels(entity, action, "unsigned").inc()
            return JSONResponse({"error": "no valid signature"}, 401)
        return await _receive(request, services, entity, action)

    return endpoint


def _token_endpoint(entity: str, action: Action) -> Callable[..., Awaitable[JSONResponse | Received]]:
    async def endpoint(request: Request, token: str) -> JSONResponse | Received:
        services = services_of(request)
        wanted = services.path_token
        if not hmac.compare_digest(fingerprint(wanted or ""), fingerprint(token)) or not wanted:
            WEBHOOK_EVENTS.labels(entity, action, "unsigned").inc()
            return JSONResponse({"error": "no valid token"}, 401)
        return await _receive(request, services, entity, action)

    return endpoint


_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "oneOf": [
                        {"type": "array", "items": {"$ref": "#/components/schemas/Record"}},
                        {"$ref": "#/components/schemas/Record"},
                    ]
                }
            }
        },
    }
}


def webhook_router() -> APIRouter:
    """Return the endpoints of all entities whose records stand in EspoCRM."""
    router = APIRouter(tags=["webhooks"])
    # One route for each path: what is not there is 404, which EspoCRM sends again, and never 422, which it drops.
    kinds = (("", _signed_endpoint, ""), ("/{token}", _token_endpoint, "_with_token"))
    for entity in (known.name for known in with_records()):
        for action in get_args(Action):
            for prefix, make, suffix in kinds:
                router.add_api_route(
                    f"/vmh/webhook{prefix}/{entity}/{action}",
                    make(entity, action),
                    methods=["POST"],
                    name=f"webhook_{entity}_{action}{suffix}",
                    summary=f"{entity}: {action}",
                    response_model=Received,
                    responses=problems(400, 401, 408, 413, 503),
                    openapi_extra=_BODY,
                )
    return router
