"""What is particular about one firm's Advoware is seen on its API (specification, advoware-wire.md 3 and 5)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
import pytest

from vmh_sync.clock import ManualClock
from vmh_sync.sandbox.control import ControlledApp
from vmh_sync.sandbox.installation import Installation, OfficeInstallation
from vmh_sync.sandbox.office import OfficeConfig, create_office
from vmh_sync.sandbox.office.config import switches_of
from vmh_sync_tests.unit.sandbox_office.conftest import OfficeClient


@asynccontextmanager
async def office_of(**firm: object) -> AsyncIterator[OfficeClient]:
    clock = ManualClock(datetime(2026, 3, 1, 9, 15, tzinfo=UTC))
    made = OfficeInstallation(**firm)  # type: ignore[arg-type]
    config = OfficeConfig(clock=clock, seed=7, firm=made, switches=switches_of(made))
    app, hooks = create_office(config)
    transport = httpx.ASGITransport(ControlledApp(app, name="office", hooks=hooks))
    async with httpx.AsyncClient(transport=transport, base_url="http://office.example") as http:
        client = OfficeClient(http, config, clock)
        await client.login()
        yield client


FULL = {"name": "Huber", "titel": "Dr.", "zusatz": "Hinterhaus", "geburtsdatum": "1980-05-17T00:00:00"}


async def test_a_put_ignores_silently_what_this_firm_does_not_take() -> None:
    async with office_of(put_ignores=("titel",)) as office:
        await office.call("POST", "Beteiligte", json=FULL)
        await office.call("PUT", "Beteiligte/1001", json={**FULL, "titel": "Prof.", "zusatz": "links"})
        after = (await office.call("GET", "Beteiligte/1001")).json()
        assert (after["titel"], after["zusatz"]) == ("Dr.", "links")


@pytest.mark.parametrize(("keeps", "zusatz"), [(True, "Hinterhaus"), (False, "")])
async def test_what_a_put_leaves_out_is_kept_or_emptied(keeps: bool, zusatz: str) -> None:
    async with office_of(put_keeps=keeps) as office:
        await office.call("POST", "Beteiligte", json=FULL)
        await office.call("PUT", "Beteiligte/1001", json={"name": "Huber"})
        assert (await office.call("GET", "Beteiligte/1001")).json()["zusatz"] == zusatz


async def test_a_post_ignores_what_this_firm_does_not_take() -> None:
    async with office_of(post_ignores=("zusatz",)) as office:
        await office.call("POST", "Beteiligte", json=FULL)
        assert (await office.call("GET", "Beteiligte/1001")).json()["zusatz"] == ""


async def test_a_search_looks_only_where_this_firm_looks() -> None:
    async with office_of(searched=("name",)) as office:
        await office.call("POST", "Beteiligte", json={**FULL, "bemerkung": "Kennwort"})
        assert (await office.call("GET", "Beteiligte?search=Kennwort")).json() == []
        assert len((await office.call("GET", "Beteiligte?search=hub")).json()) == 1


async def test_numbers_row_ids_days_and_empty_texts_have_their_own_form() -> None:
    firm = {"first_betnr": 3_000_000_000, "row_ids": "hex", "dates": "date", "empty_as_null": True}
    async with office_of(**firm) as office:
        made = (await office.call("POST", "Beteiligte", json=FULL)).json()
        assert made["betNr"] == 3_000_000_000
        assert len(bytes.fromhex(made["rowId"])) == 16
        assert (made["geburtsdatum"], made["vorname"]) == ("1980-05-17", None)


@pytest.mark.parametrize("seed", range(20))
def test_children_can_be_read_one_way_or_the_other_at_every_firm(seed: int) -> None:
    office = Installation.draw(seed).office
    assert office.embedded or office.separate_lists
    assert "name" not in office.put_ignores + office.post_ignores
    assert (OfficeConfig(firm=office).firm, switches_of(office).write_answer) == (office, office.write_answer)
