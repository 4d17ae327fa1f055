"""Both clients, set up from the environment alone, against the sandbox as a process of its own."""

from pathlib import Path

import pytest

from vmh_sync.clock import SystemClock
from vmh_sync.settings import AdvowareSettings, EspoCrmSettings, load
from vmh_sync.systems.advoware.client import open_advoware
from vmh_sync.systems.advoware.token import MemoryTokenCache
from vmh_sync.systems.espocrm.client import open_espocrm
from vmh_sync_tests.fixtures.sandbox import Sandbox


async def test_clients_from_the_environment(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # no .env of the working directory
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, str(value))
    clock = SystemClock()
    async with (
        open_advoware(load(AdvowareSettings), token_cache=MemoryTokenCache(), clock=clock) as advoware,
        open_espocrm(load(EspoCrmSettings), clock=clock) as espocrm,
    ):
        number = (await advoware.create_beteiligter({"name": "Huber"})).key
        record = await espocrm.create("CBeteiligte", {"lastName": "Huber", "betnr": number})
        party, read = await advoware.read_beteiligter(number), await espocrm.read("CBeteiligte", record.id)
        assert party is not None
        assert read is not None
        assert (party.name, party.bet_nr) == (read.attributes["lastName"], read.attributes["betnr"])
        assert read.modified_at is not None
        assert read.server_time is not None
        assert abs((read.server_time - read.modified_at).total_seconds()) < 60
