"""An address or account that fails in its party's pass says so at once in its own record, where its owner looks."""

from collections.abc import Iterator
from typing import Any

import pytest

from vmh_sync.settings import SyncSettings
from vmh_sync.sync.merge import ConflictRule
from vmh_sync_tests.inmemory.network import Fate, Request
from vmh_sync_tests.property.adressen.test_address_passes import ADDRESS
from vmh_sync_tests.property.bankverbindungen.test_account_passes import ACCOUNT
from vmh_sync_tests.property.children.game import ChildGame

KINDS = {
    "account": (ACCOUNT, {"iban": "DE89370400440532013000", "kontoinhaber": "Huber"}),
    "address": (ADDRESS, {"adresseStreet": "Hauptstr. 1", "adressePostalCode": "30159", "adresseCity": "Hannover"}),
}


@pytest.fixture(params=KINDS)
def game(request: pytest.FixtureRequest) -> Iterator[ChildGame]:
    child, values = KINDS[request.param]
    one = ChildGame(child, conflict=ConflictRule.ESPOCRM_WINS, rules=SyncSettings(_env_file=None))
    one.add_here(values)
    yield one
    one.firm.world.close()


def fails(game: ChildGame, status: int) -> None:
    """Make one pass over the party in which Advoware answers the child's create with this status."""
    wire = game.firm.world.wire
    usual = wire.fate

    def fate(request: Request) -> Fate:
        made = request.method == "POST" and request.path.endswith(game.kind.advoware_entity)
        return Fate(answer=status, carried_out=False) if made else usual(request)

    wire.fate = fate
    game.firm.run(game.passes[0], game.parties)
    wire.fate = usual


def record(game: ChildGame) -> dict[str, Any]:
    (row,) = game.here().values()
    return row


@pytest.mark.parametrize("status", [400, 500])
def test_the_childs_record_says_it_at_once(game: ChildGame, status: int) -> None:
    fails(game, status)
    row = record(game)
    assert row["syncStatus"] in ("failed", game.kind.given_up_status)
    assert row["syncErrorMessage"]


def test_the_ledger_knows_it_and_a_pass_that_succeeds_ends_it(game: ChildGame) -> None:
    fails(game, 500)
    (espo_id,) = game.here()
    with game.firm.world.store.reading() as tx:
        known = tx.records.get(game.kind.entity, espo_id)
    assert known is not None and known.status == "failed"
    game.firm.settle(game.passes[0], game.parties)
    row = record(game)
    assert (row["syncStatus"], row["syncErrorMessage"]) == ("clean", None)
    assert not row["syncRetryCount"] and row["syncNextRetry"] is None
    with game.firm.world.store.reading() as tx:
        assert tx.records.get(game.kind.entity, espo_id) is None


def test_the_partys_own_retries_do_not_use_up_those_of_the_child(game: ChildGame) -> None:
    fails(game, 500)
    fails(game, 500)
    assert record(game)["syncRetryCount"] == 1
