"""What stands in EspoCRM's field for the party's number: also where it is a text, and beyond 32 bits."""

import asyncio
from typing import Any, cast

import pytest

from vmh_sync.beteiligte.party import PartyRead, espo_betnr
from vmh_sync.beteiligte.pipeline import PartyPipeline
from vmh_sync.beteiligte.reading.fetch import read_advoware
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.settings import SyncSettings
from vmh_sync.systems.espocrm.records import EspoRecord
from vmh_sync_tests.inmemory.firm import Firm
from vmh_sync_tests.inmemory.world import World

NOBODY = cast("PassContext", None)
"""A pass that can ask nobody anything."""


def party(betnr: Any) -> PartyRead:
    record = EspoRecord(entity="CBeteiligte", id="66b0c1d2e3f4a5b6c", attributes={"lastName": "Muster", "betnr": betnr})
    return PartyRead(record.id, espo=record)


@pytest.mark.parametrize("told", [3_000_000_002, "3000000002", " 3000000002 "])
def test_a_number_beyond_32_bits_is_a_number(told: Any) -> None:
    assert espo_betnr(party(told).espo) == 3_000_000_002


@pytest.mark.parametrize("told", ["47l1", "-5", -5, "9" * 30, "9" * 5000, "Nr. 12", "1_001", 10.5, True])
def test_what_is_no_number_is_never_taken_for_a_party_without_one(told: Any) -> None:
    read = party(told)
    asyncio.run(read_advoware(NOBODY, read))
    assert read.refusal is not None
    assert "keine Nummer" in read.refusal


@pytest.mark.parametrize("told", [None, "", " ", 0, "0"])
def test_an_empty_field_asks_for_a_create(told: Any) -> None:
    read = party(told)
    asyncio.run(read_advoware(NOBODY, read))
    assert read.refusal is None


def test_two_that_claim_one_number_in_two_spellings_are_both_refused() -> None:
    firm = Firm(World(rules=SyncSettings(_env_file=None)))
    crm = firm.world.crm.crm
    crm.schema["CBeteiligte"].add_field("betnr", {"type": "varchar", "maxLength": 20})
    crm.adopt(crm.schema["CBeteiligte"])
    betnr = firm.office_create("Beteiligte", {"name": "Muster"})
    told = (f"00{betnr}", str(betnr))
    ids = [firm.crm_create("CBeteiligte", {"lastName": "Muster", "betnr": number}) for number in told]
    firm.settle(PartyPipeline(), ids)
    assert firm.links("beteiligte") == {}
    texts = [str((firm.crm_row("CBeteiligte", espo_id) or {})["syncErrorMessage"]) for espo_id in ids]
    firm.world.close()
    assert all("bei mehreren Beteiligten" in text for text in texts)
