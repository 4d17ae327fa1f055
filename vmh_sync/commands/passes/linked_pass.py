"""The ordinary pass over records that a command has just created or linked, so that links and bases stand."""

import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

from vmh_sync.commands.passes.pass_progress import shown_pass
from vmh_sync.commands.passes.sync import run_sync
from vmh_sync.commands.passes.sync_order import PassFailed, SyncOrder
from vmh_sync.commands.passes.targets import target
from vmh_sync.commands.screens.output import RECORDS_FAILED, fail_pass, print_json, print_summary


def end_with_pass(ids: Sequence[str], report: Mapping[str, object], *, failed: bool, as_json: bool) -> NoReturn:
    """Sync these parties (EspoCRM ids), if any, and end the process; ``failed``: a record has failed before.

    What became of them goes to the terminal, or with ``--json`` into the command's ``report``.
    """
    synced: dict[str, object] = {}
    if ids:
        try:
            with shown_pass("Abgleich der Verknüpften", quiet=as_json) as progress:
                summary, _ = run_sync(target("beteiligte"), SyncOrder(tuple(ids), None), progress=progress)
        except PassFailed as problem:
            fail_pass(str(problem), as_json=as_json)
        failed, synced = failed or bool(summary.failures), {"sync": summary.to_json()}
        if not as_json:
            print_summary("beteiligte", summary)
    if as_json:
        print_json({**report, **synced})
    sys.exit(RECORDS_FAILED if failed else 0)
