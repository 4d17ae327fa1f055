"""The troubles that our own services show: each entity's checks, leases, refused logins, a database that is down."""

import asyncio
from collections.abc import Sequence

from vmh_sync.alerts.ledger import Trouble
from vmh_sync.clock import Clock
from vmh_sync.coordination.errors import CoordinationUnavailable
from vmh_sync.engine.installation.people_links import PeopleLinks
from vmh_sync.engine.passes.opening import PassSettings, open_context, open_database
from vmh_sync.overview.house import read_house
from vmh_sync.overview.house_verdicts import own_verdicts
from vmh_sync.overview.verdicts import Verdict, read_verdicts
from vmh_sync.settings import SettingsError, VmhSettings, load
from vmh_sync.store.errors import StoreError

ENTITIES, HOUSE, SERVICES = "bereich", "betrieb", "dienst"
_DOWN = "Die Datenbank oder Redis ist nicht erreichbar; bis dahin wird nichts abgeglichen. `vmh-sync doctor` sagt, was."


def own_look(clock: Clock, links: PeopleLinks, *, warnings: bool) -> tuple[list[Trouble], set[str]]:
    """Look at our own services. Returns the troubles, and the sources that could be looked at. Blocking.

    ``warnings``: what is known and being worked on, too. Raises ``SettingsError``.
    """
    try:
        found = [*_entities(clock, links, warnings), *_house(clock, links, warnings)]
    except (StoreError, CoordinationUnavailable) as problem:
        services = Trouble(f"{SERVICES}:{type(problem).__name__}", "Datenbank oder Redis nicht erreichbar", _DOWN)
        return [services], {SERVICES}
    return found, {ENTITIES, HOUSE, SERVICES}


def _entities(clock: Clock, links: PeopleLinks, warnings: bool) -> list[Trouble]:
    with open_database(load(VmhSettings), clock) as store:
        house = read_house(store, clock)
        return [
            trouble_of(ENTITIES, entity.name, entity.label, verdict, links)
            for entity in house.entities
            for verdict in read_verdicts(store, house, entity.name, links)
            if is_trouble(verdict, warnings=warnings)
        ]


def _house(clock: Clock, links: PeopleLinks, warnings: bool) -> list[Trouble]:
    async def look() -> Sequence[Verdict]:
        settings = PassSettings.read()
        async with open_context("alerts", settings, clock) as context:
            return await own_verdicts(context, settings)

    try:
        found = asyncio.run(look())
    except SettingsError as problem:
        return [Trouble(f"{HOUSE}:settings", "Einstellungen fehlen oder sind falsch", str(problem))]
    return [
        trouble_of(HOUSE, "betrieb", "Betrieb", verdict, links)
        for verdict in found
        if is_trouble(verdict, warnings=warnings)
    ]


def is_trouble(verdict: Verdict, *, warnings: bool) -> bool:
    """Whether people are told of a verdict."""
    return not verdict.passed and (verdict.grave or warnings)


def trouble_of(source: str, asset: str, label: str, verdict: Verdict, links: PeopleLinks) -> Trouble:
    """Return a verdict as a trouble; its key does not change with the numbers."""
    link = links.asset(asset)
    return Trouble(
        f"{source}:{asset}:{verdict.check}",
        f"{label}: {verdict.text.partition(': ')[0].rstrip('.')}",
        verdict.text,
        f"{link}?view=checks" if link else None,
    )
