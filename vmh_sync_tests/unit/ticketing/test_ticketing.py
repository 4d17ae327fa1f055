"""The example: what may happen to a ticket, its table, its endpoints, its monitor."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.testclient import TestClient

from vmh_sync.clock import ManualClock
from vmh_sync.examples.ticketing.desk import Desk
from vmh_sync.examples.ticketing.monitor import escalate_breaches
from vmh_sync.examples.ticketing.routes import ticket_router
from vmh_sync.examples.ticketing.ticket import SLA, Priority, State, Ticket, masked

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
GIVEN = {"title": "Drucker", "description": "druckt nicht", "priority": "low", "customerEmail": "kunde@beispiel.de"}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def desk(store_url: str) -> Iterator[Desk]:
    opened = Desk(store_url)
    yield opened
    opened.close()


@pytest.fixture
def http(desk: Desk, clock: ManualClock) -> TestClient:
    def caller(request: Request) -> None:
        if request.headers.get("X-API-Key") != "key":
            raise HTTPException(401, "no key")

    app = FastAPI()
    app.include_router(
        ticket_router(reader=Depends(caller), writer=Depends(caller), desk=lambda _: desk, clock=lambda _: clock)
    )
    return TestClient(app, headers={"X-API-Key": "key"})


def create(http: TestClient, **changes: str) -> str:
    answer = http.post("/tickets", json={**GIVEN, **changes})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_a_first_use_that_fails_leaves_no_broken_table(desk: Desk) -> None:
    with pytest.raises(RuntimeError), desk._writing():
        raise RuntimeError
    assert desk.newest(1) == []


def test_a_ticket_walks_forward(http: TestClient) -> None:
    ticket = create(http)
    assert http.get("/tickets").json()[0] == {
        **GIVEN,
        "id": ticket,
        "createdAt": "2026-03-02T09:00:00Z",
        "state": "triaged",
        "assignee": "support-pool",
        "reason": None,
        "escalatedAt": None,
    }
    assert http.post(f"/tickets/{ticket}/triage").json()["state"] == "triaged"
    escalated = http.post(f"/tickets/{ticket}/escalate", json={"reason": "Kunde ruft an"}).json()
    assert (escalated["state"], escalated["assignee"], escalated["reason"]) == (
        "escalated",
        "engineering-lead",
        "Kunde ruft an",
    )
    assert http.post(f"/tickets/{ticket}/triage").status_code == 409
    assert http.post(f"/tickets/{ticket}/escalate").status_code == 409
    assert http.post(f"/tickets/{ticket}/resolve").json()["state"] == "resolved"
    too_late = [http.post(f"/tickets/{ticket}/{step}").status_code for step in ("resolve", "triage", "escalate")]
    assert too_late == [409] * 3


@pytest.mark.parametrize(
    ("priority", "assignee"),
    [
        ("critical", "senior-support"),
        ("high", "senior-support"),
        ("medium", "support-pool"),
        ("low", "support-pool"),
    ],
)
def test_a_new_ticket_triages_itself_by_priority(http: TestClient, priority: str, assignee: str) -> None:
    made = http.post("/tickets", json={**GIVEN, "priority": priority}).json()

    assert (made["state"], made["assignee"]) == ("triaged", assignee)
    by_hand = http.post(f"/tickets/{made['id']}/triage", json={"assignee": "frau.muster"}).json()
    assert by_hand["assignee"] == "frau.muster"


def test_a_resolved_ticket_is_never_escalated(http: TestClient, desk: Desk) -> None:
    ticket = create(http, priority="critical")
    assert http.post(f"/tickets/{ticket}/resolve").status_code == 200

    assert escalate_breaches(desk, START + timedelta(days=9)) == []


@pytest.mark.parametrize("step", ["triage", "escalate", "resolve", "notify"])
def test_unknown_ticket(http: TestClient, step: str) -> None:
    assert http.post(f"/tickets/unknown/{step}").status_code == 404


@pytest.mark.parametrize(
    ("name", "value"),
    [("title", ""), ("description", ""), ("priority", "urgent"), ("customerEmail", "kein.at"), ("title", "a\0b")],
)
def test_bad_input_names_the_field(http: TestClient, name: str, value: str) -> None:
    answer = http.post("/tickets", json={**GIVEN, name: value})

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", name]


def test_notify_masks_the_address(http: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    ticket = create(http)
    caplog.set_level("INFO")

    assert http.post(f"/tickets/{ticket}/notify").status_code == 200
    assert "ku***@beispiel.de" in caplog.text
    assert "kunde@" not in caplog.text
    assert masked("a@b.de") == "a***@b.de"


def test_nobody_without_a_key(http: TestClient, desk: Desk) -> None:
    assert http.post("/tickets", json=GIVEN, headers={"X-API-Key": "other"}).status_code == 401
    assert http.get("/tickets", headers={"X-API-Key": "other"}).status_code == 401
    assert desk.newest(10) == []


@pytest.mark.parametrize("priority", list(Priority))
def test_sla_breach_escalates_once(desk: Desk, priority: Priority) -> None:
    desk.add(Ticket(id="t", title="t", description="d", priority=priority, customer_email="a@b.de", created_at=START))
    due = START + SLA[priority]

    assert escalate_breaches(desk, due) == []
    (ticket,) = escalate_breaches(desk, due + timedelta(minutes=1))

    minutes = int(SLA[priority].total_seconds() // 60) + 1
    assert (ticket.state, ticket.assignee) == (State.ESCALATED, "engineering-lead")
    assert f"{minutes} min old" in str(ticket.reason)
    assert escalate_breaches(desk, due + timedelta(days=9)) == [], "once"


def test_limits_of_the_specification() -> None:
    minutes = {priority.value: limit.total_seconds() / 60 for priority, limit in SLA.items()}

    assert minutes == {"critical": 15, "high": 60, "medium": 240, "low": 1440}
