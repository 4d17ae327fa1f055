"""What can be synced from the command line."""

from vmh_sync.adressen.part import KIND as ADRESSEN
from vmh_sync.adressen.pipeline import sync_adressen
from vmh_sync.bankverbindungen.part import KIND as BANKVERBINDUNGEN
from vmh_sync.bankverbindungen.pipeline import sync_bankverbindungen
from vmh_sync.beteiligte.pipeline import sync_beteiligte
from vmh_sync.beteiligte.selection import Selection
from vmh_sync.beteiligte.selection import select as select_beteiligte
from vmh_sync.children.selection import select as select_children
from vmh_sync.commands.sync import SyncTarget
from vmh_sync.engine.pass_context import PassContext


async def _beteiligte(context: PassContext, selection: str) -> list[str]:
    return await select_beteiligte(context, Selection(selection))


async def _adressen(context: PassContext, selection: str) -> list[str]:
    return await select_children(context, ADRESSEN, selection)


async def _bankverbindungen(context: PassContext, selection: str) -> list[str]:
    return await select_children(context, BANKVERBINDUNGEN, selection)


_TARGETS = {
    "beteiligte": SyncTarget("beteiligte", sync_beteiligte, "write", _beteiligte),
    "adressen": SyncTarget("adressen", sync_adressen, "write_adressen", _adressen),
    "bankverbindungen": SyncTarget(
        "bankverbindungen", sync_bankverbindungen, "write_bankverbindungen", _bankverbindungen
    ),
}


def target(entity: str) -> SyncTarget:
    """Return what ``vmh-sync sync ENTITY`` runs."""
    return _TARGETS[entity]
