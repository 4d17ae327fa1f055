"""An account or address that was deleted in EspoCRM and stands there once more: Advoware still has it."""

from collections.abc import Iterator

import pytest

from vmh_sync.settings import SyncSettings
from vmh_sync.sync.merge import ConflictRule
from vmh_sync_tests.property.adressen.test_address_passes import ADDRESS
from vmh_sync_tests.property.bankverbindungen.test_account_passes import ACCOUNT
from vmh_sync_tests.property.children.game import ChildGame

OTHERS = {
    "account": {"iban": "DE02120300000000202051", "kontoinhaber": "Huber"},
    "address": {"adresseStreet": "Neuer Weg 9", "adressePostalCode": "10115", "adresseCity": "Berlin"},
}
VALUES = {
    "account": (ACCOUNT, {"iban": "DE89370400440532013000", "kontoinhaber": "Huber"}),
    "address": (ADDRESS, {"adresseStreet": "Marktstraße 5", "adressePostalCode": "30159", "adresseCity": "Hannover"}),
}


class Entered:
    """A record of EspoCRM that Advoware has too."""

    def __init__(self, sort: str, **settings: str) -> None:
        child, self.values = VALUES[sort]
        self.others = OTHERS[sort]
        rules = SyncSettings(_env_file=None, **settings)  # type: ignore[arg-type]
        self.game = ChildGame(child, conflict=ConflictRule.ESPOCRM_WINS, rules=rules)
        self.enter()
        (self.first,) = self.game.here()
        self.settle()

    def enter(self, *, active: bool = True) -> None:
        self.game.add_here({**self.values, "istAktiv": active})

    def settle(self) -> None:
        self.game.firm.settle(self.game.passes[0], self.game.parties)

    def statuses(self) -> list[tuple[str, str | None]]:
        key = self.game.kind.key_attribute
        rows = self.game.here().values()
        assert {row[key] for row in rows} <= {None, *map(int, self.game.there())}
        return [(row["syncStatus"], row["syncErrorMessage"]) for row in rows]

    def tasks(self) -> list[str]:
        assert len(self.game.there()) == 1
        return [task.kind for task in self.game.firm.tasks()]


@pytest.fixture(params=VALUES)
def entered(request: pytest.FixtureRequest) -> Iterator[Entered]:
    one = Entered(request.param)
    yield one
    one.game.firm.world.close()


@pytest.mark.parametrize("told", [False, True], ids=["at once", "after its task"])
def test_what_is_deleted_and_entered_again_is_the_same(entered: Entered, *, told: bool) -> None:
    entered.game.delete_here(entered.first)
    if told:
        entered.settle()
        assert entered.tasks() == [entered.game.kind.delete_task]
    entered.enter()
    entered.settle()
    assert (entered.statuses(), entered.tasks()) == ([("clean", None)], [])


def test_of_two_equal_ones_either_may_be_deleted(entered: Entered) -> None:
    """The second one's message says: delete the double."""
    entered.enter()
    entered.settle()
    assert entered.game.kind.double in [message for _, message in entered.statuses()]
    entered.game.delete_here(entered.first)
    entered.settle()
    assert (entered.statuses(), entered.tasks()) == ([("clean", None)], [])


def test_one_that_is_switched_off_takes_no_deleted_ones_place(entered: Entered) -> None:
    entered.enter(active=False)
    entered.settle()
    entered.game.delete_here(entered.first)
    entered.settle()
    assert entered.tasks() == [entered.game.kind.delete_task]


def test_one_that_is_switched_off_takes_no_place_by_its_number(entered: Entered) -> None:
    """A copy that EspoCRM made with all fields."""
    game = entered.game
    number = next(iter(game.here().values()))[game.kind.key_attribute]
    game.add_here({**entered.values, "istAktiv": False, game.kind.key_attribute: number})
    game.delete_here(entered.first)
    entered.settle()
    assert entered.tasks() == [game.kind.delete_task]


@pytest.mark.parametrize("told", [False, True], ids=["at once", "after its task"])
def test_a_copy_with_other_values_takes_no_deleted_ones_place(entered: Entered, *, told: bool) -> None:
    """EspoCRM's "Duplizieren" copies the number in Advoware as well."""
    game = entered.game
    number = next(iter(game.here().values()))[game.kind.key_attribute]
    steps = [
        lambda: game.add_here({**entered.others, "istAktiv": True, game.kind.key_attribute: number}),
        lambda: game.delete_here(entered.first),
    ]
    if told:
        steps = [steps[1], entered.settle, steps[0]]
    for step in steps:
        step()
    entered.settle()
    assert entered.statuses() == [("clean", None)]
    assert len(game.there()) == len(VALUES)
    assert [task.kind for task in game.firm.tasks()] == [game.kind.delete_task]


@pytest.mark.parametrize("reactivated", ["task", "create"])
def test_an_address_that_the_office_has_ended_is_created_anew(reactivated: str) -> None:
    """As the task about its deletion asks for."""
    entered = Entered("address", reactivate_addresses=reactivated)
    game = entered.game
    game.delete_here(entered.first)
    entered.settle()
    (ended,) = game.there()
    game.change_there(ended, {"gueltigBis": "2026-02-01T00:00:00"})
    entered.settle()
    entered.enter()
    entered.settle()
    (record,) = game.here().values()
    assert (record["syncStatus"], record["istAktiv"], record["gueltigBis"]) == ("clean", True, None)
    assert {*game.there()} == {ended, str(record[game.kind.key_attribute])} != {ended}
    assert game.firm.tasks() == []
    game.firm.world.close()
