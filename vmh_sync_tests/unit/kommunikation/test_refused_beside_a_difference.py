"""A number that EspoCRM refuses, beside a field that stays apart: both are named, and trying again writes nothing."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from vmh_sync.beteiligte.pipeline import PartyPipeline
from vmh_sync.settings import SyncSettings
from vmh_sync_tests.inmemory.firm import Firm, one_pass
from vmh_sync_tests.inmemory.network import Fate
from vmh_sync_tests.inmemory.world import World


@pytest.fixture
def firm() -> Iterator[Firm]:
    """A CRM that takes no private lines and does not say so: any number that it refuses for reasons of its own."""
    one = Firm(World(rules=SyncSettings(_env_file=None)))
    arrives = one.world.wire.fate
    one.world.wire.fate = lambda asked: Fate(answer=404) if asked.path.endswith("/Metadata") else arrives(asked)
    one.world.crm.crm.schema["CBeteiligte"].fields["phoneNumber"]["typeList"] = ["Mobile"]
    yield one
    one.world.close()


def by_person(firm: Firm, espo_id: str) -> int:
    """Make a pass that a person started; returns how many writes it made."""
    firm.world.loop.pass_time(30)
    before = firm.world.wire.writes
    firm.start(
        lambda process: one_pass(replace(firm.world.context(process), by_person=True), PartyPipeline(), [espo_id])
    )
    (outcome,) = firm.finish()
    assert firm.world.wire.writes - before == outcome.advoware_writes + outcome.espocrm_writes
    return firm.world.wire.writes - before


def test_both_are_named_and_trying_again_writes_nothing(firm: Firm) -> None:
    company = {"rechtsform": "GmbH"}
    betnr = int(firm.office_create("Beteiligte", {"name": "Huber", **company}))
    values = {"lastName": "Huber", "firmenname": "Huber", "betnr": betnr, **company}
    espo_id = firm.crm_create("CBeteiligte", values)
    firm.settle(PartyPipeline(), [espo_id])
    firm.crm_edit("CBeteiligte", espo_id, {"registergericht": "Hannover"})
    firm.settle(PartyPipeline(), [espo_id])
    firm.office_create("Kommunikation", {"kommKz": 6, "tlf": "0511 123456"}, betnr)
    assert by_person(firm, espo_id)
    party = firm.crm_row("CBeteiligte", espo_id)
    assert party is not None
    assert all(name in party["syncErrorMessage"] for name in ("Telefon", "Registergericht"))
    assert [by_person(firm, espo_id) for _ in range(3)] == [0, 0, 0]


def test_a_flag_that_was_moved_along_with_a_refused_value_is_carried_on(firm: Firm) -> None:
    field = firm.world.crm.crm.schema["CBeteiligte"].fields["phoneNumber"]
    field["typeList"] = ["Office"]
    betnr = int(firm.office_create("Beteiligte", {"name": "Huber"}))
    for tlf in ("0511 123456", "0511 123458"):
        line = firm.office_create("Kommunikation", {"kommKz": 1, "tlf": tlf}, betnr)
    espo_id = firm.crm_create("CBeteiligte", {"lastName": "Huber", "betnr": betnr})
    firm.settle(PartyPipeline(), [espo_id])
    field["typeList"] = ["Mobile"]
    firm.office_edit("Kommunikation", line, {"tlf": "0511 99999", "online": True})
    firm.settle(PartyPipeline(), [espo_id])
    field["typeList"] = ["Office"]
    firm.office_edit("Kommunikation", line, {"tlf": "0511 777777"})
    firm.settle(PartyPipeline(), [espo_id])
    party = firm.crm_row("CBeteiligte", espo_id)
    assert party is not None
    assert (party["phoneNumber"], party["syncStatus"]) == ("+49511777777", "clean")
