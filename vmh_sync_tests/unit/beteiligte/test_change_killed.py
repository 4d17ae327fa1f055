"""A change of a party that both sides have, whose pass was killed with the answer: what was taken back is told.

As for an address (``unit/adressen/test_change_killed.py``), by each conflict rule.
"""

from collections.abc import Callable, Iterator

import pytest

from vmh_sync.beteiligte.pipeline import PartyPipeline
from vmh_sync.settings import SyncSettings
from vmh_sync.store.link_notes import NOTHING
from vmh_sync.sync.merge import ConflictRule
from vmh_sync_tests.inmemory.firm import SETTLED, Firm, Hindrance
from vmh_sync_tests.inmemory.network import Fate, Request
from vmh_sync_tests.inmemory.world import World
from vmh_sync_tests.unit.kommunikation.killed import WritesFail, pass_that_ends_so

CRM, OFFICE = "CBeteiligte", "Beteiligte"
OLD, NEW = "vorher", "neu"


class Changed:
    """A party of both sides whose ``zusatz`` somebody changed on one side."""

    pipeline = PartyPipeline()

    def __init__(self, edited: str, rule: ConflictRule = ConflictRule.ESPOCRM_WINS, *more: str) -> None:
        table = {"beteiligte": {name: {"conflict": rule.value} for name in ("zusatz", *more)}}
        self.firm = Firm(World(rules=SyncSettings(_env_file=None), field_changes=table))
        self.other = "advoware" if edited == "espocrm" else "espocrm"
        self.betnr = self.firm.office_create(OFFICE, {"name": "Huber", "zusatz": OLD})
        self.espo_id = self.firm.crm_create(CRM, {"lastName": "Huber", "zusatz": OLD, "betnr": int(self.betnr)})
        self.firm.settle(PartyPipeline(), [self.espo_id])
        self.type(edited, "zusatz", NEW)

    def type(self, side: str, field: str, value: str) -> None:
        if side == "espocrm":
            self.firm.crm_edit(CRM, self.espo_id, {field: value})
        else:
            self.firm.office_edit(OFFICE, self.betnr, {field: value})

    def is_the_write(self, request: Request) -> bool:
        record = {"espocrm": f"/{CRM}/{self.espo_id}", "advoware": f"/{OFFICE}/{self.betnr}"}[self.other]
        return request.method == "PUT" and request.path.endswith(record)

    def dies(self, when: str) -> None:
        pass_that_ends_so(self.firm, self.espo_id, self.is_the_write, Fate(dies=when))
        assert self.stands()[self.other] == (NEW if when == "after" else OLD)

    def passes(self, chosen: Callable[[Request], Fate | None]) -> None:
        wire = self.firm.world.wire
        usual = wire.fate
        wire.fate = lambda request: chosen(request) or usual(request)
        self.firm.run(PartyPipeline(), [self.espo_id])
        wire.fate = usual

    def fails(self, answer: int | str, *, times: int) -> None:
        """Make one pass whose first writes of the record do not arrive."""
        fate = WritesFail(self.is_the_write, answer, times)
        self.passes(fate)
        assert fate.failed == times

    def noted(self) -> dict[str, object]:
        with self.firm.world.store.reading() as tx:
            link = tx.links.get_by_espo("beteiligte", self.espo_id)
        return (link.notes if link is not None else NOTHING).sending

    def stands(self) -> dict[str, str]:
        here, there = self.firm.crm_row(CRM, self.espo_id), self.firm.office_rows(OFFICE)[self.betnr]
        assert here is not None
        return {"espocrm": here["zusatz"], "advoware": there["zusatz"]}

    def settled(self) -> tuple[dict[str, str], list[tuple[str, str]]]:
        """Return what both sides say, and what tasks say of the field: what stands, what is lost."""
        self.firm.settle(PartyPipeline(), [self.espo_id])
        decided = [task.details["decided"] for task in self.firm.tasks() if "decided" in task.details]
        return self.stands(), [(one["zusatz"]["stands"], one["zusatz"]["lost"]) for one in decided]


Begin = Callable[..., Changed]


@pytest.fixture
def begin() -> Iterator[Begin]:
    begun: list[Changed] = []

    def one(edited: str, rule: ConflictRule = ConflictRule.ESPOCRM_WINS) -> Changed:
        begun.append(Changed(edited, rule))
        return begun[-1]

    yield one
    for changed in begun:
        changed.firm.world.close()


def both(value: str) -> dict[str, str]:
    return {"espocrm": value, "advoware": value}


BOTH_WAYS = pytest.mark.parametrize("edited", ["espocrm", "advoware"])
RULES = [
    ("espocrm", ConflictRule.ESPOCRM_WINS, NEW),
    ("advoware", ConflictRule.ESPOCRM_WINS, NEW),
    ("espocrm", ConflictRule.ADVOWARE_WINS, OLD),
    ("advoware", ConflictRule.ADVOWARE_WINS, NEW),
]


@pytest.mark.parametrize(("edited", "rule", "stands"), RULES)
def test_what_a_person_took_back_is_told_and_the_rule_says_what_stands(
    begin: Begin, edited: str, rule: ConflictRule, stands: str
) -> None:
    changed = begin(edited, rule)
    changed.dies("after")
    changed.type(changed.other, "zusatz", OLD)
    assert changed.settled() == (both(stands), [(stands, OLD if stands == NEW else NEW)])
    assert changed.noted() == {}


