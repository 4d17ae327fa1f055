"""A pass that dies after Advoware took an e-mail or phone of EspoCRM's and before its pair is stored.

The entry is ours: what a person typed over it since, or emptied, is an edit of that value. Whether the request arrived
nobody can tell from another entry that a person made meanwhile, so what is replaced is told.
"""

from collections.abc import Collection, Iterator
from typing import Any

import pytest

from vmh_sync.beteiligte.pipeline import PartyPipeline
from vmh_sync.kommunikation.model import Channel
from vmh_sync.settings import SyncSettings
from vmh_sync.sync.merge import ConflictRule
from vmh_sync_tests.inmemory.firm import Firm
from vmh_sync_tests.inmemory.network import Fate, Request
from vmh_sync_tests.inmemory.world import World
from vmh_sync_tests.unit.kommunikation.killed import pass_that_ends_so

CRM, OFFICE, ENTRY = "CBeteiligte", "Beteiligte", "Kommunikation"
SENT = {"mail": "neu@huber.example", "phone": "+4951112345"}
CORRECTED = {"mail": "neu@hueber.example", "phone": "+4951112346"}
TYPED = {"mail": "ganz.anders@maier.example", "phone": "+498912399"}
KIND = {"mail": 4, "phone": 1}
OLD = {"mail": "alt@huber.example", "phone": "+4951170000"}
RESPELLED = "Neu@Huber.Example"
LATE = 100.0
"""Longer than a lease, shorter than a request can live."""


class Party:
    """A linked party in whose record somebody adds an e-mail or a phone."""

    def __init__(self, sort: str, *, slot: bool = False, rule: ConflictRule = ConflictRule.ESPOCRM_WINS) -> None:
        self.sort = sort
        table = {"kommunikation": {"tlf": {"conflict": rule.value}}}
        self.firm = Firm(World(rules=SyncSettings(_env_file=None), field_changes=table))
        self.betnr = self.firm.office_create(OFFICE, {"name": "Huber"})
        self.espo_id = self.firm.crm_create(CRM, {"lastName": "Huber", "betnr": int(self.betnr)})
        self.firm.settle(PartyPipeline(), [self.espo_id])
        if slot:
            self.has(OLD[sort])
            self.firm.settle(PartyPipeline(), [self.espo_id])
            self.has()
            self.firm.settle(PartyPipeline(), [self.espo_id])
        self.has(SENT[sort])

    def has(self, *values: str, primary: int = 0, phone_type: str = "Office") -> None:
        items: list[dict[str, Any]] = [
            {"emailAddress": one} if self.sort == "mail" else {"phoneNumber": one, "type": phone_type} for one in values
        ]
        for place, item in enumerate(items):
            item.update(primary=place == primary, optOut=False, invalid=False)
        name = "emailAddressData" if self.sort == "mail" else "phoneNumberData"
        self.firm.crm_edit(CRM, self.espo_id, {name: items})

    def dies(self, when: str) -> None:
        """Make one pass that dies when it writes the entry, ``before`` it arrives or ``after`` it took effect."""
        self._ends(("POST", "PUT"), Fate(dies=when))
        assert (self.sides()[1] == [SENT[self.sort]]) == (when == "after")

    def dies_after_a_create(self) -> None:
        """Make one pass that dies when an entry was created."""
        self._ends(("POST",), Fate(dies="after"))

    def dies_while_it_is_on_its_way(self) -> None:
        """Make one pass that dies when it creates the entry, which arrives long afterwards."""
        self._ends(("POST",), Fate(dies="after", carried_out=False, later=LATE))

    def _ends(self, methods: Collection[str], fate: Fate) -> None:
        pass_that_ends_so(self.firm, self.espo_id, lambda one: one.method in methods and ENTRY in one.path, fate)

    def comes_from_the_version_before(self) -> None:
        """Let what a killed pass noted have the id that the version before this one gave it."""

        with self.firm.world.store.transaction() as tx:
            (one,) = tx.intents.open_for("kommunikation", self.espo_id)
            tx.intents.give_up(one)
            tx.intents.start(
                system=one.system,
                entity=one.entity,
                espo_id=one.espo_id,
                natural_key=one.natural_key,
                payload_hash=one.payload_hash,
                betnr=one.betnr,
                claim="as the version before named it",
                sent=True,
            )

    def passes_while_it_arrives(self) -> None:
        """Make a pass before, and one after the request arrives."""
        for _ in range(2):
            self.firm.world.loop.pass_time(LATE * 0.6)
            self.firm.run(PartyPipeline(), [self.espo_id])

    def normal(self, value: str) -> str:
        channel = Channel.EMAIL if self.sort == "mail" else Channel.PHONE
        return channel.normal(value) or ""

    def entry(self) -> str:
        return max(self.firm.office_rows(ENTRY), key=int)

    def sides(self) -> tuple[list[str], list[str]]:
        row = self.firm.crm_row(CRM, self.espo_id)
        assert row is not None
        mails = [one["emailAddress"] for one in row["emailAddressData"] or []]
        phones = [one["phoneNumber"] for one in row["phoneNumberData"] or []]
        entries = self.firm.office_rows(OFFICE)[self.betnr]["kommunikation"]
        return sorted(mails + phones), sorted(one["tlf"] for one in entries if one["tlf"])

    def settled(self) -> tuple[list[str], list[str]]:
        self.firm.settle(PartyPipeline(), [self.espo_id])
        with self.firm.world.store.reading() as tx:
            assert tx.intents.open_for("kommunikation", self.espo_id) == []
        return self.sides()

    def told(self) -> list[str]:
        """The values that a task says were replaced."""
        return [one["lost"] for task in self.firm.tasks() for one in task.details["decided"].values()]


