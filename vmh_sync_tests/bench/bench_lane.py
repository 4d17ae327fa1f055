"""From a person's edit in EspoCRM to its write in Advoware, without webhooks: at rest, and during a large first load.

Run: ``python -m vmh_sync_tests.bench lane [parties]``. ``vmh-sync up`` runs with the embedded default against the
simulated systems; the watch finds the edits. For the second figure so many parties that only EspoCRM knows wait in the
inbox's bulk lane, as a backfill leaves them. It ends by itself: each figure takes edits for four minutes at most, and
the rest of the backfill is left.
"""

import random
import time
from datetime import UTC, datetime

from vmh_sync.engine.passes.opening import open_database
from vmh_sync.sandbox.made_up.population import populate
from vmh_sync.settings import VmhSettings, load
from vmh_sync.store.queue.inbox import InboxEvent, Lane
from vmh_sync_tests.bench.bench_gateway import (
    PAUSE_SECONDS,
    POLL_SECONDS,
    House,
    print_edits,
    remove_webhooks,
    the_house,
)
from vmh_sync_tests.bench.figures import note

WAIT_SECONDS = 120.0
LONGEST_SECONDS = 240.0
"""How long one figure is measured."""


def main(parties: int = 10_000, edits: int = 20) -> None:
    """Print both figures."""
    print(f"command: python -m vmh_sync_tests.bench lane {parties} {edits}")
    with the_house({}) as house:
        remove_webhooks()
        print_edits("by the watch, no webhooks, at rest", _edits(house, edits))
        _first_load_waits(house, parties)
        seconds = _edits(house, edits)
        left = _waiting()
        title = f"the same during a first load of {parties} ({left} of them still wait at the end)"
        note("edit to write p95, during a backfill", print_edits(title, seconds))


def _first_load_waits(house: House, number: int) -> None:
    new = populate(2, number, now=datetime.now(UTC), calendar=False).crm["records"]["CBeteiligte"]
    rows = [
        {"id": f"f{place:016x}", "lastName": row.get("lastName") or f"Neu {place}"} for place, row in enumerate(new)
    ]
    house.people.systems.crm.seed(records={"CBeteiligte": rows})
    store = open_database(load(VmhSettings))
    with store.transaction() as tx:
        events = [InboxEvent(espo_id=row["id"], action="manual", source="all", lane=Lane.BULK) for row in rows]
        tx.inbox.add("beteiligte", events)
    store.close()
    time.sleep(15)  # two runs of it are under way by then


def _waiting() -> int:
    store = open_database(load(VmhSettings))
    try:
        with store.reading() as tx:
            return tx.inbox.pending_count("beteiligte", datetime.now(UTC))
    finally:
        store.close()


def _edits(house: House, number: int) -> list[float]:
    chance = random.Random(2)
    found: list[float] = []
    records = house.people.systems.crm.state()["records"]["CBeteiligte"]
    linked = [row for row in records if row.get("betnr") and not row["id"].startswith("f000")]
    ends = time.monotonic() + LONGEST_SECONDS
    for place in range(number):
        time.sleep(chance.uniform(*PAUSE_SECONDS))
        if found and time.monotonic() > ends:
            break
        found.append(_edit(house, linked[place % len(linked)], f"Spur {place} {time.time():.0f}"))
    return found


def _edit(house: House, row: dict[str, object], text: str) -> float:
    systems, began = house.people.systems, datetime.now(UTC)
    systems.crm.edit("CBeteiligte", "update", id=row["id"], values={"zusatz": text})
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        for call in systems.office.calls(last=500)["log"]:
            at = datetime.fromisoformat(call["at"])
            if call["method"] == "PUT" and call["path"].endswith(f"/Beteiligte/{row['betnr']}") and at >= began:
                return (at - began).total_seconds()
        time.sleep(POLL_SECONDS)
    raise RuntimeError(f"an edit did not reach Advoware within {WAIT_SECONDS:.0f} s")
