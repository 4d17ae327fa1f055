"""What Advoware shows after our write: its own form of our value is nobody's edit, anything else is somebody's (B5)."""

from collections.abc import Callable
from typing import Any

import pytest

from vmh_sync.systems.advoware.client import AdvowareClient
from vmh_sync.systems.advoware.records import Beteiligter
from vmh_sync_tests.fixtures.firm import Firm


def test_an_edit_between_our_write_and_its_read_back_reaches_the_other_side(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    espo_id, betnr = firm.linked_party(lastName="Alt", titel="Dr.")
    firm.crm_edit(espo_id, titel="Prof.")
    take, edits = AdvowareClient.replace_beteiligter, iter(["Notarin"])

    async def then_a_person(self: AdvowareClient, current: Beteiligter, changes: Any) -> Beteiligter | None:
        answer = await take(self, current, changes)
        for titel in edits:
            firm.office_edit(betnr, titel=titel)
            return await self.read_beteiligter(betnr)
        return answer

    monkeypatch.setattr(AdvowareClient, "replace_beteiligter", then_a_person)
    firm.sync(espo_id)
    firm.until_quiet()
    assert firm.office_record(betnr)["titel"] == "Notarin"
    assert firm.crm_record(espo_id)["titel"] == "Notarin"
    assert firm.tasks() == []
    assert firm.crm_record(espo_id)["syncStatus"] == "clean"


@pytest.mark.parametrize("form", [lambda text: text[:6], str.upper, lambda text: text.replace("ö", "oe")])
def test_what_advoware_makes_of_a_value_does_not_come_back_as_an_edit(
    firm: Firm, monkeypatch: pytest.MonkeyPatch, form: Callable[[str], str]
) -> None:
    espo_id, betnr = firm.linked_party(lastName="Alt", titel="Dr.")
    firm.crm_edit(espo_id, titel="Böttchermeister")
    take = AdvowareClient.replace_beteiligter

    async def changing(self: AdvowareClient, current: Beteiligter, changes: Any) -> Beteiligter | None:
        return await take(self, current, {k: form(v) if k == "titel" else v for k, v in changes.items()})

    monkeypatch.setattr(AdvowareClient, "replace_beteiligter", changing)
    firm.sync(espo_id)
    firm.until_quiet()
    assert firm.crm_record(espo_id)["titel"] == "Böttchermeister"
    assert firm.office_record(betnr)["titel"] == form("Böttchermeister")
    only_respelled = form is str.upper
    assert len(firm.tasks()) == (0 if only_respelled else 1)
    assert firm.crm_record(espo_id)["syncStatus"] == ("clean" if only_respelled else "conflict")


def test_a_write_that_a_relay_swallowed_with_an_unreadable_200_is_made_again_and_blames_no_field(firm: Firm) -> None:
    espo_id, betnr = firm.linked_party(lastName="Alt", titel="Dr.")
    firm.crm_edit(espo_id, titel="Prof.")
    firm.office.fault(f"Beteiligte/{betnr}$", "malformed", method="PUT", times=1)
    firm.sync(espo_id)
    firm.office.clear_faults()
    firm.until_quiet(espo_id)
    assert firm.office_record(betnr)["titel"] == firm.crm_record(espo_id)["titel"] == "Prof."
    assert firm.tasks() == []
