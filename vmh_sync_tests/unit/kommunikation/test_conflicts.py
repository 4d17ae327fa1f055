"""Both sides changed, and edits against deletes (specification, sync-semantics.md 1)."""

from datetime import UTC, datetime

import pytest

from vmh_sync.kommunikation.model import PairState
from vmh_sync.sync.base import Side
from vmh_sync.sync.merge import ConflictRule, Stamps
from vmh_sync.sync.planning.plan import TaskKind
from vmh_sync_tests.unit.kommunikation.builders import (
    MAIL,
    PHONE,
    entry,
    mail,
    pair,
    plan,
    slot,
    stored,
    tel,
    values,
    written,
)

KNOWN = pair(1, 4, "old@b.example", "old@b.example", primary_base=True, online_base=True)
OLD, NEW = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rule", "stamps", "winner"),
    [
        (ConflictRule.ESPOCRM_WINS, Stamps(), "espo"),
        (ConflictRule.ADVOWARE_WINS, Stamps(), "advo"),
        (ConflictRule.NEWEST_WINS, Stamps(NEW, OLD), "espo"),
        (ConflictRule.NEWEST_WINS, Stamps(OLD, NEW), "advo"),
        (ConflictRule.NEWEST_WINS, Stamps(None, NEW), "espo"),
        (ConflictRule.MANUAL, Stamps(), None),
    ],
)
def test_conflict_rules(rule: ConflictRule, stamps: Stamps, winner: str | None) -> None:
    result = plan(
        emails=[mail("espo@b.example", primary=True)],
        entries=[entry(1, "advo@b.example", online=True)],
        pairs=[KNOWN],
        conflict=rule,
        stamps=stamps,
    )
    assert written(result) == (
        {"1": {"tlf": "espo@b.example", "bemerkung": None, "online": True}} if winner == "espo" else {}
    )
    assert values(result, MAIL) == (["advo@b.example"] if winner == "advo" else None)
    (conflict,) = result.conflicts
    losing = {"espo": "advo@b.example", "advo": "espo@b.example", None: None}[winner]
    assert conflict.losing == losing
    (task,) = result.tasks
    assert task.kind is TaskKind.CONFLICT
    assert task.fields == ("email/1",)
    assert (task.details["espocrm"], task.details["advoware"]) == ("espo@b.example", "advo@b.example")
    assert stored(result) == {} if winner is None else stored(result)[1].state is PairState.ACTIVE


def test_the_winner_of_a_conflict_tells_the_loser_in_the_written_change() -> None:
    result = plan([mail("espo@b.example", primary=True)], entries=[entry(1, "advo@b.example")], pairs=[KNOWN])
    (change,) = result.writes[0].operation.changes[:1]
    assert (change.old, change.new, change.losing) == ("advo@b.example", "espo@b.example", "advo@b.example")


def test_both_changed_to_the_same_is_a_new_base_only() -> None:
    result = plan(
        emails=[mail("New@b.example", primary=True)], entries=[entry(1, "new@b.example", online=True)], pairs=[KNOWN]
    )
    assert result.writes_nothing
    assert result.conflicts == ()
    assert (stored(result)[1].espo_base, stored(result)[1].advoware_base) == ("New@b.example", "new@b.example")


def test_edit_in_advoware_survives_a_delete_in_espocrm() -> None:
    result = plan(entries=[entry(1, "new@b.example", online=True)], pairs=[KNOWN])
    assert values(result, MAIL) == ["new@b.example"]
    assert result.writes == ()


def test_edit_in_espocrm_survives_an_emptied_entry() -> None:
    result = plan(emails=[mail("new@b.example", primary=True)], entries=[entry(1, "", remark="T")], pairs=[KNOWN])
    assert written(result) == {"1": {"tlf": "new@b.example", "bemerkung": "T", "online": True}}
    assert result.writes[0].must_be_empty
    assert result.lists == ()
    assert stored(result)[1].state is PairState.ACTIVE


def test_edit_in_espocrm_survives_a_deleted_entry() -> None:
    result = plan(emails=[mail("new@b.example", primary=True)], pairs=[KNOWN])
    assert written(result) == {None: {"tlf": "new@b.example", "bemerkung": "", "online": True, "komm_kz": 4}}
    assert result.lists == ()
    assert result.pairs_after({result.writes[0].step: 7}).apply([KNOWN])[0].advoware_id == 7


@pytest.mark.parametrize("entries", [[entry(1, "")], []])
def test_deleted_on_both_sides_is_nothing(entries: list[object]) -> None:
    result = plan(entries=entries, pairs=[KNOWN])  # type: ignore[arg-type]
    assert result.writes_nothing
    assert KNOWN not in result.pairs_after({}).apply([KNOWN])


def test_two_entries_with_one_value_follow_espocrm_together() -> None:
    twins = [pair(1, 1, "+49511123", "0511/123", primary_base=True), pair(2, 2, "+49511123", "0511 123")]
    entries = [entry(1, "0511/123"), entry(2, "0511 123")]
    changed = plan(phones=[tel("+49511124", primary=True)], entries=entries, pairs=twins)
    assert {key: p["tlf"] for key, p in written(changed).items()} == {"1": "+49511124", "2": "+49511124"}
    deleted = plan(entries=entries, pairs=twins)
    assert {key: p["tlf"] for key, p in written(deleted).items()} == {}
    assert deleted.suspicious_empty == {Side.ESPOCRM}
    confirmed = plan(entries=entries, pairs=twins, confirmed_empty=True)
    assert stored(confirmed) == {1: slot(1, 1), 2: slot(2, 2)}


def test_one_of_two_entries_with_one_value_changes_or_goes() -> None:
    twins = [
        pair(1, 1, "+49511123", "0511/123", primary_base=True, online_base=True),
        pair(2, 2, "+49511123", "0511 123", primary_base=True, online_base=True),
    ]
    here = [tel("+49511123", primary=True)]
    one = plan(phones=here, entries=[entry(1, "0511/123", online=True), entry(2, "0511/999", online=True)], pairs=twins)
    assert values(one, PHONE) == ["+49511123", "+49511999"]
    both = plan(
        phones=here, entries=[entry(1, "0511/999", online=True), entry(2, "0511 999", online=True)], pairs=twins
    )
    assert values(both, PHONE) == ["+49511999"]
    gone = plan(phones=here, entries=[entry(1, "0511/123", online=True)], pairs=twins)
    assert gone.writes_nothing
    assert gone.pairs_after({}).removed == (twins[1],)


def test_two_entries_that_swap_their_values_write_nothing() -> None:
    known = [
        pair(1, 4, "a@b.example", "a@b.example", primary_base=True, online_base=True),
        pair(2, 4, "c@d.example", "c@d.example"),
    ]
    result = plan(
        emails=[mail("a@b.example", primary=True), mail("c@d.example")],
        entries=[entry(1, "c@d.example", online=False), entry(2, "a@b.example", online=True)],
        pairs=known,
    )
    assert values(result, MAIL) is None
