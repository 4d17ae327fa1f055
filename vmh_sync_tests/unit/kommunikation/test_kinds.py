"""Kinds of entries and EspoCRM's types (specification, entities.md 2)."""

import pytest

from vmh_sync.kommunikation import kinds
from vmh_sync.kommunikation.markers import Remark, parse
from vmh_sync.kommunikation.model import PairState
from vmh_sync_tests.unit.kommunikation.builders import MAIL, PHONE, entry, pair

MARKED = "[ESPOCRM:YUBiLmV4YW1wbGU=:8]"


@pytest.mark.parametrize(
    ("phone_type", "kind"), [("Office", 1), ("Fax", 2), ("Mobile", 3), ("Home", 6), ("Other", 10), ("Zentrale", 10)]
)
def test_type_to_kind(phone_type: str, kind: int) -> None:
    assert kinds.kind_of_item(PHONE, phone_type, "+49171123456") == kind


def test_item_without_type_is_told_by_its_number() -> None:
    assert kinds.kind_of_item(PHONE, None, "+491712345678") == 3
    assert kinds.kind_of_item(PHONE, None, "+49511123") == 1
    assert kinds.kind_of_item(MAIL, None, "a@b.example") == 4


@pytest.mark.parametrize(
    ("kind", "phone_type"),
    [(1, "Office"), (2, "Fax"), (7, "Fax"), (3, "Mobile"), (9, "Mobile"), (6, "Home"), (10, "Other"), (4, None)],
)
def test_kind_to_type(kind: int, phone_type: str | None) -> None:
    assert kinds.type_of(kind) == phone_type


def test_channels() -> None:
    assert {kind for kind in range(1, 13) if kinds.channel_of(kind) is MAIL} == {4, 8}
    assert {kind for kind in range(1, 13) if kinds.channel_of(kind) is None} == {5, 11, 12}


def test_order_of_resolution() -> None:
    """Stored pair, marker, own kommKz, top-level copies, pattern: each step taken away shows the next."""
    one = entry(1, "a@b.example", 4, MARKED)
    copies = {"email": "A@b.example"}
    assert kinds.resolve(one, pair(1, 6, "x", "x"), parse(MARKED), copies) == 6
    assert kinds.resolve(one, None, parse(MARKED), copies) == 8
    assert kinds.resolve(one, None, parse("Text"), copies) == 4
    assert kinds.resolve(entry(1, "a@b.example", 0), None, parse(None), copies) == 8
    assert kinds.resolve(entry(1, "a@b.example", None), None, parse(None), {}) == 4


@pytest.mark.parametrize(
    ("copy", "value", "kind"),
    [
        ("mobil", "0511/123", 3),
        ("telGesch", "0171 2345678", 1),
        ("telPrivat", "0511/123", 6),
        ("faxGesch", "0511/123", 2),
        ("emailGesch", "a@b.example", 4),
        ("email", "a@b.example", 8),
        ("internet", "a@b.example", 5),
    ],
)
def test_top_level_copies(copy: str, value: str, kind: int) -> None:
    assert kinds.resolve(entry(1, value), None, parse(None), {copy: value, "zusatz": value}) == kind


def test_top_level_copy_is_compared_normalised() -> None:
    assert kinds.resolve(entry(1, "0511/123"), None, parse(None), {"mobil": "+49 511 123"}) == 3
    assert kinds.resolve(entry(1, ""), None, parse(None), {"mobil": ""}) == 1


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("a@b.example", 4),
        ("0171 2345678", 3),
        ("+49 (0)1512 3456789", 3),
        ("0049 160 123456", 3),
        ("0180 123456", 1),
        ("0511/123", 1),
        ("+43 660 123456", 1),
        ("https://b.example/1", 5),
        ("www.b.example", 5),
        ("DE.BRAK.5dc02c5e-1.a", 12),
        ("DE.Justiz.7f3a", 12),
        ("safe-sp1-1-2", 12),
        ("siehe Akte", 1),
    ],
)
def test_pattern(value: str, kind: int) -> None:
    assert kinds.resolve(entry(1, value), None, parse(None), {}) == kind


