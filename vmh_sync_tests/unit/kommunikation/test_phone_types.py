"""Phone types are an administrator's list: a number of a type that this EspoCRM lacks goes there under another."""

from collections.abc import Iterator, Sequence

import pytest

from vmh_sync.beteiligte.pipeline import PartyPipeline
from vmh_sync.settings import SyncSettings
from vmh_sync_tests.inmemory.firm import Firm
from vmh_sync_tests.inmemory.network import ARRIVES, Fate, Request
from vmh_sync_tests.inmemory.world import World


@pytest.fixture
def firm() -> Iterator[Firm]:
    one = Firm(World(rules=SyncSettings(_env_file=None)))
    yield one
    one.world.close()


def synced(firm: Firm, known: Sequence[str]) -> dict[str, str]:
    """Return number and type of what EspoCRM has when the office's private line, fax and office line went there."""
    firm.world.crm.crm.schema["CBeteiligte"].fields["phoneNumber"]["typeList"] = [*known]
    betnr = int(firm.office_create("Beteiligte", {"name": "Huber"}))
    for kind, tlf in ((6, "0511 123456"), (2, "0511 123457"), (1, "0511 123458")):
        firm.office_create("Kommunikation", {"kommKz": kind, "tlf": tlf}, betnr)
    espo_id = firm.crm_create("CBeteiligte", {"lastName": "Huber", "betnr": betnr})
    firm.settle(PartyPipeline(), [espo_id])
    party = firm.crm_row("CBeteiligte", espo_id)
    assert party is not None
    assert (party["syncStatus"], firm.crm_rows("Task")) == ("clean", {})
    return {one["phoneNumber"]: one["type"] for one in party["phoneNumberData"]}


@pytest.mark.parametrize(
    ("known", "types"),
    [
        (("Mobile", "Office", "Home", "Fax", "Other"), ("Home", "Fax", "Office")),
        (("Mobile", "Office", "Other"), ("Other", "Other", "Office")),
        (("Büro", "Privat"), ("Büro", "Büro", "Büro")),
    ],
)
def test_every_number_arrives_and_nobody_is_asked(firm: Firm, known: Sequence[str], types: Sequence[str]) -> None:
    numbers = ("+49511123456", "+49511123457", "+49511123458")
    assert synced(firm, known) == dict(zip(numbers, types, strict=True))


@pytest.mark.parametrize("status", [200, 400, 404, 500])
def test_an_espocrm_that_does_not_tell_its_types_is_asked_once_and_takes_what_it_knows(firm: Firm, status: int) -> None:
    asked: list[str] = []

    def fate(request: Request) -> Fate:
        if not request.path.endswith("/Metadata"):
            return ARRIVES
        asked.append(request.path)
        return ARRIVES if status == 200 else Fate(answer=status, carried_out=False)

    firm.world.wire.fate = fate
    assert set(synced(firm, ("Mobile", "Office", "Home", "Fax", "Other")).values()) == {"Home", "Fax", "Office"}
    assert len(asked) == 1 or status == 500, "a failure that may pass is repeated"
