"""10,000 events in 60 s on the running product: is any lost, and how long does it take until all are synced?

Run: ``python -m vmh_sync_tests.bench inbox_load [events]``. ``vmh-sync up`` runs with the embedded default (SQLite,
Valkey, Dagster's default launcher). Somebody edits linked parties in EspoCRM; each edit is reported by a signed event,
in deliveries of ten. Raises when an answer is not 200, an event is lost, or the two sides differ in the end.
"""

import asyncio
import json
import os
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import httpx

from vmh_sync.commands.demo.webhooks import register_webhooks
from vmh_sync.commands.passes.sync import run_sync
from vmh_sync.commands.passes.sync_order import SyncOrder
from vmh_sync.commands.passes.targets import target
from vmh_sync.sandbox.crm.webhooks.webhooks import signatures
from vmh_sync.services.valkey import stop_embedded
from vmh_sync_tests.bench.sandbox_systems import Systems, running_systems
from vmh_sync_tests.e2e.dagster_stack import DagsterStack, free_port
from vmh_sync_tests.fixtures.house import house_environment, house_folder, journal_of, remove_house, running_up
from vmh_sync_tests.fixtures.inbox_journal import InboxJournal

PARTIES = 500
DELIVERY = 10
SECONDS = 60
DRAIN_SECONDS = 900
ANSWER_SECONDS = 10  # EspoCRM's own patience
UPDATES = "/vmh/webhook/beteiligte/update"


def main(events: int = 10_000) -> None:
    """Print all figures; raises when something was lost."""
    print(f"command: python -m vmh_sync_tests.bench inbox_load {events}")
    with ExitStack() as stack:
        systems = stack.enter_context(running_systems())
        folder = house_folder()
        stack.callback(remove_house, folder)
        stack.callback(stop_embedded)
        gateway_port, dagster_port = free_port(), free_port()
        gateway = f"http://127.0.0.1:{gateway_port}"
        os.environ.update(systems.environment, **house_environment(folder, gateway_port))
        ids = _linked_parties(systems)
        register_webhooks(gateway)
        secret = _only_ours()
        stack.enter_context(running_up(folder, gateway, dagster_port))
        dagster = DagsterStack(f"http://127.0.0.1:{dagster_port}")
        _load(systems, gateway, dagster, journal_of(folder), ids, secret, events)


def _linked_parties(systems: Systems) -> list[str]:
    created = [
        str(systems.crm.edit("CBeteiligte", "create", values={"lastName": f"Last {number}"})["id"])
        for number in range(PARTIES)
    ]
    for _ in range(2):
        summary, _ = run_sync(target("beteiligte"), SyncOrder((), "all"))
    if any(summary.writes.values()):
        raise RuntimeError("both sides do not come to rest")
    return created


def _only_ours() -> tuple[str, str]:
    """Delete the CRM's webhooks: the events come from here, and the gateway still knows their secrets."""
    secrets: dict[str, str] = json.loads(os.environ["ESPOCRM_WEBHOOK_SECRETS"])
    headers = {"X-Api-Key": os.environ["ESPOCRM_API_KEY"]}
    with httpx.Client(base_url=os.environ["ESPOCRM_API_BASE_URL"], headers=headers, trust_env=False) as crm:
        for webhook_id in secrets:
            crm.delete(f"/Webhook/{webhook_id}").raise_for_status()
    return next(iter(secrets.items()))


def _load(
    systems: Systems,
    gateway: str,
    dagster: DagsterStack,
    journal: InboxJournal,
    ids: Sequence[str],
    secret: tuple[str, str],
    events: int,
) -> None:
    started = time.monotonic()
    sender = Sender(systems, gateway, ids, secret, events)
    answers = asyncio.run(sender.send_all())
    sent = time.monotonic() - started
    waiting = journal.waiting()
    drained = _drained(journal, dagster)
    _print_answers(answers, events, sent)
    print(f"  waiting when the last answer came: {waiting}; inbox empty and no run under way {drained:.1f} s later")
    _print_runs(dagster, journal)
    _prove(systems, journal, sender, answers, events)
    print(f"  nothing lost: {events} events, {len(sender.expected)} parties alike on both sides")


