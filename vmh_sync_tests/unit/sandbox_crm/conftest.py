"""A simulated EspoCRM in memory, with a standing clock and a receiver for its webhooks."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from vmh_sync.clock import ManualClock
from vmh_sync.sandbox.crm import Crm, CrmConfig, CrmHooks, WebhookConfig, create_crm_app


class Bench:
    """The CRM, its control hooks and a client that speaks as the API user."""

    def __init__(self, **settings: Any) -> None:
        self.clock = ManualClock(datetime(2026, 1, 5, 10, 0, 0, tzinfo=UTC))
        self.received: list[httpx.Request] = []
        self.status = 200
        config = CrmConfig(clock=self.clock, webhooks=WebhookConfig(interval=0), **settings)
        self.app = create_crm_app(config, transport=httpx.MockTransport(self._receive))
        self.crm: Crm = self.app.state.api.crm
        self.hooks = CrmHooks(self.app)
        self.delivery = self.app.state.delivery
        self.keys = self.crm.credentials()
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url="http://crm.example/api/v1/",
            headers={"X-Api-Key": self.keys["api_key"]},
        )

    def _receive(self, request: httpx.Request) -> httpx.Response:
        self.received.append(request)
        return httpx.Response(self.status)

    def deliveries(self) -> list[list[dict[str, Any]]]:
        """The bodies that the receiver got, in order."""
        return [json.loads(request.content) for request in self.received]

    def later(self, **span: float) -> None:
        self.clock.advance(timedelta(**span))

    async def create(self, entity: str = "CBeteiligte", **values: Any) -> dict[str, Any]:
        values = {"lastName": "Probe", "_skipDuplicateCheck": True} | values if entity == "CBeteiligte" else values
        response = await self.client.post(entity, json=values)
        assert response.status_code == 200, response.headers
        return response.json()

    async def get(self, record_id: str, entity: str = "CBeteiligte") -> dict[str, Any]:
        response = await self.client.get(f"{entity}/{record_id}")
        assert response.status_code == 200, response.headers
        return response.json()

    async def put(self, record_id: str, entity: str = "CBeteiligte", **values: Any) -> dict[str, Any]:
        response = await self.client.put(f"{entity}/{record_id}", json=values)
        assert response.status_code == 200, response.headers
        return response.json()

    async def find(self, entity: str = "CBeteiligte", **query: Any) -> dict[str, Any]:
        response = await self.client.get(entity, params={"searchParams": json.dumps(query)})
        assert response.status_code == 200, response.headers
        return response.json()

    async def ids(self, *where: dict[str, Any], **query: Any) -> list[str]:
        found = await self.find(where=list(where), **query)
        return [row["id"] for row in found["list"]]


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    yield made
    await made.client.aclose()
