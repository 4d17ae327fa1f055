"""What the task about a deleted party says of the other side is true."""

import pytest

from vmh_sync_tests.fixtures.firm import Firm


@pytest.mark.parametrize("known_before", [False, True], ids=["at once", "Advoware first"])
def test_a_party_deleted_on_both_sides_is_not_said_to_live_on_in_advoware(firm: Firm, *, known_before: bool) -> None:
    espo_id, betnr = firm.linked_party()
    firm.office.edit("Beteiligte", "delete", betNr=betnr)
    if known_before:
        firm.sync(espo_id)
    firm.crm.edit("CBeteiligte", "delete", id=espo_id)
    firm.sync(espo_id)

    (task,) = [task for task in firm.tasks() if "wurde in EspoCRM gelöscht" in task["description"]]
    assert task["name"] == f"Auf beiden Seiten gelöscht: Beteiligter {betnr}"
    assert "In Advoware gibt es ihn auch nicht mehr." in task["description"]
    assert "besteht er weiter" not in task["description"]
    assert not any(firm.sync(espo_id).writes.values()), "told once"


def test_a_party_deleted_only_in_espocrm_is_said_to_live_on_in_advoware(firm: Firm) -> None:
    espo_id, _ = firm.linked_party()
    firm.crm.edit("CBeteiligte", "delete", id=espo_id)
    firm.sync(espo_id)
    (task,) = firm.tasks()
    assert "In Advoware besteht er weiter." in task["description"]
