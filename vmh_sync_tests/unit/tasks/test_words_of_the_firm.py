"""The words of a Task's status and priority are an administrator's: tasks are opened, closed and heard all the same."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from vmh_sync.beteiligte.pipeline import PartyPipeline
from vmh_sync.settings import SyncSettings
from vmh_sync_tests.inmemory.firm import Firm
from vmh_sync_tests.inmemory.network import Answer, Request
from vmh_sync_tests.inmemory.world import World

SCOPE = {"statusField": "status", "completedStatusList": ["Completed", "Erledigt"], "canceledStatusList": ["Verworfen"]}


class OwnWords:
    """A firm whose Task has other words, and one party that both sides know."""

    def __init__(self, *, told: bool = True) -> None:
        self.silent = False
        self.firm = Firm(World(rules=SyncSettings(_env_file=None)))
        crm = self.firm.world.crm.crm
        for name, words in {"status": ["Offen", "Erledigt", "Verworfen"], "priority": ["Eilt", "Kann warten"]}.items():
            crm.schema["Task"].fields[name]["options"] = words
            crm.layouts["Task"].defaults[name] = words[0]
        usual = self.firm.world.wire.carry_out

        def with_scope(request: Request, url: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
            status, said, content = usual(request, url, headers, body)
            asked = told and request.path.endswith("/Metadata") and "scopes.Task" in request.query
            if asked and self.silent:
                return 503, [], b""
            return status, said, json.dumps(SCOPE).encode() if asked else content

        self.firm.world.wire.carry_out = with_scope  # type: ignore[method-assign]
        self.party = self.firm.crm_create("CBeteiligte", {"lastName": "Huber", "firstName": "Eva"})
        self.settle()

    def settle(self) -> None:
        self.firm.settle(PartyPipeline(), [self.party])

    def statuses(self) -> list[str]:
        return [task["status"] for task in self.firm.crm_rows("Task").values()]

    def row(self) -> dict[str, Any]:
        row = self.firm.crm_row("CBeteiligte", self.party)
        assert row is not None
        return row

    def register(self) -> str:
        """Both sides differ in a field that Advoware takes from people alone."""
        self.firm.crm_edit("CBeteiligte", self.party, {"handelsregisterNummer": "HRB 7"})
        self.settle()
        return str(self.row()["betnr"])


@pytest.fixture
def own() -> Iterator[OwnWords]:
    words = OwnWords()
    yield words
    words.firm.world.close()


def test_a_task_closes_by_itself_in_the_words_of_the_firm(own: OwnWords) -> None:
    betnr = own.register()
    assert (own.statuses(), own.firm.crm_rows("Task") != {}) == (["Offen"], True)
    own.firm.office_edit("Beteiligte", betnr, {"handelsRegisterNummer": "HRB 7"})
    own.settle()
    assert (own.statuses(), own.firm.tasks(), own.row()["syncStatus"]) == (["Erledigt"], [], "clean")


def test_where_nobody_tells_them_the_task_is_left_and_the_record_is_in_order() -> None:
    own = OwnWords(told=False)
    try:
        own.firm.office_edit("Beteiligte", own.register(), {"handelsRegisterNummer": "HRB 7"})
        own.settle()
        assert (own.statuses(), own.firm.tasks(), own.row()["syncStatus"]) == (["Offen"], [], "clean")
    finally:
        own.firm.world.close()


def test_what_is_not_told_just_now_is_asked_again(own: OwnWords) -> None:
    own.firm.office_edit("Beteiligte", own.register(), {"handelsRegisterNummer": "HRB 7"})
    own.silent = True
    own.firm.run(PartyPipeline(), [own.party])
    assert own.statuses() == ["Offen"]
    own.silent = False
    own.settle()
    assert (own.statuses(), own.firm.tasks(), own.row()["syncStatus"]) == (["Erledigt"], [], "clean")


@pytest.mark.parametrize("word", ["Erledigt", "Verworfen"])
def test_a_question_is_answered_by_a_word_of_the_firm(own: OwnWords, word: str) -> None:
    own.firm.office_create("Beteiligte", {"name": "Maier", "vorname": "Udo", "geburtsdatum": "1970-01-02T00:00:00"})
    twin = own.firm.crm_create("CBeteiligte", {"lastName": "Maier", "firstName": "Udo", "dateOfBirth": "1970-01-02"})
    own.firm.settle(PartyPipeline(), [twin])
    assert len(own.firm.office_rows("Beteiligte")) == 2
    (asked,) = own.firm.crm_rows("Task")
    own.firm.world.crm.edit({"entity": "Task", "action": "update", "id": asked, "values": {"status": word}})
    own.firm.settle(PartyPipeline(), [twin])
    assert len(own.firm.office_rows("Beteiligte")) == 3
