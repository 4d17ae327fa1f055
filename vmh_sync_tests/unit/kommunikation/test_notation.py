"""What EspoCRM takes, and what stays on its side (specification, espocrm.md B1 6 and B5)."""

import pytest

from vmh_sync.kommunikation.notation import Refusal, for_espo
from vmh_sync_tests.unit.kommunikation.builders import MAIL, PHONE


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("0511/123", "+49511123"),
        ("+49511123", "+49511123"),
        ("+49 (0)711 1234", "+497111234"),
        ("0049 711 1234", "+497111234"),
        ("0711 1234-5", "+4971112345"),
        ("+1 212 555 0100", "+12125550100"),
        ("+43 1 234567", "+431234567"),
        ("0041 44 123 45 67", "+41441234567"),
        ("\u202a0511 123\u202c", "+49511123"),
    ],
)
def test_numbers_go_in_international_form(value: str, sent: str) -> None:
    assert for_espo(PHONE, value).value == sent


@pytest.mark.parametrize(
    ("value", "refusal"),
    [
        ("0711 1234 ext. 12", Refusal.PHONE_EXTENSION),
        ("0711 1234 App. 12", Refusal.PHONE_EXTENSION),
        ("0711 1234 Durchwahl 5", Refusal.PHONE_EXTENSION),
        ("App. 12", Refusal.PHONE_LETTERS),
        ("0711 1234 (privat)", Refusal.PHONE_LETTERS),
        ("Tel. 0711 1234", Refusal.PHONE_LETTERS),
        ("0800-FLOWERS", Refusal.PHONE_LETTERS),
        ("a@b.example", Refusal.PHONE_EMAIL),
        ("siehe Akte", Refusal.PHONE_LETTERS),
        ("0711 123456 / 78", Refusal.PHONE_SEVERAL),
        ("0711/1234; 0170/123", Refusal.PHONE_SEVERAL),
        ("110", Refusal.PHONE_LOCAL),
        ("123 45 67", Refusal.PHONE_LOCAL),
        ("+4971112345678901234", Refusal.PHONE_IMPOSSIBLE),
        ("-", Refusal.PHONE_IMPOSSIBLE),
        ("0", Refusal.PHONE_IMPOSSIBLE),
    ],
)
def test_numbers_that_stay_where_they_are(value: str, refusal: Refusal) -> None:
    answer = for_espo(PHONE, value)
    assert (answer.value, answer.refusal) == (None, refusal)


@pytest.mark.parametrize(
    "value", ["a@b.example", "Erika.Muster+x@Huber-Bau.example", " a@b.example ", "o'neil@b.example"]
)
def test_addresses_go_as_they_are(value: str) -> None:
    assert for_espo(MAIL, value).value == value.strip()
    assert for_espo(MAIL, f"\ufeff{value}\u200b").value == value.strip()


@pytest.mark.parametrize(
    ("value", "refusal"),
    [
        ("jürgen@müller.example", Refusal.EMAIL_CHARACTERS),
        ("info@müller.example", Refusal.EMAIL_CHARACTERS),
        ("kaputt", Refusal.EMAIL_FORM),
        ("a@b", Refusal.EMAIL_FORM),
        ("a b@c.example", Refusal.EMAIL_FORM),
        ("a@b.example; c@d.example", Refusal.EMAIL_FORM),
        (".a@b.example", Refusal.EMAIL_FORM),
        ("a..b@c.example", Refusal.EMAIL_FORM),
        ("x" * 65 + "@b.example", Refusal.EMAIL_FORM),
        ("0511/123", Refusal.EMAIL_FORM),
    ],
)
def test_addresses_that_stay_where_they_are(value: str, refusal: Refusal) -> None:
    answer = for_espo(MAIL, value)
    assert (answer.value, answer.refusal) == (None, refusal)


def test_every_refusal_says_what_helps() -> None:
    for refusal in Refusal:
        assert "Bitte" in refusal.message
