"""A party whose create was not answered, and which a person edits before anybody has looked for it.

It is never created a second time, and what the person typed stands (sync-semantics.md 3).
"""

from datetime import timedelta
from typing import Any

import pytest

from vmh_sync.beteiligte.reading.sent_create import SentCreate
from vmh_sync.beteiligte.selection import Selection
from vmh_sync.beteiligte.writing import missing
from vmh_sync.engine.writing import create_once
from vmh_sync.sync.reporting.outcome import Result
from vmh_sync.systems.advoware import answers
from vmh_sync.systems.advoware.errors import Rejected, UnexpectedAnswer
from vmh_sync_tests.fixtures.firm import Firm

Json = dict[str, Any]

WINTER: Json = {"lastName": "Winter", "firstName": "Bärbel", "dateOfBirth": "1971-03-04", "zusatz": "Hinterhaus"}
WINTER_THERE = {
    "name": "Winter",
    "vorname": "Bärbel",
    "geburtsdatum": "1971-03-04T00:00:00",
    "zusatz": "Hinterhaus",
}
OTHER_NAME = {"name": "Sommer"}
OTHER_PERSON = {"name": "Sommer", "vorname": "Heide", "geburtsdatum": "1981-04-05T00:00:00", "zusatz": "Vorderhaus"}
NO_MARK = {"bemerkung": ""}
NAMES_ONLY = {"searched": ["name", "vorname"]}
KEEPS_NO_REMARK = {**NAMES_ONLY, "post_ignores": ["bemerkung"]}
IN_ESPOCRM = {"name": "lastName", "vorname": "firstName", "geburtsdatum": "dateOfBirth", "zusatz": "zusatz"}


