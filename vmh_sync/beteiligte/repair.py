"""Repair of failed parties by backfill, see :mod:`vmh_sync.runtime.repair`."""

from vmh_sync.beteiligte.pipeline import PARTY_STAGES
from vmh_sync.beteiligte.triggers import TICK_SECONDS
from vmh_sync.runtime.repair import make_repair

REPAIR = make_repair(PARTY_STAGES, "Beteiligte", every_seconds=TICK_SECONDS)
