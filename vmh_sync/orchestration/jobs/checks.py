"""The checks that Dagster shows of each asset, every half hour: what is not right, and what to do.

All in one step of one run, since a step costs more than what it looks at; each can be executed alone from its page.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence

import dagster as dg

from vmh_sync.clock import SystemClock
from vmh_sync.engine.installation.people_links import PeopleLinks
from vmh_sync.engine.passes.opening import PassSettings, open_context, open_database
from vmh_sync.entities import BETEILIGTE
from vmh_sync.orchestration.jobs.entity_asset import HOUSE_GROUP
from vmh_sync.orchestration.jobs.resources import opening_failures
from vmh_sync.orchestration.jobs.run_report import table
from vmh_sync.overview.house import read_house
from vmh_sync.overview.house_verdicts import SAYS as HOUSE_SAYS
from vmh_sync.overview.house_verdicts import house_verdicts
from vmh_sync.overview.verdicts import (
    KOMMUNIKATION,
    NO_FAILURES,
    SAYS,
    TASKS_OPEN,
    Verdict,
    kommunikation_verdicts,
    read_verdicts,
)
from vmh_sync.settings import VmhSettings, load
from vmh_sync.store import Store

HOUSE = "betrieb"
_OF_A_PART = (NO_FAILURES, TASKS_OPEN)

house_asset = dg.AssetSpec(
    HOUSE,
    group_name=HOUSE_GROUP,
    description="Das Programm selbst: Sperren, Anmeldungen, Webhooks. Unter „Checks“ steht, ob alles läuft.",
)
kommunikation_asset = dg.AssetSpec(
    KOMMUNIKATION,
    group_name="stammdaten",
    kinds={"espocrm", "advoware"},
    description=(
        "Kommunikation: Telefonnummern und E-Mail-Adressen der Beteiligten. Sie werden mit ihren Beteiligten "
        "abgeglichen (Job `sync_beteiligte`) oder für sich allein (`sync_kommunikation`); unter **Checks** steht, was "
        "davon fehlerhaft oder eine Aufgabe ist."
    ),
)


def specs_of(asset: str) -> list[dg.AssetCheckSpec]:
    """Return the checks of an asset."""
    says = HOUSE_SAYS if asset == HOUSE else SAYS
    names = _OF_A_PART if asset == KOMMUNIKATION else tuple(says)
    return [dg.AssetCheckSpec(name, asset=asset, description=says[name]) for name in names]


def make_checks(assets: Sequence[str]) -> dg.AssetChecksDefinition:
    """Return the checks of the entities in ``assets``, of Kommunikation and of the house, as one step."""
    everything = (*assets, KOMMUNIKATION, HOUSE)

    @dg.multi_asset_check(
        name="alle_pruefungen", specs=[spec for asset in everything for spec in specs_of(asset)], can_subset=True
    )
    def pruefen(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        wanted = {(key.asset_key.to_user_string(), key.name) for key in context.selected_asset_check_keys}
        for asset in everything:
            if any(name == asset for name, _ in wanted):
                found = _of_house(context.run.run_id) if asset == HOUSE else _of_entity(asset)
                yield from (check_result(asset, one) for one in found if (asset, one.check) in wanted)

    return pruefen


def _of_entity(asset: str) -> Sequence[Verdict]:
    clock = SystemClock()
    with open_database(load(VmhSettings), clock) as store:
        return read_verdicts(store, read_house(store, clock), asset, PeopleLinks.read())


def _of_house(run_id: str) -> Sequence[Verdict]:
    async def look() -> Sequence[Verdict]:
        settings = PassSettings.read()
        async with open_context(run_id, settings) as context:
            return await house_verdicts(context, settings)

    with opening_failures():
        return asyncio.run(look())


def check_result(asset: str, verdict: Verdict) -> dg.AssetCheckResult:
    """Return a verdict as Dagster shows it: numbers plot, what is wrong stands in a table."""
    severity = dg.AssetCheckSeverity.ERROR if verdict.grave else dg.AssetCheckSeverity.WARN
    rows = {"Datensätze": table(list(verdict.rows), verdict.rows[0])} if verdict.rows else {}
    return dg.AssetCheckResult(
        passed=verdict.passed,
        asset_key=asset,
        check_name=verdict.check,
        severity=severity,
        description=verdict.text,
        metadata={**verdict.numbers, **rows},
    )


def failed_in_a_pass(asset: str, failed: int) -> dg.AssetCheckEvaluation:
    """Return the result of the check for failed records at the end of a pass that left some."""
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(asset),
        check_name=NO_FAILURES,
        passed=False,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{failed} fehlerhaft nach diesem Durchgang; die Tabelle am Schritt „write“ nennt sie.",
        metadata={"fehlerhaft": failed},
    )


def part_events(store: Store, entity: str) -> Sequence[dg.AssetObservation]:
    """Return what a pass over an entity tells of an asset that lives in it: Kommunikation in parties. Blocking.

    Raises ``StoreError``.
    """
    if entity != BETEILIGTE.name:
        return ()
    found = kommunikation_verdicts(store, PeopleLinks.read())
    text = " ".join(verdict.text for verdict in found)
    return (dg.AssetObservation(asset_key=KOMMUNIKATION, description=text, metadata=_numbers(store, found)),)


def numbers_of_part(store: Store, entity: str) -> Mapping[str, int | float]:
    """Return how Kommunikation stands, whose failures and tasks are its parties'; nothing for any other. Blocking.

    Raises ``StoreError``.
    """
    return _numbers(store, kommunikation_verdicts(store, PeopleLinks.read())) if entity == KOMMUNIKATION else {}


def _numbers(store: Store, found: Sequence[Verdict]) -> Mapping[str, int | float]:
    with store.reading() as tx:
        numbers: dict[str, int | float] = {"im Gleichstand": tx.links.in_step(KOMMUNIKATION)}
    for verdict in found:
        numbers |= verdict.numbers
    return numbers
