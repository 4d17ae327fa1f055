"""A party that people typed on both sides: it is asked, not doubled, and never linked by a guess (entities.md 1)."""

import pytest

from vmh_sync.beteiligte.selection import Selection
from vmh_sync.beteiligte.writing import write as party_write
from vmh_sync.engine.writing import create_once
from vmh_sync.sync.reporting.outcome import Result
from vmh_sync_tests.fixtures.firm import Firm

BORN = {"vorname": "Erika", "geburtsdatum": "1980-05-17T00:00:00"}


def typed_twice(firm: Firm) -> tuple[str, int]:
    betnr = firm.office_party(name="Müller", **BORN)
    espo_id = firm.crm_party(lastName="Mueller", firstName="Erika", dateOfBirth="1980-05-17")
    return espo_id, betnr


def close(firm: Firm, status: str) -> None:
    (task,) = firm.tasks()
    firm.crm.edit("Task", "update", id=task["id"], values={"status": status})


def test_a_party_that_advoware_may_have_already_is_asked_about_and_not_created(firm: Firm) -> None:
    espo_id, betnr = typed_twice(firm)
    (outcome,) = firm.outcomes(espo_id)
    (task,) = firm.tasks()
    record = firm.crm_record(espo_id)
    assert len(firm.office_records()) == 1
    assert (outcome.result, record["betnr"], record["syncStatus"]) == (Result.SKIPPED, None, "conflict")
    assert str(betnr) in record["syncErrorMessage"]
    assert str(betnr) in task["name"]
    assert "betnr" in task["description"]
    assert "Geburtsdatum" in task["description"]
    assert task["parentId"] == espo_id


def test_asking_again_and_again_writes_nothing(firm: Firm) -> None:
    typed_twice(firm)
    firm.sync()
    for _ in range(3):
        assert not any(firm.sync().writes.values())
    assert len(firm.tasks()) == 1
    assert len(firm.office_records()) == 1


def test_the_number_typed_into_the_record_links_it_and_closes_the_question(firm: Firm) -> None:
    espo_id, betnr = typed_twice(firm)
    firm.sync()
    firm.crm_edit(espo_id, betnr=betnr, zusatz="Hinterhaus")
    firm.until_quiet()
    record = firm.crm_record(espo_id)
    assert (record["betnr"], record["syncStatus"], record["syncErrorMessage"]) == (betnr, "clean", None)
    assert firm.office_record(betnr)["zusatz"] == "Hinterhaus"
    assert firm.tasks() == []
    assert len(firm.office_records()) == 1
    with firm.store.reading() as tx:
        standing = tx.records.get("beteiligte", espo_id)
    assert standing is not None
    assert standing.status == "clean"


@pytest.mark.parametrize("answer", ["Canceled", "Completed"])
def test_closing_the_question_without_a_number_creates_the_party_once(firm: Firm, answer: str) -> None:
    espo_id, betnr = typed_twice(firm)
    firm.sync()
    close(firm, answer)
    firm.sync(selection=Selection.DUE)
    firm.until_quiet()
    record = firm.crm_record(espo_id)
    assert record["betnr"] not in (None, betnr)
    assert (record["syncStatus"], len(firm.office_records()), firm.tasks()) == ("clean", 2, [])


def test_the_sweep_takes_a_question_only_when_it_is_answered(firm: Firm) -> None:
    espo_id, _ = typed_twice(firm)
    firm.sync()
    assert firm.outcomes(selection=Selection.DUE) == []
    close(firm, "Canceled")
    assert [outcome.id for outcome in firm.outcomes(selection=Selection.DUE)] == [espo_id]


def test_a_second_party_that_turns_up_after_the_answer_is_asked_about_anew(firm: Firm) -> None:
    espo_id, _ = typed_twice(firm)
    firm.sync()
    close(firm, "Canceled")
    other = firm.office_party(name="Müller", **BORN)
    firm.sync(espo_id)
    (task,) = firm.tasks()
    assert str(other) in task["description"]
    assert len(firm.office_records()) == 2


