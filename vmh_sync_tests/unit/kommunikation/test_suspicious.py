"""An empty side is no proof of deletes (specification, sync-semantics.md 2; design.md 3, invariant 5)."""

from vmh_sync.kommunikation.merge import plan_communication
from vmh_sync.kommunikation.model import PartyCommunication
from vmh_sync.sync.base import Side
from vmh_sync_tests.unit.kommunikation.builders import MAIL, entry, mail, pair, plan, tel, values, written

TWO = [
    pair(1, 4, "a@b.example", "a@b.example", primary_base=True),
    pair(2, 1, "+49511123", "0511/123", primary_base=True),
]
HERE = {"emails": [mail("a@b.example", primary=True)], "phones": [tel("+49511123", primary=True)]}
THERE = [entry(1, "a@b.example"), entry(2, "0511/123")]


def test_an_empty_advoware_is_suspicious() -> None:
    result = plan(**HERE, pairs=TWO)  # type: ignore[arg-type]
    assert result.suspicious_empty == {Side.ADVOWARE}
    assert result.writes_nothing
    assert not result.base_moves


def test_an_empty_espocrm_is_suspicious() -> None:
    two = [TWO[0], pair(2, 4, "c@d.example", "c@d.example")]
    result = plan(entries=[THERE[0], entry(2, "c@d.example")], pairs=two)
    assert result.suspicious_empty == {Side.ESPOCRM}
    assert result.writes_nothing


def test_one_empty_list_of_espocrm_is_suspicious_alone() -> None:
    phones = [pair(2, 1, "+49511123", "0511/123"), pair(3, 1, "+49511124", "0511/124")]
    there = [*THERE, entry(3, "0511/124")]
    assert plan(emails=HERE["emails"], entries=there, pairs=[TWO[0], *phones]).suspicious_empty == {Side.ESPOCRM}
    one = plan(phones=[tel("+49511123"), tel("+49511124")], entries=there, pairs=[TWO[0], *phones])
    assert one.suspicious_empty == frozenset()


def test_entries_that_are_all_without_value_are_suspicious() -> None:
    emptied = [entry(1, ""), entry(2, None)]
    assert plan(**HERE, entries=emptied, pairs=TWO).suspicious_empty == {Side.ADVOWARE}  # type: ignore[arg-type]
    left = [entry(1, ""), THERE[1]]
    assert plan(**HERE, entries=left, pairs=TWO).suspicious_empty == frozenset()  # type: ignore[arg-type]


def test_a_confirmed_empty_side_is_believed() -> None:
    assert values(plan(**HERE, pairs=TWO, confirmed_empty=True), MAIL) == []  # type: ignore[arg-type]
    assert set(written(plan(entries=THERE, pairs=TWO))) == {"1", "2"}  # one of each list: nothing to confirm


def test_one_pair_may_vanish_without_suspicion() -> None:
    assert set(written(plan(entries=THERE[:1], pairs=TWO[:1]))) == {"1"}


def test_a_side_that_was_not_read_is_left_alone() -> None:
    phones = (tel("+49511123", primary=True),)
    party = PartyCommunication(None, phones, tuple(THERE), tuple(TWO))
    assert plan_communication(party).writes_nothing
    assert all(change.after != change.before for change in plan_communication(party).pairs)
    assert 1 not in {pair.advoware_id for change in plan_communication(party).pairs for pair in [change.before] if pair}
    unread = PartyCommunication((), (), None, tuple(TWO))
    assert plan_communication(unread).writes_nothing
    assert not plan_communication(unread).base_moves
