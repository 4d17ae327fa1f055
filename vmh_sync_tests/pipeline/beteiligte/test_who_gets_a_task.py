"""A task reaches a person: the deleted record's, else the default one; what is gone keeps no task back."""

import pytest

from vmh_sync.sync.reporting.outcome import Result
from vmh_sync_tests.fixtures.firm import Firm

GONE = "0" * 17


def person(firm: Firm, name: str = "sekretariat") -> str:
    return next(user["id"] for user in firm.crm.state()["users"] if user["userName"] == name)


def api_user(firm: Firm) -> str:
    return person(firm, "vmh_sync")


def test_the_task_about_a_deleted_record_goes_to_the_person_who_had_it(firm: Firm) -> None:
    espo_id, _ = firm.linked_party(assignedUserId=person(firm))
    firm.crm.edit("CBeteiligte", "delete", id=espo_id)
    firm.sync(espo_id)
    (task,) = firm.tasks()
    assert task["assignedUserId"] == person(firm)


def test_a_person_who_took_a_record_over_later_is_remembered(firm: Firm) -> None:
    espo_id, _ = firm.linked_party()
    firm.crm.edit("CBeteiligte", id=espo_id, values={"assignedUserId": person(firm)})
    firm.sync(espo_id)
    firm.crm.edit("CBeteiligte", "delete", id=espo_id)
    firm.sync(espo_id)
    (task,) = firm.tasks()
    assert task["assignedUserId"] == person(firm)


def test_without_an_assigned_person_the_default_one_gets_it(firm: Firm, firm_environment: pytest.MonkeyPatch) -> None:
    firm_environment.setenv("ESPOCRM_DEFAULT_ASSIGNEE_ID", person(firm, "anwalt"))
    espo_id, _ = firm.linked_party()
    firm.crm.edit("CBeteiligte", "delete", id=espo_id)
    firm.sync(espo_id)
    (task,) = firm.tasks()
    assert task["assignedUserId"] == person(firm, "anwalt")


def test_a_default_person_and_a_team_that_are_gone_keep_no_task_back(
    firm: Firm, firm_environment: pytest.MonkeyPatch
) -> None:
    firm_environment.setenv("ESPOCRM_DEFAULT_ASSIGNEE_ID", GONE)
    firm_environment.setenv("ESPOCRM_DEFAULT_TEAM_ID", "1" * 17)
    espo_id, _ = firm.linked_party()
    firm.crm.edit("CBeteiligte", "delete", id=espo_id)
    assert firm.sync(espo_id).results[Result.FAILED] == 0
    (task,) = firm.tasks()
    assert task["assignedUserId"] not in (GONE, api_user(firm))
