"""SIGKILL at foreign calls of a pass that moves phones and e-mails in every way at once; at each of them as a proof."""

import pytest

from vmh_sync_tests.crash.test_kill_at_every_call import MOST_CALLS, crash_everywhere
from vmh_sync_tests.crash.test_kill_children import SHORT
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.kommunikation import sides
from vmh_sync_tests.pipeline.kommunikation.sides import mail, phone

pytestmark = pytest.mark.crash


@pytest.mark.parametrize(
    ("action", "places"),
    [
        pytest.param("kill_before", range(0, MOST_CALLS, SHORT), id="kill_before"),
        pytest.param("kill_after", range(1, MOST_CALLS, SHORT), id="kill_after"),
        pytest.param("kill_before", range(MOST_CALLS), id="kill_before, every call", marks=pytest.mark.proof),
        pytest.param("kill_after", range(MOST_CALLS), id="kill_after, every call", marks=pytest.mark.proof),
    ],
)
def test_killed_while_entries_move_both_ways(firm: Firm, action: str, places: range) -> None:
    made = 0

    def arrange() -> str:
        nonlocal made
        made += 1
        espo_id, betnr = sides.party(
            firm,
            mails=[mail(f"a{made}@huber.example", primary=True), mail(f"weg{made}@huber.example")],
            phones=[phone("+49511123456", primary=True)],
        )
        sides.office_change(firm, sides.entry(firm, betnr, "+49511123456")["id"], tlf="0511 7777")
        sides.office_add(firm, betnr, f"dort{made}@huber.example", 4)
        firm.crm_edit(
            espo_id,
            emailAddressData=[mail(f"a{made}@huber.example", primary=True)],
            phoneNumberData=[
                phone("+49511888888", primary=True),  # conflict: EspoCRM's edit wins
                phone("+491719999999", "Mobile"),
            ],
        )
        return espo_id

    def check(espo_id: str) -> None:
        record = firm.crm_record(espo_id)
        addresses = sides.addresses(firm, espo_id)
        assert len(addresses) == 2
        assert sides.numbers(firm, espo_id) == ["+491719999999", "+49511888888"]
        assert sides.values(firm, record["betnr"]) == sorted(addresses + sides.numbers(firm, espo_id))
        assert len(sides.entries(firm, record["betnr"])) == 5, "one entry was emptied, two were added"
        with firm.store.reading() as tx:
            conflicts = [one.losing_value for one in tx.audit.for_record(espo_id) if one.kind == "conflict"]
        assert conflicts == ["0511 7777"]
        mine = [task for task in firm.tasks() if task["parentId"] == espo_id]
        assert len(mine) == 1
        assert "0511 7777" in mine[0]["description"]

    assert crash_everywhere(firm, action, arrange, check, places) >= 14 // places.step
