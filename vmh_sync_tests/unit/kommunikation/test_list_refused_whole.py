"""A list that EspoCRM refuses although nothing in it is new: a person is asked, and trying again writes nothing."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from vmh_sync.beteiligte.pipeline import PartyPipeline
from vmh_sync.settings import SyncSettings
from vmh_sync_tests.inmemory.firm import Firm
from vmh_sync_tests.inmemory.network import Fate
from vmh_sync_tests.inmemory.world import World

TYPES = ["Mobile", "Office", "Home", "Fax", "Other"]


@pytest.fixture
def firm() -> Iterator[Firm]:
    """A CRM whose reasons we do not know: here it takes a type no more that it took before."""
    one = Firm(World(rules=SyncSettings(_env_file=None)))
    arrives = one.world.wire.fate
    one.world.wire.fate = lambda asked: Fate(answer=404) if asked.path.endswith("/Metadata") else arrives(asked)
    yield one
    one.world.close()


@pytest.mark.parametrize(
    ("edit", "there"),
    [({"tlf": ""}, ["+49511123456"]), ({"online": True}, ["+49511123458", "+49511123456"])],
)
def test_asks_once_writes_nothing_and_goes_on_when_it_is_mended(
    firm: Firm, edit: Mapping[str, Any], there: list[str]
) -> None:
    betnr = int(firm.office_create("Beteiligte", {"name": "Huber"}))
    firm.office_create("Kommunikation", {"kommKz": 6, "tlf": "0511 123456"}, betnr)
    office_line = firm.office_create("Kommunikation", {"kommKz": 1, "tlf": "0511 123458"}, betnr)
    espo_id = firm.crm_create("CBeteiligte", {"lastName": "Huber", "betnr": betnr})
    firm.settle(PartyPipeline(), [espo_id])
    field = firm.world.crm.crm.schema["CBeteiligte"].fields["phoneNumber"]
    field["typeList"] = ["Mobile", "Office", "Other"]
    firm.office_edit("Kommunikation", office_line, edit)
    firm.settle(PartyPipeline(), [espo_id])  # raises while there are writes in every pass
    party = firm.crm_row("CBeteiligte", espo_id)
    (task,) = firm.crm_rows("Task").values()
    assert party is not None
    assert (party["syncStatus"], "Telefon" in party["syncErrorMessage"]) == ("conflict", True)
    assert "+49511123456" in task["description"]
    field["typeList"] = TYPES
    firm.settle(PartyPipeline(), [espo_id])
    party = firm.crm_row("CBeteiligte", espo_id)
    assert party is not None
    assert (party["syncStatus"], [one["phoneNumber"] for one in party["phoneNumberData"]]) == ("clean", there)
    assert [one["status"] for one in firm.crm_rows("Task").values()] == ["Completed"]
