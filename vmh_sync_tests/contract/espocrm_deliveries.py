"""Compares the recordings that are no exchange with the API: webhook deliveries and the fate of queue items."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx

from vmh_sync.sandbox.crm import CrmConfig, WebhookConfig, create_crm_app
from vmh_sync_tests.contract.espocrm_replay import START, Outcome, Replay, SettableClock

ADMIN_ONLY: dict[str, Any] = {"schema": "recorded", "formula_dirty": False}


async def delivery_outcomes(replay: Replay, recording: dict[str, Any]) -> Outcome:
    """Return how a ``w10``, ``w20`` or ``w21`` recording compares."""
    name = recording["name"]
    if name.startswith("w10"):
        return _delivery(replay, recording)
    if name.startswith("w20"):
        return await _response_codes(recording)
    return await _retry_schedule(recording)


def _delivery(replay: Replay, recording: dict[str, Any]) -> Outcome:
    """Compare what the receiver got over all requests to its path, and check both signatures over the raw body."""
    requests = replay.received.get(recording["request"]["path"], [])
    items = [item for request in requests for item in json.loads(request.content)]
    outcome = replay.compare(recording["name"], recording["request"]["body"], items)
    webhook_id = replay.ours[recording["webhook"]["id"]]
    secret = replay.secrets[recording["webhook"]["secretKey"]].encode()
    for request in requests:
        digest = hmac.new(secret, request.content, hashlib.sha256)
        expected = {
            "Signature": f"{webhook_id}:{digest.hexdigest()}".encode(),
            "X-Signature": f"{webhook_id}:".encode() + digest.digest(),
        }
        for header, value in expected.items():
            if base64.b64decode(request.headers[header]) != value:
                outcome.differences.append(f"{header}: does not verify")
        if "User-Agent" in request.headers or request.headers["Content-Type"] != "application/json":
            outcome.differences.append("headers")
    return outcome


class Receiver:
    """A CRM with one event on its way to one receiver that answers as told."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self.clock = SettableClock(START)
        config = CrmConfig(clock=self.clock, webhooks=WebhookConfig(interval=0), **ADMIN_ONLY)
        self.app = create_crm_app(config, transport=httpx.MockTransport(answer))
        self.api = self.app.state.api
        crm = self.api.crm
        self.api.webhooks.register(crm.admin, {"event": "CBeteiligte.create", "url": "http://receiver.example/"})
        self.api.records.create(crm.admin, "CBeteiligte", {"lastName": "Ereignis"})

    async def run(self) -> str:
        """Do one run of the job; return ``status attempts``, empty if the item was removed."""
        await self.app.state.delivery.run()
        webhooks = self.api.webhooks
        if webhooks.items:
            item = webhooks.items[0]
            retry = item.due is not None and item.due > self.clock.now()
            return f"Pending {item.attempts} {'later' if retry else 'now'}"
        if webhooks.failed:
            return f"Failed {webhooks.failed[0].attempts} never"
        return "Success 1 never" if webhooks.delivered else ""

    @property
    def webhook_deleted(self) -> str:
        return "0" if self.api.crm.tables["Webhook"].rows else "1"


def _answer(kind: str) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        if kind == "timeout":
            raise httpx.ReadTimeout("slow", request=request)
        if kind == "refused":
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(int(kind), headers={"Location": "http://elsewhere.example/"})

    return answer


async def _response_codes(recording: dict[str, Any]) -> Outcome:
    outcome = Outcome(recording["name"])
    for kind, recorded in recording["result"].items():
        receiver = Receiver(_answer(kind))
        found = await receiver.run()
        item = recorded["queue_item"]
        expected = f"{item[0]} {item[1]} {'never' if item[2] == 'NULL' else 'later'}" if len(item) > 1 else ""
        if found != expected or receiver.webhook_deleted != recorded["webhook_deleted"]:
            outcome.differences.append(f"{kind}: {found!r} instead of {expected!r}")
    return outcome


async def _retry_schedule(recording: dict[str, Any]) -> Outcome:
    outcome = Outcome(recording["name"])
    receiver = Receiver(_answer("500"))
    await receiver.run()
    for _, recorded in recording["history"]:
        status, attempts, due = recorded.split("\t")
        receiver.clock.moment += timedelta(minutes=10, seconds=1)
        expected = f"{status} {attempts} {'never' if due == 'NULL' else 'later'}"
        found = await receiver.run()
        if found != expected:
            outcome.differences.append(f"{found!r} instead of {expected!r}")
    return outcome
