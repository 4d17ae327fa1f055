"""What can be synced from the command line."""

from vmh_sync.beteiligte.pipeline import sync_beteiligte
from vmh_sync.beteiligte.selection import Selection
from vmh_sync.beteiligte.selection import select as select_beteiligte
from vmh_sync.commands.sync import SyncTarget
from vmh_sync.runtime.context import PassContext


async def _beteiligte(context: PassContext, selection: str) -> list[str]:
    return await select_beteiligte(context, Selection(selection))


_TARGETS = {"beteiligte": SyncTarget("beteiligte", sync_beteiligte, "write", _beteiligte)}


def target(entity: str) -> SyncTarget:
    """Return what ``vmh-sync sync ENTITY`` runs."""
    return _TARGETS[entity]
