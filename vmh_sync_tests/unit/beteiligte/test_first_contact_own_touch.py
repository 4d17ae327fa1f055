"""Our question and our number make EspoCRM's record the newer one, and are nobody's edit (sync-semantics.md 1)."""

from collections.abc import Iterator

import pytest

from vmh_sync.beteiligte.batch import party_table
from vmh_sync.beteiligte.party import ENTITY
from vmh_sync.beteiligte.pipeline import PartyPipeline
from vmh_sync.beteiligte.twins.twin_question import Twin, TwinSuspected
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.engine.writing.noted_meetings import never_agreed
from vmh_sync.first_contact.carry_out import Linker
from vmh_sync.matching.traits import Evidence, Likeness, Resemblance
from vmh_sync.settings import SyncSettings
from vmh_sync_tests.inmemory.firm import Firm, Hindrance
from vmh_sync_tests.inmemory.network import Fate
from vmh_sync_tests.inmemory.world import World

CRM, OFFICE = "CBeteiligte", "Beteiligte"


class Strangers:
    """A record and a party that differ in one field; ``newer`` was edited after the other, elsewhere."""

    def __init__(self, newer: str) -> None:
        self.firm = Firm(World(rules=SyncSettings(_env_file=None)))
        self.betnr = self.firm.office_create(OFFICE, {"name": "Huber", "zusatz": "dort"})
        self.espo_id = self.firm.crm_create(CRM, {"lastName": "Huber", "zusatz": "hier"})
        self.edit(newer, "Grüß Gott")

    def edit(self, side: str, greeting: str) -> None:
        self.firm.world.loop.pass_time(3)
        if side == "espocrm":
            self.firm.crm_edit(CRM, self.espo_id, {"briefAnrede": greeting})
        else:
            self.firm.office_edit(OFFICE, self.betnr, {"bAnrede": greeting})
        self.firm.world.loop.pass_time(3)

    def ask(self, why: str = "Name") -> None:
        twin = Twin(int(self.betnr), "Huber", Resemblance(Likeness.LIKELY, (Evidence("name", 50, why),)))
        question = TwinSuspected(self.espo_id, [twin])

        async def act(context: PassContext) -> None:
            await Linker(context, party_table(context)).ask(self.espo_id, question)

        self.firm.world.run(act)
        self.firm.world.loop.pass_time(3)

    def link(self) -> None:
        async def act(context: PassContext) -> None:
            await Linker(context, party_table(context)).link(self.espo_id, int(self.betnr), by_person=True)

        self.firm.world.run(act)
        self.firm.world.loop.pass_time(3)

    def never_agreed(self) -> list[str]:
        with self.firm.world.store.reading() as tx:
            return never_agreed(tx, ENTITY, {self.espo_id: int(self.betnr)})

    def settled(self) -> tuple[object, object]:
        self.firm.settle(PartyPipeline(), [self.espo_id])
        assert self.never_agreed() == []
        here, there = self.firm.crm_row(CRM, self.espo_id), self.firm.office_rows(OFFICE)[self.betnr]
        assert here is not None
        return here["zusatz"], there["zusatz"]


@pytest.fixture(params=["espocrm", "advoware"])
def newer(request: pytest.FixtureRequest) -> str:
    side: str = request.param
    return side


@pytest.fixture
def strangers(newer: str) -> Iterator[Strangers]:
    made = Strangers(newer)
    yield made
    made.firm.world.close()


STANDS = {"espocrm": ("hier", "hier"), "advoware": ("dort", "dort")}


def test_linked_the_side_that_a_person_edited_last_stands(strangers: Strangers, newer: str) -> None:
    strangers.link()
    assert strangers.never_agreed() == [strangers.espo_id]
    assert strangers.settled() == STANDS[newer]


@pytest.mark.parametrize("typed", [False, True])
def test_asked_about_and_answered_too(strangers: Strangers, newer: str, typed: bool) -> None:
    strangers.ask()
    strangers.ask("Name und Ort")
    if typed:
        strangers.firm.crm_edit(CRM, strangers.espo_id, {"betnr": int(strangers.betnr)})
    else:
        strangers.link()
    assert strangers.settled() == STANDS[newer]


@pytest.mark.parametrize("asked", [False, True])
def test_an_edit_since_makes_its_side_the_newer_one(strangers: Strangers, newer: str, asked: bool) -> None:
    other = "advoware" if newer == "espocrm" else "espocrm"
    if asked:
        strangers.ask()
        strangers.edit(other, "Servus")
    strangers.link()
    if not asked:
        strangers.edit(other, "Servus")
    assert strangers.settled() == STANDS[other]


UNREADABLE = Fate(answer=200, says=b'[{"betNr": "x"}]', of=lambda one: one.system == "advoware" and not one.is_write)


@pytest.mark.parametrize("since", [None, "espocrm", "advoware"])
def test_a_failure_that_its_record_tells_makes_it_no_newer(newer: str, since: str | None) -> None:
    made = Strangers("espocrm")
    made.firm.crm_edit(CRM, made.espo_id, {"betnr": int(made.betnr)})
    made.edit(newer, "Servus")
    for attempt in range(2):
        made.firm.run(PartyPipeline(), [made.espo_id], Hindrance(fates=dict.fromkeys(range(30), UNREADABLE)))
        row = made.firm.crm_row(CRM, made.espo_id)
        assert row is not None and (row["syncStatus"], row["syncRetryCount"]) == ("failed", attempt + 1)
        made.firm.world.loop.pass_time(400)
    assert made.never_agreed() == []
    if since is not None:
        made.edit(since, "Moin")
    assert made.settled() == STANDS[since or newer]
    made.firm.world.close()
