"""One address, account, phone or e-mail that cannot be read waits alone and is told; the rest of the party is synced.

sync-semantics.md 1 and 4. Nothing is created because of it, removed because of it, or written to it.
"""

from typing import Any

import pytest

from vmh_sync.sync.reporting.outcome import RecordOutcome, Result
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.fixtures.hostile import VALUES
from vmh_sync_tests.pipeline.adressen import test_addresses as addresses
from vmh_sync_tests.pipeline.bankverbindungen import test_bank_accounts as accounts
from vmh_sync_tests.pipeline.hostile.test_a_bug_about_one_child import KINDS, own_pass
from vmh_sync_tests.pipeline.kommunikation import sides

KEYS = {"adressen": "adressen", "konten": "bankverbindungen", "kommunikation": "kommunikation"}


class Party:
    """A party with two of everything, in agreement; then one of each is edited on each side, and new ones come."""

    def __init__(self, firm: Firm) -> None:
        self.firm = firm
        self.espo_id, self.betnr = firm.linked_party(lastName="Opfer")
        mails = [sides.mail("eins@huber.example", primary=True), sides.mail("zwei@huber.example")]
        firm.crm_edit(self.espo_id, emailAddressData=mails)
        self.bad = addresses.address(firm, self.espo_id, adresseStreet="Gasse 1")
        self.good = addresses.address(firm, self.espo_id, adresseStreet="Weg 2")
        self.account = accounts.account(firm, self.espo_id)
        firm.until_quiet()
        self.first = {name: firm.office_record(self.betnr)[name][0]["id"] for name in KEYS.values()}

    def people_go_on(self) -> None:
        """Edits of everything but the victim, and of the party itself."""
        firm = self.firm
        firm.crm_edit(self.espo_id, titel="Dr.")
        firm.office_edit(self.betnr, zusatz="Zusatz")
        addresses.edit(firm, self.good, adresseStreet="Weg 3")
        entry = sides.entry(firm, self.betnr, "zwei@huber.example")
        sides.office_change(firm, entry["id"], tlf="drei@huber.example")

    def the_rest_is_synced(self, outcome: RecordOutcome) -> None:
        assert (outcome.result, outcome.concerns_all) == (Result.FAILED, False)
        assert outcome.part and outcome.error and outcome.error_class
        firm = self.firm
        record, party = firm.crm_record(self.espo_id), firm.office_record(self.betnr)
        assert (record["zusatz"], party["titel"], record["syncStatus"]) == ("Zusatz", "Dr.", "failed")
        assert outcome.part in record["syncErrorMessage"]
        assert "Weg 3" in [one["strasse"] for one in party["adressen"]]
        assert "drei@huber.example" in sides.addresses(firm, self.espo_id)

    def counts(self) -> list[int]:
        party = self.firm.office_record(self.betnr)
        here = [len(self.firm.crm_records(name)) for name in ("CAdressen", "CBankverbindungen")]
        return [len(party[name]) for name in KEYS.values()] + here + [len(sides.addresses(self.firm, self.espo_id))]


def spoil(firm: Firm, where: dict[str, Any], field: str, name: str, side: str = "office") -> None:
    client = firm.office if side == "office" else firm.crm
    client.fault(".", "tamper", method="GET", where=where, field=field, body=VALUES[name])


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        pytest.param("adressen", "strasse", marks=pytest.mark.proof),
        ("konten", "id"),
        ("kommunikation", "tlf"),
        pytest.param("kommunikation", "id", marks=pytest.mark.proof),
    ],
)
def test_an_entry_of_advoware_that_cannot_be_read_waits_alone(firm: Firm, kind: str, field: str) -> None:
    party = Party(firm)
    before = party.counts()
    party.people_go_on()
    spoil(firm, {"id": party.first[KEYS[kind]]}, field, "object")
    (outcome,) = firm.outcomes(party.espo_id)
    party.the_rest_is_synced(outcome)
    assert party.counts() == before
    (outcome,) = firm.outcomes(party.espo_id)
    assert (outcome.result, outcome.advoware_writes) == (Result.FAILED, 0)
    firm.office.clear_faults()
    firm.until_quiet()
    assert party.counts() == before
    assert firm.tasks() == []


