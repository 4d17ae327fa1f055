"""A write of several fields of which one is refused, one taken and one stays without an answer.

Only what may have left can be taken back: what was refused is no conflict, whatever else is edited over there.
"""

from collections.abc import Iterator, Sequence

import pytest

from vmh_sync.sync.merge import ConflictRule
from vmh_sync_tests.inmemory.network import Fate, Request
from vmh_sync_tests.unit.beteiligte.test_change_killed import NEW, OLD, Changed

FIELDS = ("vorname", "titel", "zusatz")
"""In the order in which they are sent one by one; EspoCRM's form calls the first ``firstName``."""
HERE = {"vorname": "firstName"}
WHOLE_REFUSED = Fate(carried_out=False, answer=400, says=b"{}")
ARRIVES = Fate()
UNANSWERED = Fate(carried_out=False, answer=503, says=b"{}")
NEVER_LEFT = Fate(answer="refused")


class SeveralChanged(Changed):
    """A party in which somebody changed three fields on one side."""

    def __init__(self, rule: ConflictRule) -> None:
        super().__init__("espocrm", rule, *FIELDS)
        self.firm.crm_edit("CBeteiligte", self.espo_id, {HERE.get(name, name): OLD for name in FIELDS})
        self.firm.settle(self.pipeline, [self.espo_id])
        self.firm.crm_edit("CBeteiligte", self.espo_id, {HERE.get(name, name): NEW for name in FIELDS})

    def write_ends(self, fates: Sequence[Fate]) -> None:
        """Make one pass whose writes to Advoware have these fates, all that follow the last."""
        left = list(fates)

        def chosen(request: Request) -> Fate | None:
            if not self.is_the_write(request):
                return None
            return left.pop(0) if len(left) > 1 else left[0]

        self.passes(chosen)
        assert len(left) == 1

    def all_stands(self) -> tuple[list[str], list[str]]:
        here, there = self.firm.crm_row("CBeteiligte", self.espo_id), self.firm.office_rows("Beteiligte")[self.betnr]
        assert here is not None
        return [here[HERE.get(name, name)] for name in FIELDS], [there[name] for name in FIELDS]

    def settled_all(self) -> tuple[list[str], list[str]]:
        self.firm.settle(self.pipeline, [self.espo_id])
        return self.all_stands()

    def told(self) -> set[str]:
        """Return the fields that tasks name as conflicts."""
        return {name for task in self.firm.tasks() if task.kind == "conflict" for name in task.fields}


@pytest.fixture
def changed(request: pytest.FixtureRequest) -> Iterator[SeveralChanged]:
    one = SeveralChanged(getattr(request, "param", ConflictRule.ESPOCRM_WINS))
    yield one
    one.firm.world.close()


ALL_NEW = ([NEW] * 3, [NEW] * 3)
LAST = {"killed": Fate(dies="before"), "unanswered": UNANSWERED, "never left": NEVER_LEFT}


RULES = [ConflictRule.ADVOWARE_WINS, ConflictRule.NEWEST_WINS, ConflictRule.MANUAL]
CASES = [*((rule, "killed") for rule in RULES), (RULES[0], "unanswered"), (RULES[0], "never left")]


@pytest.mark.parametrize(("changed", "last"), CASES, indirect=["changed"])
def test_what_was_refused_or_never_arrived_is_no_conflict(changed: SeveralChanged, last: str) -> None:
    changed.write_ends([WHOLE_REFUSED, WHOLE_REFUSED, ARRIVES, LAST[last]])
    assert changed.all_stands() == ([NEW] * 3, [OLD, NEW, OLD])
    assert changed.settled_all() == ALL_NEW
    assert (changed.told(), changed.noted()) == (set(), {})


@pytest.mark.parametrize(
    ("last", "unsure"), [("never left", set()), ("killed", {"zusatz"}), ("unanswered", {"zusatz", "vorname"})]
)
def test_after_another_edit_only_what_may_have_left_is_a_conflict(
    changed: SeveralChanged, last: str, unsure: set[str]
) -> None:
    changed.write_ends([WHOLE_REFUSED, WHOLE_REFUSED, ARRIVES, LAST[last]])
    changed.type("advoware", "kurzname", "hub")
    here, there = changed.settled_all()
    assert (here[1], there[1]) == (NEW, NEW)
    assert changed.told() == unsure


@pytest.mark.parametrize("last", ["killed", "unanswered"])
def test_what_was_taken_before_and_set_back_is_told(changed: SeveralChanged, last: str) -> None:
    changed.write_ends([WHOLE_REFUSED, WHOLE_REFUSED, ARRIVES, LAST[last]])
    changed.type("advoware", "titel", OLD)
    changed.settled_all()
    assert "titel" in changed.told()
