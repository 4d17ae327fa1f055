"""The six situations of an entry, against the sandbox over real HTTP (specification, entities.md 2)."""

import pytest

from vmh_sync.sync.reporting.outcome import Result
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.kommunikation import sides
from vmh_sync_tests.pipeline.kommunikation.sides import NOTHING, mail, phone


@pytest.fixture
def both(firm: Firm) -> tuple[str, int]:
    return sides.party(
        firm,
        mails=[mail("info@huber-bau.example", primary=True), mail("zwei@huber-bau.example")],
        phones=[phone("+49511123456", primary=True), phone("+491711234567", "Mobile")],
    )


def test_new_in_espocrm_is_created_with_its_kind(firm: Firm, both: tuple[str, int]) -> None:
    _, betnr = both
    kinds = {one["tlf"]: one["kommKz"] for one in sides.entries(firm, betnr).values()}
    assert kinds == {
        "info@huber-bau.example": 4,
        "zwei@huber-bau.example": 4,
        "+49511123456": 1,
        "+491711234567": 3,
    }
    online = {one["tlf"] for one in sides.entries(firm, betnr).values() if one["online"]}
    assert online == {"info@huber-bau.example", "+49511123456"}
    assert sides.writes(firm, both[0]) == NOTHING
    assert firm.sync(both[0]).results[Result.UNCHANGED] == 1


def test_new_in_advoware_is_added_and_keeps_its_own_spelling(firm: Firm, both: tuple[str, int]) -> None:
    espo_id, betnr = both
    sides.office_add(firm, betnr, "0511/123", 2, bemerkung="Kanzleifax")
    firm.sync(espo_id)
    added = next(one for one in sides.phones(firm, espo_id) if one["phoneNumber"] == "+49511123")
    assert added["type"] == "Fax"
    assert sides.entry(firm, betnr, "0511/123")["bemerkung"] == "Kanzleifax"
    assert firm.sync(espo_id).results[Result.UNCHANGED] == 1
    firm.until_quiet()
    assert sides.entry(firm, betnr, "0511/123")


def test_changed_in_espocrm_is_put_to_the_same_entry(firm: Firm, both: tuple[str, int]) -> None:
    espo_id, betnr = both
    before = sides.entry(firm, betnr, "zwei@huber-bau.example")
    sides.office_change(firm, before["id"], bemerkung="privat, nur abends")
    firm.crm_edit(
        espo_id,
        emailAddressData=[mail("info@huber-bau.example", primary=True), mail("drei@huber-bau.example")],
    )
    firm.sync(espo_id)
    now = sides.entry(firm, betnr, "drei@huber-bau.example")
    assert (now["id"], now["bemerkung"]) == (before["id"], "privat, nur abends")
    assert sides.writes(firm, espo_id) == NOTHING


def test_changed_in_advoware_replaces_the_item(firm: Firm, both: tuple[str, int]) -> None:
    espo_id, betnr = both
    firm.crm_edit(
        espo_id,
        phoneNumberData=[phone("+49511123456", primary=True, optOut=True), phone("+491711234567", "Mobile")],
    )
    sides.office_change(firm, sides.entry(firm, betnr, "+49511123456")["id"], tlf="0511 999888")
    firm.until_quiet()
    assert sides.numbers(firm, espo_id) == ["+491711234567", "+49511999888"]
    changed = sides.phones(firm, espo_id)[0]
    assert (changed["phoneNumber"], changed["primary"], changed["optOut"]) == ("+49511999888", True, True)


def test_deleted_in_espocrm_empties_the_entry_and_the_slot_is_used_again(firm: Firm, both: tuple[str, int]) -> None:
    espo_id, betnr = both
    before = sides.entry(firm, betnr, "zwei@huber-bau.example")
    sides.office_change(firm, before["id"], bemerkung="Sekretariat")
    firm.crm_edit(espo_id, emailAddressData=[mail("info@huber-bau.example", primary=True)])
    firm.sync(espo_id)
    emptied = sides.entries(firm, betnr)[before["id"]]
    assert (emptied["tlf"], emptied["online"], emptied["bemerkung"]) == ("", False, "Sekretariat")
    assert sides.writes(firm, espo_id) == NOTHING
    firm.crm_edit(espo_id, emailAddressData=[mail("info@huber-bau.example", primary=True), mail("neu@bau.example")])
    firm.sync(espo_id)
    assert sides.entry(firm, betnr, "neu@bau.example")["id"] == before["id"]
    assert len(sides.entries(firm, betnr)) == 4


@pytest.mark.parametrize("how", ["emptied", "deleted"])
def test_gone_in_advoware_leaves_the_list(firm: Firm, both: tuple[str, int], how: str) -> None:
    espo_id, betnr = both
    number = sides.entry(firm, betnr, "+491711234567")["id"]
    if how == "emptied":
        sides.office_change(firm, number, tlf="")
    else:
        sides.office_delete(firm, number)
    firm.sync(espo_id)
    assert sides.numbers(firm, espo_id) == ["+49511123456"]
    assert sides.writes(firm, espo_id) == NOTHING


