"""A create that was certainly not carried out is given up, whatever the refusal was: no false "outcome unknown"."""

import pytest

from vmh_sync_tests.fixtures.firm import Firm


def _open_intents(firm: Firm, entity: str, key: str) -> int:
    with firm.store.reading() as tx:
        return len(tx.intents.open_for(entity, key))


@pytest.mark.parametrize("status", [400, 403, 404, 405, 422, 429])
def test_a_refused_create_of_a_party_leaves_nothing_open(firm: Firm, status: int) -> None:
    espo_id = firm.crm_party(lastName="Abgelehnt")
    firm.office.fault(r"Beteiligte$", "status", status=status, method="POST")
    firm.sync(espo_id)
    assert _open_intents(firm, "beteiligte", espo_id) == 0
    assert firm.office_records() == []

    firm.office.clear_faults()
    firm.crm_edit(espo_id, zusatz="noch einmal")
    firm.until_quiet()
    assert len(firm.office_records()) == 1
    assert [task["name"] for task in firm.tasks() if "unklar" in task["name"]] == []


def test_a_create_that_failed_on_the_way_stays_open_until_it_was_looked_for(firm: Firm) -> None:
    espo_id = firm.crm_party(lastName="Unklar")
    firm.office.fault(r"Beteiligte$", "status", status=500, method="POST")
    firm.sync(espo_id)
    assert _open_intents(firm, "beteiligte", espo_id) == 1
