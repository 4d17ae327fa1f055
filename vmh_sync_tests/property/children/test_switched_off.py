"""A record that is switched off and stands in EspoCRM alone is kept there: it waits for nothing and accuses nobody."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from vmh_sync.engine.passes.entity_pipeline import EntityPipeline
from vmh_sync.settings import SyncSettings
from vmh_sync.sync.merge import ConflictRule
from vmh_sync_tests.property.adressen.test_address_passes import ADDRESS
from vmh_sync_tests.property.bankverbindungen.test_account_passes import ACCOUNT
from vmh_sync_tests.property.children.game import Child, ChildGame

KINDS = {
    "account": (ACCOUNT, {"iban": "DE89370400440532013000", "bic": "COBADEFFXXX"}, {"bic": "COBADEFFXXX"}),
    "address": (ADDRESS, {"adresseStreet": "Am Markt 1", "adresseCity": "Hannover"}, {"adresseCountry": "Deutschland"}),
}


@contextmanager
def new_game(child: Child) -> Iterator[ChildGame]:
    game = ChildGame(child, conflict=ConflictRule.ESPOCRM_WINS, rules=SyncSettings(_env_file=None))
    try:
        yield game
    finally:
        game.firm.world.close()


def rest(game: ChildGame, *, children_first: bool) -> Mapping[str, object]:
    """Let both kinds of pass come to rest; returns what the record says then."""
    (espo_id,) = game.everywhere()
    takes: list[tuple[EntityPipeline[Any], list[str]]] = [
        (game.passes[0], game.parties),
        (game.passes[1], [espo_id]),
    ]
    for pipeline, ids in reversed(takes) if children_first else takes:
        game.firm.settle(pipeline, ids)
    assert [game.firm.settle(pipeline, ids) for pipeline, ids in takes] == [1, 1], "it is written again and again"
    return game.everywhere()[espo_id]


@pytest.mark.parametrize("children_first", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_switched_off_before_it_was_ever_synced(kind: str, children_first: bool) -> None:
    child, values, _ = KINDS[kind]
    with new_game(child) as game:
        game.add_here({**values, "istAktiv": False})
        row = rest(game, children_first=children_first)
        assert (row["syncStatus"], row["syncErrorMessage"], row[game.kind.key_attribute]) == ("clean", None, None)
        assert game.there() == {}
        game.set_active(str(row["id"]), active=True)
        assert rest(game, children_first=children_first)["syncStatus"] == "clean"
        assert len(game.there()) == 1


@pytest.mark.parametrize("children_first", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_switched_off_because_it_was_refused(kind: str, children_first: bool) -> None:
    child, _, too_little = KINDS[kind]
    with new_game(child) as game:
        game.add_here(too_little)
        row = rest(game, children_first=children_first)
        assert (row["syncStatus"], bool(row["syncErrorMessage"])) == ("failed", True)
        game.set_active(str(row["id"]), active=False)
        row = rest(game, children_first=children_first)
        assert (row["syncStatus"], row["syncErrorMessage"]) == ("clean", None)
        with game.firm.world.store.reading() as tx:
            assert tx.records.get_many(game.kind.entity, [str(row["id"])]) == {}, "the ledger still counts it as failed"


@pytest.mark.parametrize("children_first", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_switched_off_and_hung_on_another_party(kind: str, children_first: bool) -> None:
    child, values, _ = KINDS[kind]
    with new_game(child) as game:
        game.add_here(values)
        espo_id = str(rest(game, children_first=children_first)["id"])
        game.set_active(espo_id, active=False)
        game.give_away_or_back(espo_id)
        row = rest(game, children_first=children_first)
        assert (row["syncStatus"], row["syncErrorMessage"]) == ("clean", None)
