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
    result = plan(entries=THERE, pairs=TWO)
    assert result.suspicious_empty == {Side.ESPOCRM}
    assert result.writes_nothing


def test_a_confirmed_empty_side_is_believed() -> None:
    assert values(plan(**HERE, pairs=TWO, confirmed_empty=True), MAIL) == []  # type: ignore[arg-type]
    assert set(written(plan(entries=THERE, pairs=TWO, confirmed_empty=True))) == {"1", "2"}


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
