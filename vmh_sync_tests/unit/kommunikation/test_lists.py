"""The list that is sent (specification, espocrm.md B5)."""

from vmh_sync_tests.unit.kommunikation.builders import MAIL, PHONE, entry, mail, pair, plan, tel, values


def _known() -> list[object]:
    return [pair(1, 1, "+49511123", "0511/123", primary_base=True, online_base=True, espo_type="Office")]


def _there(*more: object) -> list[object]:
    return [entry(1, "0511/123", online=True), *more]


def test_flags_and_types_go_back_as_freshly_read() -> None:
    result = plan(
        phones=[tel("+49511123", "Home", primary=True, opt_out=True, invalid=True)],
        entries=_there(entry(2, "0171/2345678", 3)),  # type: ignore[arg-type]
        pairs=_known(),  # type: ignore[arg-type]
    )
    assert result.espocrm_attributes() == {
        "phoneNumber": "+49511123",
        "phoneNumberData": [
            {"phoneNumber": "+49511123", "type": "Home", "primary": True, "optOut": True, "invalid": True},
            {"phoneNumber": "+491712345678", "type": "Mobile", "primary": False, "optOut": False, "invalid": False},
        ],
    }


def test_flags_of_an_added_value_come_from_the_record_that_has_it_already() -> None:
    result = plan(entries=[entry(1, "0171/2345678", 3), entry(2, "0511/123", 1, online=True)])
    assert result.phones is not None
    assert result.phones.added == ("+491712345678", "+49511123")
    known = {"+491712345678": tel("+491712345678", "Home", opt_out=True, invalid=True), "+49999": tel("+49999")}
    first, second = result.phones.with_known_flags(known).items
    assert (first["type"], first["optOut"], first["invalid"], first["primary"]) == ("Home", True, True, False)
    assert second == result.phones.items[1]


def test_duplicates_by_case_are_sent_once_and_keep_primary_and_opt_out() -> None:
    result = plan(
        emails=[mail("a@b.example"), mail("A@b.example", primary=True, opt_out=True)],
        entries=[entry(1, "a@b.example", online=True), entry(2, "c@d.example")],
        pairs=[pair(1, 4, "a@b.example", "a@b.example", primary_base=True, online_base=True)],
    )
    assert result.emails is not None
    assert [(i["emailAddress"], i["primary"], i["optOut"]) for i in result.emails.items] == [
        ("a@b.example", True, True),
        ("c@d.example", False, False),
    ]


def test_duplicates_alone_are_no_reason_to_write() -> None:
    result = plan(
        emails=[mail("a@b.example"), mail("A@b.example", primary=True)],
        entries=[entry(1, "a@b.example", online=True)],
        pairs=[pair(1, 4, "a@b.example", "a@b.example", primary_base=True, online_base=True)],
    )
    assert result.writes_nothing


def test_old_national_numbers_are_sent_in_international_form() -> None:
    result = plan(
        phones=[tel("0511 123", primary=True)],
        entries=_there(entry(2, "0511/124")),  # type: ignore[arg-type]
        pairs=_known(),  # type: ignore[arg-type]
    )
    assert values(result, PHONE) == ["+49511123", "+49511124"]
    off = plan(
        phones=[tel("0511 123", primary=True)],
        entries=_there(entry(2, "0511/124")),  # type: ignore[arg-type]
        pairs=_known(),  # type: ignore[arg-type]
        international=False,
    )
    assert values(off, PHONE) == ["0511 123", "+49511124"]


def test_a_stored_number_that_would_lose_its_extension_blocks_the_list_and_nothing_else() -> None:
    result = plan(
        emails=[mail("new@b.example", primary=True)],
        phones=[tel("+49511123", primary=True), tel("0511 124 ext. 5"), tel("+49511777")],
        entries=_there(entry(2, "0511 124 ext. 5"), entry(3, "0511/999")),  # type: ignore[arg-type]
        pairs=[*_known(), pair(2, 1, "0511 124 ext. 5", "0511 124 ext. 5")],  # type: ignore[list-item]
    )
    assert result.phones is None
    assert [finding.field for finding in result.findings] == ["phone/list"]
    assert sorted(str(write.operation.payload["tlf"]) for write in result.writes) == ["+49511777", "new@b.example"]
    after = result.pairs_after({write.step: 9 for write in result.writes}).stored
    assert 3 not in {one.advoware_id for one in after}
    assert "+49511777" in {one.espo_base for one in after}


def test_unknown_attributes_of_an_item_go_back() -> None:
    one = mail("a@b.example", primary=True)
    extended = one.__class__(one.kind, one.value, None, True, False, False, {**one.raw, "note": "x"})
    result = plan(
        emails=[extended],
        entries=[entry(1, "a@b.example", online=True), entry(2, "c@d.example")],
        pairs=[pair(1, 4, "a@b.example", "a@b.example", primary_base=True, online_base=True)],
    )
    assert result.emails is not None
    assert result.emails.items[0]["note"] == "x"
    assert values(result, MAIL) == ["a@b.example", "c@d.example"]


BLOCKING = "0511 124 ext. 5"


def test_a_blocked_list_holds_back_a_removal_too_and_keeps_its_pair() -> None:
    known = [
        *_known(),
        pair(2, 1, BLOCKING, BLOCKING, espo_type="Office"),
        pair(3, 1, "+49511777", "0511/777", espo_type="Office"),
    ]
    result = plan(
        phones=[tel("+49511123", primary=True), tel(BLOCKING), tel("+49511777")],
        entries=_there(entry(2, BLOCKING), entry(3, "")),  # type: ignore[arg-type]
        pairs=known,  # type: ignore[arg-type]
    )
    assert result.writes_nothing
    assert not result.base_moves
    assert [finding.field for finding in result.findings] == ["phone/list"]


def test_a_blocked_list_is_not_sent_for_a_moved_primary_either() -> None:
    known = [*_known(), pair(2, 1, BLOCKING, BLOCKING, espo_type="Office")]
    result = plan(
        phones=[tel("+49511123", primary=True), tel(BLOCKING)],
        entries=[entry(1, "0511/123"), entry(2, BLOCKING, online=True)],
        pairs=known,  # type: ignore[arg-type]
    )
    assert result.writes_nothing
    assert not result.base_moves  # the change of online is still to be seen by the next pass
    free = plan(
        phones=[tel("+49511123", primary=True), tel("+49511124")],
        entries=[entry(1, "0511/123"), entry(2, "0511/124", online=True)],
        pairs=[*_known(), pair(2, 1, "+49511124", "0511/124")],  # type: ignore[list-item]
    )
    assert free.phones is not None


def test_a_value_that_becomes_one_that_stands_here_already_leaves_the_list() -> None:
    """One of two mails is corrected in Advoware to the other: one item is left, both entries stand for it."""
    result = plan(
        emails=[mail("a@b.example", primary=True), mail("c@d.example")],
        entries=[entry(1, "a@b.example", online=True), entry(2, "A@b.example")],
        pairs=[
            pair(1, 4, "a@b.example", "a@b.example", primary_base=True, online_base=True),
            pair(2, 4, "c@d.example", "c@d.example"),
        ],
    )
    assert values(result, MAIL) == ["a@b.example"]
    assert result.emails is not None
    assert [(change.old, change.new) for change in result.emails.changes] == [("c@d.example", None)]
