"""What is stored when which step succeeded; the plan as the rest of the product sees it."""

import pytest

from vmh_sync.kommunikation.model import Pair, PairState
from vmh_sync.sync.base import Side
from vmh_sync.sync.planning.plan import Action
from vmh_sync.sync.reporting.words_de import reason_in_words
from vmh_sync_tests.unit.kommunikation.builders import entry, mail, pair, plan, slot, stored, tel


def test_pairs_are_stored_only_for_steps_that_succeeded() -> None:
    known = [pair(1, 4, "a@b.example", "a@b.example"), pair(2, 4, "c@b.example", "c@b.example", primary_base=True)]
    result = plan(
        emails=[mail("a@b.example"), mail("xyz@q.example", primary=True), mail("new@b.example")],
        entries=[entry(1, "aa@b.example"), entry(2, "c@b.example")],
        pairs=known,
    )
    steps = {write.step for write in result.writes}
    assert "advoware:2" in steps
    assert result.pairs_after({}).stored == ()
    only_put = result.pairs_after({"advoware:2": None})
    assert [one.advoware_id for one in only_put.stored] == [2]
    assert only_put.apply(known)[0] == known[0]
    everything = result.pairs_after(
        {**dict.fromkeys(steps), "espocrm:email": None}
        | {write.step: 77 for write in result.writes if write.operation.key is None}
    )
    assert {one.advoware_id for one in everything.apply(known)} == {1, 2, 77}


def test_a_pair_that_needs_both_sides_waits_for_both() -> None:
    """The primary item vanishes in Advoware; the next one becomes primary there and online here."""
    result = plan(
        emails=[mail("a@b.example", primary=True), mail("c@b.example")],
        entries=[entry(1, ""), entry(2, "c@b.example")],
        pairs=[pair(1, 4, "a@b.example", "a@b.example", primary_base=True), pair(2, 4, "c@b.example", "c@b.example")],
    )
    assert result.pairs_after({"advoware:2": None}).stored == ()
    assert result.pairs_after({"espocrm:email": None}).stored == (
        pair(1, 4, None, None, online_base=None, primary_base=None, state=PairState.EMPTIED),
    )
    assert {one.advoware_id for one in result.pairs_after({"advoware:2": None, "espocrm:email": None}).stored} == {1, 2}


def test_operations_are_told_in_the_words_of_each_side() -> None:
    result = plan(emails=[mail("a@b.example", primary=True)], entries=[entry(1, "0511/123", 1, online=True)])
    advoware, espo = result.operations("abc")
    assert (advoware.side, advoware.entity, advoware.action) == (Side.ADVOWARE, "Kommunikation", Action.CREATE)
    assert (espo.side, espo.entity, espo.key, espo.action) == (Side.ESPOCRM, "CBeteiligte", "abc", Action.UPDATE)
    assert [change.new for change in espo.changes if change.field == "phone/1"] == ["+49511123"]


def test_a_plan_says_of_each_list_why_it_is_written_and_names_the_side_that_was_edited() -> None:
    """„Kommunikation“ is no reason: who reads a dry run wants to know who changed what."""
    known = [pair(1, 4, "a@b.example", "a@b.example"), pair(2, 4, "c@b.example", "c@b.example")]
    result = plan(
        emails=[mail("a@b.example"), mail("d@b.example")],
        entries=[entry(1, "aa@b.example"), entry(2, "c@b.example"), entry(3, "e@b.example")],
        pairs=known,
    )
    *_, advoware, espo = result.operations("abc")
    assert (advoware.key, reason_in_words(advoware.why)) == ("2", "in EspoCRM geändert")
    assert reason_in_words(espo.why) == "in Advoware geändert; neu in Advoware; Kennzeichen „online“ in Advoware"


def test_values_never_show_in_a_repr() -> None:
    result = plan(emails=[mail("secret@b.example", primary=True)], entries=[entry(1, "0511/98765", 1)])
    assert "secret" not in repr(result)
    assert "98765" not in repr([*result.writes, *result.pairs, result.phones, entry(1, "0511/98765")])


@pytest.mark.parametrize("one", [slot(1, 4), pair(2, 1, "+49511123", "0511/123", state=PairState.REFUSED, refusal="x")])
def test_pairs_survive_their_stored_form(one: Pair) -> None:
    assert Pair.from_json(one.advoware_id, one.to_json()) == one


def test_a_second_pass_over_everything_that_happened_writes_nothing() -> None:
    first = plan(emails=[mail("a@b.example", primary=True)], entries=[entry(1, "0511/123", 1, online=True)])
    known = list(stored(first, created=2).values())
    second = plan(
        emails=[mail("a@b.example", primary=True)],
        phones=[tel("+49511123", primary=True)],
        entries=[entry(1, "0511/123", 1, online=True), entry(2, "a@b.example", 4, "", online=True)],
        pairs=known,
    )
    assert second.writes_nothing
    assert not second.base_moves
