"""Normal forms: two spellings of one thing are equal, two different things never are."""

import pytest

from vmh_sync.sync.values import Kind, alike, date, email, iban, number, phone, text

SAME_NUMBERS = [
    ("0511/123", "+49511123"),
    ("0511 / 123", "+49511123"),
    ("(0511) 123", "+49511123"),
    ("0511-123", "+49 511 123"),
    ("0511.123", "+49 (511) 12-3"),
    ("+49 (0)711 1234", "+497111234"),
    ("+49 ( 0 ) 711 1234", "+497111234"),
    ("0049 (0) 711 1234", "+497111234"),
    ("0049 711 1234", "0711 1234"),
    ("+49711/1234", "+497111234"),
    ("0711 1234-5", "+4971112345"),
    ("+44 (0)20 7946 0958", "+442079460958"),
    ("001 212 555 0100", "+1 212 555 0100"),
    ("+43 1 234567", "0043 1 234567"),
    ("0711 1234 App. 12", "+497111234 ext. 12"),
    ("0711 1234 Durchwahl 12", "+49 711 1234;ext=12"),
    ("0711 1234 #12", "0711 1234 x12"),
    ("123 456", "123-456"),
    (" 110 ", "110"),
    ("\u202a+49 511 123\u202c", "+49511123"),  # as Windows' address book copies it
    ("\u202d0511\u200b123\u202c", "+49511123"),
    ("0511\u00ad123", "+49511123"),
    ("'0511 123", "+49511123"),  # as a spreadsheet keeps its zero
    ("(+49) (0) 511 123", "+49511123"),
    ("'+49 5111/234567", "+495111234567"),
    ("(+49 5111) / 234567", "+495111234567"),
]


@pytest.mark.parametrize(("one", "other"), SAME_NUMBERS)
def test_two_spellings_of_one_number_are_equal(one: str, other: str) -> None:
    assert phone(one) == phone(other)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0511/123", "+49511123"),
        ("+39 06 1234567", "+39061234567"),  # the zero belongs to an Italian number
        ("0711 1234 ext. 12", "+497111234;ext=12"),
        ("App. 12", "App.12"),
        ("0800-FLOWERS", "0800-FLOWERS"),
        ("0711 1234 (privat)", "07111234(privat)"),
        ("110", "110"),
        ("12", "12"),
        ("1234567", "1234567"),
        ("0711 123456 / 78", "0711123456/78"),
        ("0711/1234; 0170/123", "0711/1234;0170/123"),
        ("0711/12/34", "0711/12/34"),
        ("-", "-"),
        ("  ", None),
        ("\u200b", None),
        ("", None),
        (None, None),
    ],
)
def test_normal_form_of_a_number(value: str | None, expected: str | None) -> None:
    assert phone(value) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0711 1234", "0711 1234 App. 12"),
        ("0711 1234 App. 1", "0711 1234 App. 12"),
        ("App. 12", "27712"),
        ("App. 12", "0711 12"),
        ("110", "+49110"),
        ("1234567", "+491234567"),
        ("0711 123456 / 78", "0711 12345678"),
        ("0800-FLOWERS", "0800 3569377"),
        ("+1 212 555 0100", "0212 5550100"),
    ],
)
def test_different_numbers_are_never_equal(one: str, other: str) -> None:
    assert phone(one) != phone(other)


@pytest.mark.parametrize("value", [pair[0] for pair in SAME_NUMBERS] + ["0711 1234 App. 12", "App. 12", "110", "a / b"])
def test_the_normal_form_of_a_number_is_its_own_normal_form(value: str) -> None:
    assert phone(phone(value)) == phone(value)


def test_other_normal_forms() -> None:
    assert email(" Info@Huber-Bau.Example ") == "info@huber-bau.example"
    assert email("") is None
    assert email("\ufeffinfo@huber-bau.example\u200b") == "info@huber-bau.example"
    assert iban("de02 1203 0000 0000 2020 51") == "DE02120300000000202051"
    assert iban("\u202aDE02\u200b12030000\u00ad000020205\u2060 1\u202c") == "DE02120300000000202051"
    assert text("a\u0308\r\nb ") == "ä\nb"


@pytest.mark.parametrize("told", ["0000-00-00", "0001-01-01T00:00:00", "0001-01-01", "", None])
def test_no_day_however_a_program_says_it(told: str | None) -> None:
    assert date(told) is None


@pytest.mark.parametrize(("told", "read"), [("12", 12), ("-7", -7), ("1,5", "1,5"), ("9" * 5000, "9" * 5000)])
def test_a_number_of_any_length_is_read(told: str, read: int | str) -> None:
    assert number(told) == read


@pytest.mark.parametrize(
    ("one", "other", "rest"),
    [
        ("Haus  „Süd“ – 1", 'HAUS "SÜD" - 1', True),
        ("Große Straße", "GROSSE STRASSE", True),
        ("Müller", "Mueller", False),
        ("Huber\nAbt.  Recht", "HUBER\r\nAbt. Recht", True),
        ("Huber\nAbt. Recht", "Huber Abt. Recht", False),
        ("Prof. Dr.", "Prof.", False),
        ("Dr.", None, False),
        ("", None, True),
    ],
)
def test_both_sides_may_rest_with_two_spellings_of_one_text(one: str, other: str | None, rest: bool) -> None:
    assert alike(Kind.TEXT, one, other) is rest
    assert not alike(Kind.IBAN, "a-b", "A–B")
