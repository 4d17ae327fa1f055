"""What a side makes of a value is told apart from an edit."""

import pytest

from vmh_sync.sync.values import Value, is_form_of


@pytest.mark.parametrize(
    ("stands", "sent", "form"),
    [
        ("Profe", "Professor", True),
        ("PROFESSOR", "Professor", True),
        ("Prof. Dr.", "Prof.  Dr. ", True),
        ("Dr.", "Professor", False),
        ("Professorin", "Professor", False),
        (None, "Professor", False),
        ("Professor", None, False),
    ],
)
def test_a_cut_or_respelt_value_is_a_form_of_what_was_sent(stands: Value, sent: Value, form: bool) -> None:
    assert is_form_of(stands, sent) is form
