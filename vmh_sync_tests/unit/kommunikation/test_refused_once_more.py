"""What a side refused goes there once more when it is time; what it ignored does not, and is nobody's delete."""

import pytest

from vmh_sync.kommunikation.model import PairState
from vmh_sync.kommunikation.notation import Refusal
from vmh_sync.kommunikation.readback import as_read
from vmh_sync.sync.base import Side
from vmh_sync_tests.unit.kommunikation.builders import MAIL, entry, mail, pair, plan, stored, values, written

DUE = frozenset(Side)
HERE = [mail("a@b.example", primary=True)]


def test_a_create_that_advoware_refused() -> None:
    first = plan(emails=HERE)
    (kept,) = first.pairs_after({}, refused={first.writes[0].step: "Gesperrt"}).stored
    again = plan(emails=HERE, pairs=[kept], retry_refused=DUE)
    (write,) = again.writes
    assert write.operation.payload["tlf"] == "a@b.example"
    refused = again.pairs_after({}, refused={write.step: "Gesperrt"})
    assert (refused.removed, refused.stored) == ((), ()), "refused as before: nothing is stored"
    assert [one.advoware_id for one in again.pairs_after({write.step: 7}).apply([kept])] == [7]


def test_an_update_that_advoware_refused() -> None:
    known = pair(1, 4, "x@b.example", "x@b.example", primary_base=True, online_base=True)
    there = [entry(1, "x@b.example", online=True)]
    first = plan(emails=HERE, entries=there, pairs=[known])
    (kept,) = first.pairs_after({}, refused={"advoware:1": "Gesperrt"}).stored
    again = plan(emails=HERE, entries=there, pairs=[kept], retry_refused=DUE)
    assert written(again)["1"]["tlf"] == "a@b.example"
    (same,) = again.pairs_after({}, refused={"advoware:1": "Gesperrt"}).apply([kept])
    assert (same.state, same.espo_base, same.advoware_base) == (PairState.REFUSED, "a@b.example", "x@b.example")
    assert stored(again)[1].state is PairState.ACTIVE


@pytest.mark.parametrize("before", [None, "old@b.example"])
def test_a_value_that_espocrm_refused(before: str | None) -> None:
    here = [mail(before, primary=True)] if before else []
    known = [pair(1, 4, before, before, primary_base=True, online_base=True)] if before else []
    there = [entry(1, "a@b.example", online=True)]
    first = plan(emails=here, entries=there, pairs=known)
    (kept,) = first.pairs_after({}, refused={"espocrm:email": ""}).stored
    again = plan(emails=here, entries=there, pairs=[kept], retry_refused=DUE)
    assert values(again, MAIL) == ["a@b.example"]
    only_advoware = plan(emails=here, entries=there, pairs=[kept], retry_refused=frozenset({Side.ADVOWARE}))
    assert values(only_advoware, MAIL) is None


def test_a_value_that_espocrm_took_without_showing_it_is_told_and_not_sent_again() -> None:
    there = [entry(1, "a@b.example", online=True)]
    (kept,) = plan(entries=there).pairs_after({}, ignored={"espocrm:email"}).stored
    again = plan(entries=there, pairs=[kept], retry_refused=DUE)
    assert again.writes_nothing
    assert [held.refusal for held in again.quarantined] == [Refusal.ESPOCRM_IGNORED]


def test_advowares_own_reason_stands_in_the_task() -> None:
    first = plan(emails=HERE)
    (kept,) = first.pairs_after({}, refused={first.writes[0].step: "Domain gesperrt"}).stored
    (task,) = plan(emails=HERE, pairs=[kept]).tasks
    assert "Domain gesperrt" in task.details["message"]


def test_an_entry_that_was_created_empty_is_no_delete() -> None:
    first = plan(emails=HERE)
    there = [entry(5, "", kind=4)]
    made = as_read(first.pairs_after({first.writes[0].step: 5}), there, [])
    assert made.not_taken == {5}
    after = plan(emails=HERE, entries=there, pairs=list(made.delta.stored), retry_refused=DUE)
    assert after.writes_nothing
    assert values(after, MAIL) is None, "the value stays in EspoCRM"
    assert [(held.side, held.refusal) for held in after.quarantined] == [(Side.ESPOCRM, Refusal.ADVOWARE_IGNORED)]
    typed = plan(emails=HERE, entries=[entry(5, "c@b.example", kind=4)], pairs=list(made.delta.stored))
    assert values(typed, MAIL) == ["c@b.example"], "what a person types into it counts"