@pytest.mark.parametrize("field", ["adresseStreet", pytest.param("advowareId", marks=pytest.mark.proof)])
def test_an_address_of_espocrm_that_cannot_be_read_waits_alone(firm: Firm, field: str) -> None:
    party = Party(firm)
    before = party.counts()
    party.people_go_on()
    spoil(firm, {"id": party.bad}, field, "object", "crm")
    (outcome,) = firm.outcomes(party.espo_id)
    party.the_rest_is_synced(outcome)
    assert party.counts() == before
    firm.crm.clear_faults()
    firm.until_quiet()
    assert party.counts() == before


def test_an_email_of_espocrm_that_cannot_be_read_leaves_the_phones_and_the_rest_alone(firm: Firm) -> None:
    party = Party(firm)
    firm.crm_edit(party.espo_id, titel="Dr.", phoneNumberData=[sides.phone("+49711123456", primary=True)])
    spoil(firm, {"emailAddress": "zwei@huber.example", "optOut": False}, "emailAddress", "object", "crm")
    (outcome,) = firm.outcomes(party.espo_id)
    assert (outcome.result, outcome.part) == (Result.FAILED, "Kommunikation")
    assert firm.office_record(party.betnr)["titel"] == "Dr."
    assert sides.values(firm, party.betnr) == ["+49711123456", "eins@huber.example", "zwei@huber.example"]
    firm.crm.clear_faults()
    firm.until_quiet()
    assert len(sides.addresses(firm, party.espo_id)) == 2


@pytest.mark.parametrize("kind", ["adressen", pytest.param("konten", marks=pytest.mark.proof)])
def test_nothing_is_created_that_may_be_the_entry_that_cannot_be_read(firm: Firm, kind: str) -> None:
    """At first contact: EspoCRM's record may be the one that Advoware tells unusably."""
    part, create, there = KINDS[kind]
    espo_id, betnr = firm.linked_party()
    values = (
        {"strasse": "Gasse 1", "plz": "30159", "ort": "Hannover"} if kind == "adressen" else {"iban": accounts.IBAN}
    )
    entity = {"adressen": "Adressen", "konten": "Bankverbindungen"}[kind]
    key = int(firm.office.edit(entity, "create", betNr=betnr, values=values)["id"])
    spoil(firm, {"id": key}, "strasse" if kind == "adressen" else "iban", "object")
    child = create(firm, espo_id)
    (outcome,) = own_pass(firm, part, child)
    assert outcome.result is Result.FAILED
    assert firm.crm_record(child, part.kind.espo_entity)["syncStatus"] == "failed"
    assert len(there(firm, betnr)) == 1
    firm.office.clear_faults()
    firm.until_quiet()


def test_a_new_phone_waits_while_an_entry_that_may_be_it_cannot_be_read(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(titel="Dr.")
    firm.until_quiet()
    sides.office_add(firm, betnr, "neu@huber.example", 4)
    key = sides.entry(firm, betnr, "neu@huber.example")["id"]
    spoil(firm, {"id": key}, "tlf", "object")
    firm.crm_edit(espo_id, emailAddressData=[sides.mail("neu@huber.example", primary=True)], titel="Prof.")
    (outcome,) = firm.outcomes(espo_id)
    assert (outcome.result, outcome.part) == (Result.FAILED, "Kommunikation")
    assert firm.office_record(betnr)["titel"] == "Prof."
    firm.office.clear_faults()
    firm.until_quiet()
    assert sides.values(firm, betnr) == ["neu@huber.example"] == sides.addresses(firm, espo_id)
