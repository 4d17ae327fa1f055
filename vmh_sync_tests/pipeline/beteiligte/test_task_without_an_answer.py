"""A task whose creation got no answer is found again by its mark: there is one."""

import pytest

from vmh_sync_tests.fixtures.firm import Firm


@pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
def test_a_task_is_not_doubled(firm: Firm, fault: str) -> None:
    espo_id, betnr = firm.linked_party(lastName="Alt")
    firm.crm_edit(espo_id, lastName="Crm")
    firm.office_edit(betnr, name="Office")
    firm.crm.fault("/Task$", fault, method="POST", times=1)
    firm.sync(espo_id)
    firm.crm.clear_faults()
    firm.until_quiet()
    assert len(firm.crm_records("Task")) == 1
    assert firm.office_record(betnr)["name"] == "Crm"
