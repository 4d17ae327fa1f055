"""The independent comparison finds what is planted, and takes nothing for explained that no task is about."""

import asyncio
from typing import Any

import pytest

from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.reconcile.read import NO_SEARCH, Report, reconcile
from vmh_sync.systems.advoware.client import AdvowareClient
from vmh_sync.systems.errors import LoginRefused
from vmh_sync.systems.espocrm.client import EspoClient
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.bankverbindungen.test_bank_accounts import account, edit, linked


def compared(firm: Firm) -> Report:
    report = firm.run(reconcile)
    assert isinstance(report, Report)
    return report


def test_a_synced_firm_agrees(firm: Firm) -> None:
    linked(firm, kontoinhaber="Muster")
    report = compared(firm)
    assert report.agrees
    assert (report.compared, report.differences, report.notes) == (1, [], [])


def test_an_extra_party_with_the_same_mark_is_found(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party()
    extra = firm.office_party(bemerkung=f"EspoCRM-ID: {espo_id}")
    report = compared(firm)
    assert report.only_advoware == [extra]
    assert report.doubled == [f"{espo_id} (betnr {betnr}, {extra})"]
    assert not report.agrees


def test_a_party_deleted_in_espocrm_is_explained_once_its_task_is_open(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party()
    firm.crm.edit("CBeteiligte", "delete", id=espo_id)
    assert compared(firm).only_advoware == [betnr]
    firm.sync(espo_id)
    report = compared(firm)
    assert (report.only_advoware, list(report.only_advoware_explained)) == ([], [betnr])
    assert report.agrees


def test_a_party_deleted_in_advoware_is_explained_once_its_task_is_open(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party()
    firm.office.edit("Beteiligte", "delete", betNr=betnr)
    assert compared(firm).only_espocrm == [espo_id]
    firm.sync(espo_id)
    report = compared(firm)
    assert (report.only_espocrm, list(report.only_espocrm_explained)) == ([], [espo_id])


@pytest.mark.parametrize("typed", [7777777, -3])
def test_a_party_whose_typed_number_is_wrong_is_explained_by_what_it_says_itself(firm: Firm, typed: int) -> None:
    espo_id = firm.crm_party(lastName="Vertippt", betnr=typed)
    assert compared(firm).only_espocrm == [espo_id]
    firm.sync(espo_id)
    report = compared(firm)
    assert (report.only_espocrm, list(report.only_espocrm_explained)) == ([], [espo_id]) and report.agrees
    assert "Nummer" in report.only_espocrm_explained[espo_id].why
    firm.crm_edit(espo_id, betnr=None)
    firm.sync(espo_id)
    assert compared(firm).agrees and compared(firm).compared == 1


def test_a_changed_account_holder_is_found_and_explained_by_its_own_task(firm: Firm) -> None:
    party, _, record = linked(firm, kontoinhaber="Muster")
    edit(firm, record, kontoinhaber="Beispiel")
    (found,) = compared(firm).differences
    assert (found.id, found.field, found.explained) == (party, "bankverbindungen.kontoinhaber", False)
    firm.sync(party)
    assert [item.explained for item in compared(firm).differences] == [True]
    edit(firm, record, bankname="Andere Bank")
    told = {item.field: item.explained for item in compared(firm).differences}
    assert told == {"bankverbindungen.kontoinhaber": True, "bankverbindungen.bank": False}


def test_an_account_deleted_in_espocrm_is_explained_by_its_own_task(firm: Firm) -> None:
    party, _, record = linked(firm)
    firm.crm.edit("CBankverbindungen", "delete", id=record)
    assert [item.explained for item in compared(firm).differences] == [False]
    firm.sync(party)
    assert [item.explained for item in compared(firm).differences] == [True]


def test_a_doubled_account_is_found_and_so_is_a_wrong_one(firm: Firm) -> None:
    party, _, _ = linked(firm)
    account(firm, party)
    (found,) = compared(firm).differences
    assert (found.field, found.explained) == ("bankverbindungen", False)
    account(firm, party, iban="DE00500105175407324931")
    firm.sync(party)
    told = sorted(item.reason.why for item in compared(firm).differences if item.reason is not None)
    assert [why.partition(". ")[0].partition(": ")[2] for why in told] == [
        "Die IBAN ist falsch: Die Prüfziffer stimmt nicht",
        "Diese IBAN gibt es bei diesem Beteiligten schon",
    ], "such a record says itself what is wrong"


def test_without_a_search_the_report_says_so(firm: Firm) -> None:
    firm.linked_party()
    firm.office.fault(r"/Beteiligte$", "status", method="GET", status=405)
    report = compared(firm)
    firm.office.clear_faults()
    assert report.notes == [NO_SEARCH]
    assert report.agrees


def test_a_comparison_that_ends_early_leaves_no_read_running(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    firm.linked_party()
    asked = asyncio.Semaphore(0)

    async def never(*_: Any) -> None:
        asked.release()
        await asyncio.sleep(60)

    async def refused(*_: Any) -> None:
        await asked.acquire()
        raise LoginRefused("EspoCRM")

    async def comparing(context: PassContext) -> set[asyncio.Task[Any]]:
        before = asyncio.all_tasks()
        with pytest.raises(LoginRefused):
            await reconcile(context)
        return asyncio.all_tasks() - before

    monkeypatch.setattr(AdvowareClient, "read_beteiligter", never)
    monkeypatch.setattr(EspoClient, "read", refused)
    assert firm.run(comparing) == set()
