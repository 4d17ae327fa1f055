"""Nothing is taken for deleted because a list came back empty (invariant 5)."""

from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.bankverbindungen.test_bank_accounts import here, linked, there


def test_an_empty_list_of_espocrm_deletes_nothing(firm: Firm) -> None:
    party, betnr, record = linked(firm)
    body = '{"total": -2, "list": []}'
    firm.crm.fault(r"/CBankverbindungen$", "empty", method="GET", body=body)
    summary = firm.sync(party)
    firm.crm.clear_faults()
    assert not any(summary.writes.values())
    assert firm.tasks() == []
    assert len(firm.crm_records("CBankverbindungen")) == 1
    assert not any(firm.sync().writes.values())
    assert here(firm, record)["syncStatus"] == "clean"
    assert len(there(firm, betnr)) == 1


def test_an_empty_list_of_advoware_is_asked_again(firm: Firm) -> None:
    firm.office.do("switches", embedded=False)
    try:
        party, betnr, record = linked(firm)
        firm.office.fault(r"/Bankverbindungen$", "empty", method="GET", body="[]", times=1)
        summary = firm.sync(party)
        assert not any(summary.writes.values())
        assert here(firm, record)["istAktiv"] is True
        assert len(there(firm, betnr)) == 1
    finally:
        firm.office.do("switches", embedded=True)
