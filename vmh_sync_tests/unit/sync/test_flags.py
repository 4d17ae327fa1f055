"""What counts as set, in every notation that a side has shown."""

import pytest

from vmh_sync.sync.values import Kind, is_form_of, normal


@pytest.mark.parametrize("raw", [True, 1, "1", "true", " TRUE ", "ja", "Ja", "J", "yes", "Yes"])
def test_a_set_flag(raw: object) -> None:
    assert normal(Kind.FLAG, raw) is True


@pytest.mark.parametrize("raw", [None, False, 0, "", "0", "false", "nein", "N", "no"])
def test_a_flag_that_is_not_set(raw: object) -> None:
    assert normal(Kind.FLAG, raw) is False


def test_blanks_inside_do_not_make_another_value() -> None:
    assert is_form_of("Prof.Dr.", "Prof. Dr. med.")
