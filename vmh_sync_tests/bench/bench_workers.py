"""One, two and four run processes on PostgreSQL, through pgbouncer where it is installed, share a first load.

Run: ``python -m vmh_sync_tests.bench workers [parties]``. Each process claims batches and syncs them, as runs do, but
without Dagster, until nothing waits any more: what a run put off, because a lease ended under load for example, is
printed and claimed again when its minute is over. Counted: parties made twice, waits for locks, connections, logins at
Advoware. ``VMH_PGBOUNCER`` names the program.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg2

from vmh_sync.beteiligte.pipeline import PIPELINE
from vmh_sync.engine.passes.opening import open_context, open_database
from vmh_sync.orchestration.dagster_stack import free_port
from vmh_sync.orchestration.jobs.sync_job import read_batch, write_batch
from vmh_sync.orchestration.run_config import SyncRunConfig
from vmh_sync.services.valkey import stop_embedded
from vmh_sync.settings import VmhSettings, load
from vmh_sync.store import upgrade
from vmh_sync.store.queue.inbox import InboxEvent
from vmh_sync.store.store import Transaction
from vmh_sync.sync.reporting.outcome import Result
from vmh_sync_tests.bench.sandbox_systems import Systems, running_systems
from vmh_sync_tests.fixtures.postgres import PostgresServer

WORKERS = (1, 2, 4)
BATCH = 25
SAMPLE_SECONDS = 0.05


def main(parties: int = 200) -> None:
    """Print the figures for each number of workers."""
    print(f"command: python -m vmh_sync_tests.bench workers {parties}")
    for workers in WORKERS:
        with running_systems() as systems, _database() as (server, url, way), _home() as home:
            os.environ.update(systems.environment, VMH_HOME=home, VMH_DATABASE_URL=url, VMH_BATCH_SIZE=str(BATCH))
            os.environ["VMH_BENCH_PARTIES"] = str(parties)
            _fill(systems, parties)
            _measure(systems, server, way, workers, parties)


@contextmanager
def _home() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="vmh-bench-", ignore_cleanup_errors=True) as home:
        try:
            yield home
        finally:
            stop_embedded()


@contextmanager
def _database() -> Iterator[tuple[str, str, str]]:
    """Yields how to look at the server, the URL for the workers, and which way they go."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vmh-pg-", ignore_cleanup_errors=True)))
        folder.chmod(0o711)
        (folder / "pg").mkdir()
        port = free_port()
        server = PostgresServer(folder / "pg", port)
        server.start()
        stack.callback(server.stop)
        name = server.create_database()
        direct = f"host=127.0.0.1 port={port} user=postgres dbname={name}"
        upgrade(f"postgresql://postgres@127.0.0.1:{port}/{name}")
        program = os.environ.get("VMH_PGBOUNCER") or shutil.which("pgbouncer")
        if program is None:
            yield direct, f"postgresql://postgres@127.0.0.1:{port}/{name}", "PostgreSQL without pgbouncer"
            return
        front = free_port()
        stack.enter_context(_pgbouncer(program, folder, front, port, name))
        yield direct, f"postgresql://postgres@127.0.0.1:{front}/{name}", "PostgreSQL through pgbouncer (session pools)"


@contextmanager
def _pgbouncer(program: str, folder: Path, front: int, port: int, name: str) -> Iterator[None]:
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        f"[databases]\n{name} = host=127.0.0.1 port={port} dbname={name} user=postgres\n[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {front}\nunix_socket_dir =\nauth_type = any\npool_mode = session\n"
        "max_client_conn = 500\ndefault_pool_size = 40\nignore_startup_parameters = extra_float_digits,options\n"
    )
    account = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    with subprocess.Popen([program, "-q", str(settings)], **account) as process:  # type: ignore[call-overload]
        try:
            time.sleep(1)
            yield
        finally:
            process.terminate()


def _fill(systems: Systems, number: int) -> None:
    rows = [{"id": one, "lastName": f"Person {place}", "firstName": "Eva"} for place, one in enumerate(_ids(number))]
    systems.crm.seed(records={"CBeteiligte": rows})
    store = open_database(load(VmhSettings))
    with store.transaction() as tx:
        tx.inbox.add("beteiligte", [InboxEvent(espo_id=row["id"], action="create", source="webhook") for row in rows])
    store.close()


def _ids(number: int) -> list[str]:
    return [f"{place:017x}" for place in range(number)]


def _measure(systems: Systems, server: str, way: str, workers: int, parties: int) -> None:
    code = "from vmh_sync_tests.bench.bench_workers import work; work()"
    watching = psycopg2.connect(server)
    watching.autocommit = True
    most, waits, samples = 0, 0, 0
    systems.clear_calls()
    began = time.perf_counter()
    running = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(workers)]
    with watching.cursor() as cursor:
        while any(process.poll() is None for process in running):
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
            most = max(most, cursor.fetchone()[0] - 1)
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            waits, samples = waits + cursor.fetchone()[0], samples + 1
            time.sleep(SAMPLE_SECONDS)
        seconds = time.perf_counter() - began
        cursor.execute("SELECT count(*) FROM links WHERE entity = 'beteiligte'")
        linked = cursor.fetchone()[0]
    watching.close()
    assert [process.returncode for process in running] == [0] * workers
    made = len(systems.office.state()["beteiligte"])
    logins = sum(count for route, count in systems.office.calls(last=1)["by_route"].items() if "Token" in route)
    print(
        f"{workers} workers, {way}: {made} parties made and {linked} linked of {parties}, {seconds:.1f} s; "
        f"{waits} waiting locks in {samples} samples, at most {most} connections, {logins} logins; "
        f"load {os.getloadavg()[0]:.1f}"
    )


def work() -> None:
    """Claim and sync until nothing waits."""
    asyncio.run(_work())


def _waits(tx: Transaction) -> bool:
    return bool(tx.inbox.waiting_ids("beteiligte", _ids(int(os.environ["VMH_BENCH_PARTIES"]))))


async def _work() -> None:
    number = 0
    while True:
        number += 1
        async with open_context(f"worker-{os.getpid()}-{number}") as context:
            batch = await read_batch(context, PIPELINE, SyncRunConfig(selection="pending"))
            if not batch.chosen.ids:
                if not await context.store.read(_waits):
                    return
                await asyncio.sleep(1)  # others are at it, or it was put off for a minute
                continue
            PIPELINE.map_fields(batch.batch)
            PIPELINE.diff(batch.batch)
            for one in await write_batch(context, PIPELINE, batch):
                if one.result is not Result.SYNCED:
                    print(f"  {one.id} waits: {one.result}, {one.error_class}, {one.error}", flush=True)
