"""The calls of a probe of Advoware: each is taken down with its answer, whatever the answer is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vmh_sync.probe.findings import Notes
from vmh_sync.probe.recording import Exchange
from vmh_sync.systems.advoware import wire
from vmh_sync.systems.advoware.client import AdvowareClient

Json = dict[str, Any]


@dataclass(slots=True)
class Calls(Notes):
    """Calls of Advoware with their answers as they came, and what was found out so far."""

    client: AdvowareClient
    betnr: int

    async def call(
        self,
        name: str,
        method: str,
        route: wire.Route,
        *,
        key: int | None = None,
        params: Mapping[str, object] | None = None,
        body: Any = None,
    ) -> Exchange:
        """Make a call. Raises what the client raises where there is no answer (offline, login, time-out)."""
        path = route.path(betnr=self.betnr, key=key or 0)
        answer = await self.client.exchange(method, path, params=params, json=body)
        made = Exchange(name, method, path, answer, dict(params or {}), body)
        self.exchanges.append(made)
        return made

    async def party(self, name: str) -> Json:
        """Read the scratch party; empty where the answer is none."""
        return (await self.call(name, "GET", wire.BETEILIGTER)).record


def rows(exchange: Exchange) -> list[Json] | None:
    """Return the rows of a list, ``None`` where the answer is no list."""
    body = exchange.answer.body
    if not exchange.succeeded or not isinstance(body, list):
        return None
    return [row for row in body if isinstance(row, dict)]


def same(sent: Any, shown: Any) -> bool:
    """Tell whether a value shown is the one sent: a day may come with or without its midnight, empty as nothing."""
    if isinstance(sent, str) and isinstance(shown, str):
        return sent.removesuffix("T00:00:00") == shown.removesuffix("T00:00:00")
    return (sent or None) == (shown or None)
