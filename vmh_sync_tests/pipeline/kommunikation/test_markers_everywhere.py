"""`VMH_WRITE_MARKERS` on an installation that has long been synced: each entry is marked once, then all is quiet."""

import hashlib

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


def test_with_markers_the_hash_is_as_the_earlier_system_makes_it_and_each_is_written_once(
    firm: Firm, firm_environment: pytest.MonkeyPatch
) -> None:
    """Whoever goes back lets everything be synced once with markers; each of them moves a row id."""
    espo_id, betnr = sides.party(firm, mails=[mail("info@huber.example", primary=True)])
    number = sides.office_add(firm, betnr, "https://huber.example", 5)
    firm.until_quiet()
    sides.office_change(firm, number, online=False)
    firm.sync(espo_id)
    assert firm.crm_record(espo_id)["kommunikationHash"] != old_hash(firm, betnr), "not worth a write by itself"

    firm_environment.setenv("VMH_WRITE_MARKERS", "true")
    firm.sync(espo_id)
    assert firm.crm_record(espo_id)["kommunikationHash"] == old_hash(firm, betnr)
    sides.office_change(firm, number, bemerkung="Startseite")
    firm.sync(espo_id)
    assert firm.crm_record(espo_id)["kommunikationHash"] == old_hash(firm, betnr)
    firm.until_quiet()
    firm.crm.clear_calls()
    firm.sync(espo_id)
    assert firm.crm.calls()["writes"] == 0


def test_a_hash_that_espocrm_does_not_keep_is_not_written_for_ever(
    firm: Firm, firm_environment: pytest.MonkeyPatch
) -> None:
    espo_id, _ = sides.party(firm, mails=[mail("info@huber.example", primary=True)])
    firm.until_quiet()
    firm_environment.setenv("VMH_WRITE_MARKERS", "true")
    firm.crm.fault("CBeteiligte", "tamper", where={"id": espo_id}, field="kommunikationHash", body='"0000000000000000"')
    firm.until_quiet()
    firm.crm.clear_calls()
    firm.sync(espo_id)
    assert firm.crm.calls()["writes"] == 0


def old_hash(firm: Firm, betnr: int) -> str:
    row_ids = sorted(entry["rowId"] for entry in sides.entries(firm, betnr).values())
    return hashlib.md5("".join(row_ids).encode(), usedforsecurity=False).hexdigest()[:16]
