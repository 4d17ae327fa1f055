"""Google's notifications: "this calendar has changed" rings the bell for a run (specification, kalender.md 6).

What has changed is not in them, and nothing is taken from them but whose calendar it is. Google sends again after 500,
502, 503 and 504 only, so what cannot be stored is answered 503; everything else is found by the schedule.
"""

import asyncio
import logging
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import JSONResponse

from vmh_sync.entities import KALENDER
from vmh_sync.gateway.http.call_metrics import CALENDAR_NOTIFICATIONS
from vmh_sync.gateway.http.documented import problems
from vmh_sync.gateway.services import services_of
from vmh_sync.kalender.reading.push import PATH, is_genuine
from vmh_sync.store.errors import StoreError
from vmh_sync.store.store import Store

_log = logging.getLogger(__name__)

router = APIRouter(tags=["webhooks"])

OPENED = "sync"
"""The first message of a channel: nothing has changed."""

LONGEST_ID = 64


@router.post(PATH, status_code=204, response_class=Response, responses=problems(401, 408, 413, 503))
async def google_calendar_changed(
    request: Request,
    channel: Annotated[str, Header(alias="X-Goog-Channel-ID")] = "",
    token: Annotated[str | None, Header(alias="X-Goog-Channel-Token")] = None,
    state: Annotated[str, Header(alias="X-Goog-Resource-State")] = "",
) -> Response:
    """Take a notification of Google Calendar; only one that carries its channel's secret counts."""
    services = services_of(request)
    try:
        result = await asyncio.to_thread(_take, services.store, channel, token, state)
    except StoreError:
        CALENDAR_NOTIFICATIONS.labels("unavailable").inc()
        return JSONResponse({"error": "the database is not available"}, 503, {"Retry-After": "60"})
    CALENDAR_NOTIFICATIONS.labels(result).inc()
    if result == "refused":
        return JSONResponse({"error": "no channel of ours, or not its token"}, 401)
    if result == "rung":
        services.debouncer.notice(KALENDER.name)
    return Response(status_code=204)


def _take(store: Store, channel_id: str, token: str | None, state: str) -> str:
    if not 0 < len(channel_id) <= LONGEST_ID:
        return "refused"
    with store.reading() as tx:
        known = tx.calendar_channels.get(channel_id)
    if known is None or not is_genuine(known, token):
        return "refused"
    if state == OPENED:
        return "opened"
    with store.transaction() as tx:
        tx.calendar_channels.ring(channel_id)
    return "rung"
