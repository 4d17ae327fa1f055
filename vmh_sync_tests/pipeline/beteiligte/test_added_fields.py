"""An operator adds fields to the table of parties (``VMH_FIELD_TABLES``): they sync both ways like all others."""

from collections.abc import Iterator

import pytest

from vmh_sync.beteiligte.pipeline import PartyPipeline
from vmh_sync.doctor.espocrm import expectations
from vmh_sync.doctor.schema import compare
from vmh_sync.reconcile.compare import Fields, compare_party
from vmh_sync.reconcile.read import changed_fields
from vmh_sync_tests.inmemory.firm import Firm
from vmh_sync_tests.inmemory.world import World

ADDED = {
    "beteiligte": {
        "kurzname": {},
        "geburtsname": {"espo": "cGeburtsname"},
        "stand": {"espo": "cStand", "advoware": "familienstand", "label": "Stand", "conflict": "advoware_wins"},
    }
}
HERE = ("kurzname", "cGeburtsname", "cStand")
THERE = ("kurzname", "geburtsname", "familienstand")


@pytest.fixture
def firm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Firm]:
    """A firm whose EspoCRM has the fields and whose Advoware takes them."""
    monkeypatch.setattr("vmh_sync.sandbox.office.parties.PARTY_WRITABLE", (*PARTY_FIELDS, *THERE))
    world = World(field_changes=ADDED)
    layout = world.crm.crm.layouts["CBeteiligte"]
    for name in HERE:
        layout.entity.add_field(name, {"type": "varchar", "maxLength": 100})
    world.crm.crm.adopt(layout.entity)
    yield Firm(world)
    world.close()


PARTY_FIELDS = ("name", "vorname", "rechtsform", "anrede", "titel", "bAnrede", "zusatz", "geburtsdatum")


def said(firm: Firm, party: str) -> tuple[list[object], list[object]]:
    here = firm.crm_row("CBeteiligte", party) or {}
    there = firm.office_rows("Beteiligte")[str(firm.links("beteiligte")[party].betnr)]
    return [here[name] or None for name in HERE], [there[name] or None for name in THERE]


def test_added_fields_sync_both_ways(firm: Firm) -> None:
    party = firm.crm_create("CBeteiligte", {"lastName": "Muster", "kurzname": "MUS", "cGeburtsname": "Anders"})
    firm.settle(PartyPipeline(), [party])
    assert said(firm, party) == (["MUS", "Anders", None], ["MUS", "Anders", None])

    number = str(firm.links("beteiligte")[party].betnr)
    firm.crm_edit("CBeteiligte", party, {"kurzname": "MUS 2", "cStand": "ledig"})
    firm.office_edit("Beteiligte", number, {"geburtsname": "Neumann", "familienstand": "verheiratet"})
    firm.settle(PartyPipeline(), [party])

    assert said(firm, party) == (["MUS 2", "Neumann", "verheiratet"], ["MUS 2", "Neumann", "verheiratet"])


def test_the_nightly_comparison_and_the_doctor_know_added_fields(firm: Firm) -> None:
    fields = firm.world.run(lambda context: _later(changed_fields(context)))
    here = {"id": "1", "betnr": 1, "lastName": "Muster", "kurzname": "A", "cStand": "ledig", "cGeburtsname": "x"}
    there = {"name": "Muster", "kurzname": "B", "familienstand": "ledig", "geburtsname": "x"}

    assert [difference.field for difference in compare_party(here, there, fields)] == ["kurzname"]
    lines = compare(expectations(ADDED)[0], {"lastName": {"type": "varchar"}})
    assert any("Das Feld cStand (Stand) fehlt." in line.text for line in lines)


async def _later(value: Fields) -> Fields:
    return value
