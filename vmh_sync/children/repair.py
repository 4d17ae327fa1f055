"""Repair of failed child records by backfill, see :mod:`vmh_sync.runtime.repair`."""

from collections.abc import Sequence

from vmh_sync.children import batch as stages
from vmh_sync.children.part import ChildrenPart
from vmh_sync.children.pipeline import read_batch, write_batch
from vmh_sync.runtime.context import PassContext
from vmh_sync.runtime.repair import Repair, make_repair
from vmh_sync.runtime.request import Which
from vmh_sync.sync.outcome import RecordOutcome

LOOK_SECONDS = 28


def make_child_repair(part: ChildrenPart, plural: str) -> Repair:
    """Return what repairs the failed records of a kind of children."""

    async def sync(opened: PassContext, ids: Sequence[str]) -> list[RecordOutcome]:
        work = await read_batch(opened, part, Which(ids=list(ids)))
        stages.diff(part, work.batch)
        return await write_batch(opened, part, work)

    return make_repair(part.entity, plural, sync, every_seconds=LOOK_SECONDS)
