"""A pass that is killed, or loses its answer, while it changes an e-mail or phone that both sides have.

What it sent is known: whoever sets the entry back by hand is told, and what a person types again in EspoCRM stays.
"""

from collections.abc import Iterator

import pytest

from vmh_sync.beteiligte.pipeline import PartyPipeline
from vmh_sync.kommunikation.pairs import pairs_of
from vmh_sync.sync.merge import ConflictRule
from vmh_sync_tests.inmemory.firm import SETTLED
from vmh_sync_tests.inmemory.network import Fate
from vmh_sync_tests.unit.kommunikation.test_entries_killed import CORRECTED, ENTRY, SENT, TYPED, Party

BEFORE, NEW = SENT, CORRECTED


class Changed(Party):
    """A party whose e-mail or phone somebody changed in EspoCRM; ``to`` nothing when it was deleted."""

    def __init__(self, sort: str, rule: ConflictRule = ConflictRule.ESPOCRM_WINS, *, deleted: bool = False) -> None:
        super().__init__(sort, rule=rule)
        self.before, self.new = BEFORE[sort], NEW[sort]
        self.settled()
        self.has(*([] if deleted else [self.new]))

    def ends(self, fate: Fate) -> None:
        self._ends(("PUT",), fate)

    def in_advoware(self, **values: str) -> None:
        self.firm.office_edit(ENTRY, self.entry(), values)

    def settled(self) -> tuple[list[str], list[str]]:
        stands = super().settled()
        with self.firm.world.store.reading() as tx:
            pairs = pairs_of(tx.links.entries_of("kommunikation", [self.espo_id]).get(self.espo_id, []))
        assert all(pair.sent is None for pair in pairs) or any("held" in str(one.details) for one in self.firm.tasks())
        return stands


def both(*values: str) -> tuple[list[str], list[str]]:
    return sorted(values), sorted(values)


@pytest.fixture
def changed(request: pytest.FixtureRequest) -> Iterator[Changed]:
    sort, *more = request.param
    one = Changed(sort, *more)
    yield one
    one.firm.world.close()


@pytest.fixture(params=["mail", "phone"])
def deleted(request: pytest.FixtureRequest) -> Iterator[Changed]:
    one = Changed(request.param, deleted=True)
    yield one
    one.firm.world.close()


SORTS = pytest.mark.parametrize("changed", [("mail",), ("phone",)], indirect=True)
KILLED = Fate(dies="after")


@SORTS
@pytest.mark.parametrize("when", ["before", "after"])
def test_without_an_edit_the_change_stands_and_nothing_is_told(changed: Changed, when: str) -> None:
    changed.ends(Fate(dies=when))
    assert (changed.settled(), changed.told()) == (both(changed.new), [])


@SORTS
def test_what_is_set_back_in_advoware_is_told(changed: Changed) -> None:
    changed.ends(KILLED)
    changed.in_advoware(tlf=changed.before)
    assert (changed.settled(), changed.told()) == (both(changed.new), [changed.before])


@pytest.mark.parametrize("changed", [("phone", ConflictRule.ADVOWARE_WINS)], indirect=True)
def test_where_advoware_wins_what_is_set_back_stands(changed: Changed) -> None:
    changed.ends(KILLED)
    changed.in_advoware(tlf=changed.before)
    assert (changed.settled(), changed.told()) == (both(changed.before), [changed.new])


@pytest.mark.parametrize("changed", [("mail", ConflictRule.MANUAL)], indirect=True)
def test_where_a_person_decides_nothing_is_written(changed: Changed) -> None:
    changed.ends(KILLED)
    changed.in_advoware(tlf=changed.before)
    for _ in range(2):
        changed.firm.settle(PartyPipeline(), [changed.espo_id])
        assert changed.sides() == ([changed.new], [changed.before])
        assert [task.kind for task in changed.firm.tasks()] == ["conflict"]


@SORTS
def test_what_is_emptied_in_advoware_comes_back_with_a_task(changed: Changed) -> None:
    changed.ends(KILLED)
    changed.in_advoware(tlf="")
    assert changed.settled() == both(changed.new)
    assert [task.kind for task in changed.firm.tasks()] == ["conflict"]


@SORTS
def test_what_is_typed_again_in_espocrm_beside_the_change_stays(changed: Changed) -> None:
    changed.ends(KILLED)
    changed.has(changed.new, changed.before)
    assert (changed.settled(), changed.told()) == (both(changed.new, changed.before), [])


@SORTS
def test_a_change_that_is_deleted_in_espocrm_does_not_come_back(changed: Changed) -> None:
    changed.ends(KILLED)
    changed.has()
    assert (changed.settled(), changed.told()) == (both(), [])


@SORTS
def test_an_edit_of_the_remark_after_a_change_that_never_left_is_no_conflict(changed: Changed) -> None:
    changed.ends(Fate(answer="refused"))
    changed.in_advoware(bemerkung="bitte abends")
    assert (changed.settled(), changed.told()) == (both(changed.new), [])


@SORTS
def test_a_change_that_never_arrived_and_was_undone_leaves_no_note(changed: Changed) -> None:
    changed.ends(Fate(dies="before"))
    changed.has(changed.before)
    assert (changed.settled(), changed.told()) == (both(changed.before), [])
    changed.in_advoware(tlf=changed.new)
    assert (changed.settled(), changed.told()) == (both(changed.new), [])


def test_what_is_typed_again_in_advoware_after_a_killed_deletion_survives(deleted: Changed) -> None:
    deleted.ends(KILLED)
    deleted.in_advoware(tlf=deleted.before)
    assert deleted.settled() == both(deleted.before)


def test_what_is_typed_again_in_espocrm_after_a_killed_deletion_survives(deleted: Changed) -> None:
    deleted.ends(KILLED)
    deleted.has(deleted.before)
    assert deleted.settled() == both(deleted.before)


def test_what_is_typed_over_a_killed_deletion_survives(deleted: Changed) -> None:
    deleted.ends(KILLED)
    deleted.in_advoware(tlf=TYPED[deleted.sort])
    assert deleted.settled() == both(TYPED[deleted.sort])


TWICE = [("mail",), ("phone",), ("phone", ConflictRule.ADVOWARE_WINS), ("mail", ConflictRule.MANUAL)]


@pytest.mark.parametrize("changed", TWICE, indirect=True)
@pytest.mark.parametrize("fate", [Fate(dies="before"), KILLED, Fate(carried_out=False, answer="lost")])
def test_what_a_pass_brought_before_the_next_one_was_killed_too_is_nobodys_edit(changed: Changed, fate: Fate) -> None:
    changed.ends(KILLED)
    changed.has(TYPED[changed.sort])
    changed.firm.world.loop.pass_time(SETTLED.total_seconds())
    changed.ends(fate)
    assert (changed.settled(), changed.told()) == (both(TYPED[changed.sort]), [])
