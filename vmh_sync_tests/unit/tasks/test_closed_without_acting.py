"""A person closes a task and both sides still differ: the record says so, nobody counts it as open or asks again."""

from collections.abc import Iterator

import pytest

from vmh_sync.beteiligte.pipeline import PartyPipeline
from vmh_sync.overview.house import read_house
from vmh_sync.settings import SyncSettings
from vmh_sync_tests.inmemory.firm import Firm
from vmh_sync_tests.inmemory.world import World

PARTY, ACCOUNT = "CBeteiligte", "CBankverbindungen"
DONE = "Aufgabe erledigt, Werte noch verschieden: "
OPEN = "Verschieden, Aufgabe offen: "


@pytest.fixture
def firm() -> Iterator[Firm]:
    firm = Firm(World(rules=SyncSettings(_env_file=None)))
    yield firm
    firm.world.close()


def says(firm: Firm, entity: str) -> str:
    (row,) = firm.crm_rows(entity).values()
    return str(row["syncErrorMessage"])


def open_tasks(firm: Firm) -> int:
    return sum(status.open_tasks for status in read_house(firm.world.store, firm.world.clock).entities)


def differing(firm: Firm, entity: str) -> tuple[str, str]:
    """Make a party and its account, one of which Advoware does not change; returns both ids."""
    company = {"lastName": "Huber", "firmenname": "Huber", "rechtsform": "GmbH", "registergericht": "Hannover"}
    party = firm.crm_create(PARTY, company)
    iban = "DE02120300000000202051"
    account = firm.crm_create(ACCOUNT, {"name": "x", "iban": iban, "kontoinhaber": "Huber", "beteiligteId": party})
    firm.settle(PartyPipeline(), [party])
    changed = {PARTY: (party, {"registergericht": "Celle"}), ACCOUNT: (account, {"kontoinhaber": "Bau"})}[entity]
    firm.crm_edit(entity, *changed)
    firm.settle(PartyPipeline(), [party])
    return party, account


@pytest.mark.parametrize("entity", [PARTY, ACCOUNT])
def test_the_record_says_that_its_task_was_closed_and_stays_different(firm: Firm, entity: str) -> None:
    party, _ = differing(firm, entity)
    assert (says(firm, entity).startswith(OPEN), open_tasks(firm)) == (True, 1)
    firm.close_tasks()
    firm.settle(PartyPipeline(), [party])
    assert (says(firm, entity).startswith(DONE), open_tasks(firm)) == (True, 0)
    assert len(firm.crm_rows("Task")) == 1, "nobody asks again"


def test_opened_again_by_a_person_it_counts_again_and_a_new_value_asks_anew(firm: Firm) -> None:
    party, _ = differing(firm, PARTY)
    (task,) = firm.crm_rows("Task")
    firm.close_tasks()
    firm.settle(PartyPipeline(), [party])
    firm.crm_edit("Task", task, {"status": "Started"})
    firm.settle(PartyPipeline(), [party])
    assert (says(firm, PARTY).startswith(OPEN), open_tasks(firm)) == (True, 1)
    firm.close_tasks()
    firm.crm_edit(PARTY, party, {"registergericht": "Stade"})
    firm.settle(PartyPipeline(), [party])
    assert (says(firm, PARTY).startswith(OPEN), open_tasks(firm), len(firm.crm_rows("Task"))) == (True, 1, 2)


def test_what_agrees_afterwards_is_clean(firm: Firm) -> None:
    party, _ = differing(firm, PARTY)
    firm.close_tasks()
    firm.settle(PartyPipeline(), [party])
    firm.crm_edit(PARTY, party, {"registergericht": "Hannover"})
    firm.settle(PartyPipeline(), [party])
    (row,) = firm.crm_rows(PARTY).values()
    assert (row["syncStatus"], row["syncErrorMessage"], firm.tasks()) == ("clean", None, [])