@pytest.fixture(params=["mail", "phone"])
def party(request: pytest.FixtureRequest) -> Iterator[Party]:
    one = Party(request.param)
    yield one
    one.firm.world.close()


@pytest.fixture(params=["mail", "phone"])
def slotted(request: pytest.FixtureRequest) -> Iterator[Party]:
    one = Party(request.param, slot=True)
    yield one
    one.firm.world.close()


def test_what_is_typed_over_the_new_entry_takes_its_place(party: Party) -> None:
    party.dies("after")
    party.firm.office_edit(ENTRY, party.entry(), {"tlf": TYPED[party.sort]})
    assert party.settled() == ([TYPED[party.sort]], [TYPED[party.sort]])
    assert party.told() == [SENT[party.sort]]


def test_a_new_entry_that_is_emptied_does_not_come_back(party: Party) -> None:
    party.dies("after")
    party.firm.office_edit(ENTRY, party.entry(), {"tlf": ""})
    assert party.settled() == ([], [])
    assert party.told() == [SENT[party.sort]]


def test_without_an_edit_the_value_stands_once_and_nothing_is_told(party: Party) -> None:
    party.dies("after")
    assert party.settled() == ([SENT[party.sort]], [SENT[party.sort]])
    assert party.told() == []


def test_what_never_arrived_is_created(party: Party) -> None:
    party.dies("before")
    assert party.settled() == ([SENT[party.sort]], [SENT[party.sort]])
    assert party.told() == []


def test_an_own_entry_of_a_person_beside_it_is_no_edit_of_it(party: Party) -> None:
    party.dies("after")
    party.firm.office_create(ENTRY, {"kommKz": KIND[party.sort], "tlf": TYPED[party.sort]}, int(party.betnr))
    both = sorted([SENT[party.sort], TYPED[party.sort]])
    assert party.settled() == (both, both)
    assert party.told() == []


def test_what_a_person_adds_while_nobody_knows_replaces_it_only_with_a_task(party: Party) -> None:
    party.dies("before")
    party.firm.office_create(ENTRY, {"kommKz": KIND[party.sort], "tlf": TYPED[party.sort]}, int(party.betnr))
    espocrm, advoware = party.settled()
    assert espocrm == advoware
    assert set(advoware) | set(party.told()) == {SENT[party.sort], TYPED[party.sort]}


@pytest.mark.parametrize(("sort", "slot"), [("mail", False), ("phone", True)], ids=["new", "refilled"])
def test_what_was_corrected_in_espocrm_meanwhile_stands_beside_what_a_person_adds(sort: str, *, slot: bool) -> None:
    """Nothing waits for the request that never arrived: what it would have sent stands nowhere any more."""
    party = Party(sort, slot=slot)
    party.dies("before")
    party.has(CORRECTED[sort])
    if slot:
        party.firm.office_edit(ENTRY, party.entry(), {"tlf": TYPED[sort]})
    else:
        party.firm.office_create(ENTRY, {"kommKz": KIND[sort], "tlf": TYPED[sort]}, int(party.betnr))
    party.firm.settle(PartyPipeline(), [party.espo_id])
    both = sorted([CORRECTED[sort], TYPED[sort]])
    assert party.sides() == (both, both)
    assert party.told() == []
    party.firm.world.loop.pass_time(3600)
    party.settled()
    party.firm.world.close()


def test_an_entry_of_another_kind_is_no_edit_of_it(party: Party) -> None:
    party.dies("before")
    other = "mobil@huber.example" if party.sort == "mail" else "+491711234567"
    party.firm.office_create(ENTRY, {"kommKz": 8 if party.sort == "mail" else 3, "tlf": other}, int(party.betnr))
    both = sorted([SENT[party.sort], other])
    assert party.settled() == (both, both)
    assert party.told() == []


def test_what_is_typed_over_a_refilled_entry_takes_its_place(slotted: Party) -> None:
    slotted.dies("after")
    slotted.firm.office_edit(ENTRY, slotted.entry(), {"tlf": TYPED[slotted.sort]})
    assert slotted.settled() == ([TYPED[slotted.sort]], [TYPED[slotted.sort]])
    assert slotted.told() == [SENT[slotted.sort]]


