"""The gateway with a real PostgreSQL: from the delivery to the claim, and a database that goes away and comes back."""

import json
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.gateway import WRITE_KEY, GatewayProcess
from vmh_sync_tests.fixtures.postgres import PostgresServer
from vmh_sync_tests.pipeline.gateway.test_triggers_and_state import test_manual_sync_and_state_of_a_record
from vmh_sync_tests.pipeline.gateway.test_webhooks import (
    an_id,
    post,
    test_an_event_during_its_sync_is_never_swallowed,
    test_answer_counts_different_ids,
    test_children_and_deletes_go_to_their_own_inbox,
    test_edits_in_the_crm_arrive_signed_and_launch_one_run,
    test_kill_loses_nothing_that_was_answered,
    test_store_and_gateway_agree_on_what_waits,
    waiting,
)

__all__ = [
    "test_an_event_during_its_sync_is_never_swallowed",
    "test_answer_counts_different_ids",
    "test_children_and_deletes_go_to_their_own_inbox",
    "test_edits_in_the_crm_arrive_signed_and_launch_one_run",
    "test_kill_loses_nothing_that_was_answered",
    "test_manual_sync_and_state_of_a_record",
    "test_store_and_gateway_agree_on_what_waits",
]

TICKET = {"title": "Drucker", "description": "druckt nicht", "priority": "high", "customerEmail": "kunde@beispiel.de"}


@pytest.fixture
def sqlite_url(postgres_url: str) -> str:
    """Put PostgreSQL where the firm's database stands."""
    return postgres_url


@pytest.fixture
def cut(postgres_server: PostgresServer, postgres_url: str) -> Callable[[bool], None]:
    """Cut all connections to the database; takes whether new ones are allowed."""
    name = urlsplit(postgres_url).path.removeprefix("/")

    def act(allowed: bool) -> None:
        postgres_server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {allowed}')
        postgres_server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    return act


def test_this_module_really_uses_postgresql(firm: Firm) -> None:
    assert firm.store.dialect == "postgresql"


def test_a_database_that_goes_away_costs_no_event(
    firm: Firm, gateway: GatewayProcess, cut: Callable[[bool], None]
) -> None:
    def deliver(number: int) -> int:
        return int(post(gateway, json.dumps({"id": an_id(number)}).encode()).status_code)

    assert deliver(1) == 200
    cut(False)
    away = [deliver(2), deliver(3)]
    with gateway.client(WRITE_KEY) as http:
        ready = http.get("/ready").json()
        assert ready["database"] == "unavailable"
        assert "ist nicht erreichbar. Prüfen, ob der Datenbankserver läuft" in ready["problems"]["database"]
        assert http.get("/metrics").status_code == 200
        assert http.get(f"/vmh/sync/beteiligte/{an_id(1)}").status_code == 503
    cut(True)
    back = [deliver(4), deliver(5)]

    assert away == [503, 503], "EspoCRM sends them again"
    assert back[-1] == 200
    accepted = {an_id(1), *(an_id(number) for number, status in zip((4, 5), back, strict=True) if status == 200)}
    assert accepted <= {espo_id for espo_id, _ in waiting(firm.store)}


def test_connections_that_were_cut_are_replaced(gateway: GatewayProcess, cut: Callable[[bool], None]) -> None:
    assert post(gateway, json.dumps({"id": an_id(1)}).encode()).status_code == 200
    cut(True)
    assert post(gateway, json.dumps({"id": an_id(2)}).encode()).status_code in (200, 503)
    assert post(gateway, json.dumps({"id": an_id(3)}).encode()).status_code == 200


def test_tickets(gateway: GatewayProcess, cut: Callable[[bool], None]) -> None:
    with gateway.client(WRITE_KEY) as http:
        made = http.post("/tickets", json=TICKET)
        assert made.status_code == 201
        ticket = made.json()["id"]
        assert http.post(f"/tickets/{ticket}/triage").json()["assignee"] == "senior-support"
        assert http.post(f"/tickets/{ticket}/escalate", json={"reason": "eilt"}).status_code == 200
        assert [(row["id"], row["state"]) for row in http.get("/tickets").json()] == [(ticket, "escalated")]
        assert http.post("/tickets", json={**TICKET, "priority": "x"}).status_code == 422
        cut(False)
        assert http.get("/tickets").status_code == 503
        cut(True)
        assert http.get("/tickets").status_code in (200, 503)
        assert [row["id"] for row in http.get("/tickets").json()] == [ticket]
