"""The background job that sends webhooks (specification, espocrm.md B9)."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self

import httpx

from vmh_sync.sandbox.crm.config import WebhookConfig
from vmh_sync.sandbox.crm.webhooks.webhooks import Batch, Webhooks


class DeliveryJob:
    """Sends what is due, one request after the other, every ``interval`` seconds of real time.

    A slow receiver therefore holds up everything behind it, as in the real job. ``transport`` replaces the network
    in tests. Use it as an async context manager around the life of the server.
    """

    def __init__(
        self, webhooks: Webhooks, config: WebhookConfig, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._webhooks = webhooks
        self._config = config
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._task: asyncio.Task[None] | None = None
        self._flush = asyncio.Event()
        self._busy = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._loop())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def flush(self) -> None:
        """Ask for runs without waiting for the interval, until nothing is due."""
        self._flush.set()

    async def _loop(self) -> None:
        wait = self._config.interval if self._config.interval > 0 else None
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._flush.wait(), wait)
            if self._flush.is_set():
                self._flush.clear()
                await self.run_until_idle()
            else:
                await self.run()

    async def run_until_idle(self) -> int:
        """Run again and again until nothing is due any more; return the number of requests sent."""
        total = 0
        while True:
            sent = await self.run()
            total += sent
            if not sent and not self._webhooks.events:
                return total

    async def run(self) -> int:
        """Do one run of the job: one portion of events, one request per webhook. Return the requests sent."""
        async with self._busy:
            batches = self._webhooks.due_batches()
            for batch in batches:
                self._webhooks.settle(batch, await self._send(batch))
            return len(batches)

    async def _send(self, batch: Batch) -> int:
        if not batch.url.startswith(("http://", "https://")):
            return 0
        if self._client is None:
            timeout = httpx.Timeout(self._config.timeout, connect=self._config.connect_timeout)
            self._client = httpx.AsyncClient(transport=self._transport, timeout=timeout, trust_env=False)
            self._client.headers.clear()
        try:
            response = await self._client.post(batch.url, content=batch.body, headers=batch.headers)
        except (httpx.HTTPError, httpx.InvalidURL):
            return 0
        return response.status_code
