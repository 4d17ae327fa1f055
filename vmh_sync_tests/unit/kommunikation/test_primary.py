"""``primary`` and ``online`` (specification, entities.md 2)."""

import pytest

from vmh_sync_tests.unit.kommunikation.builders import MAIL, entry, mail, pair, plan, stored, values, written

A, B, C = "a@b.example", "b@b.example", "c@b.example"
PAIRS = [
    pair(1, 4, A, A, primary_base=True, online_base=True),
    pair(2, 4, B, B),
    pair(3, 4, C, C),
]


def _emails(primary: str | None = A) -> list[object]:
    return [mail(value, primary=value == primary) for value in (A, B, C)]


def _entries(*online: str) -> list[object]:
    return [entry(number, value, online=value in online) for number, value in enumerate((A, B, C), 1)]


def _plan(primary: str | None, *online: str, **more: object) -> object:
    return plan(emails=_emails(primary), entries=_entries(*online), pairs=PAIRS, **more)  # type: ignore[arg-type]


def _primary(result: object) -> list[str]:
    return [item["emailAddress"] for item in result.emails.items if item["primary"]]  # type: ignore[attr-defined]


def test_primary_moved_in_espocrm_sets_online_and_takes_it_from_the_old_one() -> None:
    result = _plan(B, A)
    assert written(result) == {  # type: ignore[arg-type]
        "1": {"tlf": A, "bemerkung": None, "online": False},
        "2": {"tlf": B, "bemerkung": None, "online": True},
    }
    after = stored(result)  # type: ignore[arg-type]
    assert (after[1].primary_base, after[2].primary_base) == (False, True)
    assert (after[1].online_base, after[2].online_base) == (False, True)


def test_primary_moved_to_an_entry_that_is_online_writes_nothing() -> None:
    result = _plan(B, A, B)
    assert result.writes_nothing  # type: ignore[attr-defined]
    assert stored(result)[2].primary_base is True  # type: ignore[arg-type]


def test_online_alone_moves_primary() -> None:
    for online in ((A, B), (B,)):
        result = _plan(A, *online)
        assert _primary(result) == [B]
        assert written(result) == {}  # type: ignore[arg-type]
        after = stored(result)  # type: ignore[arg-type]
        assert (after[1].primary_base, after[2].primary_base) == (False, True)
        assert after[2].online_base is True


def test_online_does_not_move_primary_if_espocrm_moved_it_too() -> None:
    result = _plan(B, A, C)
    assert values(result, MAIL) is None  # type: ignore[arg-type]
    assert written(result)["2"]["online"] is True  # type: ignore[arg-type]
    assert "3" not in written(result)  # type: ignore[arg-type]
    assert stored(result)[3].online_base is True  # type: ignore[arg-type]


def test_online_taken_away_moves_primary_to_the_one_that_is_left_online() -> None:
    known = [PAIRS[0], PAIRS[1], pair(3, 4, C, C, online_base=True)]
    result = plan(emails=_emails(A), entries=_entries(C), pairs=known)  # type: ignore[arg-type]
    assert _primary(result) == [C]


def test_online_taken_away_from_all_changes_nothing_over_here() -> None:
    result = _plan(A)
    assert result.writes_nothing  # type: ignore[attr-defined]
    assert stored(result)[1].online_base is False  # type: ignore[arg-type]


def test_several_online_entries_stay_as_they_are() -> None:
    known = [PAIRS[0], pair(2, 4, B, B, online_base=True), PAIRS[2]]
    result = plan(emails=_emails(A), entries=_entries(A, B), pairs=known)  # type: ignore[arg-type]
    assert result.writes_nothing
    assert not result.base_moves


def test_a_vanished_primary_passes_on_to_the_online_entry() -> None:
    known = [PAIRS[0], PAIRS[1], pair(3, 4, C, C, online_base=True)]
    result = plan(emails=_emails(A), entries=_entries(C)[1:], pairs=known)  # type: ignore[arg-type]
    assert values(result, MAIL) == [B, C]
    assert _primary(result) == [C]


def test_a_vanished_primary_passes_on_to_the_first_and_sets_it_online() -> None:
    result = plan(emails=_emails(A), entries=_entries()[1:], pairs=PAIRS)  # type: ignore[arg-type]
    assert _primary(result) == [B]
    assert written(result) == {"2": {"tlf": B, "bemerkung": None, "online": True}}


def test_a_record_without_primary_is_not_written_for_that_alone() -> None:
    assert _plan(None, A).writes_nothing  # type: ignore[attr-defined]


def test_a_sent_list_of_a_record_without_primary_gets_one() -> None:
    changed = [entry(1, A, online=True), entry(2, "neu@b.example"), entry(3, C)]
    result = plan(emails=_emails(None), entries=changed, pairs=PAIRS)  # type: ignore[arg-type]
    assert _primary(result) == [A]


@pytest.mark.parametrize("asked", [True, False])
def test_first_contact_of_equal_values_sets_online_only_if_asked(asked: bool) -> None:
    result = plan(emails=[mail(A, primary=True)], entries=[entry(1, "A@b.example")], online_at_first_contact=asked)
    assert written(result) == ({"1": {"tlf": "A@b.example", "bemerkung": None, "online": True}} if asked else {})
    assert stored(result)[1].primary_base is True
    assert stored(result)[1].online_base is asked


def test_a_new_online_entry_does_not_take_the_primary() -> None:
    result = plan(
        emails=[mail(A, primary=True)], entries=[entry(1, A, online=True), entry(2, B, online=True)], pairs=PAIRS[:1]
    )
    assert _primary(result) == [A]
