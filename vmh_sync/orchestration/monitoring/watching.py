"""Everything that watches the house in Dagster: checks every half hour, the nightly comparison, the alerts."""

from collections.abc import Sequence

import dagster as dg

from vmh_sync.orchestration.entity_room import EntityRoom
from vmh_sync.orchestration.jobs.checks import house_asset, kommunikation_asset, make_checks
from vmh_sync.orchestration.jobs.entity_asset import with_people
from vmh_sync.orchestration.jobs.scheduled_checks import scheduled_checks
from vmh_sync.orchestration.monitoring.alert_sensor import meldungen
from vmh_sync.orchestration.monitoring.nightly_comparison import make_comparison


def watching(rooms: Sequence[EntityRoom]) -> dg.Definitions:
    """Return the assets of all rooms with their checks, and what evaluates them."""
    checks, comparison = make_checks([room.entity.name for room in rooms]), make_comparison(rooms)
    watch, every_half_hour = scheduled_checks(
        "pruefen",
        [checks],
        "4,34 * * * *",
        says="Prüfungen: aktuell, fehlerhaft, Aufgaben, Warteschlange, Sperren, Anmeldungen, Webhooks.",
        when="Jede halbe Stunde: prüft, ob alles aktuell und in Ordnung ist. Verändert nichts.",
    )
    nightly, every_night = scheduled_checks(
        "reconcile",
        [comparison],
        "0 4 * * *",
        says="Vergleicht beide Seiten unabhängig vom Abgleich, Feld für Feld. Verändert nichts.",
        when="Jede Nacht um 4 Uhr.",
        seconds=3600,
    )
    own = [asset for room in rooms for asset in room.assets]
    return dg.Definitions(
        assets=with_people([*own, kommunikation_asset, house_asset]),
        asset_checks=[checks, comparison],
        jobs=[watch, nightly],
        schedules=[every_half_hour, every_night],
        sensors=[meldungen],
    )
