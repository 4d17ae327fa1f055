"""The six situations, entry by entry (specification, entities.md 2)."""

import pytest

from vmh_sync.kommunikation.model import PairState
from vmh_sync.sync.planning.plan import Action
from vmh_sync_tests.unit.kommunikation.builders import (
    MAIL,
    PHONE,
    blanked,
    entry,
    mail,
    only_write,
    pair,
    plan,
    slot,
    stored,
    tel,
    values,
    written,
)

ACTIVE = pair(1, 1, "+49511123", "0511/123", primary_base=True, online_base=True, espo_type="Office")


def test_unchanged_writes_nothing_and_stores_nothing() -> None:
    result = plan(phones=[tel("+49511123", primary=True)], entries=[entry(1, "0511/123", online=True)], pairs=[ACTIVE])
    assert result.writes_nothing
    assert not result.base_moves
    assert not result.tasks


# new in EspoCRM


def test_new_in_espocrm_is_created() -> None:
    result = plan(emails=[mail("Info@huber.example", primary=True)])
    assert only_write(result).operation.action is Action.CREATE
    assert written(result) == {
        None: {"tlf": "Info@huber.example", "bemerkung": "", "online": True, "komm_kz": 4},
    }
    assert result.lists == ()
    assert not result.writes_nothing
    assert stored(result)[99].espo_base == "Info@huber.example"


def test_new_in_espocrm_takes_the_kind_of_its_type_and_the_notation_of_espocrm() -> None:
    phones = [tel("+49171123", "Mobile", primary=True), tel("+49511123", "Fax")]
    assert [
        (p["tlf"], p["komm_kz"], p["online"]) for p in (w.operation.payload for w in plan(phones=phones).writes)
    ] == [
        ("+49171123", 3, True),
        ("+49511123", 2, False),
    ]


def test_new_in_espocrm_fills_an_own_empty_slot_of_its_kind() -> None:
    result = plan(
        phones=[tel("+49511123", primary=True)],
        entries=[entry(1, "", remark="Zentrale"), entry(2, "")],
        pairs=[slot(1, 1), slot(2, 3)],
    )
    write = only_write(result)
    assert write.operation.key == "1"
    assert write.must_be_empty
    assert write.expected_row_id == "R1"
    assert dict(write.operation.payload) == {"tlf": "+49511123", "bemerkung": "Zentrale", "online": True}
    assert stored(result)[1].state is PairState.ACTIVE


@pytest.mark.parametrize(
    ("empty", "pairs"),
    [
        (entry(1, ""), []),  # nobody's
        (entry(1, ""), [pair(1, 1, None, None, state=PairState.EMPTIED)]),  # a person emptied it
        (entry(1, ""), [slot(1, 3)]),  # another kind
        (entry(1, "", 3, "[ESPOCRM-SLOT:1]"), []),  # the marker contradicts the entry's own kind
        (entry(1, "", 12), [slot(1, 1)]),
    ],
)
def test_what_is_no_slot_of_ours_is_not_filled(empty: object, pairs: list[object]) -> None:
    result = plan(phones=[tel("+49511123", primary=True)], entries=[empty], pairs=pairs)  # type: ignore[list-item,arg-type]
    assert only_write(result).operation.action is Action.CREATE


def test_two_new_values_do_not_share_a_slot() -> None:
    result = plan(phones=[tel("+49511123", primary=True), tel("+49511124")], entries=[entry(1, "")], pairs=[slot(1, 1)])
    assert [write.operation.key for write in result.writes] == ["1", None]


# deleted in EspoCRM


def test_deleted_in_espocrm_empties_the_entry_and_keeps_the_text() -> None:
    result = plan(entries=[entry(1, "0511/123", remark=" Zentrale\r\n", online=True)], pairs=[ACTIVE])
    write = only_write(result)
    assert write.operation.action is Action.REMOVE
    assert dict(write.operation.payload) == {"tlf": "", "bemerkung": " Zentrale\r\n", "online": False}
    assert blanked(result) == 1
    assert stored(result)[1] == slot(1, 1)