def test_a_deleted_question_is_asked_again(firm: Firm) -> None:
    espo_id, _ = typed_twice(firm)
    firm.sync()
    (task,) = firm.tasks()
    firm.crm.edit("Task", "delete", id=task["id"])
    firm.sync(espo_id)
    assert len(firm.tasks()) == 1
    assert len(firm.office_records()) == 1


def test_when_the_likeness_goes_away_the_party_is_created(firm: Firm) -> None:
    espo_id, betnr = typed_twice(firm)
    firm.sync()
    firm.crm_edit(espo_id, dateOfBirth="1951-01-02")
    firm.until_quiet()
    assert firm.crm_record(espo_id)["betnr"] not in (None, betnr)
    assert firm.tasks() == []


def test_the_question_about_a_record_that_is_deleted_closes(firm: Firm) -> None:
    espo_id, _ = typed_twice(firm)
    firm.sync()
    firm.crm.edit("CBeteiligte", "delete", id=espo_id)
    firm.sync(espo_id)
    assert firm.tasks() == []
    assert firm.outcomes(selection=Selection.DUE) == []
    assert len(firm.office_records()) == 1


def test_an_installation_without_the_word_conflict_is_not_asked_for_ever(firm: Firm) -> None:
    espo_id, _ = typed_twice(firm)
    refused = "Field validation failure; entityType: CBeteiligte, field: syncStatus, type: valid"
    headers = {"X-Status-Reason": refused}
    firm.crm.fault(rf"/CBeteiligte/{espo_id}", "status", method="PUT", status=400, headers=headers, times=1)
    firm.sync()
    assert firm.crm_record(espo_id)["syncStatus"] == "permanently_failed"
    assert not any(firm.sync().writes.values())
    assert len(firm.tasks()) == 1


def test_the_same_name_alone_is_no_twin(firm: Firm) -> None:
    firm.office_party(name="Müller", vorname="Erika")
    espo_id = firm.crm_party(lastName="Müller", firstName="Erika", dateOfBirth="1980-05-17")
    firm.sync()
    assert firm.crm_record(espo_id)["betnr"] is not None
    assert firm.tasks() == []


def test_a_party_of_another_living_record_is_no_twin(firm: Firm) -> None:
    firm.linked_party(lastName="Müller", firstName="Erika", dateOfBirth="1980-05-17")
    espo_id = firm.crm_party(lastName="Müller", firstName="Erika", dateOfBirth="1980-05-17")
    firm.sync()
    assert firm.crm_record(espo_id)["betnr"] is not None
    assert firm.tasks() == []


def test_a_party_whose_number_stands_in_a_record_that_was_never_synced_is_no_twin(firm: Firm) -> None:
    betnr = firm.office_party(name="Müller", **BORN)
    firm.crm_party(lastName="Müller", firstName="Erika", betnr=betnr)
    espo_id = firm.crm_party(lastName="Müller", firstName="Erika", dateOfBirth="1980-05-17")
    firm.sync(espo_id)
    assert firm.crm_record(espo_id)["betnr"] not in (None, betnr)
    assert firm.tasks() == []


@pytest.mark.parametrize(
    ("entry", "values"),
    [
        ("erika@example.org", {"emailAddress": "Erika@Example.org"}),
        ("0711 / 4567890", {"phoneNumber": "+497114567890"}),
    ],
)
def test_a_shared_way_to_reach_them_makes_a_twin(firm: Firm, entry: str, values: dict[str, str]) -> None:
    betnr = firm.office_party(name="Weiß", vorname="Erika")
    firm.office.edit("Kommunikation", "create", betNr=betnr, values={"tlf": entry, "kommKz": 4 if "@" in entry else 1})
    firm.crm_party(lastName="Weiss", firstName="Erika", **values)
    firm.sync()
    assert len(firm.office_records()) == 1
    assert len(firm.tasks()) == 1


