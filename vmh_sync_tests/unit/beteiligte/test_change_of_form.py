"""Company or person: one side tells, and everything that belongs to the new form follows (entities.md 1)."""

from typing import Any

import pytest

from vmh_sync.beteiligte.fields import FIELDS
from vmh_sync.beteiligte.master_data.diff import MasterPlan, plan_master
from vmh_sync.beteiligte.master_data.state import party_state
from vmh_sync.sync.base import Base, Side
from vmh_sync.sync.fields import FieldTable, override
from vmh_sync.sync.merge import ConflictRule
from vmh_sync.sync.planning.plan import TaskKind
from vmh_sync_tests.unit.beteiligte.form_orders import COMPANY, PERSON, Order, orders

RULES = {
    rule: override(FIELDS, {name: {"conflict": rule.value} for name in ("name", "vorname", "rechtsform")})
    for rule in ConflictRule
}
HERE, THERE = ("rechtsform", "firmenname", "lastName", "firstName"), ("rechtsform", "name", "vorname")
HUBER_BAU, ERIKA = ("GmbH", "Huber Bau", "Huber Bau", ""), ("", "", "Huber", "Erika")


class Pair:
    """One party on two sides; Advoware does not take the attributes that it ``ignores``."""

    def __init__(self, was: Any, table: FieldTable = FIELDS, ignores: tuple[str, ...] = ()) -> None:
        self.espo: dict[str, Any] = {"firmenname": None, "firstName": "", **was}
        self.advoware: dict[str, Any] = {"name": was["lastName"], "vorname": was.get("firstName", "")}
        self.advoware["rechtsform"] = was["rechtsform"]
        self.table, self.ignores = table, ignores
        self.base: Base | None = None
        self.told: list[tuple[TaskKind, tuple[str, ...]]] = []
        self.cleared: list[tuple[str, Any]] = []
        self.sync()

    def sync(self) -> MasterPlan:
        state = party_state(
            espo_id="e1",
            betnr=7,
            espo_attributes=self.espo,
            advoware_attributes=self.advoware,
            base=self.base,
            table=self.table,
        )
        plan = plan_master(state, self.table)
        self.espo |= plan.espo
        self.advoware |= {name: value for name, value in plan.advoware.items() if name not in self.ignores}
        for name in {*self.ignores} - {*plan.fields.held}:
            plan.fields.base_advoware[name] = self.table[name].read(Side.ADVOWARE, self.advoware[name])
        self.told += [(task.kind, task.fields) for task in plan.record.tasks]
        changes = [change for operation in plan.record.operations for change in operation.changes]
        self.cleared += [(change.field, change.old) for change in changes if change.new is None]
        self.base = plan.fields.base
        return plan

    def rest(self) -> None:
        self.sync()
        self.sync()
        quiet = self.sync()
        assert not quiet.record.operations
        assert not quiet.fields.base_moves

    @property
    def here(self) -> tuple[str, ...]:
        said = {name: self.espo[name] or "" for name in HERE}
        return tuple({**said, "rechtsform": said["rechtsform"].replace("Einzelperson", "")}.values())

    @property
    def there(self) -> tuple[str, ...]:
        return tuple(self.advoware[name] or "" for name in THERE)


def play(order: Order, pair: Pair) -> None:
    for save in order.saves:
        (pair.espo if order.here else pair.advoware).update(save)
        pair.rest()


@pytest.mark.parametrize("rule", list(ConflictRule))
@pytest.mark.parametrize("order", orders(to_company=True), ids=str)
def test_a_person_that_is_made_a_company_in_one_save_or_two_is_one_on_both_sides(
    order: Order, rule: ConflictRule
) -> None:
    pair = Pair(order.was, RULES[rule])
    play(order, pair)
    assert (pair.here, pair.there) == (HUBER_BAU, ("GmbH", "Huber Bau", ""))
    assert not pair.told


@pytest.mark.parametrize("rule", list(ConflictRule))
@pytest.mark.parametrize("order", orders(to_company=False), ids=str)
def test_a_company_that_is_made_a_person_in_one_save_or_two_is_one_on_both_sides(
    order: Order, rule: ConflictRule
) -> None:
    pair = Pair(order.was, RULES[rule])
    play(order, pair)
    assert (pair.here, pair.there) == (ERIKA, ("", "Huber", "Erika"))
    assert not pair.told
    if not order.here:
        assert [field for field, _ in pair.cleared if field == "_firmenname"] == ["_firmenname"], "the audit tells it"


@pytest.mark.parametrize("order", [*orders(to_company=False), *orders(to_company=True)], ids=str)
def test_where_advoware_ignores_the_legal_form_a_party_is_what_people_made_of_it(order: Order) -> None:
    """That both sides say another legal form is told; nothing flips back in the next pass."""
    pair = Pair(order.was, ignores=("rechtsform",))
    play(order, pair)
    person = order.was is COMPANY
    assert pair.here == (ERIKA if person else HUBER_BAU)
    assert pair.there[1:] == (("Huber", "Erika") if person else ("Huber Bau", ""))


FORMS_OF_BOTH: list[tuple[Any, Any]] = [
    ({"firmenname": "Huber Hochbau"}, {"rechtsform": "", "name": "Huber", "vorname": "Erika"}),
    ({"rechtsform": "AG"}, {"rechtsform": "", "vorname": "Erika"}),
    ({"rechtsform": "", "firmenname": "", "lastName": "Huber"}, {"rechtsform": "AG"}),
]


