"""An office with a spelling of its own: what it only respells is agreed, and no task asks for what nobody can do."""

from collections.abc import Iterator
from typing import Any

import pytest

from vmh_sync.beteiligte.pipeline import PartyPipeline
from vmh_sync.sandbox.office import fields, parties
from vmh_sync.settings import SyncSettings
from vmh_sync_tests.inmemory.firm import Firm, Hindrance
from vmh_sync_tests.inmemory.network import Fate
from vmh_sync_tests.inmemory.world import World

IBAN = "DE02120300000000202051"
PERSON = {"lastName": "von  der Höh", "firstName": "Änne", "zusatz": "c/o „Büro“  – Nord", "briefAnrede": "Liebe  Änne"}
ADDRESS = {
    "adresseStreet": "Am  Groß–Markt 1",
    "adressePostalCode": "30159",
    "adresseCity": "Bad  Münder",
    "postfach": "12  34",
}
ACCOUNT = {"name": "x", "iban": IBAN, "kontoinhaber": "Änne  „die“ Höh", "bankname": "Volks–Bank"}


def respelled(value: object) -> object:
    if not isinstance(value, str) or "EspoCRM" in value:
        return value
    return value.replace("  ", " ").upper().replace("–", "-").replace("„", '"').replace("“", '"')


@pytest.fixture
def firm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Firm]:
    taken = fields.taken

    def in_capitals(body: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
        values = taken(body, names)
        return {name: value if name == "geburtsdatum" else respelled(value) for name, value in values.items()}

    monkeypatch.setattr(parties, "taken", in_capitals)
    firm = Firm(World(rules=SyncSettings(_env_file=None)))
    yield firm
    firm.world.close()


def stands(firm: Firm, entity: str, typed: dict[str, str]) -> None:
    (row,) = firm.crm_rows(entity).values()
    assert {name: row[name] for name in typed} == typed, "what was typed in EspoCRM stays as it was typed"
    assert (row["syncStatus"], row.get("syncErrorMessage")) == ("clean", None)


def test_what_the_office_only_respells_is_agreed(firm: Firm) -> None:
    party = firm.crm_create("CBeteiligte", PERSON)
    address = firm.crm_create("CAdressen", {**ADDRESS, "name": "x", "beteiligteId": party})
    firm.crm_create("CBankverbindungen", {**ACCOUNT, "beteiligteId": party})
    firm.settle(PartyPipeline(), [party])
    firm.world.loop.pass_time(60)
    firm.crm_edit("CBeteiligte", party, {"zusatz": "Haus  – „Süd“"})
    firm.crm_edit("CAdressen", address, {"adresseStreet": "Süd–Weg  2"})
    firm.settle(PartyPipeline(), [party])
    assert not firm.tasks()
    stands(firm, "CBeteiligte", PERSON | {"zusatz": "Haus  – „Süd“"})
    stands(firm, "CAdressen", ADDRESS | {"adresseStreet": "Süd–Weg  2"})
    stands(firm, "CBankverbindungen", ACCOUNT)
    (there,) = firm.office_rows("Beteiligte").values()
    assert there["zusatz"] == 'HAUS - "SÜD"'


def test_an_edit_that_only_respells_still_arrives(firm: Firm) -> None:
    party = firm.crm_create("CBeteiligte", PERSON)
    firm.settle(PartyPipeline(), [party])
    (number,) = firm.office_rows("Beteiligte")
    firm.world.loop.pass_time(60)
    firm.office_edit("Beteiligte", number, {"zusatz": "c/o Büro-Nord"})
    firm.settle(PartyPipeline(), [party])
    firm.world.loop.pass_time(60)
    firm.office_edit("Beteiligte", number, {"zusatz": "C/O BÜRO-NORD"})
    firm.settle(PartyPipeline(), [party])
    stands(firm, "CBeteiligte", PERSON | {"zusatz": "C/O BÜRO-NORD"})


def test_a_party_whose_create_was_not_answered_is_known_in_its_spelling(firm: Firm) -> None:
    party = firm.crm_create("CBeteiligte", PERSON)
    lost = Fate(answer="lost", of=lambda one: one.method == "POST" and one.path.endswith("/Beteiligte"))
    firm.run(PartyPipeline(), [party], Hindrance(fates=dict.fromkeys(range(40), lost)))
    firm.settle(PartyPipeline(), [party])
    assert len(firm.office_rows("Beteiligte")) == 1
    assert not firm.tasks()
    stands(firm, "CBeteiligte", PERSON)


def test_letters_show_a_part_of_the_address_as_it_was_respelled(firm: Firm) -> None:
    party = firm.crm_create("CBeteiligte", PERSON)
    address = firm.crm_create("CAdressen", {**ADDRESS, "name": "x", "beteiligteId": party})
    firm.settle(PartyPipeline(), [party])
    firm.world.loop.pass_time(60)
    firm.crm_edit("CAdressen", address, {"adresseStreet": "am Groß-Markt 1"})
    firm.settle(PartyPipeline(), [party])
    assert not firm.tasks()
    assert "am Groß-Markt 1" in (firm.crm_row("CAdressen", address) or {})["anschrift"].splitlines()
    (there,) = firm.office_rows("Adressen").values()
    assert there["anschrift"].splitlines()[1] == there["strasse"] == "AM GROSS-MARKT 1"


def test_what_a_killed_pass_sent_is_known_in_the_spelling_of_the_office(firm: Firm) -> None:
    party = firm.crm_create("CBeteiligte", PERSON)
    firm.settle(PartyPipeline(), [party])
    firm.world.loop.pass_time(60)
    firm.crm_edit("CBeteiligte", party, {"zusatz": "Neu"})
    dies = Fate(dies="after", of=lambda one: one.method == "PUT" and one.system == "advoware")
    firm.run(PartyPipeline(), [party], Hindrance(fates=dict.fromkeys(range(40), dies)))
    firm.crm_edit("CBeteiligte", party, {"zusatz": "Neuer"})
    firm.settle(PartyPipeline(), [party])
    (there,) = firm.office_rows("Beteiligte").values()
    assert there["zusatz"] == "NEUER"
    assert not firm.tasks(), "nobody but we wrote into Advoware"


def test_an_account_whose_create_was_not_answered_is_known_though_its_iban_was_typed_over(firm: Firm) -> None:
    party = firm.crm_create("CBeteiligte", PERSON)
    firm.settle(PartyPipeline(), [party])
    firm.crm_create("CBankverbindungen", {**ACCOUNT, "beteiligteId": party})
    lost = Fate(answer="lost", dies="after", of=lambda one: one.method == "POST" and one.system == "advoware")
    firm.run(PartyPipeline(), [party], Hindrance(fates=dict.fromkeys(range(60), lost)))
    (number,) = firm.office_rows("Bankverbindungen")
    firm.office_edit("Bankverbindungen", number, {"iban": "DE89370400440532013000"})
    firm.settle(PartyPipeline(), [party])
    assert len(firm.office_rows("Bankverbindungen")) == 1, "not created a second time"
