"""The people of the firm: seeded, realistic edits on both sides, over the control paths only.

Parties are edited by :class:`OfficePerson` and :class:`CrmPerson`; calendars by
:class:`vmh_sync.sandbox.people.calendars.CalendarPeople`.
"""

import ssl
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

import httpx

from vmh_sync.sandbox.made_up.values import MadeUp
from vmh_sync.sandbox.people.advoware_person import OfficePerson
from vmh_sync.sandbox.people.edits import KINDS, EditRecord, Json, Kind, Person, Side
from vmh_sync.sandbox.people.espocrm_person import CrmPerson

_TRIES_PER_EDIT = 200


class People:
    """People who edit. ``urls`` are the control addresses (``description["control"]`` of the runner).

    The same seed, systems and calls give the same edits. Use as ``async with People(urls, seed=1) as people``.
    """

    def __init__(self, urls: Mapping[str, str], *, seed: int = 0, client: httpx.AsyncClient | None = None) -> None:
        self._made = MadeUp(f"people-{seed}", later=True)
        self._client = client or httpx.AsyncClient(
            timeout=120, trust_env=False, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        )
        self._owns_client = client is None
        self._persons: dict[Side, Person] = {
            "office": OfficePerson(urls["advoware"], self._client, self._made),
            "crm": CrmPerson(urls["espocrm"], self._client, self._made),
        }

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        if self._owns_client:
            await self._client.aclose()

    async def edit_some(
        self,
        count: int,
        *,
        sides: Sequence[Side] = ("office", "crm"),
        kinds: Sequence[Kind] = KINDS,
        overlap: bool = True,
        fresh: bool = False,
        parties: Sequence[int] | None = None,
    ) -> list[EditRecord]:
        """Make ``count`` edits and return them in order.

        ``sides`` and ``kinds`` limit what happens (``party_new`` happens in the CRM only). ``overlap`` false touches
        no party twice, so that no edit replaces or contradicts another. ``fresh`` reads the systems before each edit:
        for people who edit while a sync runs. ``parties`` limits the edits to these ``betnr``. Returns fewer edits
        only when nothing of the wanted kinds is left to do.
        """
        if not fresh:
            await self._look(sides)
        edits: list[EditRecord] = []
        touched: set[str | int] = set()
        tries = count * _TRIES_PER_EDIT
        while len(edits) < count and tries > 0:
            tries -= 1
            if fresh:
                await self._look(sides)
            edit = await self._one(sides, kinds, touched if not overlap else set(), parties)
            if edit is not None:
                edits.append(edit)
                touched |= {edit["party"]} | ({edit["betnr"]} if edit["betnr"] is not None else set())
        return edits

    async def _look(self, sides: Sequence[Side]) -> None:
        for side in sides:
            await self._persons[side].look()

    async def _one(
        self, sides: Sequence[Side], kinds: Sequence[Kind], touched: set[str | int], chosen: Sequence[int] | None
    ) -> EditRecord | None:
        side = self._made.rng.choice(sides)
        kind = self._made.rng.choice(kinds)
        person = self._persons[side]
        if kind == "party_new":
            return await person.do(kind, None) if side == "crm" else None
        party = self._pick(person, touched, chosen)
        return None if party is None else await person.do(kind, party)

    def _pick(self, person: Person, touched: set[str | int], chosen: Sequence[int] | None) -> Json | None:
        parties = person.parties()
        if chosen is not None:
            parties = [party for party in parties if person.betnr(party) in chosen]
        if not parties:
            return None
        party = self._made.rng.choice(parties)
        known = {person.betnr(party), party.get("id"), party.get("betNr")} - {None}
        return None if known & touched else party
