"""Repair of failed parties by backfill, see :mod:`vmh_sync.runtime.repair`."""

from collections.abc import Sequence

from vmh_sync.beteiligte import batch as stages
from vmh_sync.beteiligte.composition import PARTS
from vmh_sync.beteiligte.party import ENTITY
from vmh_sync.beteiligte.pipeline import read_batch, write_batch
from vmh_sync.beteiligte.triggers import TICK_SECONDS
from vmh_sync.runtime.context import PassContext
from vmh_sync.runtime.repair import make_repair
from vmh_sync.runtime.request import Which
from vmh_sync.sync.outcome import RecordOutcome


async def _sync(opened: PassContext, ids: Sequence[str]) -> list[RecordOutcome]:
    work = await read_batch(opened, Which(ids=list(ids)))
    stages.diff(PARTS, stages.map_fields(work.batch))
    return await write_batch(opened, work)


REPAIR = make_repair(ENTITY, "Beteiligte", _sync, every_seconds=TICK_SECONDS)
