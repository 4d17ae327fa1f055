"""The guard also looks at what is planned anew under the lease, after the pass as a whole was let through."""

from collections.abc import Callable

import pytest

from vmh_sync.adressen.pipeline import PIPELINE as ADDRESSES
from vmh_sync.beteiligte import batch as stages
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.sync.reporting.outcome import RecordOutcome, Result
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.adressen import test_addresses as addresses

LIMIT = 2
MANY = 6


@pytest.fixture(autouse=True)
def few_may_lose(firm_environment: pytest.MonkeyPatch) -> None:
    """The guard trips early here."""
    firm_environment.setenv("VMH_MASS_CHANGE_RECORDS", str(LIMIT))


def pass_with_a_surprise(
    firm: Firm, ids: list[str], surprise: Callable[[], None], *, allowed: bool = False
) -> list[RecordOutcome]:
    """A pass over parties in which people act between the plan and the writing."""

    async def work(context: PassContext) -> list[RecordOutcome]:
        batch = stages.diff(firm.parts, stages.map_fields(await stages.fetch(context, firm.parts, ids)))
        surprise()
        return await stages.write(context, firm.parts, batch, allow_mass_change=allowed)

    done: list[RecordOutcome] = firm.run(work)
    return done


@pytest.mark.parametrize("allowed", [False, True])
def test_values_blanked_after_the_plan_stop_for_a_person(firm: Firm, allowed: bool) -> None:
    parties = [firm.linked_party(zusatz="c/o") for _ in range(MANY)]
    for espo_id, _ in parties:
        firm.crm_edit(espo_id, titel="Dr.")

    def blank() -> None:
        for espo_id, _ in parties:
            firm.crm_edit(espo_id, zusatz=None)

    outcomes = pass_with_a_surprise(firm, [espo_id for espo_id, _ in parties], blank, allowed=allowed)
    blanked = [betnr for _, betnr in parties if not firm.office_record(betnr)["zusatz"]]
    stopped = [one for one in outcomes if one.result is Result.FAILED]
    if allowed:
        assert (len(blanked), stopped) == (MANY, [])
        return
    assert (len(blanked), len(stopped)) == (LIMIT, MANY - LIMIT)
    assert all(one.concerns_all and "Angehalten" in str(one.error) for one in stopped)
    assert {firm.crm_record(one.id)["syncStatus"] for one in stopped} == {"dirty"}


def test_children_blanked_after_the_plan_stop_as_well(firm: Firm) -> None:
    parties = [firm.linked_party() for _ in range(MANY)]
    ids = [addresses.address(firm, espo_id) for espo_id, _ in parties]
    firm.sync()
    keys = [addresses.there(firm, betnr)[0]["id"] for _, betnr in parties]
    for record in ids:
        addresses.edit(firm, record, adresseStreet="Neue Gasse 1")

    async def work(context: PassContext) -> list[RecordOutcome]:
        batch = await ADDRESSES.fetch(context, ids)
        ADDRESSES.map_fields(batch)
        ADDRESSES.diff(batch)
        for key in keys:
            addresses.office_edit(firm, key, plz=None)
        return await ADDRESSES.write(context, batch)

    outcomes: list[RecordOutcome] = firm.run(work)
    stopped = [one for one in outcomes if one.result is Result.FAILED]
    assert len(stopped) == MANY - LIMIT
    assert all(one.concerns_all and "Angehalten" in str(one.error) for one in stopped)
