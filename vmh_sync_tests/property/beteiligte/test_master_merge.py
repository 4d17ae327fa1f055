"""A party's master data: whatever stands where, one pass brings both sides together and the next is quiet."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from vmh_sync.beteiligte.fields import FIELDS
from vmh_sync.beteiligte.master_data.diff import MasterPlan, plan_master
from vmh_sync.beteiligte.master_data.state import PartyState, party_state
from vmh_sync.beteiligte.model import MIRROR
from vmh_sync.sync.base import Base, Side
from vmh_sync.sync.planning.plan import TaskKind
from vmh_sync.sync.values import text

NAMES = st.sampled_from(["Huber", " Huber ", "Mu\u0308ller", "Müller", "Bau GmbH", "Maier"])
WORDS = st.sampled_from([None, "", "Dr.", "Prof. Dr.", "Sehr geehrte Frau"])
ESPO_EDITS = st.fixed_dictionaries(
    {},
    optional={
        "rechtsform": st.sampled_from(["", "GmbH", "e.V.", "Verein", "Einzelperson", "Herr", "Nur hier"]),
        "firmenname": st.none() | NAMES,
        "lastName": NAMES,
        "firstName": WORDS,
        "salutationName": st.sampled_from(["", "Mr.", "Ms.", "Mrs.", "Dr."]),
        "titel": WORDS,
        "dateOfBirth": st.sampled_from([None, "1970-03-01", "1980-12-31"]),
        "briefAnrede": WORDS,
        "zusatz": WORDS,
        "handelsregisterNummer": WORDS,
        "registergericht": WORDS,
    },
)
ADVOWARE_EDITS = st.fixed_dictionaries(
    {},
    optional={
        "rechtsform": st.sampled_from(["", "GmbH", "e.V.", "Einzelperson", "Nur dort"]),
        "name": NAMES,
        "vorname": WORDS,
        "anrede": st.sampled_from(["", "Herr", "Frau", "Firma", "Eheleute"]),
        "titel": WORDS,
        "geburtsdatum": st.sampled_from([None, "1970-03-01T00:00:00", "1980-12-31T00:00:00"]),
        "b_anrede": WORDS,
        "zusatz": WORDS,
        "handels_register_nummer": WORDS,
        "registergericht": WORDS,
    },
)
History = list[tuple[dict[str, Any], dict[str, Any]]]
HISTORIES = st.lists(st.tuples(ESPO_EDITS, ADVOWARE_EDITS), min_size=1, max_size=4)


@dataclass
class Pair:
    """One party on two obedient sides, and the base of the pass before."""

    espo: dict[str, Any] = field(default_factory=lambda: {"lastName": "Huber", "firmenname": None})
    advoware: dict[str, Any] = field(default_factory=lambda: {"name": "Huber"})
    base: Base | None = None

    def edit(self, espo: dict[str, Any], advoware: dict[str, Any]) -> None:
        self.espo |= espo
        self.advoware |= advoware

    def state(self) -> PartyState:
        return party_state(
            espo_id="e1",
            betnr=7,
            espo_attributes=self.espo,
            advoware_attributes=self.advoware,
            base=self.base,
            table=FIELDS,
        )

    def sync(self) -> MasterPlan:
        plan = plan_master(self.state(), FIELDS)
        self.espo |= plan.espo
        self.advoware |= plan.advoware
        self.base = plan.fields.base
        return plan


def written(plan: MasterPlan) -> dict[str, dict[str, Any]]:
    return {"espo": dict(plan.espo), "advoware": dict(plan.advoware)}


@given(HISTORIES)
def test_after_every_pass_the_next_one_has_nothing_to_write(
    history: list[tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    pair = Pair()
    for espo, advoware in history:
        pair.edit(espo, advoware)
        pair.sync()
        # The first may still learn: a party that only now counts as a company on both sides.
        pair.sync()
        quiet = pair.sync()
        assert written(quiet) == {"espo": {}, "advoware": {}}
        assert not quiet.record.operations
        assert not quiet.fields.base_moves
        assert not [task for task in quiet.record.tasks if "held" not in task.details]


@given(HISTORIES)
def test_what_is_different_after_a_pass_has_been_told(history: History) -> None:
    pair = Pair()
    told: set[str] = set()
    for espo, advoware in history:
        pair.edit(espo, advoware)
        for _ in range(2):
            plan = pair.sync()
            told |= {finding.field for finding in plan.record.findings} | {*plan.fields.held}
        state = pair.state()
        assert state.advoware is not None
        decisions = {name for name in state.espocrm if name in state.advoware}
        apart = {name for name in decisions if (state.espocrm[name] or None) != (state.advoware[name] or None)}
        assert apart <= told


@given(ESPO_EDITS, ADVOWARE_EDITS)
def test_operations_and_payloads_say_the_same(espo: dict[str, Any], advoware: dict[str, Any]) -> None:
    pair = Pair()
    pair.sync()
    pair.edit(espo, advoware)
    plan = plan_master(pair.state(), FIELDS)
    payloads = {operation.side: dict(operation.payload) for operation in plan.record.operations}
    assert payloads == {
        side: dict(sent) for side, sent in ((Side.ADVOWARE, plan.advoware), (Side.ESPOCRM, plan.espo)) if sent
    }
    assert plan.record.conflicts == tuple(plan.fields.conflicts)
    assert not plan.creates


@given(ESPO_EDITS)
def test_a_party_is_created_with_what_advoware_takes_and_the_mark_to_find_it_again(espo: dict[str, Any]) -> None:
    state = party_state(
        espo_id="e1",
        betnr=None,
        espo_attributes={"lastName": "Huber", **espo},
        advoware_attributes=None,
        base=None,
        table=FIELDS,
    )
    plan = plan_master(state, FIELDS)
    assert plan.creates
    assert plan.advoware["bemerkung"] == "EspoCRM-ID: e1"
    (operation,) = plan.record.operations
    assert (operation.side, operation.key, operation.payload) == (Side.ADVOWARE, None, plan.advoware)
    sent = FIELDS.read(Side.ADVOWARE, plan.advoware)
    filled = {
        name: value for name, value in state.espocrm.items() if value is not None and not str(value).startswith("?")
    }
    assert sent == filled
    assert {change.field: change.new for change in operation.changes} == filled


@given(NAMES, NAMES)
def test_a_companys_two_names_come_together(firm: str, last: str) -> None:
    pair = Pair({"firmenname": "Alt", "lastName": "Alt", "rechtsform": "GmbH"}, {"name": "Alt", "rechtsform": "GmbH"})
    pair.sync()
    pair.edit({"firmenname": firm, "lastName": last}, {})
    plan = pair.sync()
    names = {text(one) for one in (pair.espo["firmenname"], pair.espo["lastName"], pair.advoware["name"])}
    assert names == {text(firm)}, "the name of a company is its firmenname"
    assert pair.base is not None
    assert MIRROR in pair.base.espocrm
    lost = [] if text(last) == text(firm) else [text(last)]
    assert [change.losing for change in plan.record.conflicts] == lost
    assert [task.kind for task in plan.record.tasks] == [TaskKind.CONFLICT] * len(lost)
    assert not pair.sync().record.tasks


@given(st.sampled_from(["handelsregisterNummer", "registergericht"]))
def test_a_field_that_advoware_ignores_in_an_update_becomes_a_task_and_no_write(attribute: str) -> None:
    pair = Pair()
    pair.sync()
    pair.edit({attribute: "HRB 7"}, {})
    plan = pair.sync()
    assert written(plan) == {"espo": {}, "advoware": {}}
    assert [task.kind for task in plan.record.tasks] == [TaskKind.READONLY_FIELD]