@pytest.mark.parametrize("rule", list(ConflictRule))
@pytest.mark.parametrize(("here", "there"), FORMS_OF_BOTH)
def test_two_people_who_make_a_company_and_a_person_of_it_are_asked_and_nothing_is_overwritten(
    here: Any, there: Any, rule: ConflictRule
) -> None:
    pair = Pair(COMPANY, RULES[rule])
    pair.rest()
    pair.espo |= here
    pair.advoware |= there
    typed = pair.here, pair.there
    for _ in range(3):
        assert list(pair.sync().fields.held) == ["rechtsform", "name"]
    assert (pair.here, pair.there) == typed
    assert set(pair.told) == {(TaskKind.CONFLICT, ("name", "rechtsform"))}
    pair.espo |= {"rechtsform": "", "firmenname": "", "lastName": "Huber", "firstName": "Erika"}
    pair.advoware |= {"rechtsform": "", "name": "Huber", "vorname": "Erika"}
    pair.rest()
    assert (pair.here, pair.there) == (ERIKA, ("", "Huber", "Erika"))


def test_a_name_that_the_second_home_refused_is_no_edit_when_the_company_becomes_a_person() -> None:
    pair = Pair({**COMPANY, "lastName": "Alt"})
    pair.rest()
    assert pair.base is not None
    pair.espo["lastName"] = "Alt"
    pair.base = Base({**pair.base.espocrm, "_lastName": "Alt"}, pair.base.advoware)
    pair.advoware |= {"rechtsform": "", "vorname": "Erika"}
    pair.rest()
    assert (pair.here, pair.there) == (("", "", "Huber Bau", "Erika"), ("", "Huber Bau", "Erika"))
    assert not pair.told


def test_a_firms_name_that_somebody_emptied_stays_empty_while_the_legal_form_still_says_company() -> None:
    pair = Pair(COMPANY)
    pair.rest()
    for save in ({"firmenname": ""}, {"lastName": "Huber"}):
        pair.espo |= save
        pair.rest()
    assert (pair.here, pair.there) == (("GmbH", "", "Huber", ""), ("GmbH", "Huber", ""))


def test_a_first_name_typed_over_there_makes_no_person_of_a_company_that_never_had_a_legal_form_there() -> None:
    pair = Pair({"lastName": "Huber Bau", "firmenname": "Huber Bau", "rechtsform": ""})
    pair.rest()
    pair.advoware |= {"vorname": "z. Hd. Erika Huber"}
    pair.rest()
    assert pair.here == ("", "Huber Bau", "Huber Bau", "")


def test_a_first_name_that_nobody_emptied_stays_with_the_company_on_both_sides_and_is_still_carried_on() -> None:
    pair = Pair(PERSON)
    pair.rest()
    pair.espo |= {"rechtsform": "GmbH", "firmenname": "Huber Bau"}
    pair.rest()
    assert (pair.here[3], pair.there) == ("Erika", ("GmbH", "Huber Bau", "Erika"))
    pair.advoware |= {"vorname": "Eva"}
    pair.rest()
    assert (pair.here[3], pair.there[2]) == ("Eva", "Eva")


def test_both_first_names_typed_at_a_company_are_told_when_it_becomes_a_person() -> None:
    pair = Pair(COMPANY)
    pair.rest()
    pair.espo |= {"firstName": "Erika"}
    pair.advoware |= {"vorname": "Eva"}
    pair.rest()
    pair.espo |= {"rechtsform": "", "firmenname": ""}
    pair.rest()
    assert pair.there[2] == "Erika"
    assert (TaskKind.CONFLICT, ("vorname",)) in pair.told


def test_a_person_is_a_company_again_by_the_same_name_in_the_same_place() -> None:
    pair = Pair(COMPANY)
    pair.rest()
    for firm in ("", "Huber Bau"):
        pair.espo |= {"rechtsform": "", "firmenname": firm}
        pair.rest()
    pair.espo |= {"firstName": "z. Hd. Erika"}
    pair.rest()
    assert pair.there == ("", "Huber Bau", ""), "a company has no first name"


def test_a_company_whose_name_waits_for_a_person_gets_both_homes_when_it_is_decided() -> None:
    pair = Pair(PERSON, RULES[ConflictRule.MANUAL])
    pair.rest()
    pair.espo |= {"lastName": "Hubert"}
    pair.advoware |= {"rechtsform": "GmbH", "name": "Huber Bau"}
    pair.sync()
    assert list(pair.sync().fields.held) == ["name"]
    pair.espo |= {"lastName": "Huber Bau"}
    pair.rest()
    assert pair.here[:3] == HUBER_BAU[:3]


def test_a_name_that_advoware_never_took_stays_when_the_company_becomes_a_person() -> None:
    pair = Pair(COMPANY, ignores=("name",))
    pair.rest()
    pair.espo |= {"firmenname": "Neubau", "lastName": "Neubau"}
    pair.rest()
    pair.espo |= {"rechtsform": "", "firmenname": ""}
    pair.rest()
    assert (pair.here[2], pair.there[1]) == ("Neubau", "Huber Bau")


def test_both_forms_of_a_person_are_asked_about_and_the_firms_name_that_was_typed_stays() -> None:
    pair = Pair(COMPANY, ignores=("rechtsform",))
    pair.rest()
    pair.espo |= {"rechtsform": "", "firmenname": "", "lastName": "Huber", "firstName": "Erika"}
    pair.rest()
    assert pair.there == ("GmbH", "Huber", "Erika")
    pair.espo |= {"firmenname": "Neubau"}
    pair.advoware |= {"rechtsform": ""}
    for _ in range(3):
        assert list(pair.sync().fields.held) == ["rechtsform", "name"]
    assert pair.here == ("", "Neubau", "Huber", "Erika")
