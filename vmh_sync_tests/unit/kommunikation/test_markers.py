"""Markers of the original in remarks (specification, entities.md 2)."""

import pytest

from vmh_sync.kommunikation.markers import Remark, parse, with_slot, with_value

HUBER = "[ESPOCRM:aW5mb0BodWJlci1iYXUuZXhhbXBsZQ==:4]"


def test_the_example_of_the_specification() -> None:
    assert with_value("Zentrale", "info@huber-bau.example", 4) == f"{HUBER} Zentrale"
    assert parse(f"{HUBER} Zentrale") == Remark("", 4, "info@huber-bau.example", " Zentrale")
    assert with_slot(HUBER, 4) == "[ESPOCRM-SLOT:4]"
    assert parse("[ESPOCRM-SLOT:4]").is_slot


@pytest.mark.parametrize(
    "remark",
    [
        "[ESPOCRM:aW5mb0:4]",  # base64 cut off
        "[ESPOCRM:/w==:4]",  # no UTF-8
        "[ESPOCRM:ICA=:4]",  # blank value
        "[ESPOCRM:YQ==:13]",
        "[ESPOCRM:YQ==:0]",
        "[ESPOCRM-SLOT:0]",
        "[ESPOCRM-SLOT:99]",
        "[ESPOCRM-SLOT:x]",
        "[ESPOCRM:YQ==]",
        "[espocrm:YQ==:4]",
        "(ESPOCRM:YQ==:4)",
        "",
        None,
    ],
)
def test_an_invalid_marker_is_text(remark: str | None) -> None:
    assert parse(remark) == Remark(remark or "")


def test_a_damaged_marker_stays_in_the_text_before_the_new_one() -> None:
    assert with_value("[ESPOCRM:kaputt:4] Büro", "a@b.example", 4).endswith(":4] [ESPOCRM:kaputt:4] Büro")


@pytest.mark.parametrize("text", ["Zentrale", "  zwei Blanks ", "\tTab\r\nZeile", "ÄÖÜß 😀", "[Klammer]", " "])
def test_text_around_a_marker_is_kept_byte_for_byte(text: str) -> None:
    for remark in (f"{HUBER}{text}", f"{text}{HUBER}", f"{text}{HUBER}{text}"):
        changed = with_value(remark, "neu@huber.example", 8)
        assert changed.replace("[ESPOCRM:bmV1QGh1YmVyLmV4YW1wbGU=:8]", HUBER) == remark
        assert with_slot(remark, 4) == remark.replace(HUBER, "[ESPOCRM-SLOT:4]")


def test_only_the_first_valid_marker_counts() -> None:
    assert parse(f"[ESPOCRM:x:4]{HUBER}[ESPOCRM-SLOT:1]") == Remark(
        "[ESPOCRM:x:4]", 4, "info@huber-bau.example", "[ESPOCRM-SLOT:1]"
    )


def test_a_long_remark_is_never_cut_for_a_marker() -> None:
    text = "x" * 2000
    assert with_value(text, "a@b.example", 4) == text
    assert with_slot(text, 4) == text
    assert with_slot("y" * 1983, 4) == "[ESPOCRM-SLOT:4] " + "y" * 1983
