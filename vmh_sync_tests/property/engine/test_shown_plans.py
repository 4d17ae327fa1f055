"""What a pass shows is what it does: mapping, planning and writing each do their own part (sync-semantics.md 2)."""

import copy
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import pytest

from vmh_sync.adressen.part import PART as ADRESSEN
from vmh_sync.beteiligte.batch import Batch
from vmh_sync.beteiligte.composition import PARTS
from vmh_sync.beteiligte.pipeline import PartyPipeline
from vmh_sync.beteiligte.plan import PartyPlan
from vmh_sync.children.pipeline import ChildBatch, ChildPipeline
from vmh_sync.engine.passes.part import PartPlan, own
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.kommunikation.planning import MappedEntries
from vmh_sync.sync.reporting.outcome import Result
from vmh_sync_tests.inmemory.firm import Firm
from vmh_sync_tests.inmemory.world import World

PARTY, ADDRESS = "CBeteiligte", "CAdressen"
CHILDREN = ChildPipeline(ADRESSEN)
A_STREET = {"adresseStreet": "Weg 1", "adressePostalCode": "30159", "adresseCity": "Hannover", "istAktiv": True}


@pytest.fixture
def firm() -> Iterator[Firm]:
    """A firm with one party that both sides know, with an address, a mail and a phone."""
    world = World()
    firm = Firm(world)
    mail = [{"emailAddress": "a@huber.example", "primary": True, "optOut": False, "invalid": False}]
    party = firm.crm_create(PARTY, {"lastName": "Huber", "emailAddressData": mail})
    firm.crm_create(ADDRESS, {"name": "Weg", "beteiligteId": party, **A_STREET})
    firm.settle(PartyPipeline(), [party])
    yield firm
    world.close()


def only(firm: Firm, entity: str) -> str:
    """Return the id of the one record of an entity."""
    (espo_id,) = firm.crm_rows(entity)
    return espo_id


def edit_everything(firm: Firm) -> None:
    """People edit the party, its mails and its address on both sides, also against each other."""
    (betnr,), (number,) = firm.office_rows("Beteiligte"), firm.office_rows("Adressen")
    mails = [
        {"emailAddress": "b@huber.example", "primary": True, "optOut": False, "invalid": False},
        {"emailAddress": "c@huber.example", "primary": False, "optOut": False, "invalid": False},
    ]
    firm.crm_edit(PARTY, only(firm, PARTY), {"lastName": "Hubermann", "emailAddressData": mails})
    firm.office_edit("Beteiligte", betnr, {"name": "Huberfrau", "titel": "Dr."})
    firm.crm_edit(ADDRESS, only(firm, ADDRESS), {"adresseStreet": "Weg 2", "adresseCountry": "Österreich"})
    firm.office_edit("Adressen", number, {"strasse": "Weg 3", "postfach": "17"})


def run(firm: Firm, work: Callable[[PassContext], Awaitable[None]]) -> None:
    """Let one process of ours do something."""
    process = firm.world.process(dies_at=None)

    async def inside() -> None:
        await work(firm.world.context(process))

    task = firm.world.loop.start(process, inside())
    firm.world.loop.run_while(lambda: not task.done())
    task.result()


def said_by_part(plan: PartPlan) -> Any:
    """Return all that a part's plan says, as it is now."""
    return copy.deepcopy((plan.record, plan.espo, plan.detail, plan.only_tries_again, plan.agreed))


def said(plans: Mapping[str, Any]) -> Any:
    """Return all that plans say, as they are now."""
    found: list[Any] = []
    for plan in plans.values():
        if isinstance(plan, PartyPlan):
            found.append(copy.deepcopy((plan.master, plan.closing, plan.different, plan.pending, plan.message)))
            found += [said_by_part(one) for _, one in plan.parts]
        else:
            found.append(said_by_part(plan))
    return found


async def planned(pipeline: Any, context: PassContext, ids: list[str]) -> Any:
    """Make the first three steps."""
    batch = await pipeline.fetch(context, ids, dry_run=False)
    pipeline.map_fields(batch)
    pipeline.diff(batch)
    return batch


@pytest.mark.parametrize("entity", ["beteiligte", "adressen"])
def test_writing_leaves_the_plan_as_it_was_shown(firm: Firm, entity: str) -> None:
    edit_everything(firm)
    pipeline = PartyPipeline() if entity == "beteiligte" else CHILDREN
    ids = [only(firm, PARTY if entity == "beteiligte" else ADDRESS)]

    async def work(context: PassContext) -> None:
        batch: Batch | ChildBatch = await planned(pipeline, context, ids)
        shown = said(batch.plans)
        (outcome,) = await pipeline.write(context, batch, allow_mass_change=True)  # type: ignore[arg-type]
        assert outcome.advoware_writes and outcome.espocrm_writes, "nothing was carried out"
        assert said(batch.plans) == shown

    run(firm, work)


@pytest.mark.parametrize("entity", ["beteiligte", "adressen"])
def test_planning_twice_comes_to_the_same_plan(firm: Firm, entity: str) -> None:
    edit_everything(firm)
    pipeline = PartyPipeline() if entity == "beteiligte" else CHILDREN
    ids = [only(firm, PARTY if entity == "beteiligte" else ADDRESS)]

    async def work(context: PassContext) -> None:
        batch = await planned(pipeline, context, ids)
        shown = said(batch.plans)
        assert shown
        pipeline.diff(batch)
        assert said(batch.plans) == shown

    run(firm, work)


