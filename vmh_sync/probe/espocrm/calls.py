"""The calls of a probe of EspoCRM: each is taken down with its answer, whatever the answer is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vmh_sync.beteiligte.fields import ESPO_ENTITY
from vmh_sync.probe.findings import Notes
from vmh_sync.probe.recording import Exchange
from vmh_sync.systems.espocrm.client import EspoClient
from vmh_sync.systems.espocrm.query import Where, search_params

Json = dict[str, Any]
PARTY = ESPO_ENTITY
ACCOUNT = "CBankverbindungen"
REASON = "X-Status-Reason"


@dataclass(slots=True)
class EspoCalls(Notes):
    """Calls of EspoCRM with their answers as they came, and what was found out so far."""

    client: EspoClient
    record_id: str

    async def call(
        self,
        name: str,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: dict[str, str] | None = None,
        kept: bool = True,
    ) -> Exchange:
        """Make a call; ``kept`` false leaves it out of the recording. Raises where there is no answer."""
        answer = await self.client.request(method, path, params, body, headers)
        made = Exchange(name, method, path, answer, dict(params or {}), body, "espocrm", headers or {})
        if kept:
            self.exchanges.append(made)
        return made

    async def record(self, name: str, *, kept: bool = True) -> Json:
        """Read the scratch record; empty where the answer is none."""
        return (await self.call(name, "GET", f"{PARTY}/{self.record_id}", kept=kept)).record

    async def change(
        self, name: str, values: Json, headers: dict[str, str] | None = None, *, kept: bool = True
    ) -> Exchange:
        """Change the scratch record."""
        return await self.call(name, "PUT", f"{PARTY}/{self.record_id}", body=values, headers=headers, kept=kept)

    async def listed(
        self,
        name: str,
        where: Sequence[Where],
        *,
        entity: str = PARTY,
        select: Sequence[str] | None = ("id", "modifiedAt"),
        size: int = 20,
        kept: bool = True,
    ) -> Exchange:
        """Ask for the first page of a list."""
        params = search_params(where=where, select=select, order_by="id", descending=False, max_size=size)
        return await self.call(name, "GET", entity, params=params, headers={"X-No-Total": "true"}, kept=kept)


def rows(exchange: Exchange) -> list[Json] | None:
    """Return the rows of a list, ``None`` where the answer is no list."""
    listed = exchange.record.get("list")
    return [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else None


def ids(exchange: Exchange) -> set[Any]:
    """Return the ids of the rows of a list."""
    return {row.get("id") for row in rows(exchange) or []}


def reason(exchange: Exchange) -> str:
    """Return the reason that EspoCRM gives in its header."""
    headers = {name.lower(): value for name, value in exchange.answer.headers.items()}
    return headers.get(REASON.lower(), "")
