"""What is planned for a party's master data, whole (specification, sync-semantics.md 1 and 2)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from vmh_sync.beteiligte.fields import FIELDS
from vmh_sync.beteiligte.master_data.diff import plan_master
from vmh_sync.beteiligte.master_data.state import OpenTask, PartyState, party_state
from vmh_sync.beteiligte.model import FIRM, MIRROR
from vmh_sync.sync.base import Base, Side
from vmh_sync.sync.fields import override
from vmh_sync.sync.merge import Stamps
from vmh_sync.sync.planning.plan import Action, FieldChange, Operation, RecordPlan, TaskKind

MANUAL = override(FIELDS, {"titel": {"conflict": "manual"}})


def state(espo: dict[str, Any], advoware: dict[str, Any], *, base: Base) -> PartyState:
    return party_state(
        espo_id="e1", betnr=7, espo_attributes=espo, advoware_attributes=advoware, base=base, table=MANUAL
    )


def test_a_new_party_is_planned_as_one_create_with_what_advoware_takes() -> None:
    table = override(FIELDS, {"vorname": {"on_create": False}})
    espo = {"lastName": "Huber", "firstName": "Eva", "titel": "", "salutationName": "Dr.", "zusatz": "Hof"}
    new = party_state(espo_id="e1", betnr=None, espo_attributes=espo, advoware_attributes=None, base=None, table=table)
    plan = plan_master(new, table)
    changes = (FieldChange("name", None, "Huber", "created"), FieldChange("zusatz", None, "Hof", "created"))
    sent = {"name": "Huber", "zusatz": "Hof", "bemerkung": "EspoCRM-ID: e1"}
    operation = Operation(Side.ADVOWARE, Action.CREATE, "Beteiligte", None, sent, changes, "no betnr yet")
    assert plan.record == RecordPlan("CBeteiligte", "e1", None, (operation,), base_moves=True)
    assert (plan.espo, plan.advoware, plan.creates) == ({}, sent, True)
    assert plan.fields.base_moves
    assert tuple(plan.fields.to_advoware) == changes


def test_a_plan_says_all_that_is_done_and_why() -> None:
    espo = {"lastName": "Neu", "titel": "Dr.", "zusatz": "hier", "registergericht": "Ulm", "anrede": "Dr."}
    there = {"name": "Huber", "titel": "Prof.", "zusatz": "dort"}
    base = Base({"name": "Huber", "titel": "Dr.", "zusatz": ""}, {"name": "Huber", "titel": "Dr.", "zusatz": ""})
    plan = plan_master(state(espo, there, base=base), MANUAL)
    lost = FieldChange("zusatz", "dort", "hier", "conflict", losing="dort")
    assert plan.record.operations == (
        Operation(
            Side.ADVOWARE,
            Action.UPDATE,
            "Beteiligte",
            "7",
            {"name": "Neu", "zusatz": "hier"},
            (FieldChange("name", "Huber", "Neu", "changed_in_espocrm"), lost),
            "edited in EspoCRM",
        ),
        Operation(
            Side.ESPOCRM,
            Action.UPDATE,
            "CBeteiligte",
            "e1",
            {"titel": "Prof."},
            (FieldChange("titel", "Dr.", "Prof.", "changed_in_advoware"),),
            "edited in Advoware",
        ),
    )
    assert plan.record.conflicts == (lost,)
    assert [(finding.field, finding.side) for finding in plan.record.findings] == [("registergericht", Side.ADVOWARE)]
    assert {task.kind: task.fields for task in plan.record.tasks} == {
        TaskKind.CONFLICT: ("zusatz",),
        TaskKind.READONLY_FIELD: ("registergericht",),
    }
    assert plan.record.base_moves


def test_the_newer_record_wins_on_first_contact() -> None:
    newer_there = Stamps(espocrm=datetime(2026, 3, 1, tzinfo=UTC), advoware=datetime(2026, 3, 2, tzinfo=UTC))
    read = party_state(
        espo_id="e1",
        betnr=7,
        espo_attributes={"lastName": "Huber"},
        advoware_attributes={"name": "Maier"},
        base=None,
        table=MANUAL,
        stamps=newer_there,
    )
    assert plan_master(read, MANUAL).espo == {"lastName": "Maier"}


def test_an_edit_of_one_home_of_a_companys_name_reaches_the_other_home_too() -> None:
    base = Base({"name": "Bau", MIRROR: "Bau", FIRM: "Bau"}, {"name": "Bau"})
    plan = plan_master(state({"firmenname": "Neu", "lastName": "Bau"}, {"name": "Bau"}, base=base), MANUAL)
    assert (plan.espo, plan.advoware) == ({"lastName": "Neu"}, {"name": "Neu"})
    assert (plan.fields.base_espocrm[MIRROR], plan.fields.base_espocrm[FIRM]) == ("Neu", "Neu")


HOMES = {"name": "Bau", MIRROR: "Bau", FIRM: "Bau"}
REFUSED = OpenTask(1, TaskKind.VALUE_REFUSED, (MIRROR,), details={"side": "espocrm", "wanted": "Bau"})
RULES = {rule: override(FIELDS, {"name": {"conflict": rule}}) for rule in ("espocrm_wins", "advoware_wins", "manual")}


@pytest.mark.parametrize(
    ("espo", "there", "before", "rule", "lost"),
    [
        (("Neu", "Meier"), "Bau", HOMES, "espocrm_wins", ["Meier"]),
        (("Neu", "Meier"), "Bau", HOMES, "manual", ["Meier"]),  # Advoware did not move
        (("Neu", "Meier"), "Dort", HOMES, "espocrm_wins", ["Dort", "Meier"]),
        (("Neu", "Meier"), "Dort", HOMES, "advoware_wins", ["Neu", "Meier"]),
        (("Neu", "Meier"), "Dort", HOMES, "manual", []),  # nothing is overwritten
        (("Neu", "Meier"), "Neu", HOMES, "espocrm_wins", ["Meier"]),
        (("Neu", "Meier"), "Bau", {"name": "Bau"}, "espocrm_wins", ["Meier"]),  # a company only now
        (("Bau", "Meier"), "Dort", HOMES, "advoware_wins", ["Meier"]),
        (("Bau", "Meier"), "Dort", {**HOMES, MIRROR: "Meier"}, "espocrm_wins", ["Meier"]),  # since the first contact
        (("Neu", "Bau"), "Bau", HOMES, "espocrm_wins", []),
        (("Neu", " NEU"), "Bau", HOMES, "espocrm_wins", ["NEU"]),
        (("Neu", " Neu"), "Bau", HOMES, "espocrm_wins", []),
        (("Neu", ""), "Bau", HOMES, "espocrm_wins", []),
        (("", "Meier"), "Bau", HOMES, "espocrm_wins", []),
    ],
)
def test_what_was_typed_into_either_home_of_a_companys_name_and_gives_way_is_told(
    espo: tuple[str, str], there: str, before: dict[str, Any], rule: str, lost: list[str]
) -> None:
    here = {"firmenname": espo[0], "lastName": espo[1], "rechtsform": "GmbH"}
    base = Base({**before, "rechtsform": "GmbH"}, {"name": "Bau", "rechtsform": "GmbH"})
    read = party_state(
        espo_id="e1",
        betnr=7,
        espo_attributes=here,
        advoware_attributes={"name": there, "rechtsform": "GmbH"},
        base=base,
        table=RULES[rule],
    )
    plan = plan_master(read, RULES[rule])
    assert [change.losing for change in plan.record.conflicts] == lost
    told = [entry["lost"] for task in plan.record.tasks for entry in task.details.get("decided", {}).values()]
    assert told == lost


def test_what_stands_in_a_home_that_refused_the_name_was_told_then() -> None:
    here = {"firmenname": "Neu", "lastName": "Uralt", "rechtsform": "GmbH"}
    read = party_state(
        espo_id="e1",
        betnr=7,
        espo_attributes=here,
        advoware_attributes={"name": "Bau", "rechtsform": "GmbH"},
        base=Base({**HOMES, MIRROR: "Uralt", "rechtsform": "GmbH"}, {"name": "Bau", "rechtsform": "GmbH"}),
        table=FIELDS,
        tasks=(REFUSED,),
    )
    plan = plan_master(read, FIELDS)
    assert plan.espo == {"lastName": "Neu"}
    assert not plan.record.conflicts
    assert not plan.record.tasks
    assert plan.record.close_tasks == (1,)


def test_a_name_that_waits_for_a_person_is_not_overwritten_by_the_one_that_a_home_refused() -> None:
    here = {"firmenname": "Neu", "lastName": "Uralt", "rechtsform": "GmbH"}
    read = party_state(
        espo_id="e1",
        betnr=7,
        espo_attributes=here,
        advoware_attributes={"name": "Dort", "rechtsform": "GmbH"},
        base=Base({**HOMES, MIRROR: "Uralt", "rechtsform": "GmbH"}, {"name": "Bau", "rechtsform": "GmbH"}),
        table=RULES["manual"],
        tasks=(REFUSED,),
        retry_refused=True,
    )
    assert not plan_master(read, RULES["manual"]).espo


def test_a_state_says_what_was_read() -> None:
    task = OpenTask(1, TaskKind.GENERAL, ("titel",))
    stamps = Stamps(advoware=datetime(2026, 3, 2, tzinfo=UTC))
    espo = {"firmenname": "Bau", "lastName": "Bau neu"}
    base = Base({"name": "Bau", MIRROR: "Bau", FIRM: "Bau"}, {"name": "Bau"})
    read = party_state(
        espo_id="e1",
        betnr=7,
        espo_attributes=espo,
        advoware_attributes={"name": "Bau", "rechtsform": "GmbH"},
        base=base,
        table=MANUAL,
        stamps=stamps,
        tasks=(task,),
    )
    assert (read.espo_id, read.betnr, read.form.company, read.base, read.stamps, read.tasks) == (
        "e1",
        7,
        True,
        base,
        stamps,
        (task,),
    )
    assert read.espo_attributes == espo
    assert read.espocrm == {"name": "Bau neu"}
    assert read.advoware is not None
    assert (read.advoware["name"], read.advoware["rechtsform"]) == ("Bau", "GmbH")
    assert "vorname" not in read.advoware


@pytest.mark.parametrize(("word", "company"), [("GmbH", True), ("Einzelperson", False), ("Nur dort", False)])
def test_advowares_legal_form_makes_a_company(word: str, company: bool) -> None:
    read = party_state(
        espo_id="e1",
        betnr=7,
        espo_attributes={"lastName": "Bau"},
        advoware_attributes={"rechtsform": word},
        base=None,
        table=MANUAL,
    )
    assert read.form.company is company
    bare = override(FIELDS, {"rechtsform": None})
    without = party_state(
        espo_id="e1",
        betnr=7,
        espo_attributes={"lastName": "Bau"},
        advoware_attributes={"rechtsform": word},
        base=None,
        table=bare,
    )
    assert not without.form.company


@pytest.mark.parametrize("homes", [{}, {FIRM: "Alt", MIRROR: "Alt"}])
def test_a_companys_name_that_waits_for_a_person_waits_in_every_further_pass(homes: dict[str, Any]) -> None:
    """Left in the base as if agreed, EspoCRM's new name would give way to Advoware's in the next pass, untold."""
    table = override(FIELDS, {"name": {"conflict": "manual"}})
    espo = {"lastName": "Alt", "firmenname": "Bau GmbH", "rechtsform": "GmbH"}
    there = {"name": "Huber", "rechtsform": "GmbH"}
    base = Base({"name": "Alt", "rechtsform": "GmbH", **homes}, {"name": "Alt", "rechtsform": "GmbH"})
    for _ in range(3):
        company = party_state(
            espo_id="e1", betnr=7, espo_attributes=espo, advoware_attributes=there, base=base, table=table
        )
        plan = plan_master(company, table)
        assert list(plan.fields.held) == ["name"]
        assert not plan.record.operations
        base = plan.fields.base
