"""Several parties are created at once and share transactions of our database; whenever that is killed, each is made
once, with all that hangs on it (sync-semantics.md 3)."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from vmh_sync.beteiligte.pipeline import PartyPipeline
from vmh_sync.store.database.shared_transactions import SharedTransactions, _Piece
from vmh_sync_tests.inmemory.firm import Firm, Hindrance
from vmh_sync_tests.inmemory.world import World

NAMES = ("Adler", "Brühl", "Cordes", "Dierks")
KILLS = 10
"""Moments at which a pass is killed, spread over all of it."""
IBAN = "DE89370400440532013000"


@contextmanager
def new_parties() -> Iterator[tuple[Firm, list[str]]]:
    """A firm with parties that EspoCRM alone has, each with a phone, an e-mail and an account."""
    firm = Firm(World())
    try:
        yield firm, [_typed(firm, number, name) for number, name in enumerate(NAMES)]
    finally:
        firm.world.close()


def _typed(firm: Firm, number: int, name: str) -> str:
    flags = {"primary": True, "optOut": False, "invalid": False}
    party = firm.crm_create(
        "CBeteiligte",
        {
            "firstName": name[::-1].title(),
            "lastName": name,
            "emailAddressData": [{"emailAddress": f"post@{number}.example", **flags}],
            "phoneNumberData": [{"phoneNumber": f"+49511{7919 * (number + 11)}", "type": "Office", **flags}],
        },
    )
    firm.crm_create("CBankverbindungen", {"name": "Konto", "beteiligteId": party, "iban": IBAN})
    return party


def made(firm: Firm) -> Counter[tuple[str, ...]]:
    """How often Advoware has each party, and each entry and account of it."""
    found: Counter[tuple[str, ...]] = Counter()
    for party in firm.office_rows("Beteiligte").values():
        found[party["name"],] += 1
        found.update((party["name"], str(entry["tlf"])) for entry in party["kommunikation"])
        found.update((party["name"], account["iban"]) for account in party["bankverbindungen"])
    return found


def length_of_a_pass(monkeypatch: pytest.MonkeyPatch) -> int:
    """How many callbacks a pass has that nobody kills; it shares transactions, or the test would show nothing."""
    shared: list[int] = []
    usual = SharedTransactions._in_one

    def in_one(self: SharedTransactions[object], pieces: Sequence[_Piece]) -> None:
        shared.append(len(pieces))
        usual(self, pieces)

    with new_parties() as (firm, ids), monkeypatch.context() as patch:
        patch.setattr(SharedTransactions, "_in_one", in_one)
        pass_ = firm.begin(PartyPipeline(), ids)
        firm.finish()
        assert sum(pieces > 1 for pieces in shared) > len(NAMES)
        assert set(made(firm).values()) == {1}
        assert len(made(firm)) == 4 * len(NAMES)
        return pass_.process.steps


def test_killed_at_any_moment_each_party_is_made_once_with_all_that_hangs_on_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    length = length_of_a_pass(monkeypatch)
    for number in range(KILLS):
        with new_parties() as (firm, ids):
            firm.run(PartyPipeline(), ids, Hindrance(dies_at=1 + number * length // KILLS))
            firm.settle(PartyPipeline(), ids)
            twice = {what: times for what, times in made(firm).items() if times != 1}
            assert not twice, f"killed before callback {1 + number * length // KILLS} of {length}"
            assert len(made(firm)) == 4 * len(NAMES)
            assert {link.betnr for link in firm.links("beteiligte").values()} == set(
                map(int, firm.office_rows("Beteiligte"))
            )
