"""An office in-process, with a clock that stands still and a client that is logged in."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from vmh_sync.clock import ManualClock
from vmh_sync.sandbox.control import ControlledApp
from vmh_sync.sandbox.office import API_PATH, RELAY_PATH, OfficeConfig, create_office
from vmh_sync.sandbox.office.token import signature


@dataclass
class OfficeClient:
    """HTTP client of one office plus what the tests need to know about it."""

    http: httpx.AsyncClient
    config: OfficeConfig
    clock: ManualClock

    def token_body(self, **changes: Any) -> dict[str, Any]:
        config = self.config
        nonce = changes.pop("Nonce", str(uuid.uuid4()))
        stamp = changes.pop("RequestTimeStamp", self.clock.now().isoformat().replace("+00:00", "Z"))
        return {
            "AppID": config.app_id,
            "Kanzlei": config.kanzlei,
            "Database": config.database,
            "User": config.user,
            "Role": config.role,
            "Product": config.product,
            "Password": config.password,
            "Nonce": nonce,
            "HMAC512Signature": signature(config.api_key, config.product, config.app_id, nonce, stamp),
            "RequestTimeStamp": stamp,
            **changes,
        }

    async def ask_token(self, **changes: Any) -> httpx.Response:
        return await self.http.post("/security/api/v1/Token", json=self.token_body(**changes))

    async def login(self) -> None:
        token = (await self.ask_token()).json()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {token}"

    async def call(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        return await self.http.request(method, f"{RELAY_PATH}{API_PATH}{path}", **kwargs)

    async def control(self, path: str, body: Any = None) -> Any:
        answer = await self.http.post(f"/_sandbox/{path}", json=body or {})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def state(self) -> dict[str, Any]:
        return (await self.http.get("/_sandbox/state")).json()


@pytest.fixture
async def office() -> AsyncIterator[OfficeClient]:
    clock = ManualClock(datetime(2026, 3, 1, 9, 15, tzinfo=UTC))
    config = OfficeConfig(clock=clock, seed=7)
    app, hooks = create_office(config)
    controlled = ControlledApp(app, name="office", hooks=hooks, prefix=f"{RELAY_PATH}{API_PATH}")
    transport = httpx.ASGITransport(controlled)
    async with httpx.AsyncClient(transport=transport, base_url="http://office.example") as http:
        client = OfficeClient(http, config, clock)
        await client.login()
        yield client
