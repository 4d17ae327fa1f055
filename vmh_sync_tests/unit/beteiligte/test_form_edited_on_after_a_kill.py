"""A party's name and form, edited on or set back after a pass was killed that had brought them to the other side."""

from collections.abc import Mapping

import pytest

from vmh_sync.beteiligte.pipeline import PartyPipeline
from vmh_sync.settings import SyncSettings
from vmh_sync_tests.inmemory.firm import Firm
from vmh_sync_tests.inmemory.network import Fate
from vmh_sync_tests.inmemory.world import World
from vmh_sync_tests.unit.kommunikation.killed import pass_that_ends_so

Edit = Mapping[str, str]
CRM, OFFICE = "CBeteiligte", "Beteiligte"
HERE, THERE = ("rechtsform", "firmenname", "lastName", "firstName"), ("rechtsform", "name", "vorname")
BAU: Edit = {"firmenname": "Bau", "lastName": "Bau", "rechtsform": "GmbH", "firstName": ""}
ERIKA: Edit = {"firmenname": "", "lastName": "Huber", "rechtsform": "", "firstName": "Erika"}
BAU_THERE: Edit = {"name": "Bau", "rechtsform": "GmbH", "vorname": ""}
ERIKA_THERE: Edit = {"name": "Huber", "rechtsform": "", "vorname": "Erika"}
FROM_HERE = [
    (BAU, {"firmenname": "Bau 2"}, {"firmenname": "Bau 3"}, ("GmbH", "Bau 3", "")),
    (BAU, {"firmenname": "Bau 2"}, {"firmenname": "Bau"}, ("GmbH", "Bau", "")),
    (BAU, {"lastName": "Bau 2"}, {"lastName": "Bau 3"}, ("GmbH", "Bau 3", "")),
    (BAU, {"lastName": "Bau 2"}, {"lastName": "Bau"}, ("GmbH", "Bau", "")),
    (BAU, ERIKA, {"lastName": "Maier"}, ("", "Maier", "Erika")),
    (BAU, ERIKA, BAU, ("GmbH", "Bau", "")),
    (ERIKA, BAU, ERIKA, ("", "Huber", "Erika")),
    (ERIKA, {"rechtsform": "GmbH"}, {"rechtsform": ""}, ("", "Huber", "Erika")),
    (ERIKA, {"firmenname": "Bau"}, {"firmenname": ""}, ("", "Huber", "Erika")),
]
FROM_THERE = [
    (BAU, {"name": "Bau 2"}, {"name": "Bau 3"}, ("GmbH", "Bau 3", "")),
    (BAU, {"name": "Bau 2"}, {"name": "Bau"}, ("GmbH", "Bau", "")),
    (BAU, ERIKA_THERE, {"name": "Maier"}, ("", "Maier", "Erika")),
    (BAU, ERIKA_THERE, BAU_THERE, ("GmbH", "Bau", "")),
    (ERIKA, {"rechtsform": "GmbH"}, {"rechtsform": ""}, ("", "Huber", "Erika")),
]
CASES = [("espocrm", *case) for case in FROM_HERE] + [("advoware", *case) for case in FROM_THERE]


@pytest.mark.parametrize(("side", "was", "first", "then", "stands"), CASES)
def test_the_last_word_of_its_author_stands_and_nobody_is_asked(
    side: str, was: Edit, first: Edit, then: Edit, stands: tuple[str, ...]
) -> None:
    firm = Firm(World(rules=SyncSettings(_env_file=None)))
    betnr = firm.office_create(OFFICE, BAU_THERE if was is BAU else ERIKA_THERE)
    espo_id = firm.crm_create(CRM, {**was, "betnr": int(betnr)})
    firm.settle(PartyPipeline(), [espo_id])
    other = {"espocrm": f"/{OFFICE}/{betnr}", "advoware": f"/{CRM}/{espo_id}"}[side]
    for edit in (first, then):
        firm.crm_edit(CRM, espo_id, edit) if side == "espocrm" else firm.office_edit(OFFICE, betnr, edit)
        if edit is first:
            killed = Fate(dies="after")
            pass_that_ends_so(firm, espo_id, lambda one: one.method == "PUT" and one.path.endswith(other), killed)
    firm.settle(PartyPipeline(), [espo_id])
    here, there = firm.crm_row(CRM, espo_id) or {}, firm.office_rows(OFFICE)[betnr]
    assert tuple(there[name] or "" for name in THERE) == stands
    form, name, first_name = stands
    said = tuple((here[one] or "").replace("Einzelperson", "") for one in HERE)
    assert said == (form, name if form else "", name, first_name)
    assert firm.tasks() == []
    firm.world.close()