@BOTH_WAYS
def test_where_a_person_decides_nothing_is_written_until_both_sides_agree(begin: Begin, edited: str) -> None:
    changed = begin(edited, ConflictRule.MANUAL)
    changed.dies("after")
    changed.type(changed.other, "zusatz", OLD)
    apart = {edited: NEW, changed.other: OLD}
    for _ in range(2):
        assert changed.settled() == (apart, [])
        assert [task.details for task in changed.firm.tasks()] == [{"held": {"zusatz": apart}}]
        changed.type(changed.other, "titel", "Dr.")
    changed.type(edited, "zusatz", OLD)
    assert changed.settled() == (both(OLD), [])
    assert changed.noted() == {}


@BOTH_WAYS
@pytest.mark.parametrize("when", ["before", "after"])
def test_without_an_edit_nothing_is_told(begin: Begin, edited: str, when: str) -> None:
    changed = begin(edited)
    changed.dies(when)
    assert changed.settled() == (both(NEW), [])
    assert changed.noted() == {}


@BOTH_WAYS
def test_what_was_given_up_on_its_own_side_leaves_no_note(begin: Begin, edited: str) -> None:
    """The write never arrived and its edit was undone: a later edit is no conflict."""
    changed = begin(edited)
    changed.dies("before")
    changed.type(edited, "zusatz", OLD)
    assert changed.settled() == (both(OLD), [])
    assert changed.noted() == {}


@BOTH_WAYS
def test_an_edit_of_another_field_after_a_write_that_never_left_makes_no_conflict(begin: Begin, edited: str) -> None:
    changed = begin(edited)
    changed.fails("refused", times=4)
    changed.type(changed.other, "titel", "Dr.")
    assert changed.settled() == (both(NEW), [])


def test_our_own_word_that_a_write_failed_makes_no_conflict(begin: Begin) -> None:
    changed = begin("advoware")
    changed.fails(503, times=4)
    row = changed.firm.crm_row(CRM, changed.espo_id) or {}
    assert (row["syncStatus"], bool(changed.noted())) == ("failed", True)
    assert changed.settled() == (both(NEW), [])


def test_a_pass_killed_again_while_it_carries_out_the_rule_does_not_turn_it_round(begin: Begin) -> None:
    changed = begin("espocrm", ConflictRule.ADVOWARE_WINS)
    changed.dies("after")
    changed.type("advoware", "zusatz", OLD)

    def writes_back(request: Request) -> bool:
        return request.method == "PUT" and request.path.endswith(f"/{CRM}/{changed.espo_id}")

    changed.firm.finish()
    changed.firm.world.loop.pass_time(SETTLED.total_seconds())
    pass_that_ends_so(changed.firm, changed.espo_id, writes_back, Fate(dies="before"))
    assert changed.stands() == {"espocrm": NEW, "advoware": OLD}
    assert changed.settled()[0] == both(OLD)
    assert changed.noted() == {}


ALL_RULES = pytest.mark.parametrize("rule", [rule for rule in ConflictRule if rule is not ConflictRule.NEWEST_WINS])
NEWER = "noch neuer"


@ALL_RULES
@BOTH_WAYS
@pytest.mark.parametrize("again", [None, "before", "after"])
def test_what_is_edited_on_after_a_killed_pass_is_no_conflict_with_what_that_brought(
    begin: Begin, edited: str, rule: ConflictRule, again: str | None
) -> None:
    changed = begin(edited, rule)
    changed.dies("after")
    changed.type(edited, "zusatz", NEWER)
    if again is not None:
        changed.firm.world.loop.pass_time(SETTLED.total_seconds())
        pass_that_ends_so(changed.firm, changed.espo_id, changed.is_the_write, Fate(dies=again))
    assert changed.settled() == (both(NEWER), [])
    assert changed.noted() == {}


@BOTH_WAYS
def test_what_its_author_sets_back_after_a_killed_pass_does_not_come_again(begin: Begin, edited: str) -> None:
    changed = begin(edited)
    changed.dies("after")
    changed.type(edited, "zusatz", OLD)
    assert changed.settled() == (both(OLD), [])


UNREADABLE = Fate(answer=200, says=b'[{"betNr": "x"}]', of=lambda one: one.system == "advoware" and not one.is_write)


@pytest.mark.parametrize("newer", ["espocrm", "advoware"])
def test_a_failure_that_its_record_tells_makes_it_no_newer(begin: Begin, newer: str) -> None:
    """Told twice, and ``newest_wins``."""
    changed = begin("espocrm" if newer == "advoware" else "advoware", ConflictRule.NEWEST_WINS)
    changed.firm.world.loop.pass_time(3)
    changed.type(newer, "zusatz", NEWER)
    for attempt in range(2):
        changed.firm.world.loop.pass_time(400)
        changed.firm.run(PartyPipeline(), [changed.espo_id], Hindrance(fates=dict.fromkeys(range(30), UNREADABLE)))
        row = changed.firm.crm_row(CRM, changed.espo_id) or {}
        assert (row["syncStatus"], row["syncRetryCount"]) == ("failed", attempt + 1)
    assert changed.settled() == (both(NEWER), [(NEWER, NEW)])