def test_a_conflict_keeps_the_loser_and_tells_a_person(firm: Firm, both: tuple[str, int]) -> None:
    espo_id, betnr = both
    number = sides.entry(firm, betnr, "zwei@huber-bau.example")["id"]
    sides.office_change(firm, number, tlf="advoware@huber-bau.example")
    firm.crm_edit(
        espo_id, emailAddressData=[mail("info@huber-bau.example", primary=True), mail("espo@huber-bau.example")]
    )
    (outcome,) = firm.outcomes(espo_id)
    assert outcome.conflicts == 1
    assert sides.entries(firm, betnr)[number]["tlf"] == "espo@huber-bau.example"
    (task,) = firm.tasks()
    assert "advoware@huber-bau.example" in task["description"]
    assert "espo@huber-bau.example" in task["description"]
    with firm.store.reading() as tx:
        conflict = next(one for one in tx.audit.for_record(espo_id) if one.kind == "conflict")
    assert (conflict.entity, conflict.losing_value, conflict.losing_side) == (
        "kommunikation",
        "advoware@huber-bau.example",
        "advoware",
    )
    assert not any(firm.sync().writes.values())
    assert len(firm.tasks()) == 1


def test_every_applied_change_stands_in_the_audit_log(firm: Firm, both: tuple[str, int]) -> None:
    espo_id, betnr = both
    number = sides.office_add(firm, betnr, "0511 777", 6)
    firm.crm_edit(espo_id, emailAddressData=[mail("info@huber-bau.example", primary=True)])
    firm.sync(espo_id)
    with firm.store.reading() as tx:
        rows = [one for one in tx.audit.for_record(espo_id) if one.entity == "kommunikation"]
    told = {(one.kind, one.field, one.old, one.new, one.side_written) for one in rows}
    assert ("applied", f"phone/{number}", None, "+49511777", "espocrm") in told
    emptied = [one for one in rows if one.old == "zwei@huber-bau.example"]
    assert [(one.new, one.side_written) for one in emptied] == [(None, "advoware")]
    assert sum(one.kind == "created" for one in rows) == 4


def test_primary_and_online_follow_each_other(firm: Firm, both: tuple[str, int]) -> None:
    espo_id, betnr = both
    sides.office_change(firm, sides.entry(firm, betnr, "info@huber-bau.example")["id"], online=False)
    sides.office_change(firm, sides.entry(firm, betnr, "zwei@huber-bau.example")["id"], online=True)
    firm.until_quiet()
    assert firm.crm_record(espo_id)["emailAddress"] == "zwei@huber-bau.example"
    firm.crm_edit(
        espo_id,
        phoneNumberData=[phone("+49511123456"), phone("+491711234567", "Mobile", primary=True)],
    )
    firm.until_quiet()
    online = {one["tlf"] for one in sides.entries(firm, betnr).values() if one["online"]}
    assert online == {"zwei@huber-bau.example", "+491711234567"}
    assert firm.crm_record(espo_id)["phoneNumber"] == "+491711234567"


@pytest.mark.parametrize(("value", "kind", "mails"), [("neu@huber.example", 4, 1), ("www.huber.example", 5, 0)])
def test_a_phone_made_something_else_in_advoware_ends_and_is_new_there(
    firm: Firm, value: str, kind: int, mails: int
) -> None:
    espo_id, betnr = sides.party(firm, phones=[phone("+49511123456", primary=True), phone("+49511777777")])
    number = sides.entry(firm, betnr, "+49511777777")["id"]
    sides.office_change(firm, number, tlf=value, kommKz=kind)
    firm.until_quiet()
    assert sides.numbers(firm, espo_id) == ["+49511123456"]
    assert sides.addresses(firm, espo_id) == [value] * mails
    assert sides.values(firm, betnr) == sorted(["+49511123456", value])
    assert firm.crm_record(espo_id)["syncStatus"] == "clean"


def test_an_edit_in_espocrm_survives_what_was_made_of_its_entry(firm: Firm) -> None:
    espo_id, betnr = sides.party(firm, phones=[phone("+49511123456", primary=True), phone("+49511777777")])
    number = sides.entry(firm, betnr, "+49511777777")["id"]
    sides.office_change(firm, number, tlf="neu@huber.example", kommKz=4)
    firm.crm_edit(espo_id, phoneNumberData=[phone("+49511123456", primary=True), phone("+49511888888")])
    firm.until_quiet()
    assert sides.numbers(firm, espo_id) == ["+49511123456", "+49511888888"]
    assert sides.addresses(firm, espo_id) == ["neu@huber.example"]
    kinds = {one["tlf"]: one["kommKz"] for one in sides.entries(firm, betnr).values()}
    assert kinds == {"+49511123456": 1, "neu@huber.example": 4, "+49511888888": 1}


def test_an_address_typed_into_a_phone_entry_is_told_as_what_it_is(firm: Firm) -> None:
    espo_id, betnr = sides.party(firm, phones=[phone("+49511777777", primary=True)])
    sides.office_change(firm, sides.entry(firm, betnr, "+49511777777")["id"], tlf="neu@huber.example")
    (outcome,) = firm.outcomes(espo_id)
    (told,) = [one.message for one in outcome.findings]
    assert "Im Telefoneintrag steht eine E-Mail-Adresse" in told
    assert sides.numbers(firm, espo_id) == ["+49511777777"]


def test_a_conflict_that_was_met_before_is_kept_again(firm: Firm, both: tuple[str, int]) -> None:
    espo_id, betnr = both
    number = sides.entry(firm, betnr, "zwei@huber-bau.example")["id"]
    first = mail("info@huber-bau.example", primary=True)
    for _ in range(2):
        sides.office_change(firm, number, tlf="advoware@huber-bau.example")
        firm.crm_edit(espo_id, emailAddressData=[first, mail("espo@huber-bau.example")])
        firm.sync(espo_id)
        firm.crm_edit(espo_id, emailAddressData=[first, mail("zwei@huber-bau.example")])
        firm.sync(espo_id)
    with firm.store.reading() as tx:
        lost = [one.losing_value for one in tx.audit.for_record(espo_id) if one.kind == "conflict"]
    assert lost == ["advoware@huber-bau.example"] * 2
