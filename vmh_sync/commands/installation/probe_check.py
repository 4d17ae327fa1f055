"""``vmh-sync probe --check FILE``: plays a recording against the simulated systems and says where they differ."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from vmh_sync.clock import SystemClock
from vmh_sync.commands.screens.output import RECORDS_FAILED, fail_pass, print_json
from vmh_sync.commands.screens.screen import sentences
from vmh_sync.probe.recording import HOSTS
from vmh_sync.sandbox.serving import LoopbackServer
from vmh_sync.sandbox.systems import Name, SystemsConfig, environment, simulated
from vmh_sync.settings import AdvowareSettings, EspoCrmSettings, GoogleCalendarSettings
from vmh_sync.systems.advoware import wire
from vmh_sync.systems.advoware.client import AdvowareClient, open_advoware
from vmh_sync.systems.advoware.token import MemoryTokenCache
from vmh_sync.systems.espocrm.client import EspoClient, open_espocrm
from vmh_sync.systems.google_calendar.client import INSERT, GoogleCalendarClient
from vmh_sync.systems.google_calendar.quota import unlimited
from vmh_sync.systems.google_calendar.service import ServiceFactory
from vmh_sync.systems.transport import RawAnswer
from vmh_sync.whole_number import whole_number

Json = dict[str, Any]
_NUMBERS = ("frNr", "id", "betNr")
"""What a bare number in an answer is: the record's own key."""
_KEYS = frozenset({*_NUMBERS, "rowId", "modifiedAt", "etag"})
_VERSION, _VERSION_HEADER = "versionNumber", "X-Version-Number"