def test_a_married_name_is_found_by_first_name_and_email(firm: Firm) -> None:
    betnr = firm.office_party(name="Kaiser", vorname="Erika")
    firm.office.edit("Kommunikation", "create", betNr=betnr, values={"tlf": "erika@example.org", "kommKz": 4})
    firm.crm_party(lastName="Vogt", firstName="Erika", emailAddress="erika@example.org")
    firm.sync()
    assert len(firm.office_records()) == 1


@pytest.mark.parametrize("embedded", [True, False])
def test_a_shared_account_makes_a_twin(firm: Firm, embedded: bool) -> None:
    if not embedded:
        firm.office.do("switches", embedded=False, separate_lists=True)
    betnr = firm.office_party(name="Huber", vorname="Anton")
    iban = "DE89370400440532013000"
    firm.office.edit("Bankverbindungen", "create", betNr=betnr, values={"iban": iban})
    espo_id = firm.crm_party(lastName="Huber", firstName="Anton")
    firm.crm.edit(
        "CBankverbindungen",
        "create",
        values={"name": "Konto", "iban": "DE89 3704 0044 0532 0130 00", "beteiligteId": espo_id},
    )
    firm.sync()
    assert len(firm.office_records()) == 1
    assert "IBAN" in firm.tasks()[0]["description"]


def test_a_company_of_the_same_town_is_asked_about_whatever_its_form_is_called(firm: Firm) -> None:
    betnr = firm.office_party(name="Huber & Söhne Gesellschaft mbH", rechtsform="GmbH")
    firm.office.edit("Adressen", "create", betNr=betnr, values={"strasse": "Weg 1", "plz": "70173", "ort": "Stuttgart"})
    espo_id = firm.crm_party(lastName="Huber und Soehne GmbH", firmenname="Huber und Soehne GmbH", rechtsform="GmbH")
    firm.crm.edit("CAdressen", "create", values={"name": "Sitz", "adresseCity": "Stuttgart", "beteiligteId": espo_id})
    firm.sync()
    assert len(firm.office_records()) == 1
    assert "Ort" in firm.tasks()[0]["description"]


def test_without_a_search_it_is_created(firm: Firm) -> None:
    firm.office.do("switches", search=False)
    espo_id, betnr = typed_twice(firm)
    firm.sync()
    assert firm.crm_record(espo_id)["betnr"] not in (None, betnr)


def test_a_create_costs_two_searches_and_a_linked_party_none(firm: Firm) -> None:
    espo_id = firm.crm_party(lastName="Müller", firstName="Erika", dateOfBirth="1980-05-17")
    firm.office.clear_calls()
    firm.sync()
    log = firm.office.calls()["log"]
    searches = [call for call in log if call["method"] == "GET" and call["path"].endswith("/Beteiligte")]
    assert len(searches) == 2, log
    firm.office.clear_calls()
    firm.crm_edit(espo_id, lastName="Maier")
    firm.sync()
    assert not [c for c in firm.office.calls()["log"] if c["method"] == "GET" and c["path"].endswith("/Beteiligte")]


@pytest.mark.parametrize("killed", ["after the question", "after the answer"])
def test_a_kill_asks_no_second_time_and_creates_nothing_twice(
    firm: Firm, monkeypatch: pytest.MonkeyPatch, killed: str
) -> None:
    class Killed(BaseException):
        pass

    async def die(*args: object, **kwargs: object) -> None:
        raise Killed

    espo_id, _ = typed_twice(firm)
    with monkeypatch.context() as patch:
        if killed == "after the question":
            patch.setattr(party_write, "wait_for_person", die)
        else:
            firm.sync()
            close(firm, "Canceled")
            patch.setattr(create_once, "_claim", lambda *_: (_ for _ in ()).throw(Killed()))
        with pytest.raises(BaseException):  # noqa: B017
            firm.sync(espo_id)
    firm.until_quiet()
    if killed == "after the question":
        assert len(firm.tasks()) == 1
        assert len(firm.office_records()) == 1
    else:
        assert firm.tasks() == []
        assert len(firm.office_records()) == 2
        assert len(firm.crm_records("Task")) == 1
