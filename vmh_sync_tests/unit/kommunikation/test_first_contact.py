"""No pairs yet: equal values are paired, markers are read, nothing is deleted on a guess (entities.md 2)."""

import base64

import pytest

from vmh_sync.kommunikation.model import PairState
from vmh_sync_tests.unit.kommunikation.builders import (
    MAIL,
    PHONE,
    blanked,
    entry,
    mail,
    plan,
    slot,
    stored,
    tel,
    values,
    written,
)


def marker(value: str, kind: int) -> str:
    return f"[ESPOCRM:{base64.b64encode(value.encode()).decode()}:{kind}]"


def test_equal_values_are_paired_without_a_write() -> None:
    result = plan(
        emails=[mail("A@b.example", primary=True)],
        phones=[tel("+49511123", primary=True), tel("+49171234567", "Mobile")],
        entries=[
            entry(1, "0511/123", online=True),
            entry(2, "a@B.example", online=True),
            entry(3, "0049 171 234567"),
        ],
    )
    assert result.writes_nothing
    assert {number: one.kind for number, one in stored(result).items()} == {1: 1, 2: 4, 3: 3}


def test_what_nobody_sees_in_a_value_makes_no_other_one() -> None:
    result = plan(
        emails=[mail("a@b.example", primary=True)],
        phones=[tel("+49511123", primary=True)],
        entries=[entry(1, "\u202a0511 123\u202c", online=True), entry(2, "a@b.example\u200b", online=True)],
    )
    assert result.writes_nothing
    assert set(stored(result)) == {1, 2}


def test_what_one_side_has_alone_is_copied() -> None:
    result = plan(emails=[mail("a@b.example", primary=True)], entries=[entry(1, "c@d.example")])
    assert values(result, MAIL) == ["a@b.example", "c@d.example"]
    assert written(result) == {None: {"tlf": "a@b.example", "bemerkung": "", "online": True, "komm_kz": 4}}
    assert blanked(result) == 0


def test_two_entries_with_one_value_are_both_paired_and_nothing_is_added() -> None:
    result = plan(
        phones=[tel("+49511123", primary=True)], entries=[entry(1, "0511/123", 1, online=True), entry(2, "0511 123", 2)]
    )
    assert result.writes_nothing
    assert set(stored(result)) == {1, 2}


def test_two_new_spellings_of_one_value_in_advoware_become_one_item() -> None:
    result = plan(entries=[entry(1, "A@b.example", online=True), entry(2, "a@b.example")])
    assert values(result, MAIL) == ["A@b.example"]
    assert set(stored(result)) == {1, 2}
    assert result.writes == ()


def test_two_spellings_of_one_value_in_espocrm_become_one_entry() -> None:
    result = plan(
        emails=[mail("a@b.example"), mail("A@b.example", primary=True)],
        phones=[tel("0511 123", primary=True), tel("+49511123")],
    )
    assert [write.operation.payload["tlf"] for write in result.writes] == ["a@b.example", "0511 123"]
    assert [write.operation.payload["online"] for write in result.writes] == [True, True]


def test_a_valid_marker_gives_the_kind() -> None:
    result = plan(
        emails=[mail("a@b.example", primary=True)],
        entries=[entry(1, "a@b.example", 0, marker("a@b.example", 8) + " Büro", online=True)],
    )
    assert result.writes_nothing
    assert stored(result)[1].kind == 8


def test_a_valid_marker_is_the_base_of_an_edit_in_advoware() -> None:
    result = plan(
        emails=[mail("old@b.example", primary=True, opt_out=True)],
        entries=[entry(1, "new@b.example", 0, marker("Old@b.example", 4), online=True)],
    )
    assert values(result, MAIL) == ["new@b.example"]
    assert written(result) == {}
    assert result.emails is not None
    assert result.emails.items[0]["optOut"] is True


def test_a_valid_marker_on_an_emptied_entry_removes_the_value() -> None:
    result = plan(emails=[mail("old@b.example", primary=True)], entries=[entry(1, "", 0, marker("old@b.example", 4))])
    assert values(result, MAIL) == []
    assert written(result) == {}


