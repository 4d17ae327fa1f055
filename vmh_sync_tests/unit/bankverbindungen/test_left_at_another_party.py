"""An account that is hung on another party leaves its entry behind in Advoware: a person is asked to delete it."""

from vmh_sync.settings import SyncSettings
from vmh_sync.sync.merge import ConflictRule
from vmh_sync_tests.inmemory.network import Fate, Request
from vmh_sync_tests.property.bankverbindungen.test_account_passes import ACCOUNT
from vmh_sync_tests.property.children.game import ChildGame

IBAN = "DE89370400440532013000"


def test_the_task_is_opened_although_the_process_died_before_espocrm_had_it() -> None:
    game = ChildGame(ACCOUNT, conflict=ConflictRule.ESPOCRM_WINS, rules=SyncSettings(_env_file=None))
    firm, (parties, _) = game.firm, game.passes
    try:
        game.add_there({"iban": IBAN, "bank": "Commerzbank"})
        firm.settle(parties, game.parties)
        (account,) = game.here()
        game.give_away_or_back(account)
        usual = firm.world.wire.fate

        def dies_at_a_task(request: Request) -> Fate:
            return Fate(dies="before") if request.path.endswith("/Task") and request.is_write else usual(request)

        firm.world.wire.fate = dies_at_a_task
        firm.run(parties, game.parties)
        firm.run(parties, game.parties)
        assert [task.espo_task_id for task in firm.tasks()] == [None]
        firm.world.wire.fate = usual
        firm.settle(parties, game.parties)
        (task,) = firm.crm_rows("Task")
        assert [row.espo_task_id for row in firm.tasks()] == [task]
    finally:
        firm.world.close()
