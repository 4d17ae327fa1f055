"""Two linked parties are merged in EspoCRM: one record is left, and two parties in Advoware.

EspoCRM's merge writes the form into the survivor, joins both records' e-mails, hangs the addresses and accounts of the
other one on it and deletes that one (``firm`` plays it as a person would see it).
"""

from contextlib import suppress
from typing import Any

import pytest

from vmh_sync.sync.reporting.outcome import Result
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.adressen import test_addresses as addresses
from vmh_sync_tests.pipeline.kommunikation import sides

OTHER_STREET = {"adresseStreet": "Seeweg 9", "adressePostalCode": "78462", "adresseCity": "Konstanz"}


class Merge:
    """``kept`` and ``gone`` are both linked, each with an e-mail and an address; ``gone`` is merged into ``kept``."""

    def __init__(self, firm: Firm) -> None:
        self.firm = firm
        self.kept, self.first = firm.linked_party(lastName="Huber", zusatz="Vorstand")
        self.gone, self.second = firm.linked_party(lastName="Huberin", titel="Dr.")
        self.addresses = {}
        for party, name, street in ((self.kept, "alt", addresses.STREET), (self.gone, "neu", OTHER_STREET)):
            firm.crm_edit(party, emailAddressData=[sides.mail(f"{name}@huber.example", primary=True)])
            self.addresses[name] = addresses.address(firm, party, **street)
        firm.until_quiet()

    def carry_out(self, *, children_move: bool = True, **form: Any) -> None:
        both = [sides.mail("alt@huber.example", primary=True), sides.mail("neu@huber.example")]
        self.firm.crm_edit(self.kept, emailAddressData=both, **form)
        if children_move:
            self.firm.crm.edit("CAdressen", "update", id=self.addresses["neu"], values={"beteiligteId": self.kept})
        self.firm.crm.edit("CBeteiligte", "delete", id=self.gone)

    def link_of(self, espo_id: str) -> tuple[int | None, str] | None:
        with self.firm.store.reading() as tx:
            link = tx.links.get_by_espo("beteiligte", espo_id)
        return (link.betnr, link.state) if link is not None else None

    def told(self) -> str:
        (task,) = self.firm.tasks()
        return f"{task['name']}\n{task['description']}"

    def streets(self, betnr: int) -> list[str]:
        return sorted(one["strasse"] for one in addresses.there(self.firm, betnr))

    def check_survivor(self, betnr: int) -> None:
        """All that belonged to either stands at ``betnr`` once, and everybody is content."""
        firm = self.firm
        assert firm.crm_record(self.kept)["betnr"] == betnr
        assert sides.values(firm, betnr) == ["alt@huber.example", "neu@huber.example"]
        assert sides.addresses(firm, self.kept) == ["alt@huber.example", "neu@huber.example"]
        assert self.streets(betnr) == ["Marktstraße 5", "Seeweg 9"]
        records = firm.crm_records("CAdressen")
        assert [row["beteiligteId"] for row in records] == [self.kept, self.kept]
        assert [row["syncStatus"] for row in (*records, firm.crm_record(self.kept))] == ["clean"] * 3
        assert len(firm.office_records()) == 2
        assert not any(firm.sync().writes.values())


@pytest.fixture
def merge(firm: Firm) -> Merge:
    return Merge(firm)


@pytest.mark.parametrize(("noticed", "children_move"), [(False, True), (True, True), (False, False)])
def test_a_survivor_that_took_the_other_number_stands_for_that_party(
    merge: Merge, noticed: bool, children_move: bool
) -> None:
    left = merge.firm.office_record(merge.first)
    merge.carry_out(betnr=merge.second, children_move=children_move)
    if noticed:
        merge.firm.sync(merge.gone)
    (outcome,) = merge.firm.outcomes(merge.kept)
    assert (outcome.result, outcome.betnr, outcome.error) == (Result.SYNCED, merge.second, None)
    merge.firm.until_quiet()
    merge.check_survivor(merge.second)
    record, party = merge.firm.crm_record(merge.kept), merge.firm.office_record(merge.second)
    assert [(one["titel"], one["zusatz"]) for one in (record, party)] == [("Dr.", "Vorstand")] * 2
    assert merge.link_of(merge.kept) == (merge.second, "active")
    assert merge.link_of(merge.gone) == (merge.first, "deleted_in_espocrm")
    assert merge.firm.office_record(merge.first) == left
    assert str(merge.first) in merge.told() and str(merge.second) in merge.told()


