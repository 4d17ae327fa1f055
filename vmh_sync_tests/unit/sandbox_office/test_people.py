"""People who edit: every reported edit is what the systems hold, and the same seed does the same."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import phonenumbers
import pytest

from vmh_sync.sandbox.people.edits import KINDS, EditRecord
from vmh_sync.sandbox.people.parties import People
from vmh_sync.sandbox.systems import seed_population
from vmh_sync_tests.fixtures.sandbox import Sandbox

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
LISTS = {"Kommunikation": "kommunikation", "Adressen": "adressen", "Bankverbindungen": "bankverbindungen"}


async def firm(sandbox: Any, parties: int = 40) -> dict[str, str]:
    """Put the made-up firm into the empty sandbox; returns the control addresses."""
    await seed_population(sandbox.urls, seed=2, parties=parties, now=NOW)
    return sandbox.urls


async def states(urls: dict[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    async with httpx.AsyncClient(trust_env=False) as http:
        office = (await http.get(f"{urls['advoware']}/_sandbox/state")).json()
        crm = (await http.get(f"{urls['espocrm']}/_sandbox/state")).json()
    return office, crm["records"]


def holds(edit: EditRecord, office: dict[str, Any], crm: dict[str, Any]) -> bool:
    """Tell whether the systems hold what the edit says."""
    if edit["side"] == "office":
        party = next(row for row in office["beteiligte"] if row["betNr"] == edit["betnr"])
        own_list = LISTS.get(edit["entity"])
        found = [row for row in party[own_list] if row["id"] == edit["id"]] if own_list else [party]
        if edit["kind"] == "mail_gone":
            return not found
    else:
        found = [row for row in crm[edit["entity"]] if row["id"] == edit["id"]]
    (row,) = found
    if edit["field"] == "*":
        return all(row[name] == value for name, value in edit["new"].items() if not name.endswith("Data"))
    if edit["field"].endswith("Data"):
        values = {item.get("emailAddress") or item.get("phoneNumber") for item in row[edit["field"]]}
        return (edit["new"] is None or edit["new"] in values) and edit["old"] not in values
    return row[edit["field"]] == edit["new"] != edit["old"]


async def test_every_edit_is_in_the_systems(sandbox: Sandbox) -> None:
    urls = await firm(sandbox)
    async with People(urls, seed=4) as people:
        edits = await people.edit_some(30, overlap=False)
        office, crm = await states(urls)
        assert len(edits) == 30
        assert {edit["side"] for edit in edits} == {"office", "crm"}
        assert len({edit["kind"] for edit in edits}) >= 7
        assert [edit for edit in edits if not holds(edit, office, crm)] == []
        parties = [edit["betnr"] or edit["party"] for edit in edits]
        assert len(parties) == len(set(parties))


@pytest.mark.parametrize("side", ["office", "crm"])
@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_on_each_side(sandbox: Sandbox, side: Any, kind: Any) -> None:
    urls = await firm(sandbox, parties=12)
    async with People(urls, seed=1) as people:
        edits = await people.edit_some(2, sides=[side], kinds=[kind], overlap=False)
        if (side, kind) == ("office", "party_new"):
            assert edits == []
            return
        assert [(edit["side"], edit["kind"]) for edit in edits] == [(side, kind)] * 2
        office, crm = await states(urls)
        assert [edit for edit in edits if not holds(edit, office, crm)] == []


async def test_people_in_the_crm_mark_the_record_dirty(sandbox: Sandbox) -> None:
    urls = await firm(sandbox)
    async with People(urls, seed=5) as people:
        (edit,) = await people.edit_some(1, sides=["crm"], kinds=["field"], parties=[1001])
        _, crm = await states(urls)
        row = next(row for row in crm["CBeteiligte"] if row["betnr"] == 1001)
        assert (edit["betnr"], row["syncStatus"], row["modifiedByName"]) == (1001, "dirty", "Sekretariat")


async def test_the_same_seed_makes_the_same_edits(sandbox: Sandbox) -> None:
    runs = []
    for _ in range(2):
        sandbox.reset()
        urls = await firm(sandbox)
        async with People(urls, seed=6) as people:
            edits = [*await people.edit_some(15), *await people.edit_some(5, fresh=True)]
            runs.append([{**edit, "id": None, "party": None} for edit in edits if edit["kind"] != "party_new"])
    assert json.dumps(runs[0]) == json.dumps(runs[1])


async def test_new_phone_numbers_are_valid_and_nobody_elses(sandbox: Sandbox) -> None:
    urls = await firm(sandbox)
    async with People(urls, seed=7) as people:
        before, _ = await states(urls)
        known = {entry["tlf"] for row in before["beteiligte"] for entry in row["kommunikation"]}
        edits = await people.edit_some(40, kinds=["phone_new", "phone_change"])
        numbers = [edit["new"] for edit in edits]
        assert len(set(numbers)) == 40
        assert not known & set(numbers)
        assert all(phonenumbers.is_valid_number(phonenumbers.parse(number, "DE")) for number in numbers)
