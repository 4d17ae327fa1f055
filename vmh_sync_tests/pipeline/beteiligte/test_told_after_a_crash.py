"""What a write has found is told, also when the process dies before the task stands in EspoCRM.

The base knows the difference by then, so that no later plan would tell it (sync-semantics.md 3 and 8).
"""

import pytest

from vmh_sync.beteiligte.writing import write
from vmh_sync_tests.fixtures.firm import Firm

NOT_TAKEN = "X" * 160


class Killed(BaseException):
    """The process ends here."""


def die_at_tasks_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kill the process at the first task that is opened after base and link were stored."""
    stored = False
    commit, tasks = write.commit_party, write.open_tasks  # type: ignore[attr-defined]

    def commit_party(*of: object, **how: object) -> None:
        nonlocal stored
        commit(*of, **how)  # type: ignore[arg-type]
        stored = True

    async def open_tasks(*of: object, **how: object) -> int:
        if stored:
            raise Killed
        return await tasks(*of, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(write, "commit_party", commit_party)
    monkeypatch.setattr(write, "open_tasks", open_tasks)


@pytest.mark.parametrize("where", ["before its row could be written", "while EspoCRM is out of order"])
def test_a_refused_value_is_told_although_its_task_never_reached_espocrm(
    firm: Firm, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    espo_id, betnr = firm.linked_party(lastName="Alt")
    firm.office_edit(betnr, titel=NOT_TAKEN)
    if where == "before its row could be written":
        with monkeypatch.context() as patch, pytest.raises(Killed):
            die_at_tasks_of(patch)
            firm.sync(espo_id)
    else:
        firm.crm.fault("/Task$", "status", method="POST", times=4)
        firm.sync(espo_id)
        firm.crm.clear_faults()
    assert firm.tasks() == []
    firm.until_quiet(espo_id)
    (task,) = firm.tasks()
    assert (task["parentId"], NOT_TAKEN in task["description"]) == (espo_id, True)
    assert firm.office_record(betnr)["titel"] == NOT_TAKEN
    firm.office_edit(betnr, titel="Dr.")
    firm.until_quiet(espo_id)
    assert firm.tasks() == []


@pytest.mark.parametrize("told", [True, False], ids=["the earlier value was told", "nor was the earlier value"])
def test_another_refused_value_is_told_although_the_process_died_before_its_task(
    firm: Firm, monkeypatch: pytest.MonkeyPatch, told: bool
) -> None:
    espo_id, betnr = firm.linked_party(lastName="Alt")
    for value, killed in ((NOT_TAKEN, not told), ("Y" * 160, True)):
        firm.office_edit(betnr, titel=value)
        if killed:
            with monkeypatch.context() as patch, pytest.raises(Killed):
                die_at_tasks_of(patch)
                firm.sync(espo_id)
        else:
            firm.until_quiet(espo_id)
    firm.until_quiet(espo_id)
    (task,) = firm.tasks()
    assert (task["parentId"], task["status"], "Y" * 160 in task["description"]) == (espo_id, "Not Started", True)
    assert (NOT_TAKEN in task["description"]) is told
    firm.office_edit(betnr, titel="Dr.")
    firm.until_quiet(espo_id)
    assert firm.tasks() == []
