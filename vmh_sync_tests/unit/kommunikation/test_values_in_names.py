"""A value with characters that EspoCRM takes in no name: the task about it is told, everything else goes on."""

import pytest

from vmh_sync.adressen.model import espo_name as address_name
from vmh_sync.bankverbindungen.model import espo_name as account_name
from vmh_sync.beteiligte.pipeline import PartyPipeline
from vmh_sync.settings import SyncSettings
from vmh_sync_tests.inmemory.firm import Firm
from vmh_sync_tests.inmemory.world import World


@pytest.mark.parametrize("value", ["Max <max@huber.example>", "info=huber.example"])
def test_a_value_that_cannot_stand_in_a_name_holds_nothing_else_up(value: str) -> None:
    firm = Firm(World(rules=SyncSettings(_env_file=None)))
    betnr = firm.office_create("Beteiligte", {"name": "Huber"})
    for kind, tlf in ((4, value), (1, "0511 123456")):
        firm.office_create("Kommunikation", {"kommKz": kind, "tlf": tlf}, int(betnr))
    espo_id = firm.crm_create("CBeteiligte", {"lastName": "Huber", "betnr": int(betnr)})
    firm.settle(PartyPipeline(), [espo_id])
    party = firm.crm_row("CBeteiligte", espo_id)
    assert party is not None
    assert (party["syncStatus"], [one["phoneNumber"] for one in party["phoneNumberData"]]) == (
        "conflict",
        ["+49511123456"],
    )
    (task,) = firm.crm_rows("Task").values()
    assert value in task["description"]
    assert not {*"<>="} & {*task["name"]}
    firm.world.close()


def test_what_is_named_after_its_values_has_a_name_that_espocrm_takes() -> None:
    names = (address_name({"strasse": "Haus <A> = 5", "ort": "Hannover"}), account_name({"bank": "<Haus=Bank>"}))
    assert not {*"<>="} & {*"".join(names)}
    assert "Haus" in names[0] and "Bank" in names[1]