@pytest.mark.parametrize("noticed", [False, True])
def test_a_survivor_that_kept_its_number_brings_the_other_ones_addresses_along(merge: Merge, noticed: bool) -> None:
    merge.carry_out()
    if noticed:
        merge.firm.sync(merge.gone)
    merge.firm.until_quiet()
    merge.check_survivor(merge.first)
    assert merge.streets(merge.second) == ["Seeweg 9"]
    assert merge.link_of(merge.gone) == (merge.second, "deleted_in_espocrm")
    assert str(merge.first) in merge.told() and str(merge.second) in merge.told()


def test_afterwards_edits_go_on_and_another_record_may_take_the_number_that_was_left(merge: Merge) -> None:
    merge.carry_out(betnr=merge.second)
    merge.firm.until_quiet()
    merge.firm.crm_edit(merge.kept, zusatz="nun hier")
    merge.firm.office_edit(merge.second, titel="Prof.")
    heir = merge.firm.crm_party(lastName="Huber", betnr=merge.first)
    merge.firm.until_quiet()
    assert merge.link_of(heir) == (merge.first, "active")
    assert merge.link_of(merge.kept) == (merge.second, "active")
    assert len(merge.firm.office_records()) == 2
    assert merge.firm.office_record(merge.second)["zusatz"] == "nun hier"
    assert merge.firm.crm_record(merge.kept)["titel"] == "Prof."


@pytest.mark.parametrize("took_the_number", [True, False])
def test_the_task_closes_itself_when_the_party_that_was_left_is_gone_in_advoware(
    merge: Merge, took_the_number: bool
) -> None:
    form = {"betnr": merge.second} if took_the_number else {}
    merge.carry_out(children_move=True, **form)
    merge.firm.until_quiet()
    left = merge.first if took_the_number else merge.second
    assert str(left) in merge.told()
    assert not any(merge.firm.sync().writes.values())
    merge.firm.office.edit("Beteiligte", "delete", id=left)
    merge.firm.until_quiet()
    assert merge.firm.tasks() == []
    assert merge.link_of(merge.gone) == (left, "deleted_in_espocrm")


def test_the_task_closes_itself_when_a_record_stands_for_the_party_that_was_left(merge: Merge) -> None:
    merge.carry_out(betnr=merge.second)
    merge.firm.until_quiet()
    merge.firm.crm_party(lastName="Huber", betnr=merge.first)
    merge.firm.until_quiet()
    assert merge.firm.tasks() == []


@pytest.mark.parametrize("step", [1, 6, 12, 18])
def test_a_pass_that_ends_anywhere_is_taken_up_again(merge: Merge, step: int) -> None:
    merge.carry_out(betnr=merge.second)
    merge.firm.crm.fault("/api/v1/", "status", status=400, skip=step, times=50)
    with suppress(ForeignSystemError):
        merge.firm.sync(merge.kept)
    merge.firm.crm.clear_faults()
    merge.firm.until_quiet()
    merge.check_survivor(merge.second)
    assert str(merge.first) in merge.told()


def test_an_address_hung_on_another_living_party_moves_over_there_too(merge: Merge) -> None:
    firm = merge.firm
    firm.crm.edit("CAdressen", "update", id=merge.addresses["neu"], values={"beteiligteId": merge.kept})
    firm.until_quiet()
    assert merge.streets(merge.first) == ["Marktstraße 5", "Seeweg 9"]
    moved = addresses.here(firm, merge.addresses["neu"])
    assert (moved["beteiligteId"], moved["syncStatus"], len(firm.crm_records("CAdressen"))) == (merge.kept, "clean", 2)
    assert str(merge.second) in merge.told() and "Seeweg 9" in merge.told()
    left = next(one for one in addresses.there(firm, merge.second) if one["strasse"] == "Seeweg 9")
    firm.office.edit("Adressen", "delete", id=left["id"])
    firm.until_quiet()
    assert (firm.tasks(), len(firm.crm_records("CAdressen"))) == ([], 2)


def test_an_address_that_is_hung_back_is_the_one_that_stands_there(merge: Merge) -> None:
    firm, record = merge.firm, merge.addresses["neu"]
    firm.crm.edit("CAdressen", "update", id=record, values={"beteiligteId": merge.kept})
    firm.until_quiet()
    with firm.store.reading() as tx:
        moves = [change.reason for change in tx.audit.for_record(record) if change.kind == "linked"]
    assert "hung on another party in EspoCRM" in moves
    firm.crm.edit("CAdressen", "update", id=record, values={"beteiligteId": merge.gone})
    firm.until_quiet()
    assert merge.streets(merge.second) == ["Seeweg 9"]
    assert len(firm.crm_records("CAdressen")) == 2
    assert str(merge.first) in merge.told() and "Seeweg 9" in merge.told()
