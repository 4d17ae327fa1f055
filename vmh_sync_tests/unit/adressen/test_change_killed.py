"""A change of an address that both sides have, whose pass was killed with the answer: what was taken back is told."""

from collections.abc import Iterator

import pytest

from vmh_sync.settings import SyncSettings
from vmh_sync.sync.merge import ConflictRule
from vmh_sync_tests.inmemory.network import Fate, Request
from vmh_sync_tests.property.adressen.test_address_passes import ADDRESS
from vmh_sync_tests.property.children.game import ChildGame

HERE, THERE = "adressePostalCode", "plz"
NEW = "30159"


class Changed:
    """An address of both sides whose code somebody changed on one side: the pass that carries it on is killed."""

    def __init__(self, edited: str, before: str | None) -> None:
        self.game = ChildGame(ADDRESS, conflict=ConflictRule.ESPOCRM_WINS, rules=SyncSettings(_env_file=None))
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

    def dies(self, when: str) -> None:
        firm = self.game.firm
        usual = firm.world.wire.fate
        kind = self.game.kind

        def fate(request: Request) -> Fate:
            writes = request.method == "PUT" and {kind.espo_entity, kind.advoware_entity} & {*request.path.split("/")}
            return Fate(dies=when) if writes and request.system == self.other else usual(request)

        firm.world.wire.fate = fate
        firm.run(self.game.passes[0], self.game.parties)
        firm.world.wire.fate = usual
        assert self.stands()[self.other] == (NEW if when == "after" else self.before)

    def stands(self) -> dict[str, str | None]:
        (here,), (there,) = self.game.here().values(), self.game.there().values()
        return {"espocrm": here[HERE] or None, "advoware": there[THERE] or None}

    def settled(self) -> tuple[dict[str, str | None], list[tuple[str | None, str | None]]]:
        """Return what both sides say, and what tasks say of the code: what stands, what is lost."""
        self.game.firm.settle(self.game.passes[0], self.game.parties)
        assert not any(link.notes.sending for link in self.game.links().values())
        decided = [task.details["decided"] for task in self.game.firm.tasks()]
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


@pytest.mark.parametrize("when", ["before", "after"])
def test_without_an_edit_nothing_is_told(changed: Changed, when: str) -> None:
    changed.dies(when)
    assert changed.settled() == (BOTH, [])


def test_what_is_edited_again_after_all_is_well_is_no_conflict(changed: Changed) -> None:
    changed.dies("after")
    assert changed.settled() == (BOTH, [])
    changed.type(changed.other, changed.before)
    assert changed.settled() == ({"espocrm": changed.before, "advoware": changed.before}, [])
