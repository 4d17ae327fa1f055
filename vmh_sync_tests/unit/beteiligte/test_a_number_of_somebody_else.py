"""Advoware answers a create with a number alone, and it is not the new party's: nobody else is taken for it."""

from collections.abc import Iterator, Mapping

import pytest

from vmh_sync.beteiligte.pipeline import PartyPipeline
from vmh_sync.settings import SyncSettings
from vmh_sync_tests.inmemory.firm import Firm
from vmh_sync_tests.inmemory.network import Answer, Request
from vmh_sync_tests.inmemory.world import World

STRANGERS: dict[str, Mapping[str, str]] = {
    "another name": {"name": "Fremd", "vorname": "Hans", "titel": "Dr."},
    "a relative": {"name": "Neu", "vorname": "Hans", "titel": "Dr."},
    "a piece of the name": {"name": "N", "titel": "Dr."},
    "a namesake": {"name": "Neu", "vorname": "Ina", "geburtsdatum": "1950-01-02T00:00:00"},
    "a namesake that we created": {"name": "Neu", "vorname": "Ina", "bemerkung": "EspoCRM-ID: 65f0c0a1b2c3d4e5f"},
}


@pytest.fixture
def firm() -> Iterator[Firm]:
    firm = Firm(World(rules=SyncSettings(_env_file=None)))
    yield firm
    firm.world.close()


def create(firm: Firm, number: int) -> None:
    """Create a party where a connector counts the rows that it wrote, for example."""
    usual = firm.world.wire.carry_out

    def miscounting(request: Request, url: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
        status, told, content = usual(request, url, headers, body)
        made = request.method == "POST" and request.path.endswith("/Beteiligte") and status < 300
        return (status, told, str(number).encode()) if made else (status, told, content)

    firm.world.wire.carry_out = miscounting  # type: ignore[method-assign]
    values = {"lastName": "Neu", "firstName": "Ina", "dateOfBirth": "1980-05-06", "titel": "Prof."}
    party = firm.crm_create("CBeteiligte", values)
    firm.settle(PartyPipeline(), [party])
    row = firm.crm_row("CBeteiligte", party)
    assert row is not None
    assert (row["betnr"], row["syncStatus"], row["syncErrorMessage"]) == (1002, "clean", None)
    assert firm.tasks() == []


@pytest.mark.parametrize("sort", STRANGERS)
def test_nobody_else_is_overwritten(firm: Firm, sort: str) -> None:
    stranger = firm.office_create("Beteiligte", STRANGERS[sort])
    before = firm.office_rows("Beteiligte")[stranger]
    create(firm, 1001)
    assert firm.office_rows("Beteiligte")[stranger] == before
    assert len(firm.office_rows("Beteiligte")) == 2


def test_a_number_of_nobody_is_no_deleted_party(firm: Firm) -> None:
    firm.office_create("Beteiligte", STRANGERS["another name"])
    create(firm, 1)
    assert len(firm.office_rows("Beteiligte")) == 2


def test_a_party_that_is_shown_a_moment_later_needs_no_person_where_there_is_no_search(firm: Firm) -> None:
    firm.office_create("Beteiligte", STRANGERS["another name"])
    usual = firm.world.wire.carry_out
    asked: list[str] = []

    def late(request: Request, url: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
        if request.method == "GET" and request.path.endswith("/Beteiligte"):
            return 405, [], b""
        asked.extend([request.path] if request.method == "GET" and request.path.endswith("/1002") else [])
        return (404, [], b"") if len(asked) in (1, 2) else usual(request, url, headers, body)

    firm.world.wire.carry_out = late  # type: ignore[method-assign]
    create(firm, 1002)


def test_where_the_remark_is_not_taken_what_tells_the_party_is_enough(firm: Firm) -> None:
    firm.office_create("Beteiligte", STRANGERS["another name"])
    office = firm.world.office._office
    office.switches = office.switches.model_copy(update={"post_ignores": ("bemerkung",)})
    create(firm, 1002)
