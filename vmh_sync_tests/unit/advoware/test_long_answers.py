"""A search may list the whole firm in one answer: its rows are work that goes on, also where no call is made."""

from vmh_sync.systems.advoware.answers import as_records
from vmh_sync.systems.advoware.records import Beteiligter
from vmh_sync.watchdog import watched

ROWS = [{"betNr": number, "rowId": f"row {number}", "name": "Muster"} for number in range(5)]


async def test_a_watch_hears_of_every_row_of_a_long_answer() -> None:
    async with watched("list", 60.0) as progress:
        before = progress.count
        assert len(as_records(Beteiligter, ROWS, "GET Beteiligte")) == len(ROWS)
        assert progress.count - before == len(ROWS)
