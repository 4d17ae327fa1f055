"""A create that got no answer is not sent again while it may still arrive (sync-semantics.md 3)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from vmh_sync.store.errors import StaleRow
from vmh_sync.sync.reporting.outcome import Result
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.adressen import test_addresses as addresses
from vmh_sync_tests.pipeline.bankverbindungen import test_bank_accounts as accounts
from vmh_sync_tests.pipeline.kommunikation import sides

LONGEST = 150.0


@pytest.fixture(autouse=True)
def slow_office(firm_environment: pytest.MonkeyPatch) -> None:
    """Requests live long here, as they do in life."""
    firm_environment.setenv("VMH_CREATE_SETTLE_SECONDS", str(LONGEST))


def posts(firm: Firm, route: str) -> int:
    return int(firm.office.calls()["by_route"].get(f"POST {route}", 0))


def unanswered(firm: Firm, path: str, espo_id: str) -> None:
    """The request is under way, and its sender hears nothing."""
    firm.office.fault(path, "drop_before", method="POST", times=1)
    firm.sync(espo_id)
    firm.office.clear_faults()
    firm.office.clear_calls()


def test_a_party_that_arrives_late_is_linked_and_not_doubled(firm: Firm) -> None:
    espo_id = firm.crm_party(lastName="Langsam")
    unanswered(firm, "/Beteiligte$", espo_id)
    (outcome,) = firm.outcomes(espo_id)
    assert (outcome.result, posts(firm, "Beteiligte")) == (Result.SKIPPED, 0)
    assert "wartet bis" in str(outcome.error)
    betnr = firm.office_party(name="Langsam", bemerkung=f"EspoCRM-ID: {espo_id}")
    (outcome,) = firm.outcomes(espo_id)
    assert (outcome.result, outcome.betnr) == (Result.SYNCED, betnr)
    assert len(firm.office_records()) == 1


def test_what_never_arrived_is_created_once_after_the_longest_time(firm: Firm) -> None:
    espo_id = firm.crm_party(lastName="Verloren")
    unanswered(firm, "/Beteiligte$", espo_id)
    firm.clock.shift = timedelta(seconds=LONGEST - 20)
    assert firm.outcomes(espo_id)[0].result is Result.SKIPPED
    assert firm.office_records() == []
    firm.clock.shift = timedelta(seconds=LONGEST + 20)
    assert firm.outcomes(espo_id)[0].result is Result.SYNCED
    assert len(firm.office_records()) == 1


@pytest.mark.parametrize(
    ("create", "there", "path"),
    [
        (addresses.address, addresses.there, "Adressen"),
        (accounts.account, accounts.there, "Bankverbindungen"),
    ],
)
def test_a_child_waits_as_well(
    firm: Firm, create: Callable[..., str], there: Callable[..., list[object]], path: str
) -> None:
    party, betnr = firm.linked_party()
    create(firm, party)
    unanswered(firm, path, party)
    assert firm.outcomes(party)[0].result is Result.SKIPPED
    assert there(firm, betnr) == []
    firm.clock.shift = timedelta(seconds=LONGEST + 20)
    firm.sync(party)
    assert len(there(firm, betnr)) == 1


def test_an_entry_waits_as_well(firm: Firm) -> None:
    party, betnr = firm.linked_party()
    firm.crm_edit(party, emailAddressData=[sides.mail("neu@huber.example", primary=True)])
    unanswered(firm, "Kommunikation", party)
    assert firm.outcomes(party)[0].result is Result.SKIPPED
    assert sides.values(firm, betnr) == []
    firm.clock.shift = timedelta(seconds=LONGEST + 20)
    firm.sync(party)
    assert sides.values(firm, betnr) == ["neu@huber.example"]


@pytest.mark.parametrize("status", [400, 403, 405, 429])
def test_a_create_that_was_refused_for_certain_does_not_wait(firm: Firm, status: int) -> None:
    espo_id = firm.crm_party(lastName="Abgewiesen")
    firm.office.fault("/Beteiligte$", "status", status=status, method="POST", times=1)
    firm.sync(espo_id)
    with firm.store.reading() as tx:
        assert tx.intents.open_for("beteiligte", espo_id) == []


def test_of_two_processes_without_a_common_redis_only_one_may_send(firm: Firm) -> None:
    order: dict[str, Any] = {
        "system": "advoware",
        "entity": "beteiligte",
        "espo_id": "a",
        "natural_key": {},
        "payload_hash": "x",
    }
    with firm.store.transaction() as tx:
        intent = tx.intents.start(**order, claim="")
    with firm.store.transaction() as tx, pytest.raises(StaleRow):
        tx.intents.start(**order, claim="")
    with firm.store.transaction() as tx:
        tx.intents.claim(intent)
    with firm.store.transaction() as tx, pytest.raises(StaleRow):
        tx.intents.claim(intent)
    with firm.store.transaction() as tx:
        tx.intents.abandon(intent.id)
        assert tx.intents.start(**order, claim="").id != intent.id
