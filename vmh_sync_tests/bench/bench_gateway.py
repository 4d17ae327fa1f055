"""From a person's edit in EspoCRM to the finished write in Advoware, and how fast the gateway answers webhooks.

Run: ``python -m vmh_sync_tests.bench gateway [edits]``. ``vmh-sync up`` runs as a process of its own, with the embedded
default (SQLite, Valkey, Dagster's default launcher), against the simulated systems. ``gateway_celery`` measures the
edits with the Celery launcher: a warm worker, fed through the embedded Valkey. ``gateway_celery_postgres`` does that
with the file of a deployment (deploy/dagster.celery.yaml): Dagster and we on PostgreSQL, without pgbouncer.
"""

import asyncio
import json
import os
import random
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from vmh_sync.commands.demo.webhooks import register_webhooks
from vmh_sync.commands.passes.sync import run_sync
from vmh_sync.commands.passes.sync_order import SyncOrder
from vmh_sync.commands.passes.targets import target
from vmh_sync.orchestration.dagster_stack import free_port
from vmh_sync.sandbox.crm.webhooks.webhooks import signatures
from vmh_sync.sandbox.made_up.population import populate
from vmh_sync.services.processes import program
from vmh_sync.services.valkey import stop_embedded
from vmh_sync_tests.bench.figures import note
from vmh_sync_tests.bench.run_timeline import Edit, print_timelines, timelines
from vmh_sync_tests.bench.sandbox_systems import Systems, running_systems
from vmh_sync_tests.e2e.dagster_stack import DagsterStack
from vmh_sync_tests.fixtures.deployed import deployed

PARTIES = 50
WEBHOOK_INTERVAL = 0.2
PAUSE_SECONDS = (1.5, 6.5)  # as wide as the time between two ticks of the sensor, so that no phase is preferred
START_SECONDS = 120.0
WRITE_SECONDS = 60.0
POLL_SECONDS = 0.1
BATCH = 50
RATE = 50
LOAD_SECONDS = 10
MOST_PASSES = 6
UPDATES = "/vmh/webhook/beteiligte/update"


def main(edits: int = 20) -> None:
    """Print all figures of the default launcher."""
    print(f"command: python -m vmh_sync_tests.bench gateway {edits}")
    with the_house({}) as house:
        note("edit to write p95, webhook", house.measure(f"by webhook, delivered every {WEBHOOK_INTERVAL} s", edits))
        secrets = remove_webhooks()
        note("edit to write p95, without webhooks", house.measure("without webhooks, by the watch", edits))
        # Last: the runs for these events would stand in the way of the others.
        _print_answers(asyncio.run(_signed_batches(house.gateway, secrets)))


def celery(edits: int = 20) -> None:
    """Print the figure of the Celery launcher."""
    print(f"command: python -m vmh_sync_tests.bench gateway_celery {edits}")
    with the_house({"VMH_RUN_WORKERS": "celery"}) as house:
        house.measure(f"by webhook, delivered every {WEBHOOK_INTERVAL} s, Celery launcher", edits)


def celery_postgres(edits: int = 20) -> None:
    """Print the figure of the Celery launcher as a deployment has it."""
    print(f"command: python -m vmh_sync_tests.bench gateway_celery_postgres {edits}")
    with deployed() as settings, the_house(settings) as house:
        house.measure(f"by webhook, delivered every {WEBHOOK_INTERVAL} s, Celery launcher, PostgreSQL", edits)


@contextmanager
def the_house(settings: Mapping[str, str]) -> Iterator["House"]:
    """The running product with linked parties, at rest."""
    with running_systems(WEBHOOK_INTERVAL) as systems, _home() as home:
        port, dagster_port = free_port(), free_port()
        gateway = f"http://127.0.0.1:{port}"
        os.environ.update(systems.environment, **settings, VMH_HOME=home, VMH_GATEWAY_PORT=str(port))
        _fill(systems)
        _until_quiet()
        register_webhooks(gateway)
        with _product(gateway, dagster_port, Path(home) / "up.log"):
            people = People(systems)
            people.edit_and_wait(START_SECONDS)  # the first run also loads what later ones find loaded
            yield House(people, gateway, DagsterStack(f"http://127.0.0.1:{dagster_port}"))


@contextmanager
def _home() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="vmh-bench-", ignore_cleanup_errors=True) as home:
        try:
            yield home
        finally:
            stop_embedded()


def _fill(systems: Systems) -> None:
    population = populate(1, PARTIES, now=datetime.now(UTC), calendar=False)
    systems.office.seed(**population.office)
    systems.crm.seed(**population.crm)


def _until_quiet() -> None:
    for _ in range(MOST_PASSES):
        summary, _ = run_sync(target("beteiligte"), SyncOrder((), "all"))
        if not any(summary.writes.values()):
            return
    raise RuntimeError("both sides do not come to rest")


@contextmanager
def _product(gateway: str, dagster_port: int, log: Path) -> Iterator[None]:
    """Run ``vmh-sync up`` until the block ends; begins when gateway, database, Redis and Dagster are ready."""
    command = [program("vmh-sync"), "up", "--port", str(dagster_port)]
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            _wait_until_ready(gateway, process, log)
            yield
        finally:
            process.terminate()


