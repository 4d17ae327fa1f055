"""Creates at firms whose office tells less, searches less or takes less than usual (advoware-wire.md 3 and 5)."""

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


def test_what_a_create_did_not_take_is_written_afterwards(firm: Firm) -> None:
    firm.office.do("switches", post_ignores=["vorname", "zusatz"])
    espo_id = firm.crm_party(firstName="Emre", lastName="Özdemir", zusatz="Hinterhaus")
    firm.until_quiet()
    (there,) = firm.office_records()
    assert (there["vorname"], there["zusatz"]) == ("Emre", "Hinterhaus")
    assert firm.crm_record(espo_id)["firstName"] == "Emre"


def test_what_neither_create_nor_change_takes_is_told(firm: Firm) -> None:
    firm.office.do("switches", post_ignores=["zusatz"], put_ignores=["zusatz"])
    espo_id = firm.crm_party(lastName="Özdemir", zusatz="Hinterhaus")
    firm.until_quiet()
    assert firm.crm_record(espo_id)["zusatz"] == "Hinterhaus"
    assert [(task["parentId"], "Zusatz" in task["name"]) for task in firm.tasks()] == [(espo_id, True)]
