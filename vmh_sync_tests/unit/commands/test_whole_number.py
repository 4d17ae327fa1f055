"""Numbers in texts of people and foreign systems, where they are read: none of them ends its reader."""

from collections.abc import Callable

import pytest
import typer

from vmh_sync.commands.screens.numbers import number_list, number_range
from vmh_sync.reconcile.read import _number
from vmh_sync.systems.espocrm.internal_hosts import version_numbers
from vmh_sync.systems.espocrm.records import EspoRecord
from vmh_sync.systems.espocrm.webhook_pace import DEFAULT_MINUTES, minutes_between
from vmh_sync.whole_number import LARGEST, whole_number

NO_NUMBERS = ["", "²", "٣", "9" * 5000, str(LARGEST + 1), "-1", "0x1", "None"]
NONE = pytest.mark.parametrize("text", NO_NUMBERS)


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), (7, 7), (str(LARGEST), LARGEST)])
def test_a_number_is_read(text: object, number: int) -> None:
    assert whole_number(text) == number


@NONE
def test_what_is_no_number_of_ours_is_none(text: str) -> None:
    assert whole_number(text) is None
    record = EspoRecord.of("CBeteiligte", {"id": "6b0465319b3f4367b", "betnr": text}, where="", server_time=None)
    assert _number(record) is None
    assert version_numbers(f"9.{text}") == ()
    assert minutes_between(f"*/{text} * * * *") == DEFAULT_MINUTES


@NONE
@pytest.mark.parametrize("read", [number_range, number_list])
def test_on_the_command_line_it_is_refused_in_words(read: Callable[[str], object], text: str) -> None:
    with pytest.raises(typer.BadParameter):
        read(f"1-{text}" if read is number_range else text)
