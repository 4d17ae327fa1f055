"""``vmh-sync probe --check FILE``: plays a recording against the simulated Advoware and says where they differ."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from rich.console import Console

from vmh_sync.clock import SystemClock
from vmh_sync.commands.output import RECORDS_FAILED, fail_pass, print_json
from vmh_sync.sandbox.serving import LoopbackServer
from vmh_sync.sandbox.systems import SystemsConfig, environment, simulated
from vmh_sync.settings import AdvowareSettings
from vmh_sync.systems.advoware import wire
from vmh_sync.systems.advoware.client import AdvowareClient, open_advoware
from vmh_sync.systems.advoware.token import MemoryTokenCache
from vmh_sync.systems.transport import RawAnswer

Json = dict[str, Any]
_NUMBERS = ("frNr", "id", "betNr")
"""What a bare number in an answer is: the record's own key."""
_KEYS = frozenset({*_NUMBERS, "rowId"})


@dataclass(slots=True)
class Bound:
    """Which number or row id of the recording is which of the simulation; found where both stand in the same place."""

    known: dict[Any, Any] = field(default_factory=dict)

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

    def translate(self, value: Any) -> Any:
        """Return what is to be sent."""
        if isinstance(value, dict):
            return {key: self.translate(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.translate(each) for each in value]
        return self.known.get(value, value)

    def text(self, text: str) -> str:
        """Return a part of an address with its number translated."""
        return str(self.known.get(int(text), text)) if text.isdigit() else text


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
        console = Console(soft_wrap=True, highlight=False)
        console.print(f"{len(lines) - len(differences)} von {len(lines)} Aufrufen verhalten sich gleich.")
        for name, why in differences.items():
            console.print(f"  {name}: {why}", markup=False)
    sys.exit(RECORDS_FAILED if differences else 0)


async def play(lines: list[Json]) -> dict[str, str]:
    """Send what was recorded to a simulated Advoware; returns the names of the calls answered otherwise, and how."""
    simulation = simulated("advoware", SystemsConfig())
    async with LoopbackServer(simulation.app) as server:
        settings = _settings(environment({"advoware": simulation.describe(server.url)}))
        async with open_advoware(settings, token_cache=MemoryTokenCache(), clock=SystemClock()) as client:
            return {name: why async for name, why in _differences(client, lines)}


def _settings(variables: dict[str, str]) -> AdvowareSettings:
    values: Json = {name.removeprefix("ADVOWARE_").lower(): value for name, value in variables.items()}
    # Said here, so that the firm's own addresses in the environment do not get in.
    return AdvowareSettings(_env_file=None, **values, api_base_url=None, security_gateway_url=None)


async def _differences(client: AdvowareClient, lines: list[Json]) -> AsyncIterator[tuple[str, str]]:
    """Yield the names of the calls that are answered otherwise, and how."""
    bound = Bound()
    scratch = await client.exchange("POST", wire.BETEILIGTE.path(), json={"name": "Probe", "rechtsform": ""})
    bound.learn({"betNr": _scratch_number(lines)}, scratch.body)
    for line in lines:
        recorded = line["response"]
        answer = await _send(client, bound, line["request"])
        if answer.status != recorded["status"]:
            yield line["name"], f"Antwort {answer.status} statt {recorded['status']}"
            continue
        bound.learn(recorded["body"], answer.body)
        shapes = list(_shapes(recorded["body"], answer.body))
        if shapes:
            yield line["name"], "; ".join(shapes)


def _scratch_number(lines: list[Json]) -> int:
    return next(
        int(part) for line in lines for part in urlsplit(line["request"]["url"]).path.split("/") if part.isdigit()
    )


async def _send(client: AdvowareClient, bound: Bound, request: Json) -> RawAnswer:
    url = urlsplit(request["url"])
    path = "/".join(bound.text(part) for part in url.path.lstrip("/").split("/"))
    params = {name: bound.text(value) for name, value in parse_qsl(url.query)}
    return await client.exchange(request["method"], path, params=params or None, json=bound.translate(request["body"]))


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
