"""Bankverbindungen in Dagster: a change there alone is synced without touching the party's other parts."""

from vmh_sync.bankverbindungen.part import PART
from vmh_sync.children.definitions import make_child_room
from vmh_sync.entities import BANKVERBINDUNGEN

ROOM = make_child_room(BANKVERBINDUNGEN, PART)