def test_deleted_in_espocrm_writes_the_slot_marker_if_markers_are_on() -> None:
    remark = "[ESPOCRM:aW5mb0BodWJlci1iYXUuZXhhbXBsZQ==:4] Zentrale"
    known = pair(1, 4, "info@huber-bau.example", "info@huber-bau.example")
    result = plan(entries=[entry(1, "info@huber-bau.example", remark=remark)], pairs=[known], write_markers=True)
    assert written(result)["1"]["bemerkung"] == "[ESPOCRM-SLOT:4] Zentrale"


def test_several_deletes_in_one_list_are_believed() -> None:
    known = [pair(number, 4, f"m{number}@b.example", f"m{number}@b.example") for number in (1, 2, 3)]
    there = [entry(number, f"m{number}@b.example", online=number == 3) for number in (1, 2, 3)]
    result = plan(emails=[mail("m3@b.example", primary=True)], entries=there, pairs=known)
    assert {key: payload["tlf"] for key, payload in written(result).items()} == {"1": "", "2": ""}


# deleted or emptied in Advoware


@pytest.mark.parametrize("emptied", [[entry(1, "")], [entry(1, None)], [entry(1, "  ")], []])
def test_gone_in_advoware_leaves_the_list(emptied: list[object]) -> None:
    result = plan(
        phones=[tel("+49511123", primary=True), tel("+49511124", opt_out=True)],
        entries=[*emptied, entry(2, "0511/124")],  # type: ignore[list-item]
        pairs=[ACTIVE, pair(2, 1, "+49511124", "0511/124")],
    )
    assert values(result, PHONE) == ["+49511124"]
    assert result.phones is not None
    assert result.phones.items[0]["primary"] is True
    assert result.phones.items[0]["optOut"] is True
    assert blanked(result) == 1
    expected = PairState.EMPTIED if emptied else None
    assert (stored(result)[1].state if 1 in stored(result) else None) is expected


def test_the_last_value_gone_in_advoware_sends_an_empty_list() -> None:
    result = plan(phones=[tel("+49511123", primary=True)], entries=[entry(1, "")], pairs=[ACTIVE])
    assert result.espocrm_attributes() == {"phoneNumberData": [], "phoneNumber": None}


# new in Advoware


def test_new_in_advoware_is_added_in_international_form_with_its_type() -> None:
    result = plan(entries=[entry(1, "0511/123", 9, online=True)])
    assert result.espocrm_attributes()["phoneNumberData"] == [
        {"phoneNumber": "+49511123", "type": "Mobile", "primary": True, "optOut": False, "invalid": False}
    ]
    assert result.writes == ()
    assert not result.writes_nothing
    assert stored(result)[1].advoware_base == "0511/123"


def test_a_user_typing_into_a_slot_makes_it_a_new_entry() -> None:
    result = plan(entries=[entry(1, "0511/123", remark="[ESPOCRM-SLOT:7]", online=True)], pairs=[slot(1, 7)])
    assert result.phones is not None
    assert result.phones.items[0]["type"] == "Fax"
    assert result.writes == ()
    assert stored(result)[1].state is PairState.ACTIVE


@pytest.mark.parametrize("kind", [5, 11, 12])
def test_untouched_kinds_go_nowhere(kind: int) -> None:
    result = plan(entries=[entry(1, "a@b.example", kind, online=True), entry(2, "", kind, "[ESPOCRM-SLOT:4]")])
    assert result.writes_nothing
    assert not result.base_moves


# changed in EspoCRM


def test_changed_in_espocrm_is_put_in_the_notation_of_the_edit() -> None:
    result = plan(
        phones=[tel("+49 511 999", primary=True)],
        entries=[entry(1, "0511/123", remark="Zentrale", online=True)],
        pairs=[ACTIVE],
    )
    assert written(result) == {"1": {"tlf": "+49 511 999", "bemerkung": "Zentrale", "online": True}}
    assert only_write(result).operation.changes[0].old == "0511/123"
    assert result.lists == ()
    assert stored(result)[1].espo_base == "+49 511 999"


