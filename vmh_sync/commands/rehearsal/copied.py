"""A copy of both sides' parties, held in memory only, and two simulated systems that are filled with it."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx

from vmh_sync.background import all_of
from vmh_sync.beteiligte.fields import ESPO_ENTITY
from vmh_sync.beteiligte.twins.twin_search import read_whole
from vmh_sync.commands.rehearsal.calendars import CalendarCopy, advoware_seed, fill_google
from vmh_sync.engine.failures.isolation import isolated
from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.first_contact.advoware_list import PartyScope, list_parties
from vmh_sync.first_contact.sides import LISTING, Progress
from vmh_sync.sandbox.serving import LoopbackServer
from vmh_sync.sandbox.systems import Name, SystemsConfig, environment, simulated
from vmh_sync.systems.advoware.records import Beteiligter, WireRecord
from vmh_sync.systems.errors import Forbidden, NotFound

Json = dict[str, Any]
_CHILDREN = ("CAdressen", "CBankverbindungen")
_AT_ONCE = 50


@dataclass(slots=True, repr=False)
class Copy:
    """What the sides hold. ``unreadable`` names records (without values) that are not in the copy.

    ``calendars`` is ``None`` where no Google is set up.
    """

    espocrm: dict[str, list[Json]] = field(default_factory=dict)
    advoware: list[Json] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    calendars: CalendarCopy | None = None


async def copy_sides(context: PassContext, where: PartyScope, progress: Progress) -> Copy:
    """Read all parties with everything that belongs to them. Raises the clients' errors and ``NoList``."""
    copied = Copy()
    parties = await list_parties(context, where, [], copied.unreadable, partial(progress, LISTING))
    limit = asyncio.Semaphore(_AT_ONCE)

    async def whole(found: Beteiligter) -> None:
        with isolated(f"Advoware {found.bet_nr}", lambda _: copied.unreadable.append(f"Advoware {found.bet_nr}")):
            async with limit:
                copied.advoware.append(_as_json(await read_whole(context, found)))

    async def record(espo_id: str) -> None:
        with isolated(f"EspoCRM {espo_id}", lambda _: copied.unreadable.append(f"EspoCRM {espo_id}")):
            async with limit:
                if (found := await context.espo.read(ESPO_ENTITY, espo_id)) is not None:
                    copied.espocrm[ESPO_ENTITY].append(dict(found.attributes))

    ids = [one.id async for one in context.espo.list_all(ESPO_ENTITY, select=("id",), spoilt=[])]
    copied.espocrm[ESPO_ENTITY] = []
    total, read = len(parties) + len(ids), itertools.count(1)
    progress("Kopieren", 0, total)

    async def told(reading: Awaitable[None]) -> None:
        await reading
        progress("Kopieren", next(read), total)

    await all_of(*map(told, (*map(whole, parties.values()), *map(record, ids))))
    for entity in _CHILDREN:
        try:
            rows = [dict(one.attributes) async for one in context.espo.list_all(entity, spoilt=[])]
        except (NotFound, Forbidden):  # an installation without this entity type
            rows = []
        copied.espocrm[entity] = rows
    return copied


def _as_json(party: Beteiligter) -> Json:
    inside: dict[str, Sequence[WireRecord]] = {
        "kommunikation": party.kommunikation,
        "adressen": party.adressen or [],
        "bankverbindungen": party.bankverbindungen or [],
    }
    return party.raw | {name: [dict(child.raw) for child in children] for name, children in inside.items()}


@asynccontextmanager
async def simulated_sides(copied: Copy) -> AsyncIterator[dict[str, str]]:
    """Run simulated systems that hold the copy; yields the variables that point the product at them."""
    calendars = copied.calendars
    bodies: dict[Name, Json] = {
        "advoware": {"beteiligte": copied.advoware, **(advoware_seed(calendars) if calendars else {})},
        "espocrm": {"records": copied.espocrm},
        **({"google": {}} if calendars else {}),
    }
    described: dict[Name, dict[str, str]] = {}
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=600, trust_env=False))
        for name, body in bodies.items():
            system = simulated(name, SystemsConfig(webhook_interval=0, google_quota=False))
            server = await stack.enter_async_context(LoopbackServer(system.app))
            described[name] = system.describe(server.url)
            (await http.post(f"{server.url}/_sandbox/seed", json=body)).raise_for_status()
            if name == "google" and calendars:
                await fill_google(calendars, http, server.url)
                copied.unreadable += calendars.unreadable
        yield environment(described)
