"""Phone types are an administrator's list: a number of a type that this EspoCRM lacks goes there under another."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from vmh_sync.beteiligte.pipeline import PartyPipeline
from vmh_sync.settings import SyncSettings
from vmh_sync_tests.inmemory.firm import Firm
from vmh_sync_tests.inmemory.network import Fate, Request
from vmh_sync_tests.inmemory.world import World


@pytest.fixture
def firm() -> Iterator[Firm]:
    one = Firm(World(rules=SyncSettings(_env_file=None)))
    yield one
    one.world.close()


ALL = ("Mobile", "Office", "Home", "Fax", "Other")


def takes(firm: Firm, known: Sequence[str]) -> None:
    """An administrator changes the list of types."""
    firm.world.crm.crm.schema["CBeteiligte"].fields["phoneNumber"]["typeList"] = [*known]


def linked(firm: Firm) -> str:
    """Return a party with the office's private line, fax and office line, after passes."""
    betnr = int(firm.office_create("Beteiligte", {"name": "Huber"}))
    for kind, tlf in ((6, "0511 123456"), (2, "0511 123457"), (1, "0511 123458")):
        firm.office_create("Kommunikation", {"kommKz": kind, "tlf": tlf}, betnr)
    espo_id = firm.crm_create("CBeteiligte", {"lastName": "Huber", "betnr": betnr})
    firm.settle(PartyPipeline(), [espo_id])
    return espo_id


def types(firm: Firm, espo_id: str) -> dict[str, str]:
    """Return number and type of what EspoCRM has, where nobody is asked."""
    party = firm.crm_row("CBeteiligte", espo_id)
    assert party is not None
    assert (party["syncStatus"], firm.crm_rows("Task")) == ("clean", {})
    return {one["phoneNumber"]: one["type"] for one in party["phoneNumberData"]}


@pytest.mark.parametrize(
    ("known", "there"),
    [
        (("Mobile", "Office", "Home", "Fax", "Other"), ("Home", "Fax", "Office")),
        (("Mobile", "Office", "Other"), ("Other", "Other", "Office")),
        (("Büro", "Privat"), ("Büro", "Büro", "Büro")),
    ],
)
def test_every_number_arrives_and_nobody_is_asked(firm: Firm, known: Sequence[str], there: Sequence[str]) -> None:
    numbers = ("+49511123456", "+49511123457", "+49511123458")
    takes(firm, known)
    assert types(firm, linked(firm)) == dict(zip(numbers, there, strict=True))


@pytest.mark.parametrize(
    ("edit", "there"),
    [
        ({"tlf": ""}, {"+49511123456": "Other", "+49511123457": "Other"}),
        ({"online": True}, {"+49511123458": "Office", "+49511123456": "Other", "+49511123457": "Other"}),
    ],
)
def test_numbers_of_a_type_that_is_gone_do_not_hold_up_the_others(
    firm: Firm, edit: Mapping[str, Any], there: Mapping[str, str]
) -> None:
    espo_id = linked(firm)
    takes(firm, ("Mobile", "Office", "Other"))
    (office_line,) = (key for key, row in firm.office_rows("Kommunikation").items() if row["tlf"] == "0511 123458")
    firm.office_edit("Kommunikation", office_line, edit)
    firm.settle(PartyPipeline(), [espo_id])
    assert types(firm, espo_id) == there


@pytest.mark.parametrize(
    "answer", [None, Fate(answer=404), Fate(answer=200, says=b"no JSON"), Fate(answer=400), Fate(answer=500)]
)
def test_an_espocrm_that_does_not_tell_its_types_is_asked_once_and_holds_up_nothing(
    firm: Firm, answer: Fate | None
) -> None:
    arrives, times = firm.world.wire.fate, list[str]()

    def fate(asked: Request) -> Fate:
        if not asked.path.endswith("/Metadata"):
            return arrives(asked)
        times.append(asked.path)
        return answer or arrives(asked)

    firm.world.wire.fate = fate
    assert set(types(firm, linked(firm)).values()) == {"Home", "Fax", "Office"}
    assert len(times) == 1 or answer == Fate(answer=500), "a failure that may pass is repeated"
