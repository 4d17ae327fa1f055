"""Repair of failed Adressen by backfill."""

from vmh_sync.adressen.part import PART
from vmh_sync.children.repair import make_child_repair

REPAIR = make_child_repair(PART, "Adressen")
