"""A failed party that was deleted before it was ever linked."""

from vmh_sync.beteiligte.selection import Selection
from vmh_sync_tests.fixtures.firm import Firm


def failed(firm: Firm) -> list[str]:
    with firm.store.reading() as tx:
        return [record.espo_id for record in tx.records.failed("beteiligte")]


def test_it_is_tried_once_more_and_then_left_in_peace(firm: Firm) -> None:
    deleted, other = firm.crm_party(lastName="Weg"), firm.crm_party(lastName="Bleibt")
    firm.office.fault(r"Beteiligte$", "status", method="POST", status=400, body="Pflichtfeld fehlt")
    assert len(firm.sync(deleted, other).failures) == 2
    firm.crm.edit("CBeteiligte", "delete", id=deleted)
    assert sorted(failed(firm)) == sorted([deleted, other])
    firm.sync(deleted)
    assert failed(firm) == [other]
    assert [outcome.id for outcome in firm.outcomes(selection=Selection.FAILED)] == [other]
