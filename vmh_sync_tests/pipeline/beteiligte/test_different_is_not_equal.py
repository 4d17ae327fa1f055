"""A value that one side does not take leaves the record different, and everybody says so."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from vmh_sync.beteiligte import batch as stages
from vmh_sync.beteiligte.selection import Selection, select
from vmh_sync.commands.screens.output import print_plan
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.orchestration.jobs.run_report import plan_metadata
from vmh_sync.sync.reporting.outcome import PassSummary, RecordOutcome
from vmh_sync.systems.advoware.client import AdvowareClient
from vmh_sync.systems.advoware.errors import Rejected
from vmh_sync.systems.advoware.records import Beteiligter
from vmh_sync_tests.fixtures.firm import Firm

Refusal = Callable[[], Any]


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Refusal:
    """A context manager within which the office refuses every other title than its own."""
    take = AdvowareClient.replace_beteiligter

    async def refuse(self: AdvowareClient, current: Beteiligter, changes: Any) -> Any:
        if "titel" in changes:
            error = Rejected("PUT Beteiligte/{betnr}: status 400", status=400)
            error.said = "Titel ist gesperrt"
            raise error
        return await take(self, current, changes)

    @contextmanager
    def office() -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setattr(AdvowareClient, "replace_beteiligter", refuse)
            yield

    return office


def refused_party(firm: Firm, refusing: Refusal) -> tuple[str, int]:
    espo_id, betnr = firm.linked_party(lastName="Alt", titel="Dr.")
    firm.crm_edit(espo_id, titel="Prof.")
    with refusing():
        firm.sync(espo_id)
    return espo_id, betnr


def by_a_person(firm: Firm, *ids: str, dry_run: bool = False) -> list[RecordOutcome]:
    async def one_pass(context: PassContext) -> list[RecordOutcome]:
        asked = replace(context, by_person=True)
        batch = await stages.fetch(asked, firm.parts, list(ids))
        stages.diff(firm.parts, stages.map_fields(batch))
        return stages.dry_run(batch) if dry_run else await stages.write(asked, firm.parts, batch)

    return list(firm.run(one_pass))


def audit_rows(firm: Firm, espo_id: str) -> int:
    with firm.store.reading() as tx:
        return len(tx.audit.for_record(espo_id))


def a_day_later(firm: Firm, espo_id: str) -> None:
    """Move the stored time instead of the clock: the office's logins follow the real one."""
    with firm.store.transaction() as tx:
        standing = tx.records.get("beteiligte", espo_id)
        assert standing is not None
        assert standing.next_retry_at is not None
        assert timedelta(hours=23) < standing.next_retry_at - firm.clock.now() <= timedelta(hours=24)
        tx.records.upsert([replace(standing, next_retry_at=standing.next_retry_at - timedelta(hours=24))])


def test_a_record_with_a_refused_value_is_in_conflict_and_counted_as_different(firm: Firm, refusing: Refusal) -> None:
    espo_id, _ = firm.linked_party(lastName="Alt", titel="Dr.")
    firm.crm_edit(espo_id, titel="Prof.")
    with refusing():
        (outcome,) = firm.outcomes(espo_id)
        assert outcome.different == ("titel",)
        assert PassSummary().add([outcome]).to_json()["different"] == 1
        assert firm.crm_record(espo_id)["syncStatus"] == "conflict"
        again = firm.sync(espo_id)
    assert (again.different, again.failures, any(again.writes.values())) == (1, [], False)
    with firm.store.reading() as tx:
        standing = tx.records.get("beteiligte", espo_id)
    assert standing is not None
    assert standing.status == "conflict"
    assert "erschieden" in (standing.error_text or "")
    assert "Prof." not in (standing.error_text or "")


def test_a_dry_run_over_a_different_record_does_not_say_that_both_sides_agree(
    firm: Firm, refusing: Refusal, capsys: pytest.CaptureFixture[str]
) -> None:
    espo_id, _ = refused_party(firm, refusing)

    async def plan(context: PassContext) -> list[RecordOutcome]:
        batch = await stages.fetch(context, firm.parts, [espo_id])
        stages.diff(firm.parts, stages.map_fields(batch))
        return stages.dry_run(batch)

    outcomes = firm.run(plan)
    print_plan(outcomes, show_values=False)
    for told in (capsys.readouterr().out, str(plan_metadata(outcomes, show_values=False))):
        assert "stimmen überein" not in told
        assert "erschieden" in told
        assert espo_id in told
        assert "titel" in told


