"""`VMH_WRITE_MARKERS`: every entry that is ours carries its marker, written once (specification, entities.md 2)."""

from dataclasses import replace

import pytest

from vmh_sync.kommunikation.model import AdvowareEntry, Pair
from vmh_sync.kommunikation.plan import KommunikationPlan
from vmh_sync_tests.unit.kommunikation.builders import blanked, entry, mail, pair, plan, slot, stored, written

HUBER = "info@huber-bau.example"
MARKED = "[ESPOCRM:aW5mb0BodWJlci1iYXUuZXhhbXBsZQ==:4] Zentrale"
KNOWN = pair(1, 4, HUBER, HUBER, primary_base=True, online_base=True)


def agreed(stands: AdvowareEntry, known: Pair, *, write_markers: bool = True) -> KommunikationPlan:
    return plan(emails=[mail(HUBER, primary=True)], entries=[stands], pairs=[known], write_markers=write_markers)


def test_an_entry_of_which_both_sides_say_the_same_gets_its_marker_and_the_text_stays() -> None:
    result = agreed(entry(1, HUBER, 4, "Zentrale", online=True), KNOWN)
    assert written(result) == {"1": {"tlf": HUBER, "bemerkung": MARKED, "online": True}}
    assert (result.lists, blanked(result), result.only_marks) == ((), 0, True)
    after = stored(result)[1]
    assert after == replace(KNOWN, marked=HUBER)
    assert agreed(entry(1, HUBER, 4, MARKED, online=True, row_id="R9"), after).writes_nothing


def test_without_the_setting_nothing_is_written() -> None:
    assert agreed(entry(1, HUBER, 4, "Zentrale", online=True), KNOWN, write_markers=False).writes_nothing


def test_a_marker_that_was_dropped_or_refused_is_not_sent_again_until_the_value_changes() -> None:
    stands = entry(1, HUBER, 4, "Zentrale", online=True)
    sent = agreed(stands, KNOWN)
    (refused,) = sent.pairs_after({}, {"advoware:1": "Bemerkung gesperrt"}).stored
    for after in (stored(sent)[1], refused):
        assert agreed(stands, after).writes_nothing
    changed = plan(
        emails=[mail("neu@huber-bau.example", primary=True)],
        entries=[stands],
        pairs=[stored(sent)[1]],
        write_markers=True,
    )
    assert written(changed)["1"]["bemerkung"].startswith("[ESPOCRM:bmV1QGh1YmVyLWJhdS5leGFtcGxl:4] Zentrale")


def test_a_stale_marker_says_the_new_value() -> None:
    stale = "[ESPOCRM:YUBiLmV4YW1wbGU=:4] Zentrale"
    assert written(agreed(entry(1, HUBER, 4, stale, online=True), KNOWN))["1"]["bemerkung"] == MARKED


def test_a_slot_of_ours_gets_the_marker_of_a_slot() -> None:
    result = plan(entries=[entry(1, "", 1, "Zentrale")], pairs=[slot(1, 1)], write_markers=True)
    assert written(result) == {"1": {"tlf": "", "bemerkung": "[ESPOCRM-SLOT:1] Zentrale", "online": False}}
    again = plan(entries=[entry(1, "", 1, "Zentrale")], pairs=[stored(result)[1]], write_markers=True)
    assert again.writes_nothing


@pytest.mark.parametrize("kind", [5, 11, 12])
def test_what_is_not_ours_is_not_marked(kind: int) -> None:
    assert plan(entries=[entry(1, "a@b.example", kind)], write_markers=True).writes_nothing


def test_no_room_beside_the_text_of_a_person_means_no_marker() -> None:
    full = entry(1, HUBER, 4, "x" * 1990, online=True)
    assert agreed(full, KNOWN).writes_nothing


def test_a_value_new_in_advoware_goes_to_espocrm_first() -> None:
    result = plan(phones=[], entries=[entry(1, "0511/123", 1, "Büro", online=True)], write_markers=True)
    assert written(result) == {}
    assert [one.items[0]["phoneNumber"] for one in result.lists] == ["+49511123"]
