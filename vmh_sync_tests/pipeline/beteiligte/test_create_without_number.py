"""A create whose answer tells no number is found again at firms whose search knows less, and is never sent twice."""

from vmh_sync_tests.fixtures.firm import Firm

Json = dict[str, object]


def passes(firm: Firm, espo_id: str, count: int = 3) -> None:
    for _ in range(count):
        firm.sync(espo_id)


def test_it_is_found_by_name_where_the_search_does_not_look_into_remarks(firm: Firm) -> None:
    firm.office.do("switches", write_answer="none", searched=["name"])
    espo_id = firm.crm_party(firstName="Emre", lastName="Özdemir")
    passes(firm, espo_id)
    (there,) = firm.office_records()
    assert (firm.crm_record(espo_id)["betnr"], there["vorname"]) == (there["betNr"], "Emre")
    assert firm.tasks() == []


def test_another_party_of_that_name_is_not_taken_for_it(firm: Firm) -> None:
    other = firm.office_party(name="Özdemir", vorname="Emre")
    firm.office.do("switches", write_answer="none", searched=["name"])
    espo_id = firm.crm_party(firstName="Emre", lastName="Özdemir", emailAddress="emre@oezdemir.example")
    passes(firm, espo_id)
    assert firm.crm_record(espo_id)["betnr"] != other
    assert len(firm.office_records()) <= 2


def test_a_person_decides_where_the_office_keeps_no_mark(firm: Firm) -> None:
    firm.office.do("switches", write_answer="none", post_ignores=["bemerkung"])
    espo_id = firm.crm_party(firstName="Emre", lastName="Özdemir")
    passes(firm, espo_id)
    assert len(firm.office_records()) == 1
    assert [task["parentId"] for task in firm.tasks()] == [espo_id]