def test_a_field_that_the_office_ignores_leaves_the_record_different(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    espo_id, _ = firm.linked_party(lastName="Alt", titel="Dr.")
    take = AdvowareClient.replace_beteiligter

    async def ignore(self: AdvowareClient, current: Beteiligter, changes: Any) -> Any:
        return await take(self, current, {name: value for name, value in changes.items() if name != "titel"})

    monkeypatch.setattr(AdvowareClient, "replace_beteiligter", ignore)
    firm.crm_edit(espo_id, titel="Prof.", zusatz="neu")
    firm.sync(espo_id)
    assert firm.crm_record(espo_id)["syncStatus"] == "conflict"
    assert firm.sync(espo_id).different == 1
    firm.until_quiet()


def test_a_different_record_becomes_clean_once_both_sides_say_the_same(firm: Firm, refusing: Refusal) -> None:
    espo_id, betnr = refused_party(firm, refusing)
    firm.office_edit(betnr, titel="Prof.")
    assert firm.sync(espo_id).different == 0
    assert firm.crm_record(espo_id)["syncStatus"] == "clean"
    assert firm.tasks() == []
    with firm.store.reading() as tx:
        standing = tx.records.get("beteiligte", espo_id)
    assert standing is None or standing.status == "clean"


def test_a_value_that_espocrm_refuses_leaves_the_record_in_conflict(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(lastName="Alt", titel="Dr.")
    firm.office_edit(betnr, name="N" * 160, zusatz="neu")
    assert firm.sync(espo_id).different == 1
    assert firm.crm_record(espo_id)["syncStatus"] == "conflict"
    assert firm.crm_record(espo_id)["zusatz"] == "neu"
    assert not any(firm.sync(espo_id).writes.values())


def test_a_run_that_a_person_starts_tries_a_refused_value_again_and_stays_quiet_while_it_is_refused(
    firm: Firm, refusing: Refusal
) -> None:
    espo_id, betnr = refused_party(firm, refusing)
    rows = audit_rows(firm, espo_id)
    with refusing():
        for _ in range(2):
            (outcome,) = by_a_person(firm, espo_id)
            assert (outcome.error, outcome.different) == (None, ("titel",))
            assert (outcome.advoware_writes, outcome.espocrm_writes) == (0, 0)
    assert (len(firm.tasks()), audit_rows(firm, espo_id)) == (1, rows)
    assert any(one.plans for one in by_a_person(firm, espo_id, dry_run=True))
    (outcome,) = by_a_person(firm, espo_id)
    assert outcome.different == ()
    assert firm.office_record(betnr)["titel"] == "Prof."
    assert firm.crm_record(espo_id)["syncStatus"] == "clean"
    assert firm.tasks() == []
    firm.until_quiet()


def test_a_refused_value_is_tried_again_after_a_day(firm: Firm, refusing: Refusal) -> None:
    espo_id, betnr = refused_party(firm, refusing)
    assert espo_id not in firm.run(lambda context: select(context, Selection.DUE))
    firm.sync(espo_id)
    assert firm.office_record(betnr)["titel"] == "Dr."
    a_day_later(firm, espo_id)
    assert espo_id in firm.run(lambda context: select(context, Selection.DUE))
    with refusing():
        firm.sync(espo_id)
    assert len(firm.tasks()) == 1
    assert not any(firm.sync(espo_id).writes.values()), "the next try is another day away"
    a_day_later(firm, espo_id)
    firm.sync(espo_id)
    assert firm.office_record(betnr)["titel"] == "Prof."
    assert firm.tasks() == []


@pytest.mark.parametrize("where", ["crm", "office"])
def test_a_refused_value_is_tried_again_when_the_record_changes(firm: Firm, refusing: Refusal, where: str) -> None:
    espo_id, betnr = refused_party(firm, refusing)
    if where == "crm":
        firm.crm_edit(espo_id, zusatz="neu")
    else:
        firm.office_edit(betnr, zusatz="neu")
    firm.sync(espo_id)
    assert firm.office_record(betnr)["titel"] == "Prof."
    assert firm.office_record(betnr)["zusatz"] == firm.crm_record(espo_id)["zusatz"] == "neu"
    assert firm.tasks() == []
    assert firm.crm_record(espo_id)["syncStatus"] == "clean"


def test_a_value_that_espocrm_refused_is_tried_again_by_a_person(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    espo_id, betnr = firm.linked_party(lastName="Alt", titel="Dr.")
    firm.office_edit(betnr, titel="T" * 300)
    firm.sync(espo_id)
    assert firm.crm_record(espo_id)["titel"] == "Dr."
    (outcome,) = by_a_person(firm, espo_id)
    assert (outcome.different, outcome.espocrm_writes) == (("titel",), 0)
    assert len(firm.tasks()) == 1
    firm.office_edit(betnr, titel="Prof.")
    firm.sync(espo_id)
    assert firm.crm_record(espo_id)["titel"] == "Prof."
    assert firm.crm_record(espo_id)["syncStatus"] == "clean"


def test_a_value_that_is_dropped_after_it_was_refused_is_told_by_one_task(firm: Firm, refusing: Refusal) -> None:
    espo_id, _ = refused_party(firm, refusing)
    (first,) = firm.tasks()
    firm.office.do("switches", put_ignores=["titel"])
    firm.crm_edit(espo_id, zusatz="neu")
    firm.until_quiet()
    (task,) = firm.tasks()
    assert (task["id"] != first["id"], "Titel" in task["name"], "Prof." in task["description"]) == (True, True, True)
    assert firm.crm_record(espo_id)["syncStatus"] == "conflict"
