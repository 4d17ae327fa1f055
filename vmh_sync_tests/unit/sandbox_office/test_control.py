"""The control layer over real HTTP: faults behave like the network does, calls are counted by route."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vmh_sync.sandbox.control import ControlError, ControlledApp
from vmh_sync.sandbox.serving import LoopbackServer


class Notes:
    """A tiny simulated system: notes that can be posted and listed."""

    def __init__(self) -> None:
        self.notes: list[Any] = []

    async def handle(self, request: Request) -> Response:
        if request.method == "POST":
            self.notes.append(await request.json())
        return JSONResponse(self.notes)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/api/{rest:path}", self.handle, methods=["GET", "POST", "PUT", "DELETE"])])

    def state(self) -> dict[str, Any]:
        return {"notes": self.notes}

    def edit(self, body: dict[str, Any]) -> dict[str, Any]:
        raise ControlError(f"no entity {body.get('entity')}")

    async def seed(self, body: dict[str, Any]) -> dict[str, Any]:
        self.notes += body["notes"]
        return {"ok": True}

    def reset(self, body: dict[str, Any]) -> dict[str, Any]:
        self.notes.clear()
        return {"ok": True}

    def command(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        return {"did": name, **body}


@pytest.fixture
async def notes() -> Notes:
    return Notes()


@pytest.fixture
async def client(notes: Notes) -> AsyncIterator[httpx.AsyncClient]:
    controlled = ControlledApp(notes.app(), name="notes", hooks=notes, seed=3, prefix="/api/")
    async with (
        LoopbackServer(controlled, lifespan=False) as server,
        httpx.AsyncClient(base_url=server.url, timeout=5) as http,
    ):
        yield http


async def add(client: httpx.AsyncClient, *rules: dict[str, Any]) -> None:
    (await client.post("/_sandbox/faults", json=list(rules))).raise_for_status()


async def test_drop_before_never_reaches_the_app(client: httpx.AsyncClient, notes: Notes) -> None:
    await add(client, {"path": "^/api/notes$", "action": "drop_before", "times": 1})
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await client.post("/api/notes", json={"n": 1})
    assert notes.notes == []
    assert (await client.post("/api/notes", json={"n": 2})).status_code == 200


async def test_drop_after_commits_first(client: httpx.AsyncClient, notes: Notes) -> None:
    await add(client, {"path": "notes", "method": "POST", "action": "drop_after", "times": 1})
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await client.post("/api/notes", json={"n": 1})
    assert notes.notes == [{"n": 1}]


async def test_hang_ends_with_the_clients_timeout(client: httpx.AsyncClient) -> None:
    await add(client, {"path": "notes", "action": "hang", "seconds": 60})
    with pytest.raises(httpx.ReadTimeout):
        await client.get("/api/notes", timeout=0.1)


async def test_status_skip_times_and_order(client: httpx.AsyncClient) -> None:
    await add(
        client,
        {"path": "notes", "action": "status", "status": 503, "skip": 1, "times": 1, "headers": {"Retry-After": "7"}},
        {"path": "notes", "action": "status", "status": 429, "skip": 1, "body": "langsam"},
    )
    answers = [await client.get("/api/notes") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 503, 429]
    assert answers[1].headers["retry-after"] == "7"
    assert answers[2].text == "langsam"
    await client.delete("/_sandbox/faults")
    assert (await client.get("/api/notes")).status_code == 200


async def test_malformed_and_empty(client: httpx.AsyncClient) -> None:
    await add(client, {"path": "a", "action": "malformed", "times": 1}, {"path": "a", "action": "empty", "times": 1})
    await add(client, {"path": "a", "action": "empty", "body": "[]", "times": 1})
    with pytest.raises(ValueError):
        (await client.get("/api/a")).json()
    assert (await client.get("/api/a")).content == b""
    assert (await client.get("/api/a")).json() == []


async def test_a_rule_can_look_at_the_query(client: httpx.AsyncClient) -> None:
    await add(client, {"path": r"notes\?search=", "action": "status", "status": 404})
    assert (await client.get("/api/notes")).status_code == 200
    assert (await client.get("/api/notes?search=x")).status_code == 404


async def test_probability_is_repeatable(client: httpx.AsyncClient) -> None:
    await add(client, {"path": "notes", "action": "status", "probability": 0.5})
    statuses = [(await client.get("/api/notes")).status_code for _ in range(40)]
    other = ControlledApp(Notes().app(), name="other", hooks=Notes(), seed=3)
    other.faults.add({"path": "notes", "action": "status", "probability": 0.5})
    assert statuses == [503 if other.faults.due("GET", "/api/notes", "") else 200 for _ in range(40)]
    assert {200, 503} == set(statuses)


async def test_unusable_rules_are_refused_as_a_whole(client: httpx.AsyncClient) -> None:
    good = {"path": "notes", "action": "status"}
    for bad in ({"path": "(", "action": "status"}, {"path": "a", "action": "explode"}, {"path": "a"}, {**good, "x": 1}):
        answer = await client.post("/_sandbox/faults", json=[good, bad])
        assert answer.status_code == 400
        assert answer.json()["error"]
    assert (await client.get("/api/notes")).status_code == 200


async def test_calls_are_counted_by_route(client: httpx.AsyncClient) -> None:
    for number in (1, 2):
        await client.get(f"/api/Beteiligte/{number}")
    await client.put("/api/CBeteiligte/6900a1b2c3d4e5f60/mails", json={})
    await client.post("/login", json={})
    assert (await client.patch("/api/notes", json={})).status_code == 405
    calls = (await client.get("/_sandbox/calls")).json()
    assert calls["by_route"] == {
        "GET Beteiligte/{}": 2,
        "PUT CBeteiligte/{}/mails": 1,
        "POST login": 1,
        "PATCH notes": 1,
    }
    assert (calls["total"], calls["writes"], calls["writes_ok"]) == (5, 2, 1)
    assert [entry["status"] for entry in calls["log"]] == [200, 200, 200, 404, 405]
    await client.delete("/_sandbox/calls")
    assert (await client.get("/_sandbox/calls")).json()["total"] == 0


async def test_hooks_and_their_errors(client: httpx.AsyncClient) -> None:
    assert (await client.post("/_sandbox/seed", json={"notes": [1]})).json() == {"ok": True}
    assert (await client.get("/_sandbox/state")).json() == {"notes": [1]}
    assert (await client.post("/_sandbox/do/expire", json={"a": 1})).json() == {"did": "expire", "a": 1}
    refused = await client.post("/_sandbox/edit", json={"entity": "X"})
    assert (refused.status_code, refused.json()) == (400, {"error": "no entity X"})
    assert (await client.post("/_sandbox/reset")).json() == {"ok": True}
    assert (await client.get("/_sandbox/state")).json() == {"notes": []}
    assert (await client.get("/_sandbox/other")).status_code == 404


async def test_foreign_hosts_are_kept_out(notes: Notes) -> None:
    controlled = ControlledApp(notes.app(), name="notes", hooks=notes)
    transport = httpx.ASGITransport(controlled, client=("192.0.2.7", 4000))
    async with httpx.AsyncClient(transport=transport, base_url="http://notes.example") as http:
        assert (await http.get("/_sandbox/state")).status_code == 403