class Sender:
    """Edits parties in EspoCRM and delivers one event for each edit, in deliveries at their times."""

    def __init__(
        self, systems: Systems, gateway: str, ids: Sequence[str], secret: tuple[str, str], events: int
    ) -> None:
        self._systems = systems
        self._gateway = gateway
        self._ids = ids
        self._secret = secret
        self._events = events
        self.expected: dict[str, str] = {}

    async def send_all(self) -> list[tuple[int, float]]:
        """Send all; returns status and seconds of each delivery (status 0: no answer)."""
        count = self._events // DELIVERY
        limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
        timeout = httpx.Timeout(ANSWER_SECONDS)
        async with httpx.AsyncClient(base_url=self._gateway, timeout=timeout, trust_env=False, limits=limits) as http:
            began = time.monotonic()
            sent = []
            for number in range(count):
                body = await asyncio.to_thread(self._edit, number)
                await asyncio.sleep(max(0.0, began + number * SECONDS / count - time.monotonic()))
                sent.append(asyncio.create_task(self._deliver(http, body)))
            return list(await asyncio.gather(*sent))

    def _edit(self, number: int) -> bytes:
        # Parties take turns, so that each one's events are spread over the whole time, in syncs and between them.
        first = number * DELIVERY
        records = []
        for place in range(first, first + DELIVERY):
            espo_id, value = self._ids[place % len(self._ids)], f"Stand {place}"
            self._systems.crm.edit("CBeteiligte", "update", id=espo_id, values={"zusatz": value})
            self.expected[espo_id] = value
            records.append({"id": espo_id, "zusatz": value})
        return json.dumps(records).encode()

    async def _deliver(self, http: httpx.AsyncClient, body: bytes) -> tuple[int, float]:
        started = time.monotonic()
        try:
            status = (await http.post(UPDATES, content=body, headers=signatures(*self._secret, body))).status_code
        except httpx.HTTPError:
            status = 0
        return status, time.monotonic() - started


def _drained(journal: InboxJournal, dagster: DagsterStack) -> float:
    started = time.monotonic()
    ended = {"SUCCESS", "FAILURE", "CANCELED"}
    while time.monotonic() - started < DRAIN_SECONDS:
        if not journal.waiting() and all(run["status"] in ended for run in dagster.runs("sync_beteiligte")):
            return time.monotonic() - started
        time.sleep(0.5)
    raise RuntimeError(f"{journal.waiting()} items still wait after {DRAIN_SECONDS} s")


def _print_answers(answers: Sequence[tuple[int, float]], events: int, seconds: float) -> None:
    times = sorted(took * 1000 for _, took in answers)
    print(f"\n{events} signed events in {len(answers)} deliveries for {PARTIES} parties, sent in {seconds:.1f} s")
    shown = ", ".join(f"p{percent} {times[(len(times) - 1) * percent // 100]:.1f} ms" for percent in (50, 95, 99))
    print(f"  answers {dict(Counter(status for status, _ in answers))}: {shown}, max {times[-1]:.1f} ms")


def _print_runs(dagster: DagsterStack, journal: InboxJournal) -> None:
    tagged = [({tag["key"]: tag["value"] for tag in run["tags"]}, run) for run in dagster.runs("sync_beteiligte")]
    # The passes before the load were made in the foreground.
    runs = [(tags.get("vmh/trigger"), run["status"]) for tags, run in tagged if tags.get("vmh/trigger") != "cli"]
    statuses, triggers = Counter(status for _, status in runs), Counter(trigger for trigger, _ in runs)
    print(f"  {len(runs)} runs: {dict(statuses)}, by trigger {dict(triggers)}")
    claims = journal.count("claim")
    print(
        f"  {journal.workers()} runs claimed {claims} items: {journal.count('event') / max(1, claims):.1f} events each"
    )
    waits = journal.latencies()
    p95 = waits[(len(waits) - 1) * 95 // 100]
    print(
        f"  event to the end of its sync: p50 {statistics.median(waits):.1f} s, p95 {p95:.1f} s, max {waits[-1]:.1f} s"
    )


def _prove(
    systems: Systems, journal: InboxJournal, sender: Sender, answers: Sequence[tuple[int, float]], events: int
) -> None:
    problems: list[str] = []
    if bad := Counter(status for status, _ in answers if status != httpx.codes.OK):
        problems.append(f"answers that are not 200: {dict(bad)}")
    if (stored := journal.count("event")) < events:
        problems.append(f"only {stored} events arrived in the database")
    if late := journal.not_synced():
        problems.append(f"{len(late)} records were not synced after their last event")
    crm = {row["id"]: row for row in systems.crm.state()["records"]["CBeteiligte"]}
    office = _by_number(systems.office.state()["beteiligte"])
    for espo_id, value in sender.expected.items():
        found = office[crm[espo_id]["betnr"]]["zusatz"]
        if not found == crm[espo_id]["zusatz"] == value:
            problems.append(f"{espo_id}: {value!r} was typed, Advoware says {found!r}")
    if problems:
        raise RuntimeError("\n".join(problems[:20]))


def _by_number(parties: Any) -> dict[int, dict[str, Any]]:
    rows = parties.values() if isinstance(parties, dict) else parties
    return {row["betNr"]: row for row in rows}
