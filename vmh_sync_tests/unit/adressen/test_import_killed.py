"""An address or account brought to EspoCRM by a pass that dies before it is linked: our own copy is nobody's edit."""

import pytest

from vmh_sync.settings import SyncSettings
from vmh_sync.sync.merge import ConflictRule
from vmh_sync_tests.inmemory.network import Fate, Request
from vmh_sync_tests.property.adressen.test_address_passes import ADDRESS
from vmh_sync_tests.property.bankverbindungen.test_account_passes import ACCOUNT
from vmh_sync_tests.property.children.game import Child, ChildGame

OLD, NEW, HERE = "Zuerst", "Seither", "Hier seither"


@pytest.mark.parametrize(
    ("child", "values", "there", "here"),
    [
        (ACCOUNT, {"iban": "DE89370400440532013000"}, "kontoinhaber", "kontoinhaber"),
        (ADDRESS, {"plz": "30159", "ort": "Hannover"}, "strasse", "adresseStreet"),
    ],
)
@pytest.mark.parametrize("edited", ["advoware", "espocrm"])
def test_what_is_typed_before_the_next_pass_stands(
    child: Child, values: dict[str, str], there: str, here: str, edited: str
) -> None:
    game = ChildGame(child, conflict=ConflictRule.ESPOCRM_WINS, rules=SyncSettings(_env_file=None))
    firm, (parties, _) = game.firm, game.passes
    try:
        game.add_there({**values, there: OLD})
        usual = firm.world.wire.fate

        def dies(request: Request) -> Fate:
            made = request.method == "POST" and request.path.endswith(game.kind.espo_entity)
            return Fate(dies="after") if made else usual(request)

        firm.world.wire.fate = dies
        firm.run(parties, game.parties)
        firm.world.wire.fate = usual
        ((espo_id, record),) = game.here().items()
        assert (record[here], game.links()) == (OLD, {})
        if edited == "advoware":
            game.change_there(next(iter(game.there())), {there: NEW})
        else:
            game.change_here(espo_id, {here: NEW})
        firm.settle(parties, game.parties)
        stands = (game.here()[espo_id][here], next(iter(game.there().values()))[there])
        waits = [task.kind for task in firm.tasks()]
        if edited == "espocrm" and child is ACCOUNT:
            assert (stands, waits) == ((NEW, OLD), ["bank_update_required"])  # no PUT over there
        else:
            assert (stands, waits) == ((NEW, NEW), [])
        with firm.world.store.reading() as tx:
            assert tx.intents.open_for(game.kind.entity, f"{game.betnr}:{next(iter(game.there()))}") == []
    finally:
        firm.world.close()
