"""A pass that dies after EspoCRM took a party's e-mails or phones and before the pairs are stored.

What it brought there is the same entry's value: an edit or a deletion in Advoware since is an edit of it.
"""

from collections.abc import Iterator

import pytest

from vmh_sync.beteiligte.pipeline import PartyPipeline
from vmh_sync.settings import SyncSettings
from vmh_sync_tests.inmemory.firm import Firm
from vmh_sync_tests.inmemory.network import Fate
from vmh_sync_tests.inmemory.world import World
from vmh_sync_tests.unit.kommunikation.killed import pass_that_ends_so

CRM, OFFICE, ENTRY = "CBeteiligte", "Beteiligte", "Kommunikation"
HERE, OLD, NEW = "hier@huber.example", "alt@huber.example", "neu@huber.example"


class Party:
    """A record and a party with an e-mail each, that lived apart until somebody typed the number into the record."""

    def __init__(self) -> None:
        self.firm = Firm(World(rules=SyncSettings(_env_file=None)))
        self.betnr = self.firm.office_create(OFFICE, {"name": "Huber"})
        self.entry = self.firm.office_create(ENTRY, {"kommKz": 4, "tlf": OLD}, int(self.betnr))
        mails = [{"emailAddress": HERE, "primary": True, "optOut": False, "invalid": False}]
        values = {"lastName": "Huber", "betnr": int(self.betnr), "emailAddressData": mails}
        self.espo_id = self.firm.crm_create(CRM, values)

    def dies(self, when: str, replaced: str | None = None) -> None:
        """Make one pass that dies when it writes the list, ``before`` it arrives or ``after`` it took effect."""
        path = f"/{CRM}/{self.espo_id}"
        pass_that_ends_so(
            self.firm, self.espo_id, lambda one: one.method == "PUT" and one.path.endswith(path), Fate(dies=when)
        )
        assert (OLD in self.mails()[0]) == (when == "after" and replaced is None)

    def mails(self) -> tuple[list[str], list[str]]:
        row = self.firm.crm_row(CRM, self.espo_id)
        assert row is not None
        entries = self.firm.office_rows(OFFICE)[self.betnr]["kommunikation"]
        return (
            sorted(one["emailAddress"] for one in row["emailAddressData"]),
            sorted(one["tlf"] for one in entries if one["tlf"]),
        )

    def settled(self) -> tuple[list[str], list[str]]:
        self.firm.settle(PartyPipeline(), [self.espo_id])
        with self.firm.world.store.reading() as tx:
            assert tx.intents.open_for("kommunikation", self.espo_id) == []
        return self.mails()


@pytest.fixture
def party() -> Iterator[Party]:
    one = Party()
    yield one
    one.firm.world.close()


def test_what_is_typed_over_it_in_advoware_takes_its_place(party: Party) -> None:
    party.dies("after")
    party.firm.office_edit(ENTRY, party.entry, {"tlf": NEW})
    assert party.settled() == (sorted([HERE, NEW]), sorted([HERE, NEW]))


def test_what_is_deleted_in_advoware_does_not_come_back(party: Party) -> None:
    party.dies("after")
    party.firm.office_delete(ENTRY, party.entry)
    assert party.settled() == ([HERE], [HERE])


@pytest.mark.parametrize("when", ["before", "after"])
def test_without_an_edit_both_sides_have_both(party: Party, when: str) -> None:
    party.dies(when)
    assert party.settled() == (sorted([HERE, OLD]), sorted([HERE, OLD]))


def test_what_never_arrived_in_espocrm_was_not_deleted_there(party: Party) -> None:
    party.dies("before")
    party.firm.office_edit(ENTRY, party.entry, {"tlf": NEW})
    assert party.settled() == (sorted([HERE, NEW]), sorted([HERE, NEW]))


def test_what_is_taken_out_of_espocrms_list_since_is_not_deleted_in_advoware(party: Party) -> None:
    """Nobody knows whether the list had arrived: the value survives."""
    party.dies("after")
    mails = [{"emailAddress": HERE, "primary": True, "optOut": False, "invalid": False}]
    party.firm.crm_edit(CRM, party.espo_id, {"emailAddressData": mails})
    assert party.settled() == (sorted([HERE, OLD]), sorted([HERE, OLD]))


def test_what_is_typed_over_an_entry_again_is_newer_than_our_own_copy(party: Party) -> None:
    """The first edit had reached EspoCRM: it is no edit made there."""
    party.settled()
    party.firm.office_edit(ENTRY, party.entry, {"tlf": "zuerst@huber.example"})
    party.dies("after", OLD)
    party.firm.office_edit(ENTRY, party.entry, {"tlf": NEW})
    assert party.settled() == (sorted([HERE, NEW]), sorted([HERE, NEW]))
    assert party.firm.tasks() == []
