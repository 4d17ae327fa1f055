"""`VMH_WRITE_MARKERS` on an installation that has long been synced: each entry is marked once, then all is quiet."""

import pytest

from vmh_sync.kommunikation.markers import parse
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.kommunikation import sides
from vmh_sync_tests.pipeline.kommunikation.sides import NOTHING, mail, phone


def test_every_entry_of_ours_is_marked_once_and_nothing_echoes(
    firm: Firm, firm_environment: pytest.MonkeyPatch
) -> None:
    espo_id, betnr = sides.party(
        firm, mails=[mail("info@huber.example", primary=True)], phones=[phone("+49511123456", primary=True)]
    )
    foreign = sides.office_add(firm, betnr, "https://huber.example", 5)
    typed = sides.office_add(firm, betnr, "0171 2345678", 3, bemerkung="Chef")
    firm.until_quiet()
    assert sides.writes(firm, espo_id) == NOTHING

    firm_environment.setenv("VMH_WRITE_MARKERS", "true")
    firm.office.clear_calls()
    firm.sync(espo_id)

    found = {number: parse(one["bemerkung"]) for number, one in sides.entries(firm, betnr).items()}
    values = {one["tlf"] for one in sides.entries(firm, betnr).values()}
    assert {remark.value for number, remark in found.items() if number != foreign} == values - {"https://huber.example"}
    assert found[foreign].kind is None, "what has no home in EspoCRM is not ours"
    assert found[typed].after == " Chef"
    assert firm.office.calls()["writes"] == 3, "one write for each entry"
    assert sides.writes(firm, espo_id) == NOTHING

    sides.office_change(firm, typed, tlf="0171 9999999")
    firm.until_quiet()
    assert parse(sides.entries(firm, betnr)[typed]["bemerkung"]).value == "0171 9999999", (
        "the marker says the new value"
    )
    assert sides.numbers(firm, espo_id) == ["+491719999999", "+49511123456"]
    assert sides.writes(firm, espo_id) == NOTHING
