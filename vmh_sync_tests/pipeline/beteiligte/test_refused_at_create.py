"""Advoware refuses a create for one of its values: the rest is created, and the refused value is told."""

from typing import Any

import pytest

from vmh_sync.systems.advoware.client import AdvowareClient
from vmh_sync.systems.advoware.errors import Rejected
from vmh_sync.systems.espocrm.client import EspoClient
from vmh_sync.systems.espocrm.errors import ValidationRejected
from vmh_sync_tests.fixtures.firm import Firm

WHY = "Dieser Wert ist hier nicht erlaubt"
IBAN = "DE89370400440532013000"
STREET = {"adresseStreet": "Marktstraße 5", "adressePostalCode": "30159", "adresseCity": "Hannover"}


def refusing(monkeypatch: pytest.MonkeyPatch, name: str, *methods: str) -> None:
    """Advoware refuses every request of these methods that holds a value for a field."""

    def refused(method: Any) -> Any:
        async def call(self: AdvowareClient, *what: Any) -> Any:
            if what[-1].get(name):
                refusal = Rejected("refused", status=400)
                refusal.said = WHY
                raise refusal
            return await method(self, *what)

        return call

    for method in methods:
        monkeypatch.setattr(AdvowareClient, method, refused(getattr(AdvowareClient, method)))


def test_a_party_is_created_without_the_refused_value_which_is_told_with_advowares_reason(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    espo_id = firm.crm_party(lastName="Muster", firstName="Erika", titel="Dr.", zusatz="c/o Beispiel")
    with monkeypatch.context() as patched:
        refusing(patched, "titel", "create_beteiligter", "replace_beteiligter")
        firm.sync(espo_id)
        (party,) = firm.office_records()
        assert (party["name"], party["vorname"], party["zusatz"], party["titel"]) == (
            "Muster",
            "Erika",
            "c/o Beispiel",
            "",
        )
        (task,) = firm.tasks()
        assert (task["parentId"], "Dr." in task["description"], WHY in task["description"]) == (espo_id, True, True)
        assert (firm.crm_record(espo_id)["syncStatus"], firm.crm_record(espo_id)["titel"]) == ("conflict", "Dr.")
    firm.crm_edit(espo_id, zusatz="c/o Neu")
    firm.sync(espo_id)
    assert (firm.office_records()[0]["titel"], firm.tasks()) == ("Dr.", [])


def test_an_address_is_created_without_the_refused_value_and_gets_it_once_it_is_taken(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    party, betnr = firm.linked_party()
    values = {"name": "Adresse", "beteiligteId": party, **STREET}
    address = str(firm.crm.edit("CAdressen", "create", values=values)["id"])
    with monkeypatch.context() as patched:
        refusing(patched, "plz", "create_adresse", "update_adresse")
        firm.sync(party)
        (made,) = firm.office_record(betnr)["adressen"]
        assert (made["strasse"], made["ort"], made["plz"]) == ("Marktstraße 5", "Hannover", "")
        (task,) = firm.tasks()
        assert ("30159" in task["description"], WHY in task["description"]) == (True, True)
        assert firm.crm_record(address, "CAdressen")["syncStatus"] == "conflict"
    firm.crm.edit("CAdressen", "update", id=address, values={"adresseCity": "Celle"})
    firm.sync(party)
    (made,) = firm.office_record(betnr)["adressen"]
    assert (made["plz"], firm.tasks()) == ("30159", [])


def test_an_account_is_created_without_the_refused_value_which_becomes_a_task(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    party, betnr = firm.linked_party()
    values = {"name": "Konto", "beteiligteId": party, "iban": IBAN, "bankname": "Commerzbank"}
    account = str(firm.crm.edit("CBankverbindungen", "create", values=values)["id"])
    with monkeypatch.context() as patched:
        refusing(patched, "bank", "create_bankverbindung")
        firm.sync(party)
        (made,) = firm.office_record(betnr)["bankverbindungen"]
        assert (made["iban"], made["bank"]) == (IBAN, "")
        (task,) = firm.tasks()
        assert "Commerzbank" in task["description"]
        assert firm.crm_record(account, "CBankverbindungen")["syncStatus"] == "unclean"
        assert not any(firm.sync(party).writes.values())


def test_a_child_that_is_refused_whole_says_so_itself_with_advowares_reason(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    party, betnr = firm.linked_party()
    values = {"name": "Konto", "beteiligteId": party, "iban": IBAN}
    account = str(firm.crm.edit("CBankverbindungen", "create", values=values)["id"])
    with monkeypatch.context() as patched:
        refusing(patched, "iban", "create_bankverbindung")
        firm.sync(party)
        record = firm.crm_record(account, "CBankverbindungen")
        assert (record["syncStatus"], WHY in record["syncErrorMessage"]) == ("failed", True)
        assert firm.office_record(betnr)["bankverbindungen"] == []
    firm.sync(party)
    record = firm.crm_record(account, "CBankverbindungen")
    assert (record["syncStatus"], record["syncErrorMessage"]) == ("clean", None)
    assert len(firm.office_record(betnr)["bankverbindungen"]) == 1


def test_what_is_refused_whole_costs_one_request_until_it_changes(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    party, _ = firm.linked_party()
    values = {"name": "Konto", "beteiligteId": party, "iban": IBAN, "bankname": "Commerzbank", "kontoinhaber": "Muster"}
    account = str(firm.crm.edit("CBankverbindungen", "create", values=values)["id"])
    other = firm.crm_party(lastName="Neu", titel="Dr.", zusatz="c/o Beispiel")
    sent: list[str] = []
    refusing(monkeypatch, "iban", "create_bankverbindung")
    refusing(monkeypatch, "name", "create_beteiligter")
    for method in ("create_bankverbindung", "create_beteiligter"):
        monkeypatch.setattr(AdvowareClient, method, counted(getattr(AdvowareClient, method), method, sent))
    costs = [requests_of(firm, sent, party, other) for _ in range(2)]
    firm.crm.edit("CBankverbindungen", "update", id=account, values={"bankname": "Sparkasse"})
    firm.crm_edit(other, titel="Prof.")
    costs.append(requests_of(firm, sent, party, other))
    first, second, changed = costs
    assert second == (1, 1)
    assert all(one > 2 for one in first)
    assert changed == first


def test_an_account_that_espocrm_takes_nothing_of_costs_one_request_in_the_next_pass(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    party, betnr = firm.linked_party()
    values = {"iban": IBAN, "bank": "Commerzbank", "kontoinhaber": "Muster"}
    firm.office.edit("Bankverbindungen", "create", betNr=betnr, values=values)
    sent: list[str] = []

    async def refuse(self: EspoClient, entity: str, values: Any, **how: Any) -> Any:
        sent.append(entity)
        field = "bankname" if "bankname" in values else "filiale"
        raise ValidationRejected("refused", entity=entity, field=field, rule="required", status=400)

    monkeypatch.setattr(EspoClient, "create", refuse)
    firm.sync(party)
    first = sent.count("CBankverbindungen")
    sent.clear()
    firm.sync(party)
    assert (first, sent.count("CBankverbindungen")) == (2, 1)


def counted(method: Any, name: str, sent: list[str]) -> Any:
    async def call(self: AdvowareClient, *what: Any) -> Any:
        sent.append(name)
        return await method(self, *what)

    return call


def requests_of(firm: Firm, sent: list[str], *parties: str) -> tuple[int, int]:
    """Return how many creates of accounts and of parties a pass sent."""
    sent.clear()
    firm.sync(*parties)
    return sent.count("create_bankverbindung"), sent.count("create_beteiligter")