def test_a_marker_copied_to_another_party_deletes_nothing() -> None:
    """EspoCRM does not know the marked value: it may come from another party's entry, so the entry is new."""
    for tlf in ("x@y.example", "other@y.example"):
        result = plan(emails=[mail("a@b.example", primary=True)], entries=[entry(1, tlf, 0, marker("x@y.example", 8))])
        assert values(result, MAIL) == ["a@b.example", tlf]
        assert [payload["tlf"] for payload in written(result).values()] == ["a@b.example"]


def test_a_marker_that_two_entries_carry_is_not_believed() -> None:
    copied = marker("old@b.example", 4)
    result = plan(
        emails=[mail("old@b.example", primary=True)],
        entries=[entry(1, "one@b.example", 0, copied), entry(2, "two@b.example", 0, copied)],
    )
    assert values(result, MAIL) == ["old@b.example", "one@b.example", "two@b.example"]


def test_a_marker_whose_value_stands_in_another_entry_is_not_believed() -> None:
    result = plan(
        emails=[mail("old@b.example", primary=True)],
        entries=[entry(1, "new@b.example", 0, marker("old@b.example", 4)), entry(2, "OLD@b.example", online=True)],
    )
    assert values(result, MAIL) == ["old@b.example", "new@b.example"]
    assert written(result) == {}


@pytest.mark.parametrize("damaged", ["[ESPOCRM:b2xkQGIuZXhhbXBsZQ:8]", "[ESPOCRM:###:8]", "[ESPOCRM:YQ==:44]"])
def test_a_damaged_marker_is_user_text(damaged: str) -> None:
    result = plan(emails=[mail("old@b.example", primary=True)], entries=[entry(1, "new@b.example", 0, damaged)])
    assert values(result, MAIL) == ["old@b.example", "new@b.example"]
    assert stored(result)[1].kind == 4


def test_a_slot_marker_makes_an_empty_entry_ours() -> None:
    result = plan(entries=[entry(1, "", 0, "[ESPOCRM-SLOT:1] Zentrale")])
    assert result.writes_nothing
    assert stored(result)[1].state is slot(1, 1).state
    filled = plan(phones=[tel("+49511123", primary=True)], entries=[entry(1, "", 0, "[ESPOCRM-SLOT:1] Zentrale")])
    assert written(filled) == {"1": {"tlf": "+49511123", "bemerkung": "[ESPOCRM-SLOT:1] Zentrale", "online": True}}
    marked = plan(
        phones=[tel("+49511123", primary=True)],
        entries=[entry(1, "", 0, "[ESPOCRM-SLOT:1] Zentrale")],
        write_markers=True,
    )
    assert written(marked)["1"]["bemerkung"] == marker("+49511123", 1) + " Zentrale"


def test_text_in_a_slot_of_the_original_is_a_new_entry() -> None:
    result = plan(entries=[entry(1, "0511/123", 0, "[ESPOCRM-SLOT:2]", online=True)])
    assert values(result, PHONE) == ["+49511123"]
    assert (stored(result)[1].kind, stored(result)[1].state) == (2, PairState.ACTIVE)


@pytest.mark.parametrize("value", ["a@b.example", "jürgen@müller.example"])
def test_an_e_mail_with_the_marker_of_a_phone_is_an_e_mail(value: str) -> None:
    result = plan(emails=[mail("old@b.example", primary=True)], entries=[entry(1, value, 4, "[ESPOCRM-SLOT:1] x")])
    if value.isascii():
        assert values(result, MAIL) == ["old@b.example", value]
        assert stored(result)[1].kind == 4
    else:
        assert [task.fields for task in result.tasks] == [("email/1",)]


def test_a_contradicting_marker_deletes_nothing() -> None:
    """The marker of another entry's phone, in an e-mail entry that a person has emptied."""
    result = plan(phones=[tel("+49511123", primary=True)], entries=[entry(1, "", 4, marker("+49511123", 1))])
    assert values(result, PHONE) is None
    assert written(result) == {None: {"tlf": "+49511123", "bemerkung": "", "online": True, "komm_kz": 1}}


def test_empty_strings_on_both_sides_are_nothing() -> None:
    result = plan(emails=[mail("")], phones=[tel(" ")], entries=[entry(1, ""), entry(2, None), entry(3, " ")])
    assert result.writes_nothing
    assert not result.base_moves
