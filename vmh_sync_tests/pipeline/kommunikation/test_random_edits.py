"""Seeded people edit both sides; passes until quiet: both say the same, nothing doubled, no edit lost."""

import asyncio
from collections import Counter

import pytest

from vmh_sync.kommunikation.kinds import channel_of
from vmh_sync.kommunikation.model import Channel
from vmh_sync.sandbox.people.edits import EditRecord, Kind
from vmh_sync.sandbox.people.parties import People
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.kommunikation import sides
from vmh_sync_tests.pipeline.kommunikation.sides import mail, phone

KINDS: tuple[Kind, ...] = ("phone_change", "phone_new", "mail_change", "mail_new", "mail_gone", "field")


def office_values(firm: Firm, betnr: int) -> Counter[tuple[Channel, str]]:
    found: Counter[tuple[Channel, str]] = Counter()
    for entry in sides.entries(firm, betnr).values():
        channel = channel_of(entry["kommKz"])
        value = channel.normal(entry["tlf"]) if channel else None
        if channel and value:
            found[channel, value] += 1
    return found


def crm_values(firm: Firm, espo_id: str) -> Counter[tuple[Channel, str]]:
    found = Counter((Channel.EMAIL, one["emailAddress"].lower()) for one in sides.mails(firm, espo_id))
    return found + Counter((Channel.PHONE, one["phoneNumber"]) for one in sides.phones(firm, espo_id))


def edits_of(firm: Firm, seed: int, count: int) -> list[EditRecord]:
    async def edit() -> list[EditRecord]:
        async with People(firm.sandbox.urls, seed=seed) as people:
            return await people.edit_some(count, kinds=KINDS)

    return asyncio.run(edit())


def remembered(firm: Firm, espo_id: str) -> set[str]:
    """All values that the audit log or a task still names, in normal form."""
    told: set[str] = set()
    with firm.store.reading() as tx:
        for row in tx.audit.for_record(espo_id):
            for value in (row.old, row.new, row.losing_value):
                for channel in Channel:
                    told.add(channel.normal(value) or "")
    return told


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_both_sides_agree_after_random_edits(firm: Firm, seed: int) -> None:
    if seed == 2:
        firm.office.do("switches", komm_kz_told=False, write_answer="none")
    parties = [
        sides.party(
            firm,
            mails=[mail(f"a{place}@huber.example", primary=True), mail(f"b{place}@huber.example")],
            phones=[phone(f"+4951112300{place}", primary=True), phone(f"+49171123450{place}", "Mobile")],
        )
        for place in range(5)
    ]
    for round_number in range(3):
        edits = edits_of(firm, seed * 100 + round_number, 25)
        assert {edit["side"] for edit in edits} == {"office", "crm"}
        firm.until_quiet(limit=8)
        for espo_id, betnr in parties:
            there, here = office_values(firm, betnr), crm_values(firm, espo_id)
            assert there == here
            assert set(here.values()) <= {1}
            _no_edit_lost(firm, espo_id, betnr, edits)
    assert not any(firm.sync().writes.values())


def _no_edit_lost(firm: Firm, espo_id: str, betnr: int, edits: list[EditRecord]) -> None:
    standing = {value for _, value in crm_values(firm, espo_id)}
    replaced = {(edit["side"], edit["old"]) for edit in edits if edit["betnr"] == betnr}
    known = remembered(firm, espo_id)
    for edit in edits:
        if edit["betnr"] != betnr or edit["kind"] == "field" or edit["new"] is None:
            continue
        channel = Channel.EMAIL if edit["kind"].startswith("mail") else Channel.PHONE
        value = channel.normal(edit["new"])
        assert value in standing or (edit["side"], edit["new"]) in replaced or value in known
