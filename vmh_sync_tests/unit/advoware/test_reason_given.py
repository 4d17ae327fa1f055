"""What a refusal of Advoware gives as its reason."""

import pytest

from vmh_sync.systems.advoware.errors import reason_given


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("Titel ist\x00 gesperrt\r\n", "Titel ist gesperrt"),
        ('"Titel ist gesperrt"', "Titel ist gesperrt"),
        ('{"status": 400, "message": "Titel ist gesperrt"}', "Titel ist gesperrt"),
        ('{"title": "Bad Request", "detail": "Titel ist gesperrt"}', "Titel ist gesperrt"),
        ("<html><body>400</body></html>", ""),
        ("[" * 100_000, "[" * 200),
        ("", ""),
        ("[1]", ""),
        ("x" * 5000, "x" * 200),
    ],
)
def test_the_reason_is_one_bounded_line_of_plain_text(body: str, reason: str) -> None:
    assert reason_given(body) == reason
