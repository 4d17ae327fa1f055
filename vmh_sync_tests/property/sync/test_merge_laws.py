"""The laws of the three-way merge (specification, sync-semantics.md 1), for fields of every kind and every rule."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from vmh_sync.sync.base import Base, Side
from vmh_sync.sync.merge import ConflictRule, Decision, Stamps, Verdict, as_conflict, merge
from vmh_sync.sync.values import Kind, Value
from vmh_sync_tests.property.sync.spellings import (
    BASES,
    MAYBE_BASES,
    RULES,
    STAMPS,
    TABLE,
    group_of,
    record,
    table_with,
    values_by_side,
)

EMPTY = 0
_MIRRORED = {
    ConflictRule.ESPOCRM_WINS: ConflictRule.ADVOWARE_WINS,
    ConflictRule.ADVOWARE_WINS: ConflictRule.ESPOCRM_WINS,
}


def decided(
    rule: ConflictRule, base: Base | None, espo: dict[str, Value], advo: dict[str, Value], stamps: Stamps
) -> dict[str, Decision]:
    found = merge(table_with(rule).rules, base=base, espocrm=espo, advoware=advo, stamps=stamps)
    return {decision.field: decision for decision in found}


def expected_winner(rule: ConflictRule, stamps: Stamps) -> Side:
    if rule is ConflictRule.ADVOWARE_WINS:
        return Side.ADVOWARE
    if rule is not ConflictRule.NEWEST_WINS or stamps.espocrm is None or stamps.advoware is None:
        return Side.ESPOCRM
    return Side.ADVOWARE if stamps.advoware > stamps.espocrm else Side.ESPOCRM


@given(RULES, MAYBE_BASES, record(), record(), STAMPS)
def test_every_field_gets_one_decision_that_names_what_both_sides_say(
    rule: ConflictRule, base: Base | None, espo: dict[str, Value], advo: dict[str, Value], stamps: Stamps
) -> None:
    found = merge(table_with(rule).rules, base=base, espocrm=espo, advoware=advo, stamps=stamps)
    assert [decision.field for decision in found] == [line.name for line in TABLE.rules]
    for decision in found:
        said = {Side.ESPOCRM: espo[decision.field], Side.ADVOWARE: advo[decision.field]}
        assert values_by_side(decision) == said
        assert decision.first_contact is (base is None)


@given(RULES, BASES, record(), record(), STAMPS)
def test_the_base_tells_who_moved_and_the_rule_decides_only_where_both_did(
    rule: ConflictRule, base: Base, espo: dict[str, Value], advo: dict[str, Value], stamps: Stamps
) -> None:
    for name, decision in decided(rule, base, espo, advo, stamps).items():
        kind = Kind(name)
        espo_moved = group_of(kind, espo[name]) != group_of(kind, base.espocrm[name])
        advo_moved = group_of(kind, advo[name]) != group_of(kind, base.advoware[name])
        if not espo_moved and not advo_moved:
            wanted: tuple[Verdict, Side | None] = (Verdict.QUIET, None)
        elif group_of(kind, espo[name]) == group_of(kind, advo[name]):
            wanted = (Verdict.AGREED, None)
        elif espo_moved != advo_moved:
            wanted = (Verdict.COPY, Side.ESPOCRM if espo_moved else Side.ADVOWARE)
        elif rule is ConflictRule.MANUAL:
            wanted = (Verdict.HOLD, None)
        else:
            wanted = (Verdict.CONFLICT, expected_winner(rule, stamps))
        assert (decision.verdict, decision.source) == wanted


@given(RULES, record(), record(), STAMPS)
def test_on_first_contact_what_is_filled_on_one_side_is_copied_and_the_newer_record_wins(
    rule: ConflictRule, espo: dict[str, Value], advo: dict[str, Value], stamps: Stamps
) -> None:
    for name, decision in decided(rule, None, espo, advo, stamps).items():
        here, there = group_of(Kind(name), espo[name]), group_of(Kind(name), advo[name])
        if here == there:
            wanted: tuple[Verdict, Side | None] = (Verdict.AGREED, None)
        elif EMPTY in (here, there):
            wanted = (Verdict.COPY, Side.ADVOWARE if here == EMPTY else Side.ESPOCRM)
        else:
            wanted = (Verdict.CONFLICT, expected_winner(ConflictRule.NEWEST_WINS, stamps))
        assert (decision.verdict, decision.source) == wanted


def swapped(decision: Decision) -> tuple[str, Verdict, Side | None]:
    return decision.field, decision.verdict, decision.source.other if decision.source else None


@given(RULES, MAYBE_BASES, record(), record(), STAMPS)
def test_swapping_the_sides_swaps_the_decisions(
    rule: ConflictRule, base: Base | None, espo: dict[str, Value], advo: dict[str, Value], stamps: Stamps
) -> None:
    """Neither side is privileged but by a rule, and EspoCRM where no stamp decides."""
    turned = Base(base.advoware, base.espocrm) if base else None
    one = decided(rule, base, espo, advo, stamps)
    other = decided(_MIRRORED.get(rule, rule), turned, advo, espo, Stamps(stamps.advoware, stamps.espocrm))
    for name, decision in one.items():
        by_stamp = base is None or rule is ConflictRule.NEWEST_WINS
        if decision.verdict is Verdict.CONFLICT and by_stamp and stamps.newer() is None:
            assert decision.source is other[name].source is Side.ESPOCRM
        else:
            assert swapped(decision) == (name, other[name].verdict, other[name].source)


@given(MAYBE_BASES, record(), record(), st.sampled_from([line.name for line in TABLE.rules]))
def test_a_field_that_one_installation_lacks_is_no_edit(
    base: Base | None, espo: dict[str, Value], advo: dict[str, Value], lacking: str
) -> None:
    del espo[lacking]
    rest = decided(ConflictRule.ESPOCRM_WINS, base, espo, advo, Stamps())
    assert lacking not in rest
    assert len(rest) == len(TABLE.rules) - 1
    assert lacking not in decided(ConflictRule.ESPOCRM_WINS, base, advo, espo, Stamps())


@given(BASES, record(), record(), st.sampled_from([line.name for line in TABLE.rules]))
def test_a_field_that_the_base_does_not_know_meets_for_the_first_time(
    base: Base, espo: dict[str, Value], advo: dict[str, Value], new: str
) -> None:
    """As when an operator adds a field: the other fields keep their base."""
    for known in (
        Base({name: value for name, value in base.espocrm.items() if name != new}, base.advoware),
        Base(base.espocrm, {name: value for name, value in base.advoware.items() if name != new}),
    ):
        found = decided(ConflictRule.ESPOCRM_WINS, known, espo, advo, Stamps())
        assert [name for name, decision in found.items() if decision.first_contact] == [new]


@given(RULES, BASES, record(), record(), STAMPS)
def test_a_copy_over_what_may_be_an_edit_is_decided_by_its_rule_and_names_both_values(
    rule: ConflictRule, base: Base, espo: dict[str, Value], advo: dict[str, Value], stamps: Stamps
) -> None:
    copies = [one for one in decided(rule, base, espo, advo, stamps).values() if one.verdict is Verdict.COPY]
    for copy in copies:
        told = as_conflict(replace(TABLE[copy.field], conflict=rule), copy, stamps)
        assert (told.verdict is Verdict.HOLD) == (rule is ConflictRule.MANUAL)
        if told.verdict is Verdict.HOLD:
            assert (told.source, told.value, told.replaced) == (None, espo[copy.field], advo[copy.field])
            continue
        assert told.verdict is Verdict.CONFLICT
        assert values_by_side(told) == values_by_side(copy)
        if rule is ConflictRule.ADVOWARE_WINS:
            assert told.source is Side.ADVOWARE
        elif rule is ConflictRule.ESPOCRM_WINS or stamps.newer() is None:
            assert told.source is copy.source
