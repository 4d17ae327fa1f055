"""A change of an address that both sides have, whose pass was killed with the answer: what was taken back is told.

What certainly did not leave cannot be taken back, and our own status in the record is nobody's edit.
"""

from collections.abc import Callable, Iterator

import pytest

from vmh_sync.settings import SyncSettings
from vmh_sync.sync.merge import ConflictRule
from vmh_sync_tests.inmemory.firm import SETTLED
from vmh_sync_tests.inmemory.network import Fate, Request
from vmh_sync_tests.property.adressen.test_address_passes import ADDRESS
from vmh_sync_tests.property.children.game import ChildGame
from vmh_sync_tests.unit.kommunikation.killed import WritesFail

HERE, THERE = "adressePostalCode", "plz"
TOWN = "Celle"
NEW = "30159"


class Changed:
    """An address of both sides whose code somebody changed on one side: the pass that carries it on is killed."""

    def __init__(self, edited: str, before: str | None, rule: ConflictRule = ConflictRule.ESPOCRM_WINS) -> None:
        self.game = ChildGame(ADDRESS, conflict=rule, rules=SyncSettings(_env_file=None))
        self.edited, self.before = edited, before
        self.game.add_here({"adresseStreet": "Marktstraße 5", HERE: before, "adresseCity": "Hannover"})
        self.game.firm.settle(self.game.passes[0], self.game.parties)
        self.type(edited, NEW)

    def type(self, side: str, value: str | None) -> None:
        if side == "espocrm":
            self.game.change_here(next(iter(self.game.here())), {HERE: value})
        else:
            self.game.change_there(next(iter(self.game.there())), {THERE: value})

    @property
    def other(self) -> str:
        return "advoware" if self.edited == "espocrm" else "espocrm"

    def types_a_town(self, side: str) -> None:
        if side == "espocrm":
            self.game.change_here(next(iter(self.game.here())), {"adresseCity": TOWN})
        else:
            self.game.change_there(next(iter(self.game.there())), {"ort": TOWN})

    def passes(self, chosen: Callable[[Request], Fate | None]) -> None:
        """Make one pass whose requests have the fate ``chosen`` for them, if any."""
        wire = self.game.firm.world.wire
        usual = wire.fate
        wire.fate = lambda request: chosen(request) or usual(request)
        self.game.firm.run(self.game.passes[0], self.game.parties)
        wire.fate = usual

    def is_the_write(self, request: Request) -> bool:
        names = {self.game.kind.espo_entity, self.game.kind.advoware_entity}
        to_the_record = request.method == "PUT" and bool(names & {*request.path.split("/")})
        return to_the_record and request.system == self.other

    def dies(self, when: str) -> None:
        self.passes(lambda request: Fate(dies=when) if self.is_the_write(request) else None)
        assert self.stands()[self.other] == (NEW if when == "after" else self.before)

    def town_is_typed_once_the_write_is_noted(self) -> None:
        """Before the look at the record that is going to be written."""
        typed: list[Request] = []

        def chosen(request: Request) -> None:
            if not typed and request.method == "GET" and self.noted():
                typed.append(request)
                self.types_a_town(self.other)

        self.passes(chosen)
        assert typed

    def fails(self, answer: int | str, *, times: int) -> None:
        """Make one pass whose first writes of the record do not arrive."""
        fate = WritesFail(self.is_the_write, answer, times)
        self.passes(fate)
        assert fate.failed == times

    def noted(self) -> bool:
        return any(link.notes.sending for link in self.game.links().values())

    def towns(self) -> list[str]:
        rows = [*self.game.here().values(), *self.game.there().values()]
        return [row.get("adresseCity") or row["ort"] for row in rows]

    def stands(self) -> dict[str, str | None]:
        (here,), (there,) = self.game.here().values(), self.game.there().values()
        return {"espocrm": here[HERE] or None, "advoware": there[THERE] or None}

    def settled(self) -> tuple[dict[str, str | None], list[tuple[str | None, str | None]]]:
        """Return what both sides say, and what tasks say of the code: what stands, what is lost."""
        self.game.firm.settle(self.game.passes[0], self.game.parties)
        tasks = [task.details for task in self.game.firm.tasks()]
        assert not self.noted() or any("held" in one for one in tasks)
        decided = [one["decided"] for one in tasks if "decided" in one]
        return self.stands(), [(one["plz"]["stands"], one["plz"]["lost"]) for one in decided]


@pytest.fixture(params=[("espocrm", None), ("espocrm", "10115"), ("advoware", None)])
def changed(request: pytest.FixtureRequest) -> Iterator[Changed]:
    one = Changed(*request.param)
    yield one
    one.game.firm.world.close()


BOTH = {"espocrm": NEW, "advoware": NEW}


def test_what_a_person_took_back_on_the_other_side_is_told_when_it_is_written_again(changed: Changed) -> None:
    changed.dies("after")
    changed.type(changed.other, changed.before)
    assert changed.settled() == (BOTH, [(NEW, changed.before)])


