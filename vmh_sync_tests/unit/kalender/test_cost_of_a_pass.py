"""What a pass asks our database for calendars in which nothing has changed: counted, the same on any machine."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from vmh_sync_tests.inmemory.calendars import CalendarFirm, two_employees

OF_TWO_CALENDARS = {"BEGIN": 10, "SELECT": 30, "INSERT": 2}
"""Once for both: who was synced when, and whose channels are left over. For each: what is kept of it, whether that
still stands under the lease, how the pass ended (the only row that is stored), what has to be told."""


@pytest.fixture
def firm() -> Iterator[CalendarFirm]:
    yield from two_employees()


def test_unchanged_calendars_cost_few_transactions_and_one_row_each(firm: CalendarFirm) -> None:
    firm.chancery.termin("SB", "Jour fixe", anwalt="SB")
    firm.chancery.event("AH", "Ortstermin")
    firm.come_to_rest()
    told: Counter[str] = Counter()

    def trace(statement: str) -> None:
        told[statement.split()[0]] += 1

    with firm.world.store._writer.connect() as connection:
        driver: Any = connection.connection.driver_connection
    driver.set_trace_callback(trace)
    firm.begin_pass()
    outcomes = firm.finish()
    driver.set_trace_callback(None)
    assert {str(one.result) for one in outcomes} == {"unchanged"}
    assert {word: told[word] for word in OF_TWO_CALENDARS} == OF_TWO_CALENDARS
    assert not told["UPDATE"] and not told["DELETE"]