def test_map_brings_both_sides_of_every_part_into_canonical_form(firm: Firm) -> None:
    """Planning reads what ``map`` has made, and nothing else: without it, there is nothing to plan from."""
    edit_everything(firm)

    async def work(context: PassContext) -> None:
        batch = await PartyPipeline().fetch(context, [only(firm, PARTY)], dry_run=False)
        (inputs,) = batch.inputs.values()
        assert not inputs.mapped
        PartyPipeline().map_fields(batch)
        assert set(inputs.mapped) == {part.entity for part in PARTS}
        (pair,) = ADRESSEN.mapped(inputs)
        assert (pair.espo_fields["strasse"], pair.advoware_fields["strasse"]) == ("Weg 2", "Weg 3")
        sides = own(inputs.mapped["kommunikation"], MappedEntries).sides
        assert sides.emails is not None and sides.entries is not None
        assert [one.value for one in sides.emails] == ["b@huber.example", "c@huber.example"]
        assert [one.tlf for one in sides.entries if one.tlf] == ["a@huber.example"]

    run(firm, work)


def test_a_pass_over_children_carries_out_the_plan_that_was_shown(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    firm.crm_edit(ADDRESS, only(firm, ADDRESS), {"adresseStreet": "Weg 2"})
    made: list[object] = []
    plan = type(ADRESSEN).plan
    monkeypatch.setattr(type(ADRESSEN), "plan", lambda *of: made.append(of) or plan(*of))  # type: ignore[func-returns-value]

    async def work(context: PassContext) -> None:
        batch = await planned(CHILDREN, context, [only(firm, ADDRESS)])
        (outcome,) = await CHILDREN.write(context, batch, allow_mass_change=False)
        assert (outcome.advoware_writes, outcome.replanned) == (1, False)

    run(firm, work)
    assert len(made) == 1
    (row,) = firm.office_rows("Adressen").values()
    assert row["strasse"] == "Weg 2"


def test_what_moved_before_the_lease_is_planned_anew_and_told(firm: Firm) -> None:
    firm.crm_edit(ADDRESS, only(firm, ADDRESS), {"adresseStreet": "Weg 2"})

    async def work(context: PassContext) -> None:
        batch = await planned(CHILDREN, context, [only(firm, ADDRESS)])
        (number,) = firm.office_rows("Adressen")
        firm.office_edit("Adressen", number, {"postfach": "17"})
        with context.store.transaction() as tx:
            (link,) = tx.links.get_many("adressen", [only(firm, ADDRESS)]).values()
            tx.links.save(link)
        (outcome,) = await CHILDREN.write(context, batch, allow_mass_change=False)
        assert (outcome.advoware_writes, outcome.replanned) == (1, True)

    run(firm, work)
    (row,) = firm.office_rows("Adressen").values()
    assert (row["strasse"], row["postfach"]) == ("Weg 2", "17")
    assert firm.crm_rows(ADDRESS)[only(firm, ADDRESS)]["postfach"] == "17"


def test_what_moved_and_would_empty_too_much_is_stopped_under_the_lease(firm: Firm) -> None:
    """The guard looks at the plan made anew as it looked at the first."""
    firm.crm_edit(ADDRESS, only(firm, ADDRESS), {"adresseCountry": "Österreich"})

    async def work(context: PassContext) -> None:
        batch = await planned(CHILDREN, context, [only(firm, ADDRESS)])
        (number,) = firm.office_rows("Adressen")
        firm.office_edit("Adressen", number, {"strasse": None, "plz": None, "ort": None})
        with context.store.transaction() as tx:
            (link,) = tx.links.get_many("adressen", [only(firm, ADDRESS)]).values()
            tx.links.save(link)
        limited = context.rules.model_copy(update={"mass_change_records": 0, "mass_change_share": 0.0})
        context.rules = limited
        (outcome,) = await CHILDREN.write(context, batch, allow_mass_change=False)
        assert (outcome.result, outcome.error_class) == (Result.FAILED, "GuardTripped")

    run(firm, work)
    assert firm.crm_rows(ADDRESS)[only(firm, ADDRESS)]["adresseStreet"] == "Weg 1"


def test_another_pass_between_the_reads_of_both_sides_is_noticed(firm: Firm) -> None:
    """What was read of Advoware before it and of EspoCRM after it is no plan: the old value would come back."""
    firm.crm_edit(ADDRESS, only(firm, ADDRESS), {"adresseStreet": "Weg 2"})
    finished: list[bool] = []

    async def work(context: PassContext) -> None:
        read = context.advoware.read_beteiligter

        async def read_then_another_passes(betnr: int) -> Any:
            party = await read(betnr)
            if not finished:
                finished.append(True)
                other = await planned(CHILDREN, context, [only(firm, ADDRESS)])
                await CHILDREN.write(context, other, allow_mass_change=True)
            return party

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(
                type(context.advoware), "read_beteiligter", lambda _, betnr: read_then_another_passes(betnr)
            )
            batch = await planned(CHILDREN, context, [only(firm, ADDRESS)])
        await CHILDREN.write(context, batch, allow_mass_change=True)

    run(firm, work)
    assert finished and firm.crm_rows(ADDRESS)[only(firm, ADDRESS)]["adresseStreet"] == "Weg 2"
    (row,) = firm.office_rows("Adressen").values()
    assert row["strasse"] == "Weg 2"