@pytest.mark.parametrize("changed", [("espocrm", "10115", ConflictRule.ADVOWARE_WINS)], indirect=True)
def test_where_advoware_wins_what_was_taken_back_there_stands(changed: Changed) -> None:
    changed.dies("after")
    changed.type("advoware", "10115")
    assert changed.settled() == ({"espocrm": "10115", "advoware": "10115"}, [("10115", NEW)])


@pytest.mark.parametrize("changed", [("espocrm", "10115", ConflictRule.ADVOWARE_WINS)], indirect=True)
def test_a_pass_killed_again_while_it_carries_out_the_rule_does_not_turn_it_round(changed: Changed) -> None:
    changed.dies("after")
    changed.type("advoware", "10115")
    changed.game.firm.finish()
    changed.game.firm.world.loop.pass_time(SETTLED.total_seconds())
    killed: list[Request] = []

    def chosen(request: Request) -> Fate | None:
        if request.method != "PUT" or request.system != "espocrm" or killed:
            return None
        killed.append(request)
        return Fate(dies="before")

    changed.passes(chosen)
    assert killed and changed.stands() == {"espocrm": NEW, "advoware": "10115"}
    assert changed.settled()[0] == {"espocrm": "10115", "advoware": "10115"}


@pytest.mark.parametrize("changed", [("espocrm", "10115", ConflictRule.MANUAL)], indirect=True)
def test_where_a_person_decides_what_was_taken_back_stays_apart(changed: Changed) -> None:
    changed.dies("after")
    changed.type("advoware", "10115")
    for _ in range(2):
        assert changed.settled() == ({"espocrm": NEW, "advoware": "10115"}, [])
        assert [list(task.details["held"]) for task in changed.game.firm.tasks()] == [["plz"]]
        changed.types_a_town("advoware")
    changed.type("espocrm", "10115")
    assert changed.settled() == ({"espocrm": "10115", "advoware": "10115"}, [])
    assert not changed.noted()


@pytest.mark.parametrize(
    ("changed", "when"),
    [(("espocrm", None), "before"), (("espocrm", "10115"), "after"), (("advoware", None), "after")],
    indirect=["changed"],
)
def test_without_an_edit_nothing_is_told(changed: Changed, when: str) -> None:
    changed.dies(when)
    assert changed.settled() == (BOTH, [])


@pytest.mark.parametrize("changed", [("espocrm", "10115")], indirect=True)
def test_what_is_edited_again_after_all_is_well_is_no_conflict(changed: Changed) -> None:
    changed.dies("after")
    assert changed.settled() == (BOTH, [])
    changed.type(changed.other, changed.before)
    assert changed.settled() == ({"espocrm": changed.before, "advoware": changed.before}, [])


RULES = (ConflictRule.ESPOCRM_WINS, ConflictRule.ADVOWARE_WINS, ConflictRule.MANUAL)
EDITED_BY_RULE = [(side, "10115", rule) for side in ("espocrm", "advoware") for rule in RULES]


@pytest.mark.parametrize("changed", EDITED_BY_RULE, indirect=True)
@pytest.mark.parametrize("value", ["20095", "10115"])
def test_what_is_edited_on_after_a_killed_pass_is_no_conflict_with_what_that_brought(
    changed: Changed, value: str
) -> None:
    changed.dies("after")
    changed.type(changed.edited, value)
    assert changed.settled() == ({"espocrm": value, "advoware": value}, [])


BOTH_WAYS = pytest.mark.parametrize("changed", [("espocrm", "10115"), ("advoware", "10115")], indirect=True)


@BOTH_WAYS
def test_an_edit_of_another_field_before_the_write_leaves_makes_no_conflict(changed: Changed) -> None:
    changed.town_is_typed_once_the_write_is_noted()
    assert (changed.settled(), changed.towns()) == ((BOTH, []), [TOWN, TOWN])


@BOTH_WAYS
def test_an_edit_of_another_field_after_a_write_that_never_left_makes_no_conflict(changed: Changed) -> None:
    changed.fails("refused", times=4)
    changed.types_a_town(changed.other)
    assert (changed.settled(), changed.towns()) == ((BOTH, []), [TOWN, TOWN])


@pytest.mark.parametrize("changed", [("espocrm", "10115", ConflictRule.ADVOWARE_WINS)], indirect=True)
def test_what_was_refused_while_another_value_was_taken_makes_no_conflict(changed: Changed) -> None:
    """The values go one by one then: the code is refused, the town taken, and the next look fails."""
    changed.types_a_town("espocrm")
    refused = Fate(carried_out=False, answer=400, says=b"{}")
    fates = [refused, refused, Fate(), Fate(dies="before")]
    changed.game.change_here(next(iter(changed.game.here())), {"adresseStreet": "Am Markt 1"})
    changed.passes(lambda request: fates.pop(0) if changed.is_the_write(request) else None)
    assert not fates
    assert changed.settled() == (BOTH, [])


@pytest.mark.parametrize("changed", [("advoware", "10115")], indirect=True)
def test_our_own_word_that_a_write_failed_makes_no_conflict(changed: Changed) -> None:
    """Each try of the pass stays without an answer, what the record's status says afterwards arrives."""
    changed.fails(503, times=3)
    assert [row["syncStatus"] for row in changed.game.here().values()] == ["failed"]
    assert changed.settled() == (BOTH, [])
