"""An EspoCRM id that comes respelled means the record of the plain id, wherever it comes in."""

import json

import pytest
from pydantic import TypeAdapter, ValidationError

from vmh_sync.first_contact.answers import parse_pairs
from vmh_sync.gateway.events.webhooks import NeverValid, ids_in
from vmh_sync.gateway.requests.triggers import EspoId
from vmh_sync.orchestration.run_config import SyncRunConfig
from vmh_sync.systems.espocrm.record_id import may_be_asked_for, record_id

PLAIN, UUID = "66aa11bb22cc33dd4", "0f5f2c0f-5f2c-4f5f-8c0f-5f2c0f5f2c0f"
CAPITALS = [PLAIN.upper(), "66Aa11bB22cC33dD4"]


@pytest.mark.parametrize("told", CAPITALS)
def test_a_webhook_in_capitals_means_the_plain_record(told: str) -> None:
    assert ids_in(json.dumps([{"id": told}, {"id": PLAIN}]).encode()) == [PLAIN]


@pytest.mark.parametrize("told", [*CAPITALS, f" {PLAIN}", f"{PLAIN.upper()}\n"])
def test_what_a_person_types_means_the_plain_record(told: str) -> None:
    assert SyncRunConfig(ids=[told, PLAIN]).ids == [PLAIN]
    assert [one.espo_id for one in parse_pairs([f"{told}=neu"])] == [PLAIN]


def test_a_trigger_takes_capitals_as_the_plain_record() -> None:
    assert TypeAdapter(EspoId).validate_python(PLAIN.upper()) == PLAIN
    assert TypeAdapter(EspoId).validate_python(UUID) == UUID
    with pytest.raises(ValidationError):
        TypeAdapter(EspoId).validate_python("nothing")


def test_a_uuid_keeps_its_spelling_for_imported_records_may_have_capitals() -> None:
    assert record_id(UUID.upper()) == UUID.upper()
    assert ids_in(json.dumps([{"id": UUID.upper()}]).encode()) == [UUID.upper()]


def test_what_is_no_id_keeps_its_spelling() -> None:
    assert record_id(" Huber GmbH ") == "Huber GmbH"
    assert SyncRunConfig(ids=["System"]).ids == ["System"]
    with pytest.raises(NeverValid):
        ids_in(b'{"id": "66AA11BB22CC33DD4X"}')


@pytest.mark.parametrize("told", ["", ".", "..", "a/b", "a\\b", "a\0b", "a\x7f", "\udcff", "x" * 65])
def test_what_leads_to_another_address_is_asked_of_nobody(told: str) -> None:
    assert not may_be_asked_for(told)


@pytest.mark.parametrize("told", [PLAIN, UUID, "System", "...", "Müller 1", "12.345", "x" * 64])
def test_an_odd_id_that_can_be_addressed_is_asked_for(told: str) -> None:
    assert may_be_asked_for(told)
