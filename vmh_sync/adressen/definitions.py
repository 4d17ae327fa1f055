"""Adressen in Dagster: a change there alone is synced without touching the party's other parts."""

from vmh_sync.adressen.part import PART
from vmh_sync.children.definitions import make_child_room
from vmh_sync.entities import ADRESSEN

ROOM = make_child_room(ADRESSEN, PART)
