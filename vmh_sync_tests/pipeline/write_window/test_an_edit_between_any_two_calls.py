"""A person edits a record between two of our calls, at every position: no edit is lost (sync-semantics.md 3).

A pass with work to do is repeated; before its k-th call to the system a person there changes something, for every k.
Between two calls to a system nothing of ours can see an edit in it, so these are all the positions there are. One is
left out: between the answer to the look and the arrival of the PUT, where the PUT replaces a whole and nothing over
there compares versions: Advoware's records (``rowId`` is opaque), and EspoCRM's lists without optimistic locking.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.sandbox import ControlClient
from vmh_sync_tests.pipeline.adressen import test_addresses as addresses
from vmh_sync_tests.pipeline.bankverbindungen import test_bank_accounts as accounts
from vmh_sync_tests.pipeline.kommunikation import sides
from vmh_sync_tests.pipeline.kommunikation.sides import mail, phone

Json = dict[str, Any]
ANY_CALL = r"/api/v1/(?!Token)"
MOST_CALLS = 60


@dataclass
class Situation:
    """A record with work to do, the edit that comes in between, and what must hold afterwards."""

    espo_id: str
    edit: Json
    check: Callable[[], None]
    whole: bool = False
    """The PUT replaces what the person edits as a whole, and nothing over there compares versions."""


def edit_everywhere(firm: Firm, system: ControlClient, arrange: Callable[[int], Situation]) -> tuple[int, int]:
    """Edit before each call to the system; returns how many positions held and how many were the window itself."""
    held = windows = 0
    for position in range(MOST_CALLS):
        situation = arrange(position)
        firm.office.clear_calls()
        firm.crm.clear_calls()
        system.fault(ANY_CALL, "edit", skip=position, times=1, edit=situation.edit)
        firm.sync(situation.espo_id)
        calls = _calls(firm)
        system.clear_faults()
        if len(calls[system.url]) <= position:
            return held, windows
        if situation.whole and _in_the_window(calls, system.url, position):
            windows += 1
            continue
        firm.until_quiet(situation.espo_id)
        situation.check()
        held += 1
    raise AssertionError(f"a pass makes more than {MOST_CALLS} calls")


def _calls(firm: Firm) -> dict[str, list[Json]]:
    return {
        system.url: [one for one in system.calls()["log"] if "/api/v1/" in one["path"] and "Token" not in one["path"]]
        for system in (firm.office, firm.crm)
    }


def _in_the_window(calls: dict[str, list[Json]], url: str, position: int) -> bool:
    """Whether the call is a PUT with nothing between it and the look: no call to either system."""
    call = calls[url][position]
    if call["method"] not in ("PUT", "POST"):
        return False
    look = calls[url][position - 1]
    assert look["method"] == "GET", "a write without a look directly before"
    between = [one for log in calls.values() for one in log if look["at"] < one["at"] < call["at"]]
    assert not between, f"between the look and the write: {[(one['method'], one['path']) for one in between]}"
    return call["method"] == "PUT"


def test_of_parties_an_edit_in_advoware_stands_on_both_sides(firm: Firm) -> None:
    def arrange(number: int) -> Situation:
        espo_id, betnr = firm.linked_party(firstName="Max", lastName=f"Alt{number}", zusatz="vorher")
        firm.crm_edit(espo_id, titel="Dr.")
        # A conflict as well, so that a loser and a task are written in between.
        firm.crm_edit(espo_id, lastName=f"Crm{number}")
        firm.office_edit(betnr, name=f"Office{number}")

        def check() -> None:
            record, party = firm.crm_record(espo_id), firm.office_record(betnr)
            assert (record["zusatz"], party["zusatz"]) == ("mittendrin", "mittendrin")
            assert (record["titel"], party["titel"]) == ("Dr.", "Dr.")
            assert (record["lastName"], party["name"]) == (f"Crm{number}", f"Crm{number}")

        edit = {"entity": "Beteiligte", "action": "update", "betNr": betnr, "values": {"zusatz": "mittendrin"}}
        return Situation(espo_id, edit, check, whole=True)

    held, windows = edit_everywhere(firm, firm.office, arrange)
    assert (held, windows) == (2, 1)


@pytest.mark.parametrize("optimistic", [True, False])
def test_of_parties_an_edit_in_espocrm_stands_on_both_sides(firm: Firm, optimistic: bool) -> None:
    firm.crm.do("set_switch", optimistic={"CBeteiligte": optimistic})

    def arrange(number: int) -> Situation:
        espo_id, betnr = firm.linked_party(firstName="Max", lastName=f"Alt{number}", zusatz="vorher")
        firm.crm_edit(espo_id, titel="Dr.")
        firm.office_edit(betnr, vorname="Moritz")

        def check() -> None:
            record, party = firm.crm_record(espo_id), firm.office_record(betnr)
            assert (record["zusatz"], party["zusatz"]) == ("mittendrin", "mittendrin")
            assert (record["titel"], party["titel"]) == ("Dr.", "Dr.")
            assert (record["firstName"], party["vorname"]) == ("Moritz", "Moritz")
            assert record["syncStatus"] == "clean"

        values = {"zusatz": "mittendrin"}
        return Situation(espo_id, {"entity": "CBeteiligte", "action": "update", "id": espo_id, "values": values}, check)

    held, _ = edit_everywhere(firm, firm.crm, arrange)
    assert held >= 4


def test_of_entries_an_edit_in_advoware_stands_on_both_sides(firm: Firm) -> None:
    def arrange(number: int) -> Situation:
        espo_id, betnr = sides.party(
            firm, phones=[phone("+49511123456", primary=True), phone("+491711111111", "Mobile"), phone("+49511333333")]
        )
        firm.crm_edit(
            espo_id,
            phoneNumberData=[
                phone("+49511888888", primary=True),
                phone("+491719999999", "Mobile"),
                phone("+49511333333"),
            ],
            emailAddressData=[mail(f"neu{number}@huber.example", primary=True)],
        )
        other = next(one for one in sides.entries(firm, betnr).values() if one["tlf"].endswith("333333"))

        def check() -> None:
            assert "+49511444444" in sides.numbers(firm, espo_id)
            there = sides.values(firm, betnr)
            assert any(value.replace(" ", "").endswith("444444") for value in there)
            assert not any(value.replace(" ", "").endswith("333333") for value in there)
            assert f"neu{number}@huber.example" in there
            assert len(sides.entries(firm, betnr)) == 4

        edit = {"entity": "Kommunikation", "action": "update", "id": other["id"], "values": {"tlf": "+49511444444"}}
        return Situation(espo_id, edit, check, whole=True)

    held, _ = edit_everywhere(firm, firm.office, arrange)
    assert held >= 4


def test_an_edit_in_advoware_of_the_very_entry_that_we_write_is_never_lost_without_a_trace(firm: Firm) -> None:
    def arrange(number: int) -> Situation:
        espo_id, betnr = sides.party(firm, phones=[phone("+49511123456", primary=True), phone("+491711111111")])
        firm.crm_edit(
            espo_id, phoneNumberData=[phone("+49511888888", primary=True), phone("+491712222222", primary=False)]
        )
        second = next(one for one in sides.entries(firm, betnr).values() if one["tlf"].endswith("1711111111"))

        def check() -> None:
            with firm.store.reading() as tx:
                losers = [str(one.losing_value) for one in tx.audit.for_record(espo_id) if one.losing_value]
            stands = "+49511444444" in sides.numbers(firm, espo_id)
            assert stands or any(value.replace(" ", "").endswith("444444") for value in losers)

        edit = {"entity": "Kommunikation", "action": "update", "id": second["id"], "values": {"tlf": "+49511444444"}}
        return Situation(espo_id, edit, check, whole=True)

    held, windows = edit_everywhere(firm, firm.office, arrange)
    assert held >= 3
    assert windows == 2


@pytest.mark.parametrize("optimistic", [True, False])
def test_of_entries_an_edit_in_espocrm_stands_on_both_sides(firm: Firm, optimistic: bool) -> None:
    firm.crm.do("set_switch", optimistic={"CBeteiligte": optimistic})

    def arrange(number: int) -> Situation:
        espo_id, betnr = sides.party(firm, phones=[phone("+49511123456", primary=True)])
        sides.office_add(firm, betnr, f"dort{number}@huber.example", 4)
        sides.office_change(firm, sides.entry(firm, betnr, "+49511123456")["id"], tlf="0511 7777")

        def check() -> None:
            assert "+491719999999" in sides.numbers(firm, espo_id)
            assert any(value.replace(" ", "").endswith("1719999999") for value in sides.values(firm, betnr))
            assert f"dort{number}@huber.example" in sides.addresses(firm, espo_id)

        lists = {"phoneNumberData": [phone("+49511123456", primary=True), phone("+491719999999", "Mobile")]}
        edit = {"entity": "CBeteiligte", "action": "update", "id": espo_id, "values": lists}
        return Situation(espo_id, edit, check, whole=not optimistic)

    held, windows = edit_everywhere(firm, firm.crm, arrange)
    assert held >= 4
    assert windows == (0 if optimistic else 1)


def test_of_addresses_an_edit_in_advoware_stands_on_both_sides(firm: Firm) -> None:
    def arrange(number: int) -> Situation:
        party, betnr, record, key = addresses.linked(firm)
        addresses.edit(firm, record, adresseStreet=f"Neue Straße {number}")

        def check() -> None:
            (there,) = addresses.there(firm, betnr)
            here = addresses.here(firm, record)
            assert (there["ort"], here["adresseCity"]) == ("Celle", "Celle")
            assert (there["strasse"], here["adresseStreet"]) == (f"Neue Straße {number}", f"Neue Straße {number}")

        edit = {"entity": "Adressen", "action": "update", "id": key, "values": {"ort": "Celle"}}
        return Situation(party, edit, check, whole=True)

    held, windows = edit_everywhere(firm, firm.office, arrange)
    assert held >= 2
    assert windows == 1


@pytest.mark.parametrize("optimistic", [True, False])
def test_of_addresses_an_edit_in_espocrm_stands_on_both_sides(firm: Firm, optimistic: bool) -> None:
    firm.crm.do("set_switch", optimistic={"CAdressen": optimistic})

    def arrange(number: int) -> Situation:
        party, betnr, record, key = addresses.linked(firm)
        addresses.office_edit(firm, key, strasse=f"Neue Straße {number}")

        def check() -> None:
            (there,) = addresses.there(firm, betnr)
            here = addresses.here(firm, record)
            assert (there["ort"], here["adresseCity"]) == ("Celle", "Celle")
            assert (there["strasse"], here["adresseStreet"]) == (f"Neue Straße {number}", f"Neue Straße {number}")

        values = {"adresseCity": "Celle"}
        return Situation(party, {"entity": "CAdressen", "action": "update", "id": record, "values": values}, check)

    held, _ = edit_everywhere(firm, firm.crm, arrange)
    assert held >= 4


@pytest.mark.parametrize("optimistic", [True, False])
def test_of_a_new_account_an_edit_in_espocrm_is_told_to_a_person_or_stands_on_both_sides(
    firm: Firm, optimistic: bool
) -> None:
    firm.crm.do("set_switch", optimistic={"CBankverbindungen": optimistic})

    def arrange(_: int) -> Situation:
        party, betnr = firm.linked_party()
        record = accounts.account(firm, party)

        def check() -> None:
            assert accounts.here(firm, record)["bankname"] == "Sparkasse"
            (there,) = accounts.there(firm, betnr)
            told = [task for task in firm.tasks() if "Sparkasse" in task["description"]]
            assert there["bank"] == "Sparkasse" or told, "Advoware takes no change of an account: a task says so"

        values = {"bankname": "Sparkasse"}
        return Situation(
            party, {"entity": "CBankverbindungen", "action": "update", "id": record, "values": values}, check
        )

    held, _ = edit_everywhere(firm, firm.crm, arrange)
    assert held >= 3
