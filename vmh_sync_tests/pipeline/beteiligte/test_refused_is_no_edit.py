"""A value that one side refuses is never taken for its edit, also where a field has two homes."""

from collections.abc import Callable
from typing import Any

import pytest

from vmh_sync.systems.advoware.client import AdvowareClient
from vmh_sync.systems.advoware.errors import Rejected
from vmh_sync.systems.espocrm.client import EspoClient
from vmh_sync.systems.espocrm.records import EspoRecord
from vmh_sync_tests.fixtures.firm import Firm

LONG = "Handelsgesellschaft für Baustoffe und Bauzubehör Mustermann und Beispiel " + "und Söhne " * 4 + "GmbH"
SHORT = "Mustermann Baustoffe GmbH"


def company(firm: Firm) -> tuple[str, int]:
    assert 100 < len(LONG) <= 150, "EspoCRM's lastName takes 100 characters, firmenname more"
    return firm.linked_party(lastName="Alt GmbH", firmenname="Alt GmbH", rechtsform="GmbH")


def rename(firm: Firm, espo_id: str, betnr: int, where: str, name: str) -> None:
    if where == "office":
        firm.office_edit(betnr, name=name)
    else:
        firm.crm_edit(espo_id, firmenname=name)


@pytest.mark.parametrize("where", ["office", "crm"])
def test_a_company_name_too_long_for_one_of_its_two_homes_stands_on_both_sides(firm: Firm, where: str) -> None:
    espo_id, betnr = company(firm)
    rename(firm, espo_id, betnr, where, LONG)
    firm.sync(espo_id)
    for _ in range(3):
        assert firm.office_record(betnr)["name"] == LONG
        assert firm.crm_record(espo_id)["firmenname"] == LONG
        assert firm.crm_record(espo_id)["lastName"] == "Alt GmbH"
        (task,) = firm.tasks()
        assert (task["parentId"], LONG in task["description"]) == (espo_id, True)
        assert not any(firm.sync().writes.values())


@pytest.mark.parametrize("where", ["office", "crm"])
def test_the_task_closes_when_the_name_fits_into_both_homes(firm: Firm, where: str) -> None:
    espo_id, betnr = company(firm)
    rename(firm, espo_id, betnr, "office", LONG)
    firm.sync(espo_id)
    rename(firm, espo_id, betnr, where, SHORT)
    firm.sync(espo_id)
    firm.until_quiet()
    record = firm.crm_record(espo_id)
    assert (record["lastName"], record["firmenname"], firm.office_record(betnr)["name"]) == (SHORT, SHORT, SHORT)
    assert firm.tasks() == []


def test_an_edit_of_the_home_that_refused_is_still_an_edit(firm: Firm) -> None:
    espo_id, betnr = company(firm)
    firm.office_edit(betnr, name=LONG)
    firm.sync(espo_id)
    firm.crm_edit(espo_id, lastName=SHORT)
    firm.until_quiet()
    record = firm.crm_record(espo_id)
    assert (record["lastName"], record["firmenname"], firm.office_record(betnr)["name"]) == (SHORT, SHORT, SHORT)
    assert firm.tasks() == []


def test_a_name_that_both_homes_refuse_stays_in_the_office_and_is_not_put_back(firm: Firm) -> None:
    espo_id, betnr = company(firm)
    too_long = "X" * 160
    firm.office_edit(betnr, name=too_long)
    firm.sync(espo_id)
    for _ in range(3):
        assert firm.office_record(betnr)["name"] == too_long
        assert firm.crm_record(espo_id)["firmenname"] == firm.crm_record(espo_id)["lastName"] == "Alt GmbH"
        assert firm.tasks()
        assert not any(firm.sync().writes.values())


def test_what_advoware_refuses_is_told_with_old_and_wanted_value_and_the_reason_it_gave(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Task and audit say what was refused and why."""
    espo_id, _ = firm.linked_party(lastName="Alt", titel="Dr.")
    firm.crm_edit(espo_id, titel="Prof.")

    async def refuse(*_: object, **__: object) -> None:
        error = Rejected("PUT Beteiligte/{betnr}: status 400", status=400)
        error.said = "Titel ist gesperrt"
        raise error

    with monkeypatch.context() as office:
        office.setattr(AdvowareClient, "replace_beteiligter", refuse)
        firm.sync(espo_id)
    (task,) = firm.tasks()
    assert all(word in task["description"] for word in ("Prof.", "Dr.", "Titel ist gesperrt"))
    with firm.store.reading() as tx:
        row = next(change for change in tx.audit.for_record(espo_id) if change.kind == "task")
    assert (row.field, row.old, row.new) == ("titel", "Dr.", "Prof.")
    assert "Titel ist gesperrt" in row.reason


@pytest.mark.parametrize("form", [lambda value: value[:5], str.upper])
def test_what_espocrm_makes_of_a_value_is_not_taken_for_an_edit(
    firm: Firm, monkeypatch: pytest.MonkeyPatch, form: Callable[[str], str]
) -> None:
    espo_id, betnr = firm.linked_party(lastName="Alt", titel="Dr.")
    firm.office_edit(betnr, titel="Professor Dr.")
    take = EspoClient.update

    async def changing(self: EspoClient, entity: str, record: str, values: dict[str, Any], **how: Any) -> EspoRecord:
        cut = {name: form(value) if name == "titel" else value for name, value in values.items()}
        return await take(self, entity, record, cut, **how)

    monkeypatch.setattr(EspoClient, "update", changing)
    firm.sync(espo_id)
    firm.until_quiet()
    assert firm.office_record(betnr)["titel"] == "Professor Dr."
    assert firm.crm_record(espo_id)["titel"] == form("Professor Dr.")
    assert len(firm.tasks()) == (0 if form is str.upper else 1), "what is only respelled is agreed"
