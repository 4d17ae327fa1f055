"""A pass lets go of its records when it ends, also in the process that goes on with the next thousand.

What stays as long as the process is left out of Python's search for garbage.
"""

import os
import subprocess
import sys

from vmh_sync_tests.fixtures.firm import Firm

# In a process of its own: Dagster pins the values of the first run that a process makes.
LEFT = """
import gc
from vmh_sync.beteiligte.batch import Batch
from vmh_sync.commands.passes.sync import run_sync
from vmh_sync.commands.passes.sync_order import SyncOrder
from vmh_sync.commands.passes.targets import target
from vmh_sync.sync.reporting.outcome import RecordOutcome

KINDS = Batch | RecordOutcome
summary, _ = run_sync(target("beteiligte"), SyncOrder((), "all"))
spared = gc.get_freeze_count()
gc.unfreeze()
gc.collect()
every = gc.get_objects()
print(summary.records, spared > len(every) * 0.9, *(type(one).__name__ for one in every if isinstance(one, KINDS)))
"""


def test_nothing_of_a_pass_in_the_foreground_stays_in_memory(firm: Firm) -> None:
    for name in ("Eins", "Zwei", "Drei"):
        firm.crm_party(lastName=name)
    program = subprocess.run([sys.executable, "-c", LEFT], env=os.environ, capture_output=True, text=True, check=True)
    records, spared, *left = program.stdout.split()
    assert records == "3"
    assert spared == "True", "Dagster, which comes after the records were chosen, is searched for garbage"
    assert left in ([], ["RecordOutcome"]), "one is held by what Dagster remembers of its last step"
