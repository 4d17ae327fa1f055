"""An address edited in Advoware between our write and its read-back."""

from typing import Any

import pytest

from vmh_sync.systems.advoware.client import AdvowareClient
from vmh_sync_tests.fixtures.firm import Firm
from vmh_sync_tests.pipeline.adressen.test_addresses import edit, here, linked, office_edit, there


def test_an_edit_of_the_field_that_we_just_wrote_reaches_the_other_side(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, betnr, record, key = linked(firm)
    take, towns = AdvowareClient.update_adresse, iter(["Celle"])

    async def then_a_person(self: AdvowareClient, *what: Any) -> Any:
        answer = await take(self, *what)
        for town in towns:
            office_edit(firm, key, ort=town)
            return None
        return answer

    monkeypatch.setattr(AdvowareClient, "update_adresse", then_a_person)
    edit(firm, record, adresseCity="Bremen")
    firm.sync()
    firm.until_quiet()
    assert there(firm, betnr)[0]["ort"] == here(firm, record)["adresseCity"] == "Celle"


def test_a_write_that_a_relay_swallowed_with_an_unreadable_200_is_made_again_and_blames_no_field(firm: Firm) -> None:
    _, betnr, record, key = linked(firm)
    edit(firm, record, adresseCity="Bremen")
    firm.office.fault(f"Adressen/{key}$", "malformed", method="PUT", times=1)
    firm.sync()
    firm.office.clear_faults()
    firm.until_quiet()
    assert there(firm, betnr)[0]["ort"] == here(firm, record)["adresseCity"] == "Bremen"
    assert firm.tasks() == []
