"""A calendar pass in a process of its own that is killed at a foreign call (by the sandbox) or at a commit (here)."""

import asyncio
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess

from vmh_sync.kalender.context import CalendarSettings, open_calendar
from vmh_sync.kalender.employee.employee_work import SyncOptions
from vmh_sync.kalender.employee.sync_employee import sync_employee
from vmh_sync.kalender.reading.employees import select
from vmh_sync.store.database.shared_transactions import SharedTransactions
from vmh_sync.store.store import Store, Transaction
from vmh_sync_tests.crash.passes import TIMEOUT
from vmh_sync_tests.fixtures.chancery import QUICK
from vmh_sync_tests.fixtures.firm import ShiftedClock


@dataclass(frozen=True, slots=True)
class Trap:
    """Kill at the commit of this number, before or after it takes effect; ``None``: none."""

    commit: int | None = None
    after: bool = False


def _set(trap: Trap, store: Store) -> None:
    """Count the commits of our database from here on and kill this process at the chosen one."""
    if trap.commit is None:
        return
    original, seen = Store.transaction, iter(range(1_000_000))

    @contextmanager
    def counted(self: Store) -> Iterator[Transaction]:
        number = next(seen)
        with original(self) as tx:
            yield tx
            if number == trap.commit and not trap.after:
                os.kill(os.getpid(), signal.SIGKILL)
        if number == trap.commit and trap.after:
            os.kill(os.getpid(), signal.SIGKILL)

    Store.transaction = counted  # type: ignore[method-assign]
    if store._writes is not None:  # it has kept the method as it was
        store._writes = SharedTransactions(store.transaction, lambda tx: tx.connection)


def _pass(environment: Mapping[str, str], kuerzel: str, shift: timedelta, trap: Trap, pipe: Connection) -> None:
    os.environ.update(environment)
    pipe.recv()  # "go": by now the caller knows our pid and has laid its trap
    clock = ShiftedClock()
    clock.shift = shift

    async def run() -> int:
        async with open_calendar(f"crash-{os.getpid()}", CalendarSettings.read(), clock, retry=QUICK) as context:
            chosen = await select(context, [kuerzel])
            _set(trap, context.store)
            works = [await sync_employee(context, employee, SyncOptions()) for employee in chosen.employees]
            return sum(len(work.outcomes) for work in works)

    pipe.send(asyncio.run(run()))


class KillableCalendarPass:
    """One pass over one employee in its own process."""

    def __init__(
        self,
        context: ForkServerContext,
        environment: Mapping[str, str],
        kuerzel: str,
        *,
        shift: timedelta = timedelta(0),
        trap: Trap | None = None,
    ) -> None:
        self._pipe, child = context.Pipe()
        self._process: BaseProcess = context.Process(
            target=_pass, args=(dict(environment), kuerzel, shift, trap or Trap(), child)
        )
        self._process.start()
        child.close()

    @property
    def pid(self) -> int:
        """The process id, known before the pass begins."""
        assert self._process.pid is not None
        return self._process.pid

    def go(self) -> bool:
        """Let the pass run; returns whether it reached its end (false: it was killed)."""
        self._pipe.send("go")
        self._process.join(TIMEOUT)
        assert self._process.exitcode is not None, "the pass hangs"
        if self._process.exitcode == -signal.SIGKILL:
            return False
        assert self._process.exitcode == 0, "the pass broke"
        return True
