"""A pass says how many writes it made: what the other side refused is none, with a PUT as with a POST."""

from collections.abc import Iterator

import pytest

from vmh_sync.beteiligte.pipeline import PartyPipeline
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.settings import SyncSettings
from vmh_sync.sync.reporting.outcome import RecordOutcome
from vmh_sync_tests.inmemory.firm import Firm, one_pass
from vmh_sync_tests.inmemory.loop import Process
from vmh_sync_tests.inmemory.world import World

PARTY = "CBeteiligte"
LONG = "x" * 300
"""Longer than any field of EspoCRM's takes."""


@pytest.fixture
def firm() -> Iterator[Firm]:
    firm = Firm(World(rules=SyncSettings(_env_file=None)))
    yield firm
    firm.world.close()


def counted_and_taken(firm: Firm, espo_id: str) -> list[tuple[str, int, int]]:
    """Make a pass; returns per system what its outcome counts and how many writes were answered with success."""
    used: list[PassContext] = []

    async def work(process: Process) -> list[RecordOutcome]:
        used.append(firm.world.context(process))
        return await one_pass(used[0], PartyPipeline(), [espo_id])

    firm.start(work)
    (outcome,) = firm.finish()
    taken = {"advoware": 0, "espocrm": 0}
    for key, count in used[0].calls._counts.items():
        if (
            key.method in ("POST", "PUT")
            and key.status_class == "2xx"
            and key.system in taken
            and "oken" not in key.route
        ):
            taken[key.system] += count
    return [
        ("advoware", outcome.advoware_writes, taken["advoware"]),
        ("espocrm", outcome.espocrm_writes, taken["espocrm"]),
    ]


def test_refused_creates_and_changes_are_no_writes(firm: Firm) -> None:
    espo_id = firm.crm_create(PARTY, {"lastName": "Huber"})
    assert all(counted == taken > 0 for _, counted, taken in counted_and_taken(firm, espo_id))
    (number,) = firm.office_rows("Beteiligte")
    firm.office_create("Adressen", {"strasse": "Weg 1", "plz": "30159", "ort": LONG}, int(number))
    firm.office_create("Bankverbindungen", {"iban": "DE02120300000000202051", "bank": LONG}, int(number))
    firm.office_edit("Beteiligte", number, {"zusatz": LONG, "titel": "Dr."})
    firm.world.loop.pass_time(60)
    refused = counted_and_taken(firm, espo_id)
    assert all(counted == taken for _, counted, taken in refused), refused
    assert len(firm.tasks()) == 3, "all three were refused"
