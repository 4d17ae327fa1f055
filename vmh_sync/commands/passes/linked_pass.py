"""The ordinary pass over records that a command has just created or linked, so that links and bases stand."""

from collections.abc import Sequence
from typing import Any

from vmh_sync.commands.passes.pass_progress import shown_pass
from vmh_sync.commands.passes.sync import run_sync
from vmh_sync.commands.passes.sync_order import PassFailed, SyncOrder
from vmh_sync.commands.passes.targets import target
from vmh_sync.commands.screens.output import fail_pass, print_summary


def sync_linked(ids: Sequence[str], extra: dict[str, Any], *, as_json: bool) -> bool:
    """Sync these parties (EspoCRM ids); true when a record failed.

    The summary goes to ``extra["sync"]`` (for ``--json``) and, without it, to the terminal. Ends the process where the
    pass cannot run.
    """
    try:
        with shown_pass("Abgleich der Verknüpften", quiet=as_json) as progress:
            summary, _ = run_sync(target("beteiligte"), SyncOrder(tuple(ids), None), progress=progress)
    except PassFailed as problem:
        fail_pass(str(problem), as_json=as_json)
    extra["sync"] = summary.to_json()
    if not as_json:
        print_summary("beteiligte", summary)
    return bool(summary.failures)
