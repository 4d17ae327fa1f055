"""What people answer to „vielleicht derselbe Termin“ is understood as they wrote it, whatever Excel did to the list."""

import csv
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from vmh_sync.kalender.audits.doubts import read_csv, write_csv
from vmh_sync.kalender.employee.doubtful_pairs import DoubtfulPair, in_words
from vmh_sync.kalender.model import Appointment, Frequency, Recurrence
from vmh_sync.kalender.state.decided import Said
from vmh_sync.kalender.telling.task_answers import understood
from vmh_sync.tasks.answer_list import BadAnswers

LOOKS_LIKE_A_NUMBER = "6591234e90"
BERLIN = ZoneInfo("Europe/Berlin")
PAIRS = [(4711, "a"), (4711, "b")]
MARK = "Vorgang vmh-7"


def listed(path: Path, *answers: str) -> Path:
    """Write the list of two questions as a person leaves it in Excel."""
    values = {"advoware": "„=Termin“ 01.12.2026 10:00", "google": "„Müller; Ortstermin“ 01.12.2026 10:00"}
    found = [DoubtfulPair("SB", fr_nr, LOOKS_LIKE_A_NUMBER, "weil", values) for fr_nr in (4711, 4712)]
    write_csv(path, found)
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    told = [line + told for line, told in zip(lines, ("", *answers), strict=True)]
    path.write_text("\r\n".join(told) + "\r\n", encoding="utf-8-sig", newline="")
    return path


@pytest.mark.parametrize(
    ("begin", "end", "all_day", "series", "words"),
    [
        ("2027-01-04T09:00", "2027-01-04T09:30", False, None, "04.01.2027 09:00–09:30"),
        ("2027-01-04T22:00", "2027-01-05T01:00", False, None, "04.01.2027 22:00–05.01.2027 01:00"),
        ("2027-01-04T00:00", "2027-01-05T00:00", True, None, "04.01.2027"),
        ("2027-01-04T00:00", "2027-01-09T00:00", True, None, "04.01.2027–08.01.2027"),
        (
            "2027-01-04T09:00",
            "2027-01-04T09:30",
            False,
            Recurrence(Frequency.WEEKLY, 2, date(2027, 6, 17)),
            "04.01.2027 09:00–09:30, Serie wöchentlich, Abstand 2 bis 17.06.2027",
        ),
    ],
)
def test_a_question_says_everything_by_which_the_two_may_differ(
    begin: str, end: str, all_day: bool, series: Recurrence | None, words: str
) -> None:
    start, stop = (datetime.fromisoformat(text).replace(tzinfo=BERLIN) for text in (begin, end))
    assert in_words(Appointment(start, stop, all_day, "Termin", recurrence=series)) == f"„Termin“ {words}"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_whatever_excel_saves_is_read(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = listed(tmp_path / "liste.csv", "Gleich", "verschieden")
    assert path.stat().st_mode & 0o077 == 0
    rows = [row[::-1] for row in csv.reader(path.read_text(encoding="utf-8-sig").splitlines(), delimiter=";")]
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    assert read_csv(path) == [
        Said("SB", (4711, LOOKS_LIKE_A_NUMBER), True, "Zeile 2"),
        Said("SB", (4712, LOOKS_LIKE_A_NUMBER), False, "Zeile 3"),
    ]


def test_a_row_without_an_answer_is_none_and_every_bad_one_is_named(tmp_path: Path) -> None:
    assert read_csv(listed(tmp_path / "liste.csv", "", "")) == []
    with pytest.raises(
        BadAnswers, match=r"nichts gemerkt.*Zeile 2: „vielleicht“ ist keine Antwort.*Zeile 3: „mal sehen"
    ):
        read_csv(listed(tmp_path / "liste.csv", "vielleicht", "mal sehen"))
    path = tmp_path / "andere.csv"
    path.write_text("kalender;frnr;ereignis\r\nSB;x;y\r\n", "utf-8")
    with pytest.raises(BadAnswers, match="fehlen die Spalten: antwort"):
        read_csv(path)
    with pytest.raises(BadAnswers, match="lässt sich nicht schreiben"):
        write_csv(tmp_path, [])


@pytest.mark.parametrize(
    ("written", "closed", "pairs", "means"),
    [
        ("Antwort (gleich oder verschieden): gleich", False, PAIRS[:1], {PAIRS[0]: True}),
        ("ANTWORT: Gleich!", True, PAIRS[:1], {PAIRS[0]: True}),
        ("Antwort (gleich 1 oder verschieden): gleich 2", False, PAIRS, {PAIRS[1]: True}),
        ("Antwort:\n2", False, PAIRS, {PAIRS[1]: True}),
        ("Antwort: verschieden", False, PAIRS, dict.fromkeys(PAIRS, False)),
        ("Antwort (gleich oder verschieden):\n\n1. Prüfen", True, PAIRS, dict.fromkeys(PAIRS, False)),
        ("Antwort (gleich oder verschieden):\n\n1. Prüfen", False, PAIRS, None),
        ("Antwort: gleich", True, PAIRS, None),
        ("Antwort: gleich 3", False, PAIRS, None),
        ("Antwort: 0", False, PAIRS, None),
        ("Antwort: weiß nicht", True, PAIRS[:1], None),
        ("Antwort: gleich oder verschieden", False, PAIRS[:1], None),
        (f"Antwort:\n\n{MARK}\n\n--- Zuvor ---\nAntwort: gleich", False, PAIRS[:1], None),
    ],
)
def test_a_task_is_understood_as_it_is_written(
    written: str, closed: bool, pairs: list[tuple[int, str]], means: dict[tuple[int, str], bool] | None
) -> None:
    assert understood(f"In Advoware …\n\n{written}\n\n{MARK}", MARK, pairs, closed=closed) == means


def test_an_older_text_that_was_saved_over_the_question_is_no_answer_to_it() -> None:
    assert understood("Antwort: gleich 1\n\nVorgang vmh-6", MARK, PAIRS, closed=False) is None
