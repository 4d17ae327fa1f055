"""An address or account that a pass made in Advoware and died before it was linked: what was typed since stands."""

from collections.abc import Iterator, Mapping

import pytest

from vmh_sync.settings import SyncSettings
from vmh_sync.sync.merge import ConflictRule
from vmh_sync_tests.inmemory.network import Fate, Request
from vmh_sync_tests.property.adressen.test_address_passes import ADDRESS
from vmh_sync_tests.property.bankverbindungen.test_account_passes import ACCOUNT
from vmh_sync_tests.property.children.game import Child, ChildGame

OLD, NEW, HERE = "Zuerst", "Seither", "Hier seither"


class Made:
    """One record of EspoCRM that was made in Advoware by a pass which died with the answer."""

    def __init__(self, child: Child, values: Mapping[str, str], here: str, there: str) -> None:
        self.game = ChildGame(child, conflict=ConflictRule.ESPOCRM_WINS, rules=SyncSettings(_env_file=None))
        self.here, self.there, self.values = here, there, values

    def dies(self) -> None:
        firm = self.game.firm
        self.game.add_here({**self.values, self.here: OLD})
        usual = firm.world.wire.fate

        def dies(request: Request) -> Fate:
            made = request.method == "POST" and request.path.endswith(self.game.kind.advoware_entity)
            return Fate(dies="after") if made else usual(request)

        firm.world.wire.fate = dies
        firm.run(self.game.passes[0], self.game.parties)
        firm.world.wire.fate = usual
        ((_, record),) = self.game.there().items()
        assert (record[self.there], self.game.links()) == (OLD, {})

    def edit(self, side: str, value: str | None) -> None:
        if side == "espocrm":
            self.game.change_here(next(iter(self.game.here())), {self.here: value})
        else:
            self.game.change_there(next(iter(self.game.there())), {self.there: value})

    def settled(self) -> tuple[tuple[str, str], list[str]]:
        firm = self.game.firm
        firm.settle(self.game.passes[0], self.game.parties)
        ((espo_id, here),), (there,) = self.game.here().items(), self.game.there().values()
        with firm.world.store.reading() as tx:
            assert tx.intents.open_for(self.game.kind.entity, espo_id) == []
        return (here[self.here], there[self.there]), [task.kind for task in firm.tasks()]


KINDS = {
    "account": (ACCOUNT, {"iban": "DE89370400440532013000"}, "kontoinhaber", "kontoinhaber"),
    "address": (ADDRESS, {"adressePostalCode": "30159", "adresseCity": "Hannover"}, "adresseStreet", "strasse"),
}


@pytest.fixture(params=KINDS)
def made(request: pytest.FixtureRequest) -> Iterator[Made]:
    one = Made(*KINDS[request.param])
    one.dies()
    yield one
    one.game.firm.world.close()


def test_an_edit_in_advoware_stands(made: Made) -> None:
    made.edit("advoware", NEW)
    assert made.settled() == ((NEW, NEW), [])


def test_an_edit_in_espocrm_is_carried_on(made: Made) -> None:
    made.edit("espocrm", NEW)
    no_put = made.game.child is ACCOUNT
    assert made.settled() == (((NEW, OLD), ["bank_update_required"]) if no_put else ((NEW, NEW), []))


def test_edits_of_both_sides_are_told(made: Made) -> None:
    made.edit("advoware", NEW)
    made.edit("espocrm", HERE)
    no_put = made.game.child is ACCOUNT
    stands, told = made.settled()
    assert (stands, {*told}) == (((HERE, NEW), {"bank_update_required"}) if no_put else ((HERE, HERE), {"conflict"}))


@pytest.mark.parametrize("left", [OLD[:4], OLD.upper(), None])
def test_what_advoware_made_of_our_value_is_no_edit(made: Made, left: str | None) -> None:
    """Cut off, respelled or dropped while it was created: nobody typed that, so EspoCRM keeps what was typed there."""
    made.edit("advoware", left)
    assert made.settled()[0][0] == OLD
