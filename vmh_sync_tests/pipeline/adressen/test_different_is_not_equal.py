"""A value of a child that one side does not take leaves it different: neither failed nor clean, and tried again."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from vmh_sync.adressen.part import KIND
from vmh_sync.adressen.pipeline import PIPELINE
from vmh_sync.children.selection import select
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.store.pairs.records import SyncRecord
from vmh_sync.sync.reporting.outcome import PassSummary, RecordOutcome, Result
from vmh_sync.systems.advoware.client import AdvowareClient
from vmh_sync.systems.advoware.errors import Rejected
from vmh_sync.systems.espocrm.client import EspoClient
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.adressen.test_addresses import edit, here, linked, office_edit, there

Refusing = Callable[[], Any]


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Refusing:
    """A context manager within which Advoware refuses every other street than its own."""
    take = AdvowareClient.update_adresse

    async def refuse(self: AdvowareClient, betnr: int, current: Any, changes: Mapping[str, Any]) -> Any:
        if "strasse" in changes:
            error = Rejected("PUT Adressen: status 400", status=400)
            error.said = "Straße ist gesperrt"
            raise error
        return await take(self, betnr, current, changes)

    @contextmanager
    def office() -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setattr(AdvowareClient, "update_adresse", refuse)
            yield

    return office


def own_pass(firm: Firm, *ids: str, by_person: bool = False, dry_run: bool = False) -> list[RecordOutcome]:
    async def one_pass(context: PassContext) -> list[RecordOutcome]:
        asked = replace(context, by_person=by_person)
        batch = await PIPELINE.fetch(asked, list(ids))
        PIPELINE.map_fields(batch)
        PIPELINE.diff(batch)
        return PIPELINE.dry_run(batch) if dry_run else await PIPELINE.write(asked, batch)

    return list(firm.run(one_pass))


def standing(firm: Firm, record: str) -> SyncRecord | None:
    with firm.store.reading() as tx:
        return tx.records.get("adressen", record)


def a_day_later(firm: Firm, record: str) -> None:
    """Move the stored time instead of the clock: the office's logins follow the real one."""
    known = standing(firm, record)
    assert known is not None
    assert known.next_retry_at is not None
    assert timedelta(hours=23) < known.next_retry_at - firm.clock.now() <= timedelta(hours=24)
    with firm.store.transaction() as tx:
        tx.records.upsert([replace(known, next_retry_at=known.next_retry_at - timedelta(hours=24))])


def refused_street(firm: Firm, refusing: Refusing) -> tuple[str, int, str]:
    party, betnr, record, _ = linked(firm)
    edit(firm, record, adresseStreet="Neue Gasse 1", adresseCity="Celle", syncStatus="dirty")
    with refusing():
        (outcome,) = own_pass(firm, record)
    assert (outcome.result, outcome.error, outcome.different) == (Result.SYNCED, None, ("strasse",))
    return party, betnr, record


def test_a_refused_value_stays_behind_alone_and_everybody_says_so(firm: Firm, refusing: Refusing) -> None:
    party, betnr, record = refused_street(firm, refusing)
    assert (there(firm, betnr)[0]["strasse"], there(firm, betnr)[0]["ort"]) == ("Marktstraße 5", "Celle")
    assert here(firm, record)["syncStatus"] == "conflict"
    assert "erschieden" in here(firm, record)["syncErrorMessage"]
    assert "Neue Gasse" not in here(firm, record)["syncErrorMessage"]
    known = standing(firm, record)
    assert known is not None
    assert known.is_different
    with firm.store.reading() as tx:
        assert tx.records.different() == {"adressen": 1}
        (row,) = [row for row in tx.audit.for_record(record) if row.kind == "task"]
    assert (row.field, row.old, row.new) == ("strasse", "Marktstraße 5", "Neue Gasse 1")
    assert "Straße ist gesperrt" in row.reason
    (task,) = firm.tasks()
    assert all(word in task["description"] for word in ("Neue Gasse 1", "Marktstraße 5", "Straße ist gesperrt"))
    assert task["parentId"] == party
    (planned,) = own_pass(firm, record, dry_run=True)
    assert (planned.result, planned.different, planned.plans) == (Result.UNCHANGED, ("strasse",), ())
    (again,) = own_pass(firm, record)
    assert (again.result, again.different) == (Result.UNCHANGED, ("strasse",))
    assert PassSummary().add([again]).to_json()["different"] == 1
    assert not any(firm.sync(party).writes.values())
    assert here(firm, record)["adresseStreet"] == "Neue Gasse 1", "a refused value is no edit of Advoware"


def test_the_pass_of_the_party_leaves_its_child_different_and_the_party_in_order(
    firm: Firm, refusing: Refusing
) -> None:
    party, _, record, _ = linked(firm)
    edit(firm, record, adresseStreet="Neue Gasse 1")
    with refusing():
        (outcome,) = firm.outcomes(party)
    assert (outcome.result, outcome.error) == (Result.SYNCED, None)
    known = standing(firm, record)
    assert known is not None
    assert known.is_different
    assert here(firm, record)["syncStatus"] == "conflict"
    firm.until_quiet()


