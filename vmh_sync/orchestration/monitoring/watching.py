"""Everything that watches the house in Dagster: checks every half hour, the nightly comparison, the alerts."""

from collections.abc import Sequence

import dagster as dg

from vmh_sync.orchestration.entity_room import EntityRoom
from vmh_sync.orchestration.jobs.checks import house_asset, kommunikation_asset, make_checks, make_watch
from vmh_sync.orchestration.jobs.entity_asset import with_people
from vmh_sync.orchestration.monitoring.alert_sensor import meldungen
from vmh_sync.orchestration.monitoring.nightly_comparison import make_comparison, make_nightly


def watching(rooms: Sequence[EntityRoom]) -> dg.Definitions:
    """Return the assets of all rooms with their checks, and what evaluates them."""
    checks, comparison = make_checks([room.entity.name for room in rooms]), make_comparison(rooms)
    (watch, every_half_hour), (nightly, every_night) = make_watch(checks), make_nightly(comparison)
    own = [asset for room in rooms for asset in room.assets]
    return dg.Definitions(
        assets=with_people([*own, kommunikation_asset, house_asset]),
        asset_checks=[checks, comparison],
        jobs=[watch, nightly],
        schedules=[every_half_hour, every_night],
        sensors=[meldungen],
    )