@pytest.fixture(autouse=True)
def killed_after_sending(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks in the pass that sent it."""
    monkeypatch.setattr(create_once, "LOOK_AGAIN_AFTER", ())


def created_unheard(firm: Firm, *, first: bool = False, **values: Any) -> tuple[str, int]:
    """The create takes effect in Advoware, and its sender hears nothing of it. ``first``: no number is known then."""
    if not first:
        firm.linked_party(lastName="Vorher")
    before = {party["betNr"] for party in firm.office_records()}
    espo_id = firm.crm_party(**values)
    firm.office.fault("/Beteiligte$", "drop_after", method="POST", times=1)
    firm.sync(espo_id)
    firm.office.clear_faults()
    (party,) = [party for party in firm.office_records() if party["betNr"] not in before]
    assert firm.crm_record(espo_id)["betnr"] is None
    firm.clock.shift += timedelta(minutes=10)
    return espo_id, party["betNr"]


def assert_says(firm: Firm, espo_id: str, betnr: int, edit: Json) -> None:
    """Both sides say what the person typed, and the party is there once."""
    record, party = firm.crm_record(espo_id), firm.office_record(betnr)
    assert record["betnr"] == betnr
    for name, value in edit.items():
        if name in IN_ESPOCRM:
            assert str(record[IN_ESPOCRM[name]]) == value.removesuffix("T00:00:00"), name
            assert party[name] == value, name
    assert len(firm.office_records()) == 2


@pytest.mark.parametrize(("office", "edit"), [({}, OTHER_PERSON), (NAMES_ONLY, OTHER_NAME), (NAMES_ONLY, OTHER_PERSON)])
def test_it_is_known_by_its_mark_and_the_edit_goes_to_espocrm(firm: Firm, office: Json, edit: Json) -> None:
    firm.office.do("switches", **office)
    espo_id, betnr = created_unheard(firm, **WINTER)
    firm.office_edit(betnr, **edit)
    firm.until_quiet()
    assert_says(firm, espo_id, betnr, edit)
    assert firm.tasks() == []


@pytest.mark.parametrize(
    ("office", "edit"),
    [
        (KEEPS_NO_REMARK, {"name": "Winter-A"}),
        (KEEPS_NO_REMARK, {"vorname": "Barbara"}),
        (KEEPS_NO_REMARK, OTHER_PERSON),
        ({}, {**OTHER_PERSON, **NO_MARK}),
    ],
)
def test_without_its_mark_a_person_is_asked_and_nothing_is_created(firm: Firm, office: Json, edit: Json) -> None:
    firm.office.do("switches", **office)
    espo_id, betnr = created_unheard(firm, **WINTER)
    firm.office_edit(betnr, **edit)
    for _ in range(2):
        (outcome,) = firm.outcomes(espo_id)
        assert outcome.result is Result.SKIPPED
    (task,) = firm.tasks()
    assert (task["parentId"], str(betnr) in task["name"]) == (espo_id, True)
    assert len(firm.office_records()) == 2
    firm.crm_edit(espo_id, betnr=betnr)
    firm.until_quiet()
    # A person may have typed this party: EspoCRM's values stand, and the task tells those of Advoware.
    assert_says(firm, espo_id, betnr, {name: WINTER_THERE[name] for name in edit if name in IN_ESPOCRM})
    (task,) = firm.tasks()
    for name in edit.keys() & IN_ESPOCRM.keys() - {"geburtsdatum"}:
        assert edit[name] in task["description"], name
    with firm.store.reading() as tx:
        assert tx.intents.open_for("beteiligte", espo_id) == []


def test_a_company_that_was_renamed_is_not_created_again(firm: Firm) -> None:
    firm.office.do("switches", **KEEPS_NO_REMARK)
    espo_id, betnr = created_unheard(firm, lastName="Huber Bau", firmenname="Huber Bau", rechtsform="GmbH")
    firm.office_edit(betnr, name="Alpenbau Rosenheim")
    firm.sync()
    assert len(firm.office_records()) == 2
    firm.crm_edit(espo_id, betnr=betnr)
    firm.until_quiet()
    record = firm.crm_record(espo_id)
    assert (record["firmenname"], record["lastName"]) == ("Huber Bau", "Huber Bau")
    assert firm.office_record(betnr)["name"] == "Huber Bau"
    (task,) = firm.tasks()
    assert "Alpenbau Rosenheim" in task["description"]


def test_what_both_sides_added_before_it_was_found_is_told(firm: Firm) -> None:
    espo_id, betnr = created_unheard(firm, **WINTER)
    firm.crm_edit(espo_id, titel="Prof.")
    firm.office_edit(betnr, titel="Dr.")
    firm.until_quiet()
    assert firm.crm_record(espo_id)["titel"] == firm.office_record(betnr)["titel"] == "Prof."
    (task,) = firm.tasks()
    assert "Dr." in task["description"]


def test_what_differs_in_a_party_with_our_mark_is_told_where_we_know_of_no_create(firm: Firm) -> None:
    espo_id = firm.crm_party(**WINTER)
    betnr = firm.office_party(name="Winter", vorname="Barbara", bemerkung=f"EspoCRM-ID: {espo_id}")
    firm.until_quiet()
    assert firm.crm_record(espo_id)["betnr"] == betnr
    assert firm.office_record(betnr)["vorname"] == firm.crm_record(espo_id)["firstName"] == "Bärbel"
    (task,) = firm.tasks()
    assert "Barbara" in task["description"]


def test_the_task_closed_without_a_number_creates_the_party_once(firm: Firm) -> None:
    firm.office.do("switches", **KEEPS_NO_REMARK)
    espo_id, betnr = created_unheard(firm, **WINTER)
    firm.office_edit(betnr, **OTHER_PERSON)
    firm.sync()
    (task,) = firm.tasks()
    firm.crm.edit("Task", "update", id=task["id"], values={"status": "Canceled"})
    firm.sync(selection=Selection.DUE)
    firm.until_quiet()
    assert firm.crm_record(espo_id)["betnr"] not in (None, betnr)
    assert (len(firm.office_records()), firm.tasks()) == (3, [])


def test_what_a_person_has_added_to_it_comes_to_espocrm(firm: Firm) -> None:
    firm.office.do("switches", **NAMES_ONLY)
    espo_id, betnr = created_unheard(firm, **WINTER)
    firm.office_edit(betnr, **OTHER_NAME)
    entry = {"tlf": "heide@winter.example", "kommKz": 4, "online": True}
    firm.office.edit("Kommunikation", "create", betNr=betnr, values=entry)
    firm.until_quiet()
    assert_says(firm, espo_id, betnr, OTHER_NAME)
    assert firm.crm_record(espo_id)["emailAddress"] == "heide@winter.example"


def test_parties_that_were_there_before_are_not_asked_about(firm: Firm) -> None:
    firm.office_party(name="Winterfeld", vorname="Anna")
    firm.linked_party(lastName="Vorher")
    espo_id = firm.crm_party(**WINTER)
    firm.office.fault("/Beteiligte$", "drop_before", method="POST", times=1)
    firm.sync(espo_id)
    firm.office.clear_faults()
    firm.clock.shift += timedelta(minutes=10)
    firm.until_quiet()
    assert firm.crm_record(espo_id)["betnr"] is not None
    assert (len(firm.office_records()), firm.tasks()) == (3, [])


def test_it_is_not_created_again_when_its_number_was_entered_at_another_record(firm: Firm) -> None:
    espo_id, betnr = created_unheard(firm, **WINTER)
    other = firm.crm_party(lastName="Winter", firstName="Baerbel", betnr=betnr)
    firm.sync(other)
    for _ in range(2):
        (outcome,) = firm.outcomes(espo_id)
        assert outcome.result is Result.SKIPPED
    (task,) = firm.tasks()
    assert (task["parentId"], other in task["description"]) == (espo_id, True)
    assert len(firm.office_records()) == 2
    firm.crm.edit("Task", "update", id=task["id"], values={"status": "Completed"})
    firm.sync(selection=Selection.DUE)
    firm.until_quiet()
    assert firm.crm_record(espo_id)["betnr"] not in (None, betnr)
    assert (len(firm.office_records()), firm.tasks()) == (3, [])


def test_a_second_create_without_an_answer_is_found_beside_the_first_that_is_anothers_by_now(firm: Firm) -> None:
    espo_id, betnr = created_unheard(firm, **WINTER)
    firm.sync(firm.crm_party(lastName="Winter", firstName="Baerbel", betnr=betnr))
    firm.sync(espo_id)
    (task,) = firm.tasks()
    firm.crm.edit("Task", "update", id=task["id"], values={"status": "Completed"})
    firm.office.fault("/Beteiligte$", "drop_after", method="POST", times=1)
    firm.sync(selection=Selection.DUE)
    firm.office.clear_faults()
    firm.clock.shift += timedelta(minutes=10)
    firm.until_quiet()
    assert len(firm.office_records()) == 3
    assert firm.crm_record(espo_id)["betnr"] == max(party["betNr"] for party in firm.office_records())


@pytest.mark.parametrize("office", [{}, NAMES_ONLY])
def test_it_is_told_of_when_another_number_is_entered(firm: Firm, office: Json) -> None:
    firm.office.do("switches", **office)
    chosen = firm.office_party(name="Wintermann", vorname="Bärbel")
    espo_id, betnr = created_unheard(firm, **WINTER)
    firm.crm_edit(espo_id, betnr=chosen)
    firm.until_quiet()
    assert firm.crm_record(espo_id)["betnr"] == chosen
    (task,) = firm.tasks()
    assert (task["parentId"], str(betnr) in task["name"]) == (espo_id, True)
    assert firm.crm_record(espo_id)["syncStatus"] == "clean"


def test_another_number_is_not_linked_before_the_create_can_arrive_no_more(
    firm: Firm, firm_environment: pytest.MonkeyPatch
) -> None:
    firm_environment.setenv("VMH_CREATE_SETTLE_SECONDS", "3600")
    chosen = firm.office_party(name="Wintermann", vorname="Bärbel")
    espo_id, _ = created_unheard(firm, **WINTER)
    firm.crm_edit(espo_id, betnr=chosen)
    (outcome,) = firm.outcomes(espo_id)
    assert (outcome.result, outcome.later) == (Result.SKIPPED, True)


@pytest.mark.parametrize("arrives", [True, False])
def test_a_record_deleted_before_it_was_found_is_told_like_any_other_deletion(firm: Firm, arrives: bool) -> None:
    firm.linked_party(lastName="Vorher")
    espo_id = firm.crm_party(**WINTER)
    firm.office.fault("/Beteiligte$", "drop_after" if arrives else "drop_before", method="POST", times=1)
    firm.sync(espo_id)
    firm.office.clear_faults()
    firm.crm.edit("CBeteiligte", "delete", id=espo_id)
    with firm.store.transaction() as tx:
        tx.records.forget("beteiligte", [espo_id])  # the pass was killed: it has noted nothing
    firm.clock.shift += timedelta(minutes=10)
    for _ in range(2):
        firm.sync(selection=Selection.DUE)
    assert len(firm.office_records()) == 1 + arrives
    assert [task["name"] for task in firm.tasks()] == ["In EspoCRM gelöscht: Beteiligter 1002"] * arrives
    with firm.store.reading() as tx:
        assert tx.intents.open_for("beteiligte", espo_id) == []


def test_what_cannot_be_recalled_of_one_harms_no_other(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    def unforeseen(*_: object) -> None:
        raise OverflowError

    espo_id, betnr = created_unheard(firm, **WINTER)
    firm.crm_edit(espo_id, betnr=betnr)
    monkeypatch.setattr(SentCreate, "recall", unforeseen)
    other = firm.crm_party(lastName="Anders")
    assert firm.outcomes(espo_id, other)[0].result is Result.FAILED
    assert firm.crm_record(other)["betnr"] is not None


def never_arrived(firm: Firm) -> str:
    """Its sender hears nothing of the create, and Advoware has never got it."""
    firm.linked_party(lastName="Vorher")
    espo_id = firm.crm_party(**WINTER)
    firm.office.fault("/Beteiligte$", "drop_before", method="POST", times=1)
    firm.sync(espo_id)
    firm.office.clear_faults()
    firm.clock.shift += timedelta(minutes=10)
    return espo_id


def unreadable(monkeypatch: pytest.MonkeyPatch, betnr: int) -> None:
    """Advoware tells nonsense of a party from now on."""
    parse = answers.parse

    def spoilt(response: Any, where: str) -> Any:
        told = parse(response, where)
        for one in told if isinstance(told, list) else [told]:
            if isinstance(one, dict) and one.get("betNr") == betnr:
                one["titel"] = ["x"]
        return told

    monkeypatch.setattr(answers, "parse", spoilt)


def test_a_party_of_its_name_that_was_there_before_and_is_unreadable_does_not_hold_it_up(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = firm.office_party(name="Winterling", vorname="Otto")
    espo_id = never_arrived(firm)
    unreadable(monkeypatch, old)
    firm.sync(espo_id)
    assert firm.crm_record(espo_id)["betnr"] not in (None, old)


def test_new_parties_that_cannot_be_read_are_asked_about_by_their_numbers(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    espo_id = never_arrived(firm)
    numbers = [firm.office_party(name=name, vorname="Otto") for name in ("Ganzanders", "Winterling", "Geheim")]
    unreadable(monkeypatch, numbers[0])
    unreadable(monkeypatch, numbers[1])
    firm.office.fault(f"/Beteiligte/{numbers[2]}$", "status", status=403)
    firm.sync(espo_id)
    (task,) = firm.tasks()
    assert all(str(betnr) in task["name"] for betnr in numbers)
    firm.crm.edit("Task", "update", id=task["id"], values={"status": "Completed"})
    firm.sync(selection=Selection.DUE)
    assert firm.crm_record(espo_id)["betnr"] not in (None, *numbers)


def test_an_answer_holds_whatever_the_firm_adds_in_advoware_meanwhile(firm: Firm) -> None:
    espo_id = never_arrived(firm)
    numbers = [firm.office_party(name=f"Fremd{at}", vorname="Otto") for at in range(7)]
    alike = firm.office_party(name="Winter", vorname="Baerbel", geburtsdatum="1971-03-04T00:00:00")
    firm.sync(espo_id)
    (task,) = firm.tasks()
    assert f"schon Nr. {alike}, {numbers[0]}" in task["name"]
    assert ("und 3 weitere" in task["name"], str(numbers[6]) in task["name"]) == (True, False)
    later = firm.office_party(name="Später", vorname="Otto")
    firm.crm.edit("Task", "update", id=task["id"], values={"status": "Completed"})
    firm.sync(selection=Selection.DUE)
    firm.until_quiet()
    assert firm.crm_record(espo_id)["betnr"] not in (None, *numbers, alike, later)
    assert firm.tasks() == []


def test_one_deleted_before_it_was_found_is_looked_for_less_and_less_often(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise UnexpectedAnswer("unusable")

    espo_id = never_arrived(firm)
    firm.crm.edit("CBeteiligte", "delete", id=espo_id)
    with monkeypatch.context() as broken:
        broken.setattr(missing, "find_unanswered", fails)
        assert [outcome.result for outcome in firm.outcomes(selection=Selection.DUE)] == [Result.FAILED]
        assert firm.outcomes(selection=Selection.DUE) == []
    firm.clock.shift += timedelta(minutes=10)
    for _ in range(3):
        firm.sync(selection=Selection.DUE)
    with firm.store.reading() as tx:
        assert tx.intents.open_for("beteiligte", espo_id) == []
        assert tx.records.get_many("beteiligte", [espo_id]) == {}


def test_one_deleted_before_it_was_found_is_looked_for_again_after_a_refusal_of_the_look(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: object) -> None:
        raise Rejected("GET: status 422", status=422)

    espo_id = never_arrived(firm)
    firm.crm.edit("CBeteiligte", "delete", id=espo_id)
    with monkeypatch.context() as broken:
        broken.setattr(missing, "find_unanswered", refused)
        assert [outcome.result for outcome in firm.outcomes(selection=Selection.DUE)] == [Result.FAILED]
    firm.sync(selection=Selection.DUE)
    with firm.store.reading() as tx:
        assert tx.intents.open_for("beteiligte", espo_id) == []


def test_a_create_that_an_earlier_version_left_open_is_not_looked_for_when_its_party_is_linked(firm: Firm) -> None:
    espo_id, _ = firm.linked_party(**WINTER)
    key: Json = {"fields": {"name": "Winter"}}
    about: Json = {"system": "advoware", "entity": "beteiligte", "espo_id": espo_id, "natural_key": key}
    with firm.store.transaction() as tx:
        tx.intents.start(**about, payload_hash="", claim="", sent=True, key=None)
    firm.clock.shift += timedelta(minutes=10)
    assert firm.sync(selection=Selection.DUE).records == 0


def test_one_that_only_the_search_for_its_mark_tells_of_is_asked_about_though_it_cannot_be_read(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    espo_id, betnr = created_unheard(firm, first=True, **WINTER)
    firm.office_edit(betnr, **OTHER_PERSON)
    unreadable(monkeypatch, betnr)
    firm.sync(espo_id)
    assert len(firm.office_records()) == 1
    (task,) = firm.tasks()
    assert str(betnr) in task["name"]
