"""Advoware answers a create with a number alone, and it is not the new party's: nobody else is taken for it."""

from collections.abc import Iterator

import pytest

from vmh_sync.beteiligte.pipeline import PartyPipeline
from vmh_sync.settings import SyncSettings
from vmh_sync_tests.inmemory.firm import Firm
from vmh_sync_tests.inmemory.network import Answer, Request
from vmh_sync_tests.inmemory.world import World


@pytest.fixture
def firm() -> Iterator[Firm]:
    firm = Firm(World(rules=SyncSettings(_env_file=None)))
    yield firm
    firm.world.close()


@pytest.mark.parametrize("number", [1001, 1], ids=["another party's", "nobody's"])
def test_the_party_is_found_by_its_mark_and_nobody_else_is_overwritten(firm: Firm, number: int) -> None:
    """A connector counts the rows that it wrote, for example."""
    stranger = firm.office_create("Beteiligte", {"name": "Fremd", "vorname": "Hans", "titel": "Dr."})
    before = firm.office_rows("Beteiligte")[stranger]
    usual = firm.world.wire.carry_out

    def miscounting(request: Request, url: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
        status, told, content = usual(request, url, headers, body)
        made = request.method == "POST" and request.path.endswith("/Beteiligte") and status < 300
        return (status, told, str(number).encode()) if made else (status, told, content)

    firm.world.wire.carry_out = miscounting  # type: ignore[method-assign]
    party = firm.crm_create("CBeteiligte", {"lastName": "Neu", "firstName": "Ina"})
    firm.settle(PartyPipeline(), [party])
    assert firm.office_rows("Beteiligte")[stranger] == before
    assert [row["name"] for row in firm.office_rows("Beteiligte").values()] == ["Fremd", "Neu"]
    row = firm.crm_row("CBeteiligte", party)
    assert row is not None
    assert (row["betnr"], row["syncStatus"], row["syncErrorMessage"]) == (1002, "clean", None)
    assert firm.tasks() == []
