"""A task's description stays within EspoCRM's field, in whole lines, and is still found again."""

import pytest

from vmh_sync.tasks.bounded_text import MOST_CHARACTERS, bounded

MARK = "Vorgang vmh-7"


def report(number: int) -> str:
    return f"Meldung {number}: " + "x" * 200


def test_what_fits_stays_as_it_is() -> None:
    assert bounded(f"{report(1)}\n\n{MARK}") == f"{report(1)}\n\n{MARK}"


def test_reports_put_on_top_for_years_leave_the_newest_whole_lines_and_the_mark() -> None:
    text = MARK
    for number in range(500):
        text = bounded(f"{report(number)}\n{text}")
    lines = text.split("\n")
    told = [line for line in lines if line.startswith("Meldung")]
    assert len(text) <= MOST_CHARACTERS
    assert told == [report(number) for number in range(499, 499 - len(told), -1)]
    assert len(told) > 50
    assert lines[-3:] == [f"… und {500 - len(told)} weitere Zeilen, für die hier kein Platz ist", "", MARK]


def test_one_endless_line_is_cut_and_says_so() -> None:
    text = bounded("y" * 1_000_000 + f"\n{MARK}")
    assert len(text) < MOST_CHARACTERS
    assert (text.split("\n")[0][-1], text.split("\n")[-1]) == ("…", MARK)


@pytest.mark.parametrize("mark", ["", MARK])
def test_a_text_without_a_mark_ends_with_what_was_left_out(mark: str) -> None:
    text = bounded("\n".join(map(report, range(100))) + (f"\n{mark}" if mark else ""))
    assert "weitere Zeilen, für die" in text
    assert text.endswith(mark)
