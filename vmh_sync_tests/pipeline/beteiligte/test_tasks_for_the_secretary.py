"""Tasks as a secretary reads them: one per record and kind, with values, who typed when, and for a person."""

from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.kommunikation.sides import phone

MANY = 9


def test_however_many_numbers_are_refused_it_is_one_task_that_names_each_value(firm: Firm) -> None:
    espo_id, _ = firm.linked_party(lastName="Muster")
    firm.office.fault("Kommunikation", "status", status=400, method="POST")
    numbers = [f"+4951112{number:04}" for number in range(MANY)]
    firm.crm_edit(espo_id, phoneNumberData=[phone(number, primary=not place) for place, number in enumerate(numbers)])

    firm.sync(espo_id)

    (task,) = firm.tasks()
    assert task["name"].endswith(f"(und {MANY - 1} weitere)")
    assert "Eintrag" not in task["name"] + task["description"]
    assert all(f"„{number}“" in task["description"].replace(" ", "") for number in numbers)
    firm.sync(espo_id)
    assert len(firm.tasks()) == 1
    with firm.store.reading() as tx:
        rows = tx.tasks.not_closed("beteiligte")
    assert (len(rows), {row.espo_task_id for row in rows}) == (MANY, {task["id"]})


def test_what_is_refused_later_joins_the_open_task_and_the_last_one_to_go_closes_it(firm: Firm) -> None:
    espo_id, _ = firm.linked_party(lastName="Muster")
    firm.office.fault("Kommunikation", "status", status=400, method="POST")
    firm.crm_edit(espo_id, phoneNumberData=[phone("+49511121", primary=True)])
    firm.sync(espo_id)
    firm.crm_edit(espo_id, phoneNumberData=[phone("+49511121", primary=True), phone("+49511122")])
    firm.sync(espo_id)
    (task,) = firm.tasks()
    assert "+49511121" in task["description"].replace(" ", "")
    assert "+49511122" in task["description"].replace(" ", "")

    firm.crm_edit(espo_id, phoneNumberData=[phone("+49511121", primary=True)])
    firm.sync(espo_id)
    assert [one["id"] for one in firm.tasks()] == [task["id"]], "one of them is still refused"
    firm.office.clear_faults()
    firm.crm_edit(espo_id, phoneNumberData=[phone("+49511123", primary=True)])
    firm.sync(espo_id)
    assert firm.tasks() == []


def test_a_task_that_a_person_closed_stays_closed_and_new_trouble_opens_another(firm: Firm) -> None:
    espo_id, _ = firm.linked_party(lastName="Muster")
    firm.office.fault("Kommunikation", "status", status=400, method="POST")
    firm.crm_edit(espo_id, phoneNumberData=[phone("+49511121", primary=True)])
    firm.sync(espo_id)
    (task,) = firm.tasks()
    firm.crm.edit("Task", "update", id=task["id"], values={"status": "Completed"})
    firm.sync(espo_id)
    assert firm.tasks() == []
    firm.crm_edit(espo_id, phoneNumberData=[phone("+49511121", primary=True), phone("+49511122")])
    firm.sync(espo_id)
    (other,) = firm.tasks()
    assert other["id"] != task["id"]
    assert "+49511121" not in other["description"].replace(" ", "")


def test_a_conflict_says_who_typed_what_when_on_which_side(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(lastName="Alt")
    firm.crm_edit(espo_id, zusatz="aus EspoCRM")
    firm.office_edit(betnr, zusatz="aus Advoware")
    editor = firm.crm_record(espo_id)["modifiedById"]
    name = next(user["name"] for user in firm.crm.state()["users"] if user["id"] == editor)

    firm.sync(espo_id)

    (task,) = firm.tasks()
    text = task["description"]
    assert "jetzt gilt „aus EspoCRM“, verworfen wurde „aus Advoware“" in text
    assert f" von {name}; in Advoware am " in text
    assert "Zuletzt geändert: in EspoCRM am " in text


def test_the_task_of_a_record_that_belongs_to_nobody_goes_to_a_person_and_not_to_the_robot(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(lastName="Alt")
    firm.crm_edit(espo_id, zusatz="aus EspoCRM")
    firm.office_edit(betnr, zusatz="aus Advoware")
    firm.sync(espo_id)
    (task,) = firm.tasks()
    people = {user["id"] for user in firm.crm.state()["users"] if user["type"] in ("admin", "regular")}
    assert task["assignedUserId"] in people
