"""The one place where the rooms of all entities meet. Adding an entity: ``entities.py``."""

from collections.abc import Mapping

import dagster as dg

from vmh_sync.erstgespraech import definitions as erstgespraech
from vmh_sync.examples.ticketing import NAME as TICKETING
from vmh_sync.examples.ticketing import monitor as ticketing
from vmh_sync.housekeeping import definitions as housekeeping
from vmh_sync.kalender.resources import CALENDAR_RESOURCES
from vmh_sync.orchestration.entity_room import rooms
from vmh_sync.orchestration.jobs.resources import RESOURCES
from vmh_sync.orchestration.monitoring.watching import watching
from vmh_sync.settings import VmhSettings, load


def build_defs(resource_overrides: Mapping[str, object] | None = None) -> dg.Definitions:
    """Return fresh definitions; ``resource_overrides`` replaces resources by name, for tests.

    Raises ``SettingsError`` for bad settings, ``UnusableEntity`` for a package in ``VMH_ENTITIES`` that offers none.
    """
    settings = load(VmhSettings)
    platform = dg.Definitions(
        resources={**RESOURCES, **CALENDAR_RESOURCES, **(resource_overrides or {})},
        # One op after the other in the run's own process is far quicker than a process each.
        executor=dg.in_process_executor,
    )
    known = rooms(settings.entities)
    return dg.Definitions.merge(
        *(room.defs for room in known),
        watching(known),
        erstgespraech.defs,
        housekeeping.build(settings),
        *((ticketing.defs,) if TICKETING in settings.examples else ()),
        platform,
    )


defs = build_defs()
