"""Generated steps of the state machines (``python -m vmh_sync_tests.bench steps 6``): how many a minute of CPU."""

import sys
import time
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


def main(examples: int = 6) -> None:
    """Play ``examples`` games of each machine, always the same ones, and print what a game and a step cost."""
    for name, machine in MACHINES.items():
        steps = 0

        class Counted(machine):  # type: ignore[valid-type, misc]
            def check_invariants(self, *args: Any, **more: Any) -> None:
                nonlocal steps
                steps += 1
                super().check_invariants(*args, **more)

        played = settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        begun = time.process_time()
        run_state_machine_as_test(Counted, settings=played)
        took = time.process_time() - begun
        print(f"{name:<20}{steps:>6} steps {took:>7.1f} s CPU {steps / took * 60:>9,.0f} steps a minute of CPU")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
