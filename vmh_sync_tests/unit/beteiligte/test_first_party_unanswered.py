"""The first party of an installation was created without an answer: what a person answers about it stays answered."""

from collections.abc import Iterator

import pytest

from vmh_sync.beteiligte.pipeline import PartyPipeline
from vmh_sync.settings import SyncSettings
from vmh_sync_tests.inmemory.firm import Firm, Hindrance
from vmh_sync_tests.inmemory.network import Fate
from vmh_sync_tests.inmemory.world import World


@pytest.fixture
def firm() -> Iterator[Firm]:
    firm = Firm(World(rules=SyncSettings(_env_file=None)))
    yield firm
    firm.world.close()


@pytest.mark.parametrize("answered", [False, True])
def test_what_the_firm_edits_later_does_not_make_the_answer_void(firm: Firm, answered: bool) -> None:
    others = [firm.office_create("Beteiligte", {"name": f"Nachbar{n}"}) for n in range(3)]
    firm.world.loop.pass_time(4 * 3600)
    firm.world.office.command("switches", {"searched": ["name", "vorname"], "post_ignores": ["bemerkung"]})
    party = firm.crm_create("CBeteiligte", {"lastName": "Winter", "firstName": "Bert"})
    lost = Fate(answer="lost", of=lambda one: one.method == "POST" and one.path.endswith("/Beteiligte"))
    firm.run(PartyPipeline(), [party], Hindrance(fates=dict.fromkeys(range(60), lost)))
    firm.office_edit("Beteiligte", max(firm.office_rows("Beteiligte")), {"name": "Sommer", "vorname": "Heide"})
    firm.settle(PartyPipeline(), [party])
    for edited in others:
        if answered:
            firm.close_tasks()
        firm.world.loop.pass_time(600)
        firm.office_edit("Beteiligte", edited, {"zusatz": "Hinterhaus"})
        firm.settle(PartyPipeline(), [party])
        assert [task["name"] for task in firm.crm_rows("Task").values()] == [
            "Verknüpfen oder neu anlegen? In Advoware gibt es schon Nr. 1004"
        ]
    assert len(firm.office_rows("Beteiligte")) == (5 if answered else 4), "created once, after the answer"
