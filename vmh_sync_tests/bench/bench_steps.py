"""Generated steps of the state machines (``python -m vmh_sync_tests.bench steps 6``): how many a minute of CPU.

Two processes play the same games, as two cores would; the first two of each are not counted: they bring what a process
makes once (the migrated database, hypothesis's look at our source).
"""

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from vmh_sync_tests.property.adressen.test_address_passes import Addresses
from vmh_sync_tests.property.bankverbindungen.test_account_passes import Accounts
from vmh_sync_tests.property.beteiligte.test_master_passes import MasterData
from vmh_sync_tests.property.kalender.test_calendar_passes import Calendars
from vmh_sync_tests.property.kommunikation.test_entry_passes import Entries

MACHINES: dict[str, type[RuleBasedStateMachine]] = {
    "parties": MasterData,
    "e-mails and phones": Entries,
    "addresses": Addresses,
    "accounts": Accounts,
    "calendars": Calendars,
}
STEPS = 50
PROCESSES = 2


def played(name: str, examples: int) -> tuple[int, float]:
    """Play ``examples`` games of a machine, always the same ones; return their steps and seconds of CPU."""
    steps = 0
    machine = MACHINES[name]

    class Counted(machine):  # type: ignore[valid-type, misc]
        def check_invariants(self, *args: Any, **more: Any) -> None:
            nonlocal steps
            steps += 1
            super().check_invariants(*args, **more)

    def play(games: int) -> None:
        how = settings(
            max_examples=games,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        run_state_machine_as_test(Counted, settings=how)

    play(2)  # the first one draws nothing, so that hypothesis looks at our source in the second
    steps, begun = 0, time.process_time()
    play(examples)
    return steps, time.process_time() - begun


def main(examples: int = 6) -> None:
    """Print for each machine how many steps all processes together make in a minute of CPU each."""
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        for name in MACHINES:
            games = list(pool.map(played, [name] * PROCESSES, [examples] * PROCESSES))
            steps, took = sum(game[0] for game in games), sum(game[1] for game in games)
            a_minute = sum(count / seconds * 60 for count, seconds in games)
            print(
                f"{name:<20}{steps:>6} steps {took:>7.1f} s CPU {a_minute:>9,.0f} steps a minute on {PROCESSES} cores"
            )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