def test_a_refilled_entry_that_is_emptied_again_does_not_come_back(slotted: Party) -> None:
    slotted.dies("after")
    slotted.firm.office_edit(ENTRY, slotted.entry(), {"tlf": ""})
    assert slotted.settled() == ([], [])
    assert slotted.told() == [SENT[slotted.sort]]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_refill_that_nobody_touched_stands_once(slotted: Party, when: str) -> None:
    slotted.dies(when)
    assert slotted.settled() == ([SENT[slotted.sort]], [SENT[slotted.sort]])
    assert slotted.told() == []
    assert len(slotted.firm.office_rows(ENTRY)) == 1


def test_of_two_that_nobody_knows_of_the_one_much_alike_was_typed_over(party: Party) -> None:
    """The first never arrived, the second did."""
    party.dies("before")
    party.firm.world.loop.pass_time(60)
    party.has(SENT[party.sort], TYPED[party.sort])
    party.dies_after_a_create()
    much_alike = {"mail": "ganz.anders@mayer.example", "phone": "+498912398"}[party.sort]
    party.firm.office_edit(ENTRY, party.entry(), {"tlf": much_alike})
    both = sorted([SENT[party.sort], much_alike])
    assert party.settled() == (both, both)
    assert party.told() == [TYPED[party.sort]]


# While a create is on its way that arrives long after its pass was killed


ON_ITS_WAY = [
    ("mail", "respelled"),
    ("phone", "other type"),
    ("mail", "not primary"),
    ("phone", "not primary"),
    ("mail", "another one goes"),
    ("phone", "another one goes"),
    ("phone", "its type is that of a slot"),
]


@pytest.mark.parametrize(("sort", "meanwhile"), ON_ITS_WAY)
def test_a_value_on_its_way_is_not_sent_a_second_time_in_another_way(sort: str, meanwhile: str) -> None:
    party = Party(sort, slot=meanwhile == "its type is that of a slot")
    others = [OLD[sort]] if meanwhile in ("another one goes", "not primary") else []
    if others:
        party.has(*others)
        party.firm.settle(PartyPipeline(), [party.espo_id])
        party.has(*others, SENT[sort], primary=1)
    if meanwhile == "its type is that of a slot":
        party.has(SENT[sort], phone_type="Home")
    party.dies_while_it_is_on_its_way()
    if meanwhile == "respelled":
        party.has(RESPELLED)
    elif meanwhile == "other type":
        party.has(SENT[sort], phone_type="Other")
    elif meanwhile == "not primary":
        party.has(*others, SENT[sort], primary=0)
    else:
        party.has(SENT[sort])
    party.passes_while_it_arrives()
    expected = sorted([*(others if meanwhile == "not primary" else []), SENT[sort]])
    espocrm, advoware = party.settled()
    assert (sorted(map(party.normal, espocrm)), sorted(map(party.normal, advoware))) == (expected, expected)
    assert party.told() == []
    party.firm.world.close()


def test_what_the_version_before_sent_is_not_sent_a_second_time(party: Party) -> None:
    party.dies_while_it_is_on_its_way()
    party.comes_from_the_version_before()
    party.passes_while_it_arrives()
    assert party.settled() == ([SENT[party.sort]], [SENT[party.sort]])
    assert party.told() == []


def test_a_slot_that_a_request_may_still_fill_gets_no_other_value(slotted: Party) -> None:
    slotted.dies("before")
    both = sorted([SENT[slotted.sort], TYPED[slotted.sort]])
    slotted.has(TYPED[slotted.sort], SENT[slotted.sort])
    slotted.firm.world.loop.pass_time(LATE)
    slotted.firm.run(PartyPipeline(), [slotted.espo_id])
    # It arrives, whatever stands there by now.
    slotted.firm.office_edit(ENTRY, min(slotted.firm.office_rows(ENTRY), key=int), {"tlf": SENT[slotted.sort]})
    assert slotted.settled() == (both, both)
    assert slotted.told() == []


@pytest.mark.parametrize(("side", "reads"), [("espocrm", 0), ("advoware", 1), ("advoware", 2)])
def test_a_value_that_somebody_types_into_an_entry_of_another_kind_meanwhile_is_not_created(
    party: Party, side: str, reads: int
) -> None:
    """Before a read of the record: one of which the plan is made, or the look directly before the request."""
    wire, usual = party.firm.world.wire, party.firm.world.wire.fate
    record = {"espocrm": party.espo_id, "advoware": f"{OFFICE}/{party.betnr}"}[side]
    values = {"kommKz": 8 if party.sort == "mail" else 3, "tlf": SENT[party.sort]}
    seen: list[Request] = []

    def typed_before_it(request: Request) -> Fate:
        if request.method == "GET" and request.path.endswith(record):
            if len(seen) == reads:
                party.firm.office_create(ENTRY, values, int(party.betnr))
            seen.append(request)
        return usual(request)

    wire.fate = typed_before_it
    party.firm.run(PartyPipeline(), [party.espo_id])
    wire.fate = usual
    assert len(seen) > reads
    assert party.settled() == ([SENT[party.sort]], [SENT[party.sort]])
