"""Creates happen once, nothing is emptied because of a bad read, and an unchanged party costs one read."""

import asyncio
import hashlib
import json
import time
from typing import Any

import pytest

from vmh_sync.kommunikation.entry_write import EntryWriter
from vmh_sync.sync.reporting.outcome import Result
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.kommunikation import sides
from vmh_sync_tests.pipeline.kommunikation.sides import NOTHING, mail, phone

FOUR = [mail("a@huber.example", primary=True), mail("b@huber.example")]
PHONES = [phone("+49511123456", primary=True), phone("+491711234567", "Mobile")]


def reads(firm: Firm) -> tuple[int, int, int]:
    """Single reads of parties in Advoware and EspoCRM, and writes to both, since the last count."""
    office, crm = firm.office.calls(), firm.crm.calls()
    party = office["by_route"].get("GET Beteiligte/{}", 0)
    return party, crm["by_route"].get("GET CBeteiligte/{}", 0), office["writes"] + crm["writes"]


def counted_pass(firm: Firm, espo_id: str) -> tuple[int, int, int]:
    firm.office.clear_calls()
    firm.crm.clear_calls()
    (outcome,) = firm.outcomes(espo_id)
    assert outcome.result is Result.UNCHANGED
    return reads(firm)


def old_party(firm: Firm, *, mails: list[sides.Json], entries: list[sides.Json]) -> tuple[str, int]:
    """A party that agreed on both sides long ago, linked by a pass that had nothing to write."""
    betnr = firm.office_party(name="Muster")
    for values in entries:
        firm.office.edit("Kommunikation", "create", betNr=betnr, values=values)
    record = {"lastName": "Muster", "betnr": betnr, "syncStatus": "clean", "modifiedAt": "2026-01-01 08:00:00"}
    record |= {"advowareLastSync": "2026-01-01 08:00:00", "emailAddressData": mails}
    (espo_id,) = firm.crm.seed(records={"CBeteiligte": [record]})["ids"]["CBeteiligte"]
    assert sides.writes(firm, espo_id) == NOTHING
    return espo_id, betnr


def agreed(*addresses: str) -> dict[str, Any]:
    return {
        "mails": [mail(one, primary=place == 0) for place, one in enumerate(addresses)],
        "entries": [{"tlf": one, "kommKz": 4, "online": place == 0} for place, one in enumerate(addresses)],
    }


def open_intents(firm: Firm, espo_id: str) -> int:
    with firm.store.reading() as tx:
        return len(tx.intents.open_for("kommunikation", espo_id))


@pytest.mark.parametrize("addresses", [(), ("a@huber.example",), ("a@huber.example", "b@huber.example")])
def test_an_unchanged_party_costs_one_read_of_advoware_and_none_of_espocrm(
    firm: Firm, addresses: tuple[str, ...]
) -> None:
    espo_id, _ = old_party(firm, **agreed(*addresses))
    assert counted_pass(firm, espo_id) == (1, 0, 0)
    assert counted_pass(firm, espo_id) == (1, 0, 0)


def test_after_our_own_write_the_record_is_read_until_its_stamp_is_safe(firm: Firm) -> None:
    espo_id, _ = sides.party(firm, mails=FOUR, phones=PHONES)
    assert counted_pass(firm, espo_id) == (1, 1, 0), "what a person did in the same second must be seen"
    until_unread(firm, espo_id)


def until_unread(firm: Firm, espo_id: str) -> None:
    """Passes until the stamp of our own write is old enough to be trusted: then EspoCRM is not read any more."""
    deadline = time.monotonic() + 10
    while (counts := counted_pass(firm, espo_id)) != (1, 0, 0):
        assert counts == (1, 1, 0)
        assert time.monotonic() < deadline


def test_quarantined_and_surplus_entries_do_not_cost_a_read_each_time(firm: Firm) -> None:
    given = agreed(*(f"m{place}@huber.example" for place in range(10)))
    espo_id, betnr = old_party(firm, mails=given["mails"], entries=given["entries"])
    sides.office_add(firm, betnr, "jürgen@müller.example", 4)
    sides.office_add(firm, betnr, "elfter@huber.example", 4)
    (outcome,) = firm.outcomes(espo_id)
    (task,) = firm.tasks()
    assert all(value in task["description"] for value in ("jürgen@müller.example", "elfter@huber.example"))
    assert outcome.advoware_writes == 0
    firm.until_quiet()
    until_unread(firm, espo_id)


