"""A party that nothing has happened to is recognised: it costs the reads, and nothing is mapped, merged or planned."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from vmh_sync.beteiligte import batch as stages
from vmh_sync.beteiligte.batch import Batch
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.sandbox.people.parties import People
from vmh_sync.store.pairs.records import SyncRecord
from vmh_sync.sync.reporting.outcome import Result
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.kommunikation.sides import entries, mail, office_add, office_change, office_delete, phone

Json = dict[str, Any]
STREET = {"adresseStreet": "Marktstraße 5", "adressePostalCode": "30159", "adresseCity": "Hannover"}
KIND = "general_manual_action"
IBAN = "DE89370400440532013000"


def filled_party(firm: Firm) -> str:
    """A party with an e-mail, a phone, an address and an account, typed in EspoCRM."""
    party = firm.crm_party(
        firstName="Erika",
        lastName="Muster",
        zusatz="2. Etage",
        emailAddressData=[mail("erika@muster.example", primary=True)],
        phoneNumberData=[phone("+4951112345", primary=True)],
    )
    firm.crm.edit("CAdressen", "create", values={"name": "Adresse", "beteiligteId": party, **STREET})
    firm.crm.edit("CBankverbindungen", "create", values={"name": "Konto", "beteiligteId": party, "iban": IBAN})
    return party


def come_to_rest(firm: Firm, *ids: str) -> None:
    """Passes until nothing is left to write, to read closer or to remember."""
    firm.until_quiet(*ids)
    firm.sync(*ids)
    with firm.store.transaction() as tx:
        for key in list(tx.links.keys("beteiligte")):
            link = tx.links.by_id(key.id)
            if link is not None and link.espo_modified_at is not None:
                # As if it had been read later: nothing hides behind the same second (espocrm.md B4, B6).
                tx.links.save(replace(link, espo_read_at=link.espo_modified_at + timedelta(seconds=5)))
    firm.sync(*ids)


def look(firm: Firm, *ids: str) -> Batch:
    """What a pass over these parties would do, without writing."""

    async def fetched(context: PassContext) -> Batch:
        batch = await stages.fetch(context, firm.parts, ids)
        return stages.diff(firm.parts, stages.map_fields(batch))

    batch: Batch = firm.run(fetched)
    return batch


def recognised(firm: Firm, ids: list[str]) -> dict[str, bool]:
    return {read.espo_id: read.recognised for read in look(firm, *ids).reads}


def forget(firm: Firm) -> None:
    """Do away with all fingerprints."""
    with firm.store.transaction() as tx:
        for key in tx.links.keys("beteiligte"):
            link = tx.links.by_id(key.id)
            assert link is not None
            tx.links.save(link)


def test_a_party_at_rest_costs_its_reads_and_no_planning(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    party = filled_party(firm)
    come_to_rest(firm)

    def planned(*_: object) -> None:
        raise AssertionError("a party at rest was planned")

    monkeypatch.setattr(stages, "map_party", planned)
    monkeypatch.setattr(stages, "plan_party", planned)
    firm.office.clear_calls()
    firm.crm.clear_calls()
    (outcome,) = firm.outcomes(party)
    assert (outcome.result, outcome.betnr) == (Result.UNCHANGED, firm.crm_record(party)["betnr"])
    calls = firm.crm.calls()["by_route"]
    assert calls == {"GET CBeteiligte": 1, "GET CAdressen": 1, "GET CBankverbindungen": 1}
    assert firm.office.calls()["by_route"]["GET Beteiligte/{}"] == 1
    with firm.store.reading() as tx:
        link = tx.links.get_by_espo("beteiligte", party)
    assert link is not None
    assert link.verified_at is not None
    assert datetime.now(UTC) - link.verified_at < timedelta(minutes=1)


def child(firm: Firm, entity: str, party: str) -> str:
    return next(str(row["id"]) for row in firm.crm_records(entity) if row["beteiligteId"] == party)


def edits(firm: Firm) -> dict[str, Callable[[str, int], object]]:
    """What people do, one thing each."""

    def of_child(entity: str, action: str, **values: Any) -> Callable[[str, int], object]:
        return lambda party, _: firm.crm.edit(entity, action, id=child(firm, entity, party), values=values)

    def of_office_child(entity: str, name: str, action: str, **values: Any) -> Callable[[str, int], object]:
        def edit(_: str, betnr: int) -> object:
            key = firm.office_record(betnr)[name][0]["id"]
            return firm.office.edit(entity, action, id=key, values=values)

        return edit

    return {
        "field in EspoCRM": lambda party, _: firm.crm_edit(party, zusatz="3. Etage"),
        "status in EspoCRM": lambda party, _: firm.crm_edit(party, syncStatus="dirty"),
        "number in EspoCRM": lambda party, _: firm.crm_edit(party, betnr=None),
        "e-mail in EspoCRM": lambda party, _: firm.crm_edit(party, emailAddressData=[mail("neu@muster.example")]),
        "deleted in EspoCRM": lambda party, _: firm.crm.edit("CBeteiligte", "delete", id=party),
        "field in Advoware": lambda _, betnr: firm.office_edit(betnr, titel="Dr."),
        "deleted in Advoware": lambda _, betnr: firm.office.edit("Beteiligte", "delete", betNr=betnr),
        "entry changed": lambda _, betnr: office_change(firm, min(entries(firm, betnr)), tlf="neu@muster.example"),
        "entry new": lambda _, betnr: office_add(firm, betnr, "+4951199999", 1),
        "entry gone": lambda _, betnr: office_delete(firm, min(entries(firm, betnr))),
        "address changed in EspoCRM": of_child("CAdressen", "update", adresseCity="Celle"),
        "address silently changed in EspoCRM": of_child("CAdressen", "silent", adresseCity="Celle"),
        "address off in EspoCRM": of_child("CAdressen", "update", istAktiv=False),
        "address deleted in EspoCRM": of_child("CAdressen", "delete"),
        "account changed in EspoCRM": of_child("CBankverbindungen", "update", bic="COBADEFFXXX"),
        "address changed in Advoware": of_office_child("Adressen", "adressen", "update", ort="Celle"),
        "address deleted in Advoware": of_office_child("Adressen", "adressen", "delete"),
        "account deleted in Advoware": of_office_child("Bankverbindungen", "bankverbindungen", "delete"),
    }


def test_whatever_people_do_on_either_side_is_looked_at(firm: Firm) -> None:
    acts = edits(firm)
    parties = {name: filled_party(firm) for name in (*acts, "nothing")}
    come_to_rest(firm)
    assert all(recognised(firm, list(parties.values())).values())
    for name, act in acts.items():
        act(parties[name], int(firm.crm_record(parties[name])["betnr"]))
    seen = recognised(firm, list(parties.values()))
    assert {name for name, party in parties.items() if seen[party]} == {"nothing"}
    edited = [parties["field in EspoCRM"], parties["field in Advoware"]]
    come_to_rest(firm, *edited)
    assert all(recognised(firm, edited).values())


def test_nobody_is_recognised_while_something_is_open(firm: Firm) -> None:
    whats = ("party task", "address task", "create of an entry", "failure", "address failure", "nothing")
    parties = {name: filled_party(firm) for name in whats}
    come_to_rest(firm)
    address = {name: child(firm, "CAdressen", party) for name, party in parties.items()}
    with firm.store.transaction() as tx:
        for entity, espo_id in (("beteiligte", parties["party task"]), ("adressen", address["address task"])):
            tx.tasks.ensure(entity=entity, espo_id=espo_id, betnr=1, kind=KIND, fields=(), fingerprint="x", details={})
        key = {"kind": 1, "value": "+4951100000", "online": False}
        of_entry = parties["create of an entry"]
        tx.intents.start(
            system="advoware", entity="kommunikation", espo_id=of_entry, natural_key=key, payload_hash="x", betnr=1
        )
        tx.records.upsert(
            [
                SyncRecord(entity="beteiligte", espo_id=parties["failure"], status="failed"),
                SyncRecord(entity="adressen", espo_id=address["address failure"], status="failed"),
            ]
        )
    seen = recognised(firm, list(parties.values()))
    assert {name for name, party in parties.items() if seen[party]} == {"nothing"}


def test_other_rules_make_every_fingerprint_void(
    firm: Firm, firm_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    party = filled_party(firm)
    come_to_rest(firm)
    table = tmp_path / "tables.json"
    table.write_text('{"beteiligte": {"zusatz": {"conflict": "manual"}}}', encoding="utf-8")
    with firm_environment.context() as changed:
        changed.setenv("VMH_FIELD_TABLES", str(table))
        assert recognised(firm, [party]) == {party: False}
    with firm_environment.context() as changed:
        changed.setenv("VMH_IMPORT_BANK_ACCOUNTS", "false")
        assert recognised(firm, [party]) == {party: False}
    assert recognised(firm, [party]) == {party: True}


def test_who_is_recognised_would_have_been_left_alone(firm: Firm) -> None:
    """Random people, passes, and each party that is recognised is planned all the same: nothing is to be done."""
    parties = [filled_party(firm) for _ in range(4)]
    come_to_rest(firm)
    found = 0
    for round_number in range(2):

        async def edit(seed: int = round_number) -> None:
            async with People(firm.sandbox.urls, seed=seed) as people:
                await people.edit_some(2)

        asyncio.run(edit())
        come_to_rest(firm)
        known = [party for party, yes in recognised(firm, parties).items() if yes]
        found += len(known)
        forget(firm)
        batch = look(firm, *known)
        assert not any(read.recognised for read in batch.reads)
        assert not batch.to_write
    assert found >= len(parties), "hardly anybody was recognised: nothing was shown"
