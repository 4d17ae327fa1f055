"""Repair of failed Bankverbindungen by backfill."""

from vmh_sync.bankverbindungen.part import PART
from vmh_sync.children.repair import make_child_repair

REPAIR = make_child_repair(PART, "Bankverbindungen")