@pytest.mark.parametrize("own", [5, 11, 12])
def test_an_untouched_kind_is_never_overruled(own: int) -> None:
    assert kinds.resolve(entry(1, "x", own, MARKED), pair(1, 4, "x", "x"), parse(MARKED), {}) == own


def test_a_guess_from_a_value_that_was_never_synced_is_not_kept() -> None:
    refused = pair(1, 1, None, "siehe Akte", state=PairState.REFUSED)
    assert kinds.resolve(entry(1, "a@b.example"), refused, parse(None), {}) == 4


MAIL_MARK, PHONE_MARK, PHONE_SLOT = "[ESPOCRM:YUBiLmV4YW1wbGU=:8]", "[ESPOCRM:KzQ5NTExMTIz:1]", "[ESPOCRM-SLOT:1] x"


@pytest.mark.parametrize(
    ("value", "own", "remark", "kind"),
    [
        ("a@b.example", 4, PHONE_SLOT, 4),
        ("a@b.example", 8, PHONE_MARK, 8),
        ("jürgen@müller.example", 4, PHONE_SLOT, 4),
        ("kein at", 4, PHONE_SLOT, 4),
        ("", 4, PHONE_SLOT, 4),
        ("0511/123", 6, MAIL_MARK, 6),
        ("siehe Akte", 1, MAIL_MARK, 1),
        ("", 1, MAIL_MARK, 1),
        ("a@b.example", 4, "[ESPOCRM-SLOT:12]", 4),
        ("0511/123", 1, "[ESPOCRM-SLOT:5]", 1),
        ("a@b.example", 0, PHONE_SLOT, 4),
        ("0171 2345678", 0, MAIL_MARK, 3),
    ],
)
def test_a_marker_that_contradicts_the_entry_and_what_stands_in_it_is_a_persons_text(
    value: str, own: int, remark: str, kind: int
) -> None:
    one = entry(1, value, own, remark)
    assert kinds.resolve(one, None, kinds.believed(one, parse(remark)), {}) == kind
    assert kinds.believed(one, parse(remark)) == Remark(remark)


@pytest.mark.parametrize(
    ("value", "own", "remark", "kind"),
    [
        ("a@b.example", 4, MAIL_MARK, 8),
        ("0511/123", 3, PHONE_SLOT, 1),
        ("siehe Akte", 3, PHONE_SLOT, 1),
        ("", 3, PHONE_SLOT, 1),
        ("a@b.example", 1, MAIL_MARK, 8),
        ("0511/123", 4, PHONE_SLOT, 1),
        ("kein at", 0, MAIL_MARK, 8),
        ("siehe Akte", 0, PHONE_SLOT, 1),
        ("", 0, PHONE_SLOT, 1),
        ("x", 0, "[ESPOCRM-SLOT:12]", 12),
    ],
)
def test_any_other_marker_tells_the_kind(value: str, own: int, remark: str, kind: int) -> None:
    one = entry(1, value, own, remark)
    assert kinds.resolve(one, None, kinds.believed(one, parse(remark)), {}) == kind


@pytest.mark.parametrize(
    ("own", "paired", "value", "another"),
    [
        (4, 1, "neu@huber.example", True),
        (5, 1, "www.huber.example", True),
        (1, 4, "0511 123456", True),
        (1, 4, "max@@huber.example", False),
        (1, 4, "max @huber", False),
        (4, 1, "0511 12a", False),
        (4, 1, "0511 123456", False),
    ],
)
def test_an_entry_is_another_only_if_its_own_list_takes_what_stands_in_it(
    own: int, paired: int, value: str, another: bool
) -> None:
    assert kinds.made_another(entry(1, value, kind=own), pair(1, paired, "alt", "alt")) is another
