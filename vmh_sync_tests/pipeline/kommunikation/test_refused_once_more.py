"""A phone or e-mail that a side refused is tried again on every run that a person starts, and daily."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from vmh_sync.beteiligte import batch as stages
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result
from vmh_sync.systems.advoware.client import AdvowareClient
from vmh_sync.systems.advoware.errors import Rejected
from vmh_sync.systems.advoware.records import Created
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.kommunikation import sides
from vmh_sync_tests.pipeline.kommunikation.sides import mail

WHY = "Adresse ist gesperrt"


def by_person(firm: Firm, espo_id: str) -> RecordOutcome:
    async def one_pass(context: PassContext) -> list[RecordOutcome]:
        asked = replace(context, by_person=True)
        batch = await stages.fetch(asked, firm.parts, [espo_id])
        stages.diff(firm.parts, stages.map_fields(batch))
        return await stages.write(asked, firm.parts, batch)

    (outcome,) = firm.run(one_pass)
    return outcome


@contextmanager
def refusing(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Advoware refuses every value of an entry; yields what was sent to it."""
    sent: list[str] = []

    async def refuse(self: AdvowareClient, betnr: int, *what: Any) -> Any:
        sent.append(what[-1]["tlf"])
        refusal = Rejected("refused", status=400)
        refusal.said = WHY
        raise refusal

    with monkeypatch.context() as patched:
        patched.setattr(AdvowareClient, "create_kommunikation", refuse)
        patched.setattr(AdvowareClient, "update_kommunikation", refuse)
        yield sent


@pytest.mark.parametrize("known", [False, True])
def test_it_is_sent_again_told_once_with_the_reason_and_stands_when_it_is_taken(
    firm: Firm, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    espo_id, betnr = firm.linked_party()
    if known:
        sides.office_add(firm, betnr, "alt@huber.example", 4)
        firm.until_quiet()
    with refusing(monkeypatch) as sent:
        firm.crm_edit(espo_id, emailAddressData=[mail("a@huber.example", primary=True)])
        firm.until_quiet()
        tried = len(sent)
        for again in (1, 2):
            outcome = by_person(firm, espo_id)
            assert (len(sent) - tried, outcome.result) == (again, Result.UNCHANGED)
            assert (outcome.advoware_writes, outcome.espocrm_writes) == (0, 0)
        firm.sync(espo_id)
        assert len(sent) - tried == 2, "a pass that nobody asked for waits for the next day"
        (task,) = firm.tasks()
        assert ("a@huber.example" in task["description"], WHY in task["description"]) == (True, True)
        with firm.store.reading() as tx:
            assert len([one for one in tx.audit.for_record(espo_id, 99) if one.kind == "refused"]) == 1
        firm.crm_edit(espo_id, zusatz="geändert")
        firm.sync(espo_id)
        assert len(sent) - tried == 3, "the record has changed"
    by_person(firm, espo_id)
    assert sides.values(firm, betnr) == ["a@huber.example"]
    firm.until_quiet()
    assert (firm.tasks(), firm.crm_record(espo_id)["syncStatus"]) == ([], "clean")


@pytest.mark.parametrize("told", [True, False])
def test_a_value_that_an_office_drops_from_a_new_entry_stays_in_espocrm_and_is_told(
    firm: Firm, monkeypatch: pytest.MonkeyPatch, told: bool
) -> None:
    espo_id, betnr = firm.linked_party()
    create = AdvowareClient.create_kommunikation

    async def dropping(self: AdvowareClient, number: int, values: Any) -> Any:
        made = await create(self, number, {**values, "tlf": ""})
        return made if told else Created(key=made.key, record=None)

    with monkeypatch.context() as patched:
        patched.setattr(AdvowareClient, "create_kommunikation", dropping)
        firm.crm_edit(espo_id, emailAddressData=[mail("a@huber.example", primary=True)])
        firm.until_quiet()
    for _ in range(2):
        by_person(firm, espo_id)
        assert sides.addresses(firm, espo_id) == ["a@huber.example"]
        assert len(sides.entries(firm, betnr)) == 1
        (task,) = firm.tasks()
        assert "a@huber.example" in task["description"]
        assert firm.crm_record(espo_id)["syncStatus"] == "conflict"
