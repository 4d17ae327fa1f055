"""The watch over a run: what goes on keeps it alive, an announced wait is no standstill, a standstill ends it."""

import asyncio
import logging
import subprocess
import sys
import time

import pytest

from vmh_sync.watchdog import Stalled, waiting, watched, went_on

STALL = 0.3


async def test_a_standstill_ends_the_block_and_is_told_with_the_place_where_it_stood(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def innermost() -> None:
        await asyncio.Event().wait()

    with caplog.at_level(logging.ERROR), pytest.raises(Stalled):
        async with asyncio.timeout(20), watched("run 1", STALL):
            await asyncio.create_task(innermost(), name="child")
    assert "innermost" in caplog.text and "task child" in caplog.text


async def test_a_block_that_swallows_the_first_cancels_ends_all_the_same() -> None:
    swallowed = 0
    with pytest.raises(Stalled):
        async with asyncio.timeout(30), watched("run 1", STALL):
            while True:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    swallowed += 1
                    if swallowed == 3:
                        raise


async def test_what_goes_on_anywhere_below_keeps_the_run_alive() -> None:
    began = time.monotonic()
    async with watched("run 1", STALL):
        while time.monotonic() - began < 4 * STALL:
            await asyncio.to_thread(went_on)
            await asyncio.sleep(STALL / 10)


async def test_an_announced_wait_is_no_standstill_until_it_is_over() -> None:
    began = time.monotonic()
    with pytest.raises(Stalled):
        async with asyncio.timeout(20), watched("run 1", STALL):
            with waiting(4 * STALL):
                await asyncio.Event().wait()
    assert time.monotonic() - began >= 4 * STALL


async def test_a_wait_that_ended_early_is_an_announcement_no_longer() -> None:
    began = time.monotonic()
    with pytest.raises(Stalled):
        async with asyncio.timeout(20), watched("run 1", STALL):
            with waiting(100):
                pass
            await asyncio.Event().wait()
    assert time.monotonic() - began < 15


STUCK = """
import asyncio, concurrent.futures, logging, time
from vmh_sync import watchdog

logging.basicConfig(level=logging.ERROR)
watchdog.GRACE_SECONDS = 0.5

async def swallows_every_cancel():
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass

async def waits_for_a_thread():
    await asyncio.to_thread(time.sleep, 3600)

async def leaves_a_thread_to_the_end_of_the_process():
    concurrent.futures.ThreadPoolExecutor(1).submit(time.sleep, 3600)
    await asyncio.sleep(3600)

async def run(work):
    async with watchdog.watched("run 1", 0.3):
        await work()

asyncio.run(run({work}))
"""


@pytest.mark.parametrize(
    ("work", "place"),
    [
        ("swallows_every_cancel", "swallows_every_cancel"),
        ("waits_for_a_thread", "_worker"),
        ("leaves_a_thread_to_the_end_of_the_process", "_worker"),
    ],
)
def test_a_run_whose_tasks_or_threads_do_not_end_ends_with_its_process_and_says_where_it_stood(
    work: str, place: str
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", STUCK.format(work=work)], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 70, ended.stderr
    assert "CRITICAL" in ended.stderr and place in ended.stderr.rpartition("CRITICAL")[2]


MANY = """
import asyncio, threading
from vmh_sync import watchdog

async def run():
    try:
        async with watchdog.watched("run", 0.2):
            await asyncio.sleep(3600)
    except watchdog.Stalled:
        pass

for _ in range(4):
    asyncio.run(run())
for thread in threading.enumerate()[2:]:
    thread.join(3)
print(threading.active_count())
"""


def test_runs_that_stood_still_leave_no_watch_behind_but_one() -> None:
    ended = subprocess.run([sys.executable, "-c", MANY], capture_output=True, text=True, timeout=120, check=False)
    assert (ended.returncode, ended.stdout.strip()) == (0, "2"), ended.stderr


async def test_somebody_elses_cancel_stays_a_cancel() -> None:
    entered = asyncio.Event()

    async def block() -> None:
        async with watched("run 1", 60):
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(block())
    await entered.wait()
    task.cancel()
    await asyncio.wait({task}, timeout=5)
    assert task.cancelled()


async def test_outside_of_a_run_there_is_nothing_to_tell() -> None:
    went_on()
    with waiting(1):
        pass