@pytest.mark.parametrize("side", ["espocrm", "advoware", "silent"])
def test_an_edit_after_quiet_passes_is_seen(firm: Firm, side: str) -> None:
    espo_id, betnr = old_party(firm, **agreed("a@huber.example", "b@huber.example"))
    assert counted_pass(firm, espo_id) == (1, 0, 0)
    if side == "espocrm":
        firm.crm_edit(espo_id, emailAddressData=[mail("a@huber.example", primary=True), mail("neu@huber.example")])
    elif side == "advoware":
        sides.office_change(firm, sides.entry(firm, betnr, "b@huber.example")["id"], tlf="neu@huber.example")
    else:  # a script on the server moves no stamp: only the primary value in the list shows it
        lists = [mail("neu@huber.example", primary=True), mail("b@huber.example")]
        firm.crm.edit("CBeteiligte", "silent", id=espo_id, values={"emailAddressData": lists})
    firm.sync(espo_id)
    assert "neu@huber.example" in sides.addresses(firm, espo_id)
    assert sides.addresses(firm, espo_id) == sides.values(firm, betnr)


def test_a_create_whose_answer_is_lost_makes_no_duplicate(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party()
    firm.office.fault("Kommunikationen", "drop_after", method="POST", times=1)
    firm.crm_edit(espo_id, emailAddressData=FOUR)
    assert firm.sync(espo_id).results[Result.SYNCED] == 1
    assert sides.values(firm, betnr) == ["a@huber.example", "b@huber.example"]
    assert open_intents(firm, espo_id) == 0
    assert sides.writes(firm, espo_id) == NOTHING


def test_a_create_that_never_arrived_is_made_by_the_next_pass(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party()
    firm.office.fault("Kommunikationen", "status", method="POST", status=504, times=1)
    firm.crm_edit(espo_id, phoneNumberData=PHONES)
    (outcome,) = firm.outcomes(espo_id)
    assert (outcome.result, outcome.part, outcome.retryable) == (Result.FAILED, "Kommunikation", True)
    assert (outcome.error or "").startswith("Kommunikation: ")
    assert firm.crm_record(espo_id)["syncStatus"] == "failed"
    assert open_intents(firm, espo_id) == 1
    firm.sync(espo_id)
    assert sides.values(firm, betnr) == ["+491711234567", "+49511123456"]
    assert firm.crm_record(espo_id)["syncStatus"] == "clean"
    assert open_intents(firm, espo_id) == 0


@pytest.mark.parametrize("told", [True, False])
def test_a_crash_between_create_and_pair_makes_no_duplicate(
    firm: Firm, monkeypatch: pytest.MonkeyPatch, told: bool
) -> None:
    firm.office.do("switches", komm_kz_told=told)
    espo_id, betnr = firm.linked_party()
    firm.crm_edit(espo_id, phoneNumberData=[phone("+49511123456", "Fax", primary=True)])

    def crash(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(EntryWriter, "_store", crash)
        with pytest.raises((KeyboardInterrupt, asyncio.CancelledError, BaseExceptionGroup)):
            firm.sync(espo_id)
    assert sides.values(firm, betnr) == ["+49511123456"]
    assert open_intents(firm, espo_id) == 1
    firm.until_quiet()
    assert sides.values(firm, betnr) == ["+49511123456"]
    assert open_intents(firm, espo_id) == 0
    with firm.store.reading() as tx:
        (link,) = tx.links.entries_of("kommunikation", [espo_id])[espo_id]
    assert link.base["kind"] == 2, "the kind that was sent is known although Advoware may not tell it"


def test_an_entry_edited_while_we_write_is_planned_again(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    espo_id, betnr = sides.party(firm, mails=FOUR)
    number = sides.entry(firm, betnr, "b@huber.example")["id"]
    firm.crm_edit(espo_id, emailAddressData=[mail("a@huber.example", primary=True)])
    run = EntryWriter.run
    edited: list[object] = []

    async def meanwhile(writer: EntryWriter) -> None:
        if not edited:
            edited.append(True)
            await asyncio.to_thread(sides.office_change, firm, number, tlf="person@huber.example")
        await run(writer)

    monkeypatch.setattr(EntryWriter, "run", meanwhile)
    firm.until_quiet()
    assert sides.values(firm, betnr) == ["a@huber.example", "person@huber.example"]
    assert sides.addresses(firm, espo_id) == ["a@huber.example", "person@huber.example"]


def test_an_item_added_in_espocrm_while_we_write_is_not_overwritten(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    firm.crm.do("set_switch", optimistic={"CBeteiligte": False})
    espo_id, betnr = sides.party(firm, mails=FOUR)
    sides.office_add(firm, betnr, "advoware@huber.example", 4)
    run = EntryWriter.run
    edited: list[object] = []

    async def meanwhile(writer: EntryWriter) -> None:
        await run(writer)
        if not edited:
            edited.append(True)
            await asyncio.to_thread(firm.crm_edit, espo_id, emailAddressData=[*FOUR, mail("person@huber.example")])

    monkeypatch.setattr(EntryWriter, "run", meanwhile)
    firm.until_quiet()
    wanted = ["a@huber.example", "advoware@huber.example", "b@huber.example", "person@huber.example"]
    assert sides.addresses(firm, espo_id) == wanted
    assert sides.values(firm, betnr) == wanted


def test_a_side_that_suddenly_reads_as_empty_stops_the_part(firm: Firm) -> None:
    espo_id, betnr = sides.party(firm, mails=FOUR, phones=PHONES)
    wanted = sides.values(firm, betnr)
    party = {**firm.office_record(betnr), "kommunikation": []}
    firm.office.fault(f"Beteiligte/{betnr}$", "empty", method="GET", body=_json(party))
    (outcome,) = firm.outcomes(espo_id)
    assert (outcome.result, outcome.error_class, outcome.part) == (Result.FAILED, "SuspiciousEmpty", "Kommunikation")
    assert "nichts gelöscht" in str(firm.crm_record(espo_id)["syncErrorMessage"]).replace("\n", " ")
    firm.office.clear_faults()
    firm.until_quiet()
    assert sides.values(firm, betnr) == wanted
    assert len(sides.mails(firm, espo_id)) + len(sides.phones(firm, espo_id)) == 4


def test_emptying_is_believed_when_a_later_run_reads_the_same(firm: Firm) -> None:
    espo_id, betnr = sides.party(firm, mails=FOUR, phones=PHONES)
    firm.crm_edit(espo_id, emailAddressData=[])
    assert firm.outcomes(espo_id)[0].error_class == "SuspiciousEmpty"
    assert len(sides.values(firm, betnr)) == 4
    firm.until_quiet()
    assert sides.values(firm, betnr) == ["+491711234567", "+49511123456"]
    assert sides.addresses(firm, espo_id) == []


def test_an_answer_without_the_list_is_no_empty_list(firm: Firm) -> None:
    espo_id, betnr = sides.party(firm, mails=[mail("a@huber.example", primary=True)])
    party = {name: value for name, value in firm.office_record(betnr).items() if name != "kommunikation"}
    firm.office.fault(f"Beteiligte/{betnr}$", "empty", method="GET", body=_json(party))
    assert firm.outcomes(espo_id)[0].error_class == "EntryListMissing"
    firm.office.clear_faults()
    firm.until_quiet()
    assert sides.addresses(firm, espo_id) == ["a@huber.example"]


def test_the_compatibility_hash_is_filled_along_with_other_writes(firm: Firm) -> None:
    espo_id, betnr = sides.party(firm, mails=FOUR)
    assert firm.crm_record(espo_id)["kommunikationHash"] == _old_hash(firm, betnr)
    sides.office_add(firm, betnr, "c@huber.example", 4)
    firm.sync(espo_id)
    assert firm.crm_record(espo_id)["kommunikationHash"] == _old_hash(firm, betnr)


def _old_hash(firm: Firm, betnr: int) -> str:
    """What the system before this one would have written: it must find its own mark when a firm goes back to it."""
    row_ids = sorted(entry["rowId"] for entry in firm.office_record(betnr)["kommunikation"])
    return hashlib.md5("".join(row_ids).encode(), usedforsecurity=False).hexdigest()[:16]


def _json(value: Any) -> str:
    return json.dumps(value)
