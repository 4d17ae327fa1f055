"""The Advoware client against the simulated office, over real HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from vmh_sync.clock import ManualClock
from vmh_sync.sandbox.control import ControlledApp
from vmh_sync.sandbox.office import OfficeConfig, create_office
from vmh_sync.sandbox.serving import LoopbackServer
from vmh_sync.settings import AdvowareSettings
from vmh_sync.systems.advoware import wire
from vmh_sync.systems.advoware.capabilities import Capabilities, probe
from vmh_sync.systems.advoware.client import AdvowareClient, open_advoware
from vmh_sync.systems.advoware.errors import (
    BadConfiguration,
    CapabilityMissing,
    ConnectorOffline,
    LoginFailed,
    NotOffered,
    OutcomeUnknown,
    Transient,
    UnexpectedAnswer,
)
from vmh_sync.systems.advoware.token import MemoryTokenCache, TokenCache
from vmh_sync.systems.retry import RetryPolicy

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@dataclass
class Calls:
    seen: list[tuple[str, str, int | None]] = field(default_factory=list)

    def observe(self, *, method: str, route: str, status: int | None, **_: Any) -> None:
        self.seen.append((method, route, status))


@dataclass
class Firm:
    """A running office, its control paths, and clients for it."""

    url: str
    control: httpx.AsyncClient
    config: OfficeConfig
    clock: ManualClock
    calls: Calls

    def settings(self, **changes: Any) -> AdvowareSettings:
        config = self.config
        values = {
            "kanzlei": config.kanzlei,
            "database": config.database,
            "user": config.user,
            "password": config.password,
            "app_id": config.app_id,
            "api_key": config.api_key,
            "configurator_url": f"{self.url}/AdvonetConfigurator/api",
            "write_protection": False,
            "api_timeout_seconds": 5,
            **changes,
        }
        return AdvowareSettings(_env_file=None, **values)

    def open(self, cache: TokenCache | None = None, **changes: Any) -> AbstractAsyncContextManager[AdvowareClient]:
        async def no_wait(seconds: float) -> None:
            self.clock.advance(timedelta(seconds=seconds))

        return open_advoware(
            self.settings(**changes),
            token_cache=cache or MemoryTokenCache(),
            clock=self.clock,
            observer=self.calls,
            retry=RetryPolicy(sleep=no_wait),
        )

    async def do(self, path: str, body: Any = None) -> Any:
        answer = await self.control.post(f"/_sandbox/{path}", json=body or {})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def fault(self, action: str, path: str, **more: Any) -> None:
        await self.do("faults", {"action": action, "path": path, **more})

    async def tokens_asked_for(self) -> int:
        return (await self.do("do/token_counts"))["requests"]

    async def parties(self) -> list[dict[str, Any]]:
        return (await self.control.get("/_sandbox/state")).json()["beteiligte"]


@pytest.fixture
async def firm() -> AsyncIterator[Firm]:
    clock = ManualClock(NOW)
    config = OfficeConfig(clock=clock)
    app, hooks = create_office(config)
    controlled = ControlledApp(app, name="advoware", hooks=hooks, clock=clock)
    async with LoopbackServer(controlled) as server, httpx.AsyncClient(base_url=server.url) as control:
        firm = Firm(server.url, control, config, clock, Calls())
        await firm.do(
            "seed",
            {
                "beteiligte": [
                    {"betNr": number, "name": f"Name {number}", "vorname": "Eva", "bemerkung": "bleibt"}
                    for number in range(1001, 1031)
                ],
                "mitarbeiter": [{"kuerzel": "SB", "name": "Sanders", "vorname": "Bo", "email": "sb@kanzlei.example"}],
            },
        )
        yield firm


async def test_round_trip_of_a_party_with_children(firm: Firm) -> None:
    async with firm.open() as client:
        created = await client.create_beteiligter({"name": "Huber", "vorname": "Anna", "bemerkung": "EspoCRM-ID: x"})
        number = created.key
        await client.create_kommunikation(number, {"tlf": "0511/123", "komm_kz": 1, "bemerkung": "", "online": False})
        await client.create_adresse(number, {"strasse": "Am Markt 1", "plz": "30159", "ort": "Hannover"})
        await client.create_bankverbindung(number, {"iban": "DE02120300000000202051", "kontoinhaber": "Anna Huber"})
        before = await client.read_beteiligter(number)
        assert before is not None
        assert before.adressen is not None
        assert before.bankverbindungen is not None
        assert (before.name, before.kommunikation[0].tlf, before.adressen[0].plz) == ("Huber", "0511/123", "30159")
        assert before.bankverbindungen[0].iban == "DE02120300000000202051"

        await client.replace_beteiligter(before, {"name": "Maier"})
        await client.update_kommunikation(number, before.kommunikation[0], {"tlf": "0511/124"})
        await client.update_adresse(number, before.adressen[0], {"ort": "Celle"})
        after = await client.read_beteiligter(number)
        assert after is not None
        assert after.adressen is not None
        assert after.row_id != before.row_id
        assert (after.name, after.vorname, after.bemerkung) == ("Maier", "Anna", "EspoCRM-ID: x")
        assert (after.kommunikation[0].tlf, after.adressen[0].ort) == ("0511/124", "Celle")
        assert [entry.id for entry in after.kommunikation] == [entry.id for entry in before.kommunikation]


async def test_one_token_request_for_many_401s(firm: Firm) -> None:
    async with firm.open() as client:
        await client.read_beteiligter(1001)
        before = await firm.tokens_asked_for()
        await firm.do("do/expire_tokens")
        parties = await asyncio.gather(*(client.read_beteiligter(number) for number in range(1001, 1031)))
    assert [party.bet_nr for party in parties if party] == list(range(1001, 1031))
    assert await firm.tokens_asked_for() == before + 1


async def test_clients_that_share_a_cache_share_the_token(firm: Firm) -> None:
    cache = MemoryTokenCache()
    async with firm.open(cache) as one, firm.open(cache) as other:
        await asyncio.gather(one.read_beteiligter(1001), other.read_beteiligter(1002))
        assert await firm.tokens_asked_for() == 1
        await firm.do("do/expire_tokens")
        await asyncio.gather(*(client.read_beteiligter(1003) for client in (one, other, one, other)))
    assert await firm.tokens_asked_for() == 2


async def test_expired_token_is_replaced_without_a_401(firm: Firm) -> None:
    async with firm.open() as client:
        await client.read_beteiligter(1001)
        firm.clock.advance(timedelta(hours=1))
        await client.read_beteiligter(1001)
    assert 401 not in [status for _, _, status in firm.calls.seen]
    assert await firm.tokens_asked_for() == 2


async def test_connector_is_used_when_discovery_names_one(firm: Firm) -> None:
    await firm.do("do/switches", {"connector": True})
    async with firm.open() as client:
        assert await client.read_beteiligter(1001) is not None
    log = (await firm.control.get("/_sandbox/calls")).json()["log"]
    assert log[-1]["path"].startswith("/connector/")


@pytest.mark.parametrize(
    ("switch", "changes", "error"),
    [
        ({"app_enabled": False}, {}, BadConfiguration),
        ({"accept_login": False}, {}, LoginFailed),
        ({}, {"password": "falsch"}, LoginFailed),
        ({}, {"api_key": "AAEC"}, LoginFailed),
        ({}, {"kanzlei": "Andere & Co"}, ConnectorOffline),
    ],
)
async def test_refused_logins_are_not_hammered(
    firm: Firm, switch: dict[str, Any], changes: dict[str, Any], error: type[Exception]
) -> None:
    await firm.do("do/switches", switch)
    async with firm.open(**changes) as client:
        for number in range(1001, 1011):
            with pytest.raises(error):
                await client.read_beteiligter(number)
    assert await firm.tokens_asked_for() <= 1
    assert len(firm.calls.seen) <= 2


async def test_offline_office_opens_the_circuit_and_it_closes_again(firm: Firm) -> None:
    async with firm.open() as client:
        await client.read_beteiligter(1001)
        await firm.do("do/switches", {"office": "offline"})
        made = len(firm.calls.seen)
        for number in range(1001, 1011):
            with pytest.raises(ConnectorOffline):
                await client.read_beteiligter(number)
        assert len(firm.calls.seen) == made + 1
        await firm.do("do/switches", {"office": "online"})
        firm.clock.advance(timedelta(seconds=61))
        assert await client.read_beteiligter(1001) is not None


@pytest.mark.parametrize("action", ["drop_before", "drop_after"])
async def test_a_dropped_create_is_an_unknown_outcome_and_made_at_most_once(firm: Firm, action: str) -> None:
    async with firm.open() as client:
        await client.read_beteiligter(1001)
        await firm.fault(action, "Beteiligte$", method="POST")
        before = len(await firm.parties())
        with pytest.raises(OutcomeUnknown):
            await client.create_beteiligter({"name": "Neu", "bemerkung": "EspoCRM-ID: marke"})
        assert len(await firm.parties()) == before + (action == "drop_after")
        found = await client.search_beteiligte("marke")
        assert [party.name for party in found] == ["Neu"] * (action == "drop_after")


async def test_a_create_that_hangs_is_an_unknown_outcome(firm: Firm) -> None:
    async with firm.open(api_timeout_seconds=0.2) as client:
        await client.read_beteiligter(1001)
        await firm.fault("hang", "Beteiligte$", method="POST", seconds=3)
        with pytest.raises(OutcomeUnknown):
            await client.create_beteiligter({"name": "Neu"})


@pytest.mark.parametrize(
    "rule",
    [{"action": "drop_before"}, {"action": "drop_after"}, {"action": "status", "status": 503}],
)
async def test_reads_get_over_passing_faults(firm: Firm, rule: dict[str, Any]) -> None:
    async with firm.open() as client:
        await firm.fault(path="Beteiligte/1001", times=2, **rule)
        assert await client.read_beteiligter(1001) is not None


async def test_reads_give_up_on_lasting_faults(firm: Firm) -> None:
    async with firm.open() as client:
        await firm.fault("drop_before", "Beteiligte/1001")
        with pytest.raises(Transient):
            await client.read_beteiligter(1001)
        assert await client.read_beteiligter(1002) is not None


@pytest.mark.parametrize("rule", [{"action": "malformed"}, {"action": "empty"}, {"action": "empty", "body": "[]"}])
async def test_broken_answers_are_neither_a_deletion_nor_an_empty_list(firm: Firm, rule: dict[str, Any]) -> None:
    async with firm.open() as client:
        await firm.fault(path="Beteiligte/1001$", **rule)
        with pytest.raises(UnexpectedAnswer):
            await client.read_beteiligter(1001)
    assert len(await firm.parties()) == 30


async def test_a_malformed_answer_to_a_create_is_an_unknown_outcome(firm: Firm) -> None:
    async with firm.open() as client:
        await firm.fault("malformed", "Beteiligte$", method="POST")
        with pytest.raises(OutcomeUnknown):
            await client.create_beteiligter({"name": "Neu"})


@pytest.mark.parametrize("single_read", ["object", "list"])
@pytest.mark.parametrize("write_answer", ["object", "list", "number", "none"])
async def test_all_forms_of_answers(firm: Firm, single_read: str, write_answer: str) -> None:
    await firm.do("do/switches", {"single_read": single_read, "write_answer": write_answer})
    async with firm.open() as client:
        party = await client.read_beteiligter(1001)
        assert party is not None
        await client.replace_beteiligter(party, {"name": "Anders"})
        again = await client.read_beteiligter(1001)
        assert again is not None
        assert again.name == "Anders"
        if write_answer == "none":
            with pytest.raises(OutcomeUnknown):
                await client.create_beteiligter({"name": "Neu"})
        else:
            number = (await client.create_beteiligter({"name": "Neu"})).key
            created = await client.read_beteiligter(number)
            assert created is not None
            assert created.name == "Neu"


async def test_gone_party_and_refused_calls(firm: Firm) -> None:
    async with firm.open() as client:
        assert await client.read_beteiligter(999999) is None
        party = await client.read_beteiligter(1001)
        assert party is not None
        assert (await client.request("DELETE", "Beteiligte/1001")).status == 403
        created = await client.create_bankverbindung(1001, {"iban": "DE02120300000000202051"})
        answer = await client.request("PUT", f"Beteiligte/1001/Bankverbindungen/{created.key}", json={})
        assert answer.status == 403
        with pytest.raises(NotOffered):
            await client._connection.call("DELETE", wire.BETEILIGTER, {"betnr": 1001})


async def test_capabilities_are_found_out(firm: Firm) -> None:
    await firm.do(
        "edit",
        {
            "entity": "Kommunikation",
            "action": "create",
            "betNr": 1001,
            "values": {"tlf": "0511/1", "kommKz": 1, "bemerkung": "", "online": False},
        },
    )
    async with firm.open() as client:
        assert await probe(client, betnr=1001) == Capabilities(True, True, True, True)
        await firm.do(
            "do/switches", {"search": False, "embedded": False, "separate_lists": False, "komm_kz_told": False}
        )
        assert await probe(client, betnr=1001) == Capabilities(False, False, False, False)
        with pytest.raises(CapabilityMissing):
            await client.search_beteiligte("Name")


async def test_calendar(firm: Firm) -> None:
    async with firm.open() as client:
        assert [person.kuerzel for person in await client.list_mitarbeiter()] == ["SB"]
        values = {
            "text": "Verhandlung",
            "datum": "2026-03-02T00:00:00",
            "datum_bis": "2026-03-02T00:00:00",
            "uhrzeit_von": "10:30:00",
            "uhrzeit_bis": "11:30:00",
            "sb": "SB",
        }
        number = (await client.create_termin(values)).key
        termin = await client.read_termin(number)
        assert termin is not None
        window = (datetime(2026, 3, 1, 23, tzinfo=UTC), datetime(2026, 3, 2, 23, tzinfo=UTC))
        assert [found.fr_nr for found in await client.list_termine("SB", *window)] == [number]
        assert await client.list_termine("SB", window[1], window[1] + timedelta(days=1)) == []
        await client.replace_termin(termin, {"text": "Verlegt"})
        changed = await client.read_termin(number)
        assert changed is not None
        assert (changed.text, changed.uhrzeit_von) == ("Verlegt", "10:30:00")
        assert await client.delete_termin(number) is True
        assert await client.read_termin(number) is None
        assert await client.delete_termin(number) is False