def test_changed_in_espocrm_renews_the_marker_only_if_markers_are_on() -> None:
    known = pair(1, 4, "a@b.example", "a@b.example", primary_base=True)
    here, there = [mail("info@huber-bau.example", primary=True)], [entry(1, "a@b.example", remark="Zentrale")]
    on = plan(emails=here, entries=there, pairs=[known], write_markers=True)
    assert written(on)["1"]["bemerkung"] == "[ESPOCRM:aW5mb0BodWJlci1iYXUuZXhhbXBsZQ==:4] Zentrale"
    off = plan(emails=here, entries=there, pairs=[known])
    assert written(off)["1"]["bemerkung"] == "Zentrale"


def test_two_changes_at_once_go_to_the_entry_they_are_most_like() -> None:
    result = plan(
        emails=[mail("info@maier.example", primary=True), mail("anna.huber@b.example")],
        entries=[entry(1, "anna.hubr@b.example"), entry(2, "info@meier.example", online=True)],
        pairs=[
            pair(1, 4, "anna.hubr@b.example", "anna.hubr@b.example"),
            pair(2, 4, "info@meier.example", "info@meier.example", primary_base=True, online_base=True),
        ],
    )
    assert {key: payload["tlf"] for key, payload in written(result).items()} == {
        "1": "anna.huber@b.example",
        "2": "info@maier.example",
    }


def test_a_value_of_another_type_is_no_edit() -> None:
    """The kind of an entry cannot be changed: another type and number are a delete and a create."""
    result = plan(
        phones=[tel("+491712345678", "Mobile", primary=True)],
        entries=[entry(1, "0511/123", online=True)],
        pairs=[ACTIVE],
    )
    assert {key: (p["tlf"], p.get("komm_kz")) for key, p in written(result).items()} == {
        "1": ("", None),
        None: ("+491712345678", 3),
    }


def test_type_alone_never_writes() -> None:
    result = plan(
        phones=[tel("+49511123", "Fax", primary=True)], entries=[entry(1, "0511/123", online=True)], pairs=[ACTIVE]
    )
    assert result.writes_nothing


def test_spelling_alone_never_writes() -> None:
    result = plan(
        emails=[mail("A@B.example", primary=True)],
        phones=[tel("+49 511 12-3", primary=True)],
        entries=[entry(1, "(0511) 123", online=True), entry(2, "a@b.example", online=True)],
        pairs=[ACTIVE, pair(2, 4, "a@b.example", "a@b.example", primary_base=True, online_base=True)],
    )
    assert result.writes_nothing
    assert not result.base_moves


# changed in Advoware


def test_changed_in_advoware_replaces_in_place_with_fresh_flags() -> None:
    result = plan(
        emails=[mail("a@b.example", opt_out=True, invalid=True), mail("c@d.example", primary=True, opt_out=True)],
        entries=[entry(1, "Neu@b.example"), entry(2, "c@d.example", online=True)],
        pairs=[
            pair(1, 4, "a@b.example", "a@b.example"),
            pair(2, 4, "c@d.example", "c@d.example", primary_base=True, online_base=True),
        ],
    )
    assert result.espocrm_attributes() == {
        "emailAddressData": [
            {
                "emailAddress": "Neu@b.example",
                "lower": "neu@b.example",
                "primary": False,
                "optOut": True,
                "invalid": False,
            },
            {"emailAddress": "c@d.example", "lower": "c@d.example", "primary": True, "optOut": True, "invalid": False},
        ]
    }
    assert result.writes == ()
    assert values(result, MAIL) == ["Neu@b.example", "c@d.example"]


def test_an_edit_of_one_and_an_edit_of_another_are_no_conflict() -> None:
    result = plan(
        phones=[tel("+49511999", primary=True), tel("+49171123", "Mobile")],
        entries=[entry(1, "0511/123", online=True), entry(2, "0171/124")],
        pairs=[ACTIVE, pair(2, 3, "+49171123", "0171/123", espo_type="Mobile")],
    )
    assert written(result)["1"]["tlf"] == "+49511999"
    assert values(result, PHONE) == ["+49511999", "+49171124"]
    assert result.conflicts == ()
