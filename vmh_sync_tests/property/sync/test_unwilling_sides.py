"""Sides that refuse, drop or cut what they are sent: different is never called equal, what is refused never travels.

The pure core of every entity (merge, plan, try again, read back, tasks) between two sides in memory.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from hypothesis import given, settings
from hypothesis import strategies as st

from vmh_sync.sync.base import Base, Side
from vmh_sync.sync.deciding.apart import apart_fields, news, refused_fields, superseded, try_again
from vmh_sync.sync.deciding.field_plan import TRIED_AGAIN, disagreeing, plan_fields
from vmh_sync.sync.deciding.read_back import read_back
from vmh_sync.sync.merge import merge
from vmh_sync.sync.planning.plan import FieldChange, TaskWanted
from vmh_sync.sync.values import Kind, Value, same
from vmh_sync_tests.property.sync.spellings import SPELLINGS, TABLE, record, value_of

SAME = settings(max_examples=150, derandomize=True, database=None, deadline=None)
NAMES = [str(kind) for kind in SPELLINGS]
Way = Enum("Way", "TAKES REFUSES DROPS CUTS SPELLS")
Ways = dict[tuple[Side, str], Way]


def ways_of(espocrm: Way, advoware: Way) -> Ways:
    both = {Side.ESPOCRM: espocrm, Side.ADVOWARE: advoware}
    return {(side, name): both[side] for side in Side for name in NAMES}


WAYS = st.builds(ways_of, st.sampled_from(Way), st.sampled_from(Way))


def _plain(value: Value) -> Value:
    """Return how a side with a spelling of its own writes a text."""
    return " ".join(value.upper().split()) if isinstance(value, str) else value


@dataclass
class Pair:
    """One record on both sides, the base, and the tasks that are open about it."""

    holds: dict[Side, dict[str, Value]]
    base: Base
    tasks: list[TaskWanted] = field(default_factory=list)

    @property
    def apart(self) -> set[str]:
        espo, advo = self.holds[Side.ESPOCRM], self.holds[Side.ADVOWARE]
        return {name for name in NAMES if not same(TABLE[name].kind, _plain(espo[name]), _plain(advo[name]))}

    def one_pass(self, ways: Ways, *, due: bool = False) -> tuple[list[FieldChange], list[TaskWanted]]:
        """A pass as every entity makes it; returns what was sent and what was told anew."""
        refused = refused_fields(self.tasks, TABLE, self.holds)
        espo, advo = self.holds[Side.ESPOCRM], self.holds[Side.ADVOWARE]
        decisions = merge(TABLE.rules, base=self.base, espocrm=espo, advoware=advo)
        plan = plan_fields(try_again(decisions, TABLE, refused, due=due), TABLE, base=self.base)
        found = list(plan.tasks)
        for side in Side:
            before, no = dict(self.holds[side]), self._take(side, plan.changes(side), ways)
            made = read_back(
                plan.changes(side),
                TABLE,
                side,
                before=before,
                stands=self.holds[side],
                refused=no,
                base=plan.base_of(side),
            )
            found += made.tasks
        self.base = plan.base
        new = news(found, [(task.kind, task.fields, task.details) for task in self.tasks])
        self._tell(new)
        return [*plan.to_espocrm, *plan.to_advoware], new

    def _take(self, side: Side, changes: Sequence[FieldChange], ways: Ways) -> dict[str, str]:
        for change in changes:
            way = ways[side, change.field]
            if way is Way.TAKES:
                self.holds[side][change.field] = change.new
            elif way is Way.CUTS:
                cut = change.new[:3] if isinstance(change.new, str) and TABLE[change.field].kind is Kind.TEXT else None
                self.holds[side][change.field] = cut or change.new
            elif way is Way.SPELLS:
                self.holds[side][change.field] = _plain(change.new)
        return {change.field: "nein" for change in changes if ways[side, change.field] is Way.REFUSES}

    def _tell(self, new: Sequence[TaskWanted]) -> None:
        replaced = {(task.kind, task.fields) for task in new}
        self.tasks = [task for task in self.tasks if (task.kind, task.fields) not in replaced] + list(new)
        said = {Side.ESPOCRM: self.base.espocrm, Side.ADVOWARE: self.base.advoware}
        self.tasks = [
            task
            for task in self.tasks
            if disagreeing(task.fields, TABLE, *said.values())
            if any(task is one for one in new) or not superseded(task, TABLE, said)
        ]


def agreed(values: dict[str, Value]) -> Pair:
    return Pair({side: dict(values) for side in Side}, Base(dict(values), dict(values)))


Edit = tuple[Side, str, Value, Ways, bool]


def first_spelling(kind: Kind) -> st.SearchStrategy[Value]:
    return st.sampled_from([group[0] for group in SPELLINGS[kind]])


def edits_of(value: Callable[[Kind], st.SearchStrategy[Value]]) -> st.SearchStrategy[list[Edit]]:
    """Edits of one or two fields: who types what where, how willing both sides are then, and whether a retry is due."""

    def one(name: str) -> st.SearchStrategy[Edit]:
        return st.tuples(st.sampled_from(Side), st.just(name), value(TABLE[name].kind), WAYS, st.booleans())

    fields = st.lists(st.sampled_from(NAMES), min_size=1, max_size=2)
    return fields.flatmap(lambda names: st.lists(st.sampled_from(names).flatmap(one), max_size=6))


@SAME
@given(record(), edits_of(value_of))
def test_what_a_person_typed_stays_where_it_was_typed_and_a_difference_is_told(
    values: dict[str, Value], edits: list[Edit]
) -> None:
    pair = agreed(values)
    typed: dict[str, tuple[Side, Value]] = {}
    for side, name, value, ways, due in edits:
        if not same(TABLE[name].kind, pair.holds[side][name], value):
            typed[name] = (side, value)
        pair.holds[side][name] = value
        pair.one_pass(ways, due=due)
        told = {name for task in pair.tasks for name in task.fields}
        assert pair.apart == set(apart_fields(TABLE, pair.base, told)), "what is called different"
        assert pair.apart <= told, "what a person is told"
        for one, (where, what) in typed.items():
            assert same(TABLE[one].kind, pair.holds[where][one], what), "the last edit stands where it was typed"


@SAME
@given(st.fixed_dictionaries({str(kind): first_spelling(kind) for kind in SPELLINGS}), edits_of(first_spelling), WAYS)
def test_a_pass_in_which_nobody_edits_sends_only_what_was_refused_and_tells_nothing_anew(
    values: dict[str, Value], edits: list[Edit], ways: Ways
) -> None:
    pair = agreed(values)
    for side, name, value, _, _ in edits:
        pair.holds[side][name] = value
        pair.one_pass(ways)
    assert pair.one_pass(ways) == ([], [])
    sent, told = pair.one_pass(ways, due=True)
    assert told == []
    assert all(change.reason == TRIED_AGAIN for change in sent)
    assert {change.field for change in sent} <= pair.apart


@SAME
@given(record(), st.lists(st.tuples(st.sampled_from(Side), st.sampled_from(NAMES)), max_size=4), st.data())
def test_what_was_refused_arrives_once_the_side_takes_it_and_its_task_closes(
    values: dict[str, Value], edits: list[tuple[Side, str]], data: st.DataObject
) -> None:
    pair = agreed(values)
    no, yes = (
        dict.fromkeys([(side, name) for side in Side for name in NAMES], way) for way in (Way.REFUSES, Way.TAKES)
    )
    for side, name in edits:
        pair.holds[side][name] = data.draw(value_of(TABLE[name].kind))
        pair.one_pass(no)
    pair.one_pass(yes, due=True)
    assert (pair.apart, pair.tasks) == (set(), [])


def test_a_refused_value_is_not_tried_again_over_what_somebody_typed_since() -> None:
    pair = agreed(dict.fromkeys(NAMES))
    pair.holds[Side.ADVOWARE]["text"] = "Kanzlei"
    pair.one_pass(ways_of(Way.REFUSES, Way.TAKES))
    pair.holds[Side.ESPOCRM]["text"] = "Notariat"
    pair.one_pass(ways_of(Way.TAKES, Way.DROPS))
    assert [task.details["wanted"] for task in pair.tasks] == ["Notariat"]
    assert pair.one_pass(ways_of(Way.TAKES, Way.TAKES), due=True) == ([], [])
    assert pair.holds[Side.ESPOCRM]["text"] == "Notariat"