def _wait_until_ready(gateway: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{gateway}/ready", timeout=5, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(POLL_SECONDS)
    raise RuntimeError(f"vmh-sync up is not ready:\n{log.read_text()}")


class People:
    """Somebody who edits linked parties in EspoCRM, one after the other, and looks when Advoware has it."""

    def __init__(self, systems: Systems) -> None:
        self.systems = systems
        self._parties = [row["id"] for row in systems.crm.state()["records"]["CBeteiligte"] if row.get("betnr")]
        self._random = random.Random(1)
        self._edits = 0

    def edit_and_wait(self, seconds: float = WRITE_SECONDS) -> Edit:
        """Edit one party, and wait until Advoware had answered the write. Raises when it never comes."""
        espo_id = self._parties[self._edits % len(self._parties)]
        self._edits += 1
        began = datetime.now(UTC)
        values = {"zusatz": f"Bearbeitung {self._edits}"}
        self.systems.crm.edit("CBeteiligte", "update", id=espo_id, values=values)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for call in self.systems.office.calls(last=30)["log"]:
                at = datetime.fromisoformat(call["at"])
                # Nothing else writes meanwhile: the first write after the edit is the edit's.
                if call["method"] == "PUT" and "/Beteiligte" in call["path"] and at >= began:
                    return Edit(began.timestamp(), at.timestamp())
            time.sleep(POLL_SECONDS)
        raise RuntimeError(f"edit {self._edits} did not reach Advoware within {seconds:.0f} s")

    def spaced_edits(self, number: int) -> list[Edit]:
        """Edit so often, after a random pause each time, in which the run before ends."""
        found = []
        for _ in range(number):
            time.sleep(self._random.uniform(*PAUSE_SECONDS))
            found.append(self.edit_and_wait())
        return found


@dataclass(frozen=True, slots=True)
class House:
    """The running product: who edits records, the gateway's address, Dagster."""

    people: People
    gateway: str
    dagster: DagsterStack

    def measure(self, title: str, number: int) -> float:
        """Let people edit, and print how long it took and where the time went; returns p95."""
        edits = self.people.spaced_edits(number)
        p95 = print_edits(title, [edit.written - edit.began for edit in edits])
        print_timelines(timelines(self.dagster, "sync_beteiligte", edits))
        print(f"  load of the machine now: {' '.join(f'{load:.1f}' for load in os.getloadavg())}")
        return p95


def print_edits(title: str, seconds: Sequence[float]) -> float:
    """Print the figures; returns p95."""
    p50, p95 = statistics.median(seconds), _percentile(seconds, 95)
    print(f"\nedit in EspoCRM to finished write in Advoware, {title}: {len(seconds)} edits")
    print(f"  p50 {p50:.2f} s, p95 {p95:.2f} s, max {max(seconds):.2f} s")
    print(f"  each: {' '.join(f'{one:.1f}' for one in seconds)}")
    return p95


def _percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest value that so many percent do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def remove_webhooks() -> dict[str, str]:
    """Delete all webhooks in EspoCRM; returns the secrets, which the running gateway still accepts."""
    secrets: dict[str, str] = json.loads(os.environ["ESPOCRM_WEBHOOK_SECRETS"])
    headers = {"X-Api-Key": os.environ["ESPOCRM_API_KEY"]}
    with httpx.Client(base_url=os.environ["ESPOCRM_API_BASE_URL"], headers=headers, trust_env=False) as crm:
        for webhook_id in secrets:
            crm.delete(f"/Webhook/{webhook_id}").raise_for_status()
    return secrets


async def _signed_batches(gateway: str, secrets: dict[str, str]) -> list[tuple[int, float]]:
    """Send batches at their times, whether or not the ones before are answered; status and seconds of each."""
    webhook_id, secret = next(iter(secrets.items()))
    bodies = [_body(number) for number in range(RATE * LOAD_SECONDS)]
    prepared = [(body, signatures(webhook_id, secret, body)) for body in bodies]
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    async with httpx.AsyncClient(base_url=gateway, timeout=30, trust_env=False, limits=limits) as http:
        began = time.perf_counter() + 0.1

        async def send(place: int) -> tuple[int, float]:
            body, headers = prepared[place]
            await asyncio.sleep(max(0.0, began + place / RATE - time.perf_counter()))
            started = time.perf_counter()
            answer = await http.post(UPDATES, content=body, headers=headers)
            return answer.status_code, time.perf_counter() - started

        answers = await asyncio.gather(*(send(place) for place in range(len(prepared))))
        took = time.perf_counter() - began
    print(
        f"\n{len(answers)} signed batches of {BATCH} new events, {RATE} a second asked, {len(answers) / took:.1f} made"
    )
    return list(answers)


def _body(number: int) -> bytes:
    # Ids that wait nowhere yet, and that EspoCRM does not know: each is a new row in the inbox.
    ids = [f"{number * BATCH + place:017x}" for place in range(BATCH)]
    return json.dumps([{"id": espo_id} for espo_id in ids]).encode()


def _print_answers(answers: Sequence[tuple[int, float]]) -> None:
    statuses = Counter(status for status, _ in answers)
    times = [seconds * 1000 for _, seconds in answers]
    shown = ", ".join(f"p{percent} {_percentile(times, percent):.1f} ms" for percent in (50, 95, 99))
    print(f"  answers {dict(statuses)}: {shown}, max {max(times):.1f} ms")
