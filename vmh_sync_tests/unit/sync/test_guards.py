"""The guards count records, not losses (specification, sync-semantics.md 2)."""

from datetime import UTC, datetime

import pytest

from vmh_sync.sync.base import Side
from vmh_sync.sync.planning.guards import (
    GuardTripped,
    MassChangeLimits,
    check_mass_change,
    check_not_emptied,
    loses_values,
)
from vmh_sync.sync.planning.plan import Action, FieldChange, Operation, RecordPlan
from vmh_sync.sync.values import Value

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
BLANKED = FieldChange("titel", "Dr.", None)
TYPED = FieldChange("titel", None, "Dr.")
LIMITS = MassChangeLimits(records=2, share=0.5)


def plan(espo_id: str | None, *changes: FieldChange, action: Action = Action.UPDATE, betnr: int = 1) -> RecordPlan:
    operation = Operation(Side.ADVOWARE, action, "Beteiligte", "1", changes=changes)
    return RecordPlan("CBeteiligte", espo_id, betnr, (operation,))


def blanked(*ids: str) -> list[RecordPlan]:
    return [plan(one, BLANKED) for one in ids]


@pytest.mark.parametrize(
    ("old", "new", "blanks"),
    [
        ("Dr.", None, True),
        ("Dr.", " ", True),
        (0, None, True),
        (None, None, False),
        ("", None, False),
        ("a", "b", False),
    ],
)
def test_a_change_blanks_only_when_a_filled_value_is_emptied(old: Value, new: Value, blanks: bool) -> None:
    assert FieldChange("titel", old, new).blanks is blanks
    assert loses_values(plan("1", FieldChange("titel", old, new))) is blanks


def test_one_blanked_field_among_many_or_a_removed_entry_is_a_loss() -> None:
    assert loses_values(plan("1", TYPED, BLANKED))
    assert loses_values(plan("1", action=Action.REMOVE))
    assert not loses_values(plan("1", TYPED, action=Action.CREATE))
    assert not loses_values(RecordPlan("CBeteiligte", "1", 1))


def test_a_run_stops_only_above_the_number_and_above_the_share() -> None:
    assert check_mass_change(blanked("a", "b"), linked=2, limits=LIMITS) == {"a", "b"}
    assert check_mass_change(blanked("a", "b", "c"), linked=6, limits=LIMITS) == {"a", "b", "c"}
    with pytest.raises(GuardTripped) as stopped:
        check_mass_change(blanked("a", "b", "c"), linked=5, limits=LIMITS)
    assert str(stopped.value) == (
        "Angehalten: 3 von 5 verknüpften Datensätzen würden Werte verlieren oder als gelöscht gelten "
        "(Grenze: 2 und 50%). Es wurde nichts geschrieben. Bitte die Ursache prüfen und den Plan nur "
        "freigeben, wenn das so gewollt ist."
    )


def test_the_set_limits_are_more_than_fifty_records_and_more_than_a_fifth() -> None:
    fifty_one = blanked(*(str(number) for number in range(51)))
    check_mass_change(fifty_one[:50], linked=50)
    check_mass_change(fifty_one, linked=255)
    with pytest.raises(GuardTripped):
        check_mass_change(fifty_one, linked=254)


def test_a_record_counts_once_however_much_it_loses_and_in_however_many_runs() -> None:
    assert check_mass_change(blanked("a", "a", "a", "b"), linked=1, limits=LIMITS) == {"a", "b"}
    check_mass_change(blanked("a", "b"), linked=1, recent=frozenset({"a", "b"}), limits=LIMITS)
    with pytest.raises(GuardTripped):
        check_mass_change(blanked("a"), linked=1, recent=frozenset({"b", "c"}), limits=LIMITS)


def test_records_without_an_id_of_one_side_are_told_apart_by_the_other() -> None:
    nameless = [plan(None, BLANKED, betnr=number) for number in (1, 2)]
    assert check_mass_change(nameless, linked=9, limits=LIMITS) == {"1", "2"}


def test_a_run_that_loses_nothing_goes_on_whatever_earlier_runs_lost() -> None:
    earlier = frozenset({"a", "b", "c"})
    assert check_mass_change([plan("d", TYPED)], linked=3, recent=earlier, limits=LIMITS) == frozenset()


def test_an_empty_list_where_records_are_linked_is_a_fault() -> None:
    with pytest.raises(GuardTripped) as stopped:
        check_not_emptied(0, 1, what="Beteiligte")
    assert str(stopped.value) == (
        "Angehalten: Die Liste „Beteiligte“ kam leer zurück, obwohl 1 Datensätze verknüpft sind. Das ist eine Störung, "
        "keine Löschung. Es wurde nichts geschrieben; bitte die Anmeldung und die Rechte des API-Benutzers prüfen."
    )


@pytest.mark.parametrize(("listed", "linked"), [(0, 0), (1, 1), (1, 500)])
def test_a_list_with_something_in_it_is_none(listed: int, linked: int) -> None:
    check_not_emptied(listed, linked, what="Beteiligte")
