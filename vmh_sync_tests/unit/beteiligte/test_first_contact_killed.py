"""A first contact whose process dies after our write and before the base is stored (sync-semantics.md 1 and 3).

Our own write has made its target the newer record: it is nobody's edit, and what people typed since stands.
"""

from collections.abc import Callable, Iterator

import pytest

from vmh_sync.beteiligte.fields import FIELDS
from vmh_sync.beteiligte.pipeline import PartyPipeline
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.first_contact.importing import Importer
from vmh_sync.settings import SyncSettings
from vmh_sync_tests.inmemory.firm import Firm
from vmh_sync_tests.inmemory.network import Fate, Request
from vmh_sync_tests.inmemory.world import World

CRM, OFFICE = "CBeteiligte", "Beteiligte"
SAME = {"titel": "Dr."}


class Meeting:
    """A record and a party that lived apart until somebody typed the number into the record."""

    def __init__(self, newer: str, here: str | None, there: str | None) -> None:
        self.firm = Firm(World(rules=SyncSettings(_env_file=None)))
        self.betnr = self.firm.office_create(OFFICE, {"name": "Huber", **SAME, "zusatz": there})
        values = {"lastName": "Huber", **SAME, "zusatz": here, "betnr": int(self.betnr)}
        self.espo_id = self.firm.crm_create(CRM, values)
        self.later()
        self.edit(newer, "briefAnrede", "Grüß Gott")
        self.later()

    def later(self) -> None:
        self.firm.world.loop.pass_time(3)

    def edit(self, side: str, field: str, value: str) -> None:
        if side == "espocrm":
            self.firm.crm_edit(CRM, self.espo_id, {field: value})
        else:
            self.firm.office_edit(OFFICE, self.betnr, {"bAnrede" if field == "briefAnrede" else field: value})

    def dies_after_the_first_write_to(self, side: str, before: Callable[[], None]) -> None:
        """``before``: what happens between our reads and that write."""
        ways = self.firm.world.wire
        hit: list[Request] = []
        usual = ways.fate
        record = {"espocrm": f"/{CRM}/{self.espo_id}", "advoware": f"/{OFFICE}/{self.betnr}"}[side]

        def fate(request: Request) -> Fate:
            if hit or not request.is_write or not request.path.endswith(record):
                return usual(request)
            hit.append(request)
            before()
            self.later()
            return Fate(dies="after")

        ways.fate = fate
        self.firm.run(PartyPipeline(), [self.espo_id])
        assert hit, "nothing was written to that side"
        ways.fate = usual

    def settled(self, field: str) -> tuple[object, object]:
        self.firm.settle(PartyPipeline(), [self.espo_id])
        here, there = self.firm.crm_row(CRM, self.espo_id), self.firm.office_rows(OFFICE)[self.betnr]
        assert here is not None
        return here[field], there[field]

    def conflicts(self) -> list[str]:
        return [task.kind for task in self.firm.tasks()]


@pytest.fixture
def meetings() -> Iterator[list[Meeting]]:
    begun: list[Meeting] = []
    yield begun
    for meeting in begun:
        meeting.firm.world.close()


WRITTEN_TO = {"espocrm": "advoware", "advoware": "espocrm"}


@pytest.mark.parametrize("field", ["zusatz", "titel"])
@pytest.mark.parametrize(("here", "there"), [("hier", "dort"), ("hier", None), (None, "dort")])
@pytest.mark.parametrize("edited", ["espocrm", "advoware"])
def test_an_edit_between_our_reads_and_our_write_stands_although_our_write_is_newer(
    meetings: list[Meeting], edited: str, here: str | None, there: str | None, field: str
) -> None:
    """``titel`` said the same on both sides, ``zusatz`` is what the first contact writes."""
    meeting = Meeting(edited, here, there)
    meetings.append(meeting)
    meeting.dies_after_the_first_write_to(WRITTEN_TO[edited], lambda: meeting.edit(edited, field, "seither"))
    assert meeting.settled(field) == ("seither", "seither")
    assert meeting.conflicts() == []


@pytest.mark.parametrize("edited", ["espocrm", "advoware"])
def test_without_an_edit_the_newer_record_stands_whoever_wrote_last(meetings: list[Meeting], edited: str) -> None:
    meeting = Meeting(edited, "hier", "dort")
    meetings.append(meeting)
    meeting.dies_after_the_first_write_to(WRITTEN_TO[edited], lambda: None)
    expected = "hier" if edited == "espocrm" else "dort"
    assert meeting.settled("zusatz") == (expected, expected)


@pytest.mark.parametrize("edited", ["espocrm", "advoware"])
def test_an_edit_of_what_we_have_written_stands_as_well(meetings: list[Meeting], edited: str) -> None:
    meeting = Meeting(WRITTEN_TO[edited], "hier", "dort")
    meetings.append(meeting)
    meeting.dies_after_the_first_write_to(edited, lambda: None)
    meeting.edit(edited, "zusatz", "seither")
    assert meeting.settled("zusatz") == ("seither", "seither")


def test_what_was_noted_is_settled_with_the_base(meetings: list[Meeting]) -> None:
    meeting = Meeting("espocrm", "hier", "dort")
    meetings.append(meeting)
    meeting.dies_after_the_first_write_to("advoware", lambda: None)
    store = meeting.firm.world.store
    with store.reading() as tx:
        assert tx.intents.open_for("first_contact", meeting.espo_id)
    meeting.settled("zusatz")
    with store.reading() as tx:
        assert tx.intents.open_for("first_contact", meeting.espo_id) == []


def test_what_an_import_wrote_into_espocrm_is_nobodys_edit() -> None:
    """Both sides are edited between the import and the first pass, EspoCRM last."""
    firm = Firm(World(rules=SyncSettings(_env_file=None)))
    try:
        betnr = firm.office_create(OFFICE, {"name": "Huber", **SAME, "zusatz": "dort"})

        async def bring(context: PassContext) -> str:
            return await Importer(context, context.table("beteiligte", FIELDS)).bring(int(betnr))

        espo_id = firm.world.run(bring)
        firm.world.loop.pass_time(3)
        firm.office_edit(OFFICE, betnr, {"zusatz": "seither"})
        firm.world.loop.pass_time(3)
        firm.crm_edit(CRM, espo_id, {"titel": "Prof."})
        firm.settle(PartyPipeline(), [espo_id])
        here, there = firm.crm_row(CRM, espo_id) or {}, firm.office_rows(OFFICE)[betnr]
        assert [(one["zusatz"], one["titel"]) for one in (here, there)] == [("seither", "Prof.")] * 2
    finally:
        firm.world.close()
