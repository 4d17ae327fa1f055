"""SIGKILL at every foreign call of a pass that creates addresses and accounts on both sides and changes an address."""

from typing import Any

import pytest

from vmh_sync_tests.crash.test_kill_at_every_call import MOST_CALLS, crash_everywhere
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.adressen import test_addresses as addresses
from vmh_sync_tests.pipeline.bankverbindungen import test_bank_accounts as accounts

pytestmark = pytest.mark.crash

SHORT = 2
"""The normal run strikes at every second call only: before the one, after the next."""


class Children:
    """Parties whose children have work of every kind, each party a new one, and what must stand in the end."""

    def __init__(self, firm: Firm) -> None:
        self.firm = firm
        self.made = 0

    def arrange(self) -> str:
        """A party with a synced address that was changed, and a new address and account on either side."""
        firm, self.made = self.firm, self.made + 1
        espo_id, betnr = firm.linked_party(lastName=f"Kind{self.made}")
        changed = addresses.address(firm, espo_id, adresseStreet="Alte Gasse 1")
        firm.sync(espo_id)
        addresses.edit(firm, changed, adresseStreet="Geänderte Gasse 1")
        addresses.address(firm, espo_id, adresseStreet="Hiesige Gasse 2")
        there = {"strasse": "Dortige Gasse 3", "plz": "30159", "ort": "Hannover"}
        firm.office.edit("Adressen", "create", betNr=betnr, values=there)
        accounts.account(firm, espo_id)
        firm.office.edit("Bankverbindungen", "create", betNr=betnr, values={"iban": accounts.OTHER_IBAN})
        return espo_id

    def check(self, espo_id: str) -> None:
        """Each child stands once on each side, paired with itself."""
        betnr = self.firm.crm_record(espo_id)["betnr"]
        streets = pairs(self.here(espo_id, "CAdressen"), "adresseStreet", "advowareId")
        assert streets == pairs(addresses.there(self.firm, betnr), "strasse", "id")
        assert [street for street, _ in streets] == ["Dortige Gasse 3", "Geänderte Gasse 1", "Hiesige Gasse 2"]
        ibans = pairs(self.here(espo_id, "CBankverbindungen"), "iban", "advowareKontoId")
        assert ibans == pairs(accounts.there(self.firm, betnr), "iban", "id")
        assert [iban for iban, _ in ibans] == [accounts.OTHER_IBAN, accounts.IBAN]
        children = self.here(espo_id, "CAdressen") + self.here(espo_id, "CBankverbindungen")
        assert {child["syncStatus"] for child in children} == {"clean"}
        subjects = {espo_id, *(child["id"] for child in children)}
        assert [task["name"] for task in self.firm.tasks() if task["parentId"] in subjects] == []

    def here(self, espo_id: str, entity: str) -> list[dict[str, Any]]:
        """The party's living children in EspoCRM."""
        return [child for child in self.firm.crm_records(entity) if child["beteiligteId"] == espo_id]


def pairs(records: list[dict[str, Any]], value: str, key: str) -> list[tuple[str, int]]:
    """Value and key in Advoware of each record, in the order of the values."""
    return sorted((record[value], record[key]) for record in records)


@pytest.mark.parametrize(("action", "first"), [("kill_before", 0), ("kill_after", 1)])
def test_killed_at_some_calls_while_children_move_both_ways(firm: Firm, action: str, first: int) -> None:
    children = Children(firm)
    places = range(first, MOST_CALLS, SHORT)
    assert crash_everywhere(firm, action, children.arrange, children.check, places) >= 8


@pytest.mark.proof
@pytest.mark.parametrize("action", ["kill_before", "kill_after"])
def test_killed_at_every_call_while_children_move_both_ways(firm: Firm, action: str) -> None:
    children = Children(firm)
    assert crash_everywhere(firm, action, children.arrange, children.check) >= 20
