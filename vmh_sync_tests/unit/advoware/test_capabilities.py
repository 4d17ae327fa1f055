"""What is found out about an installation, and that the unknown stays unknown (advoware-wire.md 5)."""

import pytest

from vmh_sync.systems.advoware.capabilities import Capabilities, probe
from vmh_sync.systems.advoware.client import AdvowareClient
from vmh_sync.systems.advoware.errors import ConnectorOffline
from vmh_sync_tests.unit.advoware.conftest import Office


async def test_everything_offered(client: AdvowareClient, office: Office) -> None:
    office.on("GET", "Beteiligte/7/Adressen").respond(json=[])
    office.on("GET", "Beteiligte/7/Bankverbindungen").respond(json=[])
    office.on("GET", "Beteiligte/7").respond(
        json={"betNr": 7, "adressen": [], "bankverbindungen": [], "kommunikation": [{"id": 1, "kommKz": 4}]}
    )
    office.on("GET", "Beteiligte").respond(json=[])
    assert await probe(client, betnr=7) == Capabilities(True, True, True, True)


async def test_nothing_offered(client: AdvowareClient, office: Office) -> None:
    office.on("GET", "Beteiligte/7/").respond(404)
    office.on("GET", "Beteiligte/7").respond(json={"betNr": 7, "kommunikation": [{"id": 1, "kommKz": 0}]})
    office.on("GET", "Beteiligte").respond(405)
    assert await probe(client, betnr=7) == Capabilities(False, False, False, False)


async def test_without_a_party_the_rest_is_unknown(client: AdvowareClient, office: Office) -> None:
    office.on("GET", "Beteiligte").respond(json=[])
    assert await probe(client) == Capabilities(True, None, None, None)


async def test_a_search_that_ignores_its_text_is_no_search(client: AdvowareClient, office: Office) -> None:
    office.on("GET", "Beteiligte").respond(json=[{"betNr": 1}, {"betNr": 2}])
    assert (await probe(client)).search is False


async def test_faults_are_not_taken_for_missing_capabilities(client: AdvowareClient, office: Office) -> None:
    office.on("GET", "Beteiligte").respond(400, text="Der Server ist nicht angemeldet")
    with pytest.raises(ConnectorOffline):
        await probe(client)
