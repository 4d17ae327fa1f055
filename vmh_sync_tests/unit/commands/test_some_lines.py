"""Of a long list the first lines are printed, and how many follow."""

import pytest

from vmh_sync.commands.screens.screen import print_some, sentences


def test_of_more_lines_the_first_and_how_many_follow(capsys: pytest.CaptureFixture[str]) -> None:
    print_some(sentences(), ["a", "b", "c", "d"], 2, "; alle mit --json.")
    assert capsys.readouterr().out == "  a\n  b\n  … und 2 weitere; alle mit --json.\n"


def test_of_as_many_all_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    print_some(sentences(), ["a", "b"], 2)
    assert capsys.readouterr().out == "  a\n  b\n"
