"""A record that somebody locked in EspoCRM 10 waits: no failure, no count; a person is told after days."""

from datetime import timedelta

import pytest

from vmh_sync.sync.reporting.outcome import Result
from vmh_sync_tests.fixtures.firm import Firm


def locked_with_an_edit_waiting(firm: Firm, **switches: object) -> str:
    firm.crm.do("set_switch", lockable={"CBeteiligte": True}, **switches)
    espo_id, betnr = firm.linked_party(lastName="Muster")
    firm.crm.do("lock", entity="CBeteiligte", id=espo_id)
    firm.office.edit("Beteiligte", betNr=betnr, values={"zusatz": "aus Advoware"})
    return espo_id


def test_an_edit_waits_until_the_record_is_unlocked_and_counts_no_try(firm: Firm) -> None:
    espo_id = locked_with_an_edit_waiting(firm)
    for _ in range(3):
        summary = firm.sync(espo_id)
        assert summary.results[Result.SKIPPED] == 1, summary
        assert summary.failures == []
    record = firm.crm_record(espo_id)
    assert record["syncStatus"] == "dirty"
    assert "gesperrt" in record["syncErrorMessage"]
    assert not record["syncRetryCount"]
    firm.crm.do("lock", entity="CBeteiligte", id=espo_id, on=False)
    firm.sync(espo_id)
    record = firm.crm_record(espo_id)
    assert record["zusatz"] == "aus Advoware"
    assert record["syncStatus"] == "clean"
    assert record["syncErrorMessage"] is None
    assert not any(firm.sync(espo_id).writes.values())


def test_where_our_fields_are_locked_too_nothing_fails_either(firm: Firm) -> None:
    espo_id = locked_with_an_edit_waiting(firm, ours_too=True)
    summary = firm.sync(espo_id)
    assert summary.results[Result.SKIPPED] == 1
    assert summary.failures == []


def test_a_person_is_told_after_days_and_once(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    espo_id = locked_with_an_edit_waiting(firm)
    firm.sync(espo_id)
    assert firm.tasks() == [], "days have not passed"
    monkeypatch.setattr("vmh_sync.beteiligte.status.locked.TOLD_AFTER", timedelta(0))
    with firm.store.transaction() as tx:
        tx.records.forget("beteiligte", [espo_id])
    for _ in range(3):
        firm.sync(espo_id)
    (task,) = firm.tasks()
    assert task["name"].startswith("Seit Tagen gesperrt")
    assert task["parentId"] == espo_id
