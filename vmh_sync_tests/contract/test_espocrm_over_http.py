"""The simulated EspoCRM over real loopback HTTP: dates, errors without a body, and a delivered webhook."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vmh_sync.sandbox.crm import CrmConfig, WebhookConfig, create_crm_app


@asynccontextmanager
async def served(app: Starlette) -> AsyncIterator[str]:
    """Serve an application on a free loopback port and yield its base URL."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    # Bound and listening before the server runs: the first request waits in the backlog instead of a poll here.
    with socket.create_server(("127.0.0.1", 0)) as listening:
        task = asyncio.create_task(server.serve(sockets=[listening]))
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        await task


async def test_a_save_reaches_a_receiver_over_real_connections() -> None:
    deliveries: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

    async def receive(request: Request) -> Response:
        await deliveries.put((request.headers["signature"], json.loads(await request.body())))
        return Response(status_code=200)

    receiver = Starlette(routes=[Route("/hook", receive, methods=["POST"])])
    crm = create_crm_app(CrmConfig(webhooks=WebhookConfig(interval=0.05)))
    key = crm.state.api.crm.credentials()["api_key"]
    async with (
        served(receiver) as receiver_url,
        served(crm) as crm_url,
        httpx.AsyncClient(base_url=f"{crm_url}/api/v1/", headers={"X-Api-Key": key}, trust_env=False) as client,
    ):
        hook = await client.post("Webhook", json={"event": "CBeteiligte.create", "url": f"{receiver_url}/hook"})
        made = await client.post("CBeteiligte", json={"lastName": "Über", "emailAddress": "ueber@example.org"})
        signature, items = await asyncio.wait_for(deliveries.get(), 10)
        missing = await client.get("CBeteiligte/00000000000000000")

    assert (hook.status_code, made.status_code) == (201, 200)
    assert made.headers["date"].endswith("GMT")
    assert [item["id"] for item in items] == [made.json()["id"]]
    assert signature
    assert (missing.status_code, missing.content) == (404, b"")
    assert missing.headers["X-Status-Reason"] == "Record 00000000000000000 does not exist."
