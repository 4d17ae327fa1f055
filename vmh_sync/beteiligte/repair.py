"""Repair of failed parties by backfill, see :mod:`vmh_sync.orchestration.repair`."""

from vmh_sync.beteiligte.pipeline import PARTY_PIPELINE
from vmh_sync.beteiligte.triggers import TICK_SECONDS
from vmh_sync.orchestration.repair import make_repair

REPAIR = make_repair(PARTY_PIPELINE, "Beteiligte", every_seconds=TICK_SECONDS)
