"""Repair of failed child records by backfill, see :mod:`vmh_sync.orchestration.repair`."""

from vmh_sync.children.part import ChildrenPart
from vmh_sync.children.pipeline import ChildPipeline
from vmh_sync.orchestration.repair import Repair, make_repair

LOOK_SECONDS = 28


def make_child_repair(part: ChildrenPart, plural: str) -> Repair:
    """Return what repairs the failed records of a kind of children."""
    return make_repair(ChildPipeline(part), plural, every_seconds=LOOK_SECONDS)