@dataclass(slots=True)
class Bound:
    """Which number or row id of the recording is which of the simulation; found where both stand in the same place."""

    known: dict[Any, Any] = field(default_factory=dict)
    versions: dict[Any, Any] = field(default_factory=dict)

    def learn(self, recorded: Any, shown: Any) -> None:
        """Compare two answers of the same call and remember their keys."""
        if isinstance(recorded, list) and isinstance(shown, list):
            for one, other in zip(recorded, shown, strict=False):
                self.learn(one, other)
        number, answer = (recorded, shown) if isinstance(recorded, int) else (shown, recorded)
        if isinstance(number, int) and isinstance(answer, dict):
            # One of both answers a write with the bare number.
            told = next((answer[key] for key in _NUMBERS if key in answer), number)
            self.known.setdefault(*((number, told) if number is recorded else (told, number)))
        if isinstance(recorded, dict) and isinstance(shown, dict):
            for key in recorded.keys() & shown.keys():
                if key in _KEYS and recorded[key] is not None:
                    self.known.setdefault(recorded[key], shown[key])
                self.learn(recorded[key], shown[key])
            if _VERSION in recorded and _VERSION in shown:
                self.versions[recorded[_VERSION]] = shown[_VERSION]

    def translate(self, value: Any) -> Any:
        """Return what is to be sent."""
        if isinstance(value, dict):
            return {key: self.translate(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.translate(each) for each in value]
        return self.known.get(value, value)

    def text(self, text: str) -> str:
        """Return a part of an address with its number translated."""
        number = whole_number(text)
        return str(self.known.get(number, self.known.get(text, text)))

    def query(self, name: str, value: str) -> str:
        """Return a parameter of an address; a search of EspoCRM is one that holds conditions."""
        if name != "searchParams":
            return self.text(value)
        search = json.loads(value)
        for condition in search.get("where", ()):
            condition["value"] = self.translate(condition.get("value"))
        return json.dumps(search)

    def headers(self, headers: dict[str, str]) -> dict[str, str]:
        """Return the headers of a request."""
        return {
            name: str(self.versions.get(int(value), value)) if name == _VERSION_HEADER else value
            for name, value in headers.items()
        }


def command(path: Path, *, as_json: bool) -> None:
    """Play the recording; ends the process with 0 (all agrees), 3 (something differs) or 1."""
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        differences = asyncio.run(play(lines))
    except (OSError, ValueError, KeyError) as problem:
        fail_pass(f"{path}: keine Aufzeichnung einer Probe ({type(problem).__name__}).", as_json=as_json)
    if as_json:
        print_json({"exchanges": len(lines), "agree": len(lines) - len(differences), "differences": differences})
    else:
        console = sentences()
        console.print(f"{len(lines) - len(differences)} von {len(lines)} Aufrufen verhalten sich gleich.")
        for name, why in differences.items():
            console.print(f"  {name}: {why}")
    sys.exit(RECORDS_FAILED if differences else 0)


async def play(lines: list[Json]) -> dict[str, str]:
    """Send what was recorded to simulated systems; returns the names of the calls answered otherwise, and how."""
    differences: dict[str, str] = {}
    of_espocrm = [line for line in lines if line["request"]["url"].startswith(HOSTS["espocrm"])]
    of_google = [line for line in lines if line["request"]["url"].startswith(HOSTS["google"])]
    of_advoware = [line for line in lines if line not in of_espocrm and line not in of_google]
    if of_advoware:
        async with _simulated("advoware") as described:
            settings = _advoware_settings(environment({"advoware": described}))
            async with open_advoware(settings, token_cache=MemoryTokenCache(), clock=SystemClock()) as client:
                differences |= await _differences(_Advoware(client), of_advoware)
    if of_espocrm:
        async with _simulated("espocrm") as described:
            values = {"api_base_url": described["api_base_url"], "api_key": described["api_key"]}
            espocrm = EspoCrmSettings.model_validate(values)
            async with open_espocrm(espocrm, clock=SystemClock()) as client:
                differences |= await _differences(_Espocrm(client), of_espocrm)
    if of_google:
        async with _simulated("google") as described:
            values = {name: described[name] for name in ("service_account_json", "api_endpoint")}
            google = GoogleCalendarSettings.model_validate(values)
            client_of_google = GoogleCalendarClient(ServiceFactory(google), unlimited)
            differences |= await _differences(_Google(client_of_google), of_google)
    return differences


@asynccontextmanager
async def _simulated(name: Name) -> AsyncIterator[dict[str, str]]:
    simulation = simulated(name, SystemsConfig())
    async with LoopbackServer(simulation.app) as server:
        yield simulation.describe(server.url)


def _advoware_settings(variables: dict[str, str]) -> AdvowareSettings:
    values: Json = {name.removeprefix("ADVOWARE_").lower(): value for name, value in variables.items()}
    # Said here, so that the firm's own addresses in the environment do not get in.
    return AdvowareSettings(_env_file=None, **values, api_base_url=None, security_gateway_url=None)


class _Played(Protocol):
    """A simulated system that a recording is played against."""

    async def scratch(self, lines: list[Json], bound: Bound) -> None:
        """Make what the probe was made on."""

    async def send(self, bound: Bound, request: Json) -> RawAnswer:
        """Send a recorded request."""


@dataclass(frozen=True, slots=True)
class _Advoware:
    client: AdvowareClient

    async def scratch(self, lines: list[Json], bound: Bound) -> None:
        made = await self.client.exchange("POST", wire.BETEILIGTE.path(), json={"name": "Probe", "rechtsform": ""})
        number = next(
            int(part) for line in lines for part in urlsplit(line["request"]["url"]).path.split("/") if part.isdigit()
        )
        bound.learn({"betNr": number}, made.body)

    async def send(self, bound: Bound, request: Json) -> RawAnswer:
        path, params, body = _translated(bound, request, HOSTS["advoware"])
        return await self.client.exchange(request["method"], path, params=params, json=body)


@dataclass(frozen=True, slots=True)
class _Espocrm:
    client: EspoClient

    async def scratch(self, lines: list[Json], bound: Bound) -> None:
        made = await self.client.request("POST", "CBeteiligte", json={"lastName": "Probe"})
        bound.learn({"id": urlsplit(lines[0]["request"]["url"]).path.rpartition("/")[2]}, made.body)

    async def send(self, bound: Bound, request: Json) -> RawAnswer:
        path, params, body = _translated(bound, request, HOSTS["espocrm"])
        return await self.client.request(request["method"], path, params, body, bound.headers(request["headers"]))


@dataclass(frozen=True, slots=True)
class _Google:
    client: GoogleCalendarClient

    async def scratch(self, lines: list[Json], bound: Bound) -> None:
        recorded = {"id": urlsplit(lines[0]["request"]["url"]).path.split("/")[4]}
        bodies = (line["response"]["body"] for line in lines)
        if any(body["creator"].get("self") for body in bodies if isinstance(body, dict) and "creator" in body):
            bound.learn(recorded, {"id": "primary"})  # the account made the events in a calendar of its own name
            return
        made = await asyncio.to_thread(
            self.client.exchange, INSERT, lambda s: s.calendars().insert(body={"summary": "Probe"})
        )
        bound.learn(recorded, made.body)

    async def send(self, bound: Bound, request: Json) -> RawAnswer:
        path, params, body = _translated(bound, request, HOSTS["google"])

        def build(service: Any) -> Any:
            made = service.events().list(calendarId="x")
            made.uri = made.uri.partition("calendars/")[0] + quote(path) + (f"?{urlencode(params)}" if params else "")
            made.method, made.body = request["method"], json.dumps(body) if body is not None else None
            match = request["headers"].get("If-Match")
            made.headers = {"content-type": "application/json"} | (
                {"If-Match": bound.translate(match)} if match else {}
            )
            return made

        return await asyncio.to_thread(self.client.exchange, INSERT, build)


def _translated(bound: Bound, request: Json, host: str) -> tuple[str, Json | None, Any]:
    url = urlsplit(request["url"].removeprefix(host))
    path = "/".join(bound.text(part) for part in url.path.split("/"))
    params = {name: bound.query(name, value) for name, value in parse_qsl(url.query)}
    return path, params or None, bound.translate(request["body"])


async def _differences(system: _Played, lines: list[Json]) -> dict[str, str]:
    """Return the names of the calls that are answered otherwise, and how."""
    bound, differences = Bound(), {}
    await system.scratch(lines, bound)
    for line in lines:
        recorded = line["response"]
        answer = await system.send(bound, line["request"])
        if answer.status != recorded["status"]:
            differences[line["name"]] = f"Antwort {answer.status} statt {recorded['status']}"
            continue
        bound.learn(recorded["body"], answer.body)
        shapes = list(_shapes(recorded["body"], answer.body))
        if shapes:
            differences[line["name"]] = "; ".join(shapes)
    return differences


def _shapes(recorded: Any, shown: Any, where: str = "") -> Iterator[str]:
    """Yield where two values are of different shape; nothing (null) fits every shape."""
    if recorded is None or shown is None:
        return
    if isinstance(recorded, dict) and isinstance(shown, dict):
        yield from (f"{where}{key} fehlt in der Simulation" for key in sorted(recorded.keys() - shown.keys()))
        yield from (f"{where}{key} nur in der Simulation" for key in sorted(shown.keys() - recorded.keys()))
        for key in sorted(recorded.keys() & shown.keys()):
            yield from _shapes(recorded[key], shown[key], f"{where}{key}.")
    elif isinstance(recorded, list) and isinstance(shown, list):
        for one, other in zip(recorded[:1], shown[:1], strict=False):
            yield from _shapes(one, other, where)
    elif type(recorded) is not type(shown):
        yield f"{where.rstrip('.') or 'Antwort'}: {type(recorded).__name__} statt {type(shown).__name__}"
