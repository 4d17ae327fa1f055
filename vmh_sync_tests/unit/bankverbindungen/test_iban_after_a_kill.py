"""An account that a pass made in Advoware and died before it was linked, and whose IBAN a person typed over since.

It carries no mark. It is known by the accounts that stood there before; what it replaces in EspoCRM is told.
"""

from collections.abc import Iterator

import pytest

from vmh_sync.settings import SyncSettings
from vmh_sync.sync.merge import ConflictRule
from vmh_sync_tests.inmemory.network import Fate, Request
from vmh_sync_tests.property.bankverbindungen.test_account_passes import ACCOUNT
from vmh_sync_tests.property.children.game import ChildGame

MUCH_ALIKE = "DE72500105170137075031"
SENT, TYPED, CORRECTED = "DE89370400440532013000", "DE02120300000000202051", "DE02500105170137075030"


@pytest.fixture
def game() -> Iterator[ChildGame]:
    one = ChildGame(ACCOUNT, conflict=ConflictRule.ESPOCRM_WINS, rules=SyncSettings(_env_file=None))
    one.add_here({"iban": SENT, "kontoinhaber": "Huber"})
    yield one
    one.firm.world.close()


def dies(game: ChildGame, when: str) -> None:
    _dies(game, when)
    assert (len(game.there()), game.links()) == (int(when == "after"), {})


def _dies(game: ChildGame, when: str) -> None:
    firm = game.firm
    usual = firm.world.wire.fate

    def fate(request: Request) -> Fate:
        made = request.method == "POST" and request.path.endswith(game.kind.advoware_entity)
        return Fate(dies=when) if made else usual(request)

    firm.world.wire.fate = fate
    firm.run(game.passes[0], game.parties)
    firm.world.wire.fate = usual


def settled(game: ChildGame) -> tuple[list[str], list[str], list[str]]:
    """Return EspoCRM's and Advoware's IBANs, and those that a task tells as replaced."""
    game.firm.settle(game.passes[0], game.parties)
    tasks = game.firm.tasks()
    assert {task.kind for task in tasks} <= {"conflict"}
    lost = [one["lost"] for task in tasks for one in task.details["decided"].values()]
    here, there = game.here().values(), game.there().values()
    return sorted(one["iban"] for one in here), sorted(one["iban"] for one in there), lost


def test_an_iban_typed_over_stands_once_and_what_it_replaces_is_told(game: ChildGame) -> None:
    dies(game, "after")
    game.firm.office_edit(game.kind.advoware_entity, next(iter(game.there())), {"iban": TYPED})
    assert settled(game) == ([TYPED], [TYPED], [SENT])


def test_an_account_that_a_person_added_beside_it_is_one_of_its_own(game: ChildGame) -> None:
    dies(game, "after")
    game.add_there({"iban": TYPED, "kontoinhaber": "Huber"})
    both = sorted([SENT, TYPED])
    assert settled(game) == (both, both, [])


def test_what_a_person_adds_while_nobody_knows_replaces_it_only_with_a_task(game: ChildGame) -> None:
    dies(game, "before")
    game.add_there({"iban": TYPED, "kontoinhaber": "Huber"})
    here, there, told = settled(game)
    assert here == there
    assert {*here, *told} == {SENT, TYPED}


def test_what_was_corrected_in_espocrm_meanwhile_stands_beside_what_a_person_adds(game: ChildGame) -> None:
    dies(game, "before")
    game.firm.crm_edit(game.kind.espo_entity, next(iter(game.here())), {"iban": CORRECTED})
    game.add_there({"iban": TYPED, "kontoinhaber": "Huber"})
    both = sorted([CORRECTED, TYPED])
    assert settled(game) == (both, both, [])


def test_what_never_arrived_is_created_once(game: ChildGame) -> None:
    dies(game, "before")
    assert settled(game) == ([SENT], [SENT], [])


def test_an_account_of_somebody_else_that_a_person_adds_is_none_typed_over(game: ChildGame) -> None:
    dies(game, "before")
    game.add_there({"iban": TYPED, "kontoinhaber": "Maier"})
    both = sorted([SENT, TYPED])
    assert settled(game) == (both, both, [])


def test_of_two_whose_creates_nobody_knows_the_one_much_alike_was_typed_over(game: ChildGame) -> None:
    """The first never arrived, the second did."""
    game.add_here({"iban": CORRECTED, "kontoinhaber": "Huber"})
    dies(game, "before")
    game.firm.world.loop.pass_time(60)
    _dies(game, "after")
    ((number, account),) = game.there().items()
    assert account["iban"] == CORRECTED
    game.firm.office_edit(game.kind.advoware_entity, number, {"iban": MUCH_ALIKE})
    both = sorted([SENT, MUCH_ALIKE])
    assert settled(game) == (both, both, [CORRECTED])