def test_a_person_who_starts_a_run_tries_it_again_and_nothing_is_written_while_it_is_refused(
    firm: Firm, refusing: Refusing
) -> None:
    _, betnr, record = refused_street(firm, refusing)
    with refusing():
        for _ in range(2):
            (outcome,) = own_pass(firm, record, by_person=True)
            assert (outcome.result, outcome.different) == (Result.UNCHANGED, ("strasse",))
            assert (outcome.advoware_writes, outcome.espocrm_writes) == (0, 0)
    assert len(firm.tasks()) == 1
    (planned,) = own_pass(firm, record, by_person=True, dry_run=True)
    assert (planned.result, planned.different) == (Result.SKIPPED, ("strasse",))
    (outcome,) = own_pass(firm, record, by_person=True)
    assert (outcome.result, outcome.different) == (Result.SYNCED, ())
    assert there(firm, betnr)[0]["strasse"] == "Neue Gasse 1"
    assert (here(firm, record)["syncStatus"], here(firm, record)["syncErrorMessage"]) == ("clean", None)
    assert (firm.tasks(), standing(firm, record)) == ([], None)
    firm.until_quiet()


def test_it_is_tried_again_after_a_day_and_by_the_pass_of_the_party_too(firm: Firm, refusing: Refusing) -> None:
    party, betnr, record = refused_street(firm, refusing)
    assert record not in firm.run(lambda context: select(context, KIND, "due"))
    a_day_later(firm, record)
    assert record in firm.run(lambda context: select(context, KIND, "due"))
    with refusing():
        own_pass(firm, record)
    assert len(firm.tasks()) == 1
    own_pass(firm, record)
    assert there(firm, betnr)[0]["strasse"] == "Marktstraße 5", "the next try is another day away"
    a_day_later(firm, record)
    firm.sync(party)
    assert there(firm, betnr)[0]["strasse"] == "Neue Gasse 1"
    assert firm.tasks() == []


@pytest.mark.parametrize("where", ["crm", "office"])
def test_it_is_tried_again_when_the_child_changes(firm: Firm, refusing: Refusing, where: str) -> None:
    party, betnr, record = refused_street(firm, refusing)
    if where == "crm":
        edit(firm, record, adressePostalCode="29221")
    else:
        office_edit(firm, there(firm, betnr)[0]["id"], plz="29221")
    firm.sync(party)
    assert (there(firm, betnr)[0]["strasse"], there(firm, betnr)[0]["plz"]) == ("Neue Gasse 1", "29221")
    assert here(firm, record)["adressePostalCode"] == "29221"
    assert firm.tasks() == []
    assert here(firm, record)["syncStatus"] == "clean"


def test_both_sides_saying_the_same_settles_it(firm: Firm, refusing: Refusing) -> None:
    party, betnr, record = refused_street(firm, refusing)
    edit(firm, record, adresseStreet="Marktstraße 5")
    with refusing():
        firm.sync(party)
    assert (there(firm, betnr)[0]["strasse"], firm.tasks(), standing(firm, record)) == ("Marktstraße 5", [], None)
    assert here(firm, record)["syncStatus"] == "clean"


@pytest.mark.parametrize("form", [lambda value: value[:7], str.upper, lambda _: None])
def test_what_espocrm_makes_of_a_value_is_not_taken_for_an_edit(
    firm: Firm, monkeypatch: pytest.MonkeyPatch, form: Callable[[str], str | None]
) -> None:
    party, betnr, record, key = linked(firm)
    take = EspoClient.update

    async def changing(self: EspoClient, entity: str, which: str, values: Mapping[str, Any], **how: Any) -> Any:
        made = {name: form(value) if name == "adresseStreet" else value for name, value in values.items()}
        return await take(self, entity, which, made, **how)

    monkeypatch.setattr(EspoClient, "update", changing)
    office_edit(firm, key, strasse="Böttcherstraße 12")
    firm.sync(party)
    firm.until_quiet()
    assert there(firm, betnr)[0]["strasse"] == "Böttcherstraße 12"
    assert here(firm, record)["adresseStreet"] == form("Böttcherstraße 12")
    only_respelled = form is str.upper
    assert here(firm, record)["syncStatus"] == ("clean" if only_respelled else "conflict")
    assert len(firm.tasks()) == (0 if only_respelled else 1)


def test_a_value_that_espocrm_drops_without_a_word_is_not_taken_for_an_edit(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    party, betnr, record, key = linked(firm)
    take = EspoClient.update

    async def without(self: EspoClient, entity: str, which: str, values: Mapping[str, Any], **how: Any) -> Any:
        taken = {name: value for name, value in values.items() if name != "adresseStreet"}
        return await take(self, entity, which, taken, **how)

    monkeypatch.setattr(EspoClient, "update", without)
    office_edit(firm, key, strasse="Böttcherstraße 12", ort="Celle")
    firm.sync(party)
    firm.until_quiet()
    assert there(firm, betnr)[0]["strasse"] == "Böttcherstraße 12"
    assert (here(firm, record)["adresseStreet"], here(firm, record)["adresseCity"]) == ("Marktstraße 5", "Celle")
    assert len(firm.tasks()) == 1
    assert own_pass(firm, record, by_person=True)[0].different == ("strasse",)
