"""The Advoware client: typed calls (specification, advoware-wire.md 3).

Reads are repeated with backoff; writes never blindly (see ``errors``). While the office is offline the client
refuses its own calls for a while. Calendar and proxy writes obey ``ADVOWARE_WRITE_PROTECTION``.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeVar

import httpx

from vmh_sync.clock import Clock
from vmh_sync.settings import AdvowareSettings
from vmh_sync.systems.advoware import answers, wire
from vmh_sync.systems.advoware.answers import PartyAnswer
from vmh_sync.systems.advoware.connection import Connection
from vmh_sync.systems.advoware.errors import (
    CapabilityMissing,
    NotFound,
    OutcomeUnknown,
    Rejected,
    UnexpectedAnswer,
    WriteProtected,
)
from vmh_sync.systems.advoware.records import (
    Adresse,
    Bankverbindung,
    Beteiligter,
    Created,
    Kommunikation,
    Mitarbeiter,
    Termin,
    WireRecord,
    json_object,
    overlay,
)
from vmh_sync.systems.advoware.token import TokenCache, TokenSource
from vmh_sync.systems.calls import CallObserver, NullObserver
from vmh_sync.systems.circuit import CircuitStore
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.systems.http import HttpClient, make_http
from vmh_sync.systems.retry import RetryPolicy
from vmh_sync.systems.spoilt_row import SpoiltRow
from vmh_sync.systems.transport import READS, RawAnswer

R = TypeVar("R", bound=WireRecord)


class AdvowareClient:
    """Typed calls to one firm's Advoware. All methods raise subclasses of ``AdvowareError``."""

    def __init__(
        self,
        settings: AdvowareSettings,
        *,
        tokens: TokenSource,
        http: HttpClient,
        clock: Clock,
        observer: CallObserver | None = None,
        retry: RetryPolicy | None = None,
        search: bool = True,
    ) -> None:
        self._settings = settings
        self._search = search
        self._tokens = tokens
        self._connection = Connection(
            tokens=tokens,
            http=http,
            clock=clock,
            observer=observer or NullObserver(),
            retry=retry or RetryPolicy(),
            concurrency=settings.concurrency,
        )

    async def login_held_back(self) -> ForeignSystemError | None:
        """What a login would meet now because it was refused before, None when it may be tried."""
        return await self._tokens.login_held_back()

    # Beteiligte

    async def read_beteiligter(self, betnr: int) -> Beteiligter | None:
        """The party with its children, or None when Advoware says that there is none (404).

        What is unusable among its children is set apart (``Beteiligter.spoilt``) and spoils nothing else.
        """
        answer = await self.ask_beteiligter(betnr)
        return answer.party() if answer is not None else None

    async def ask_beteiligter(self, betnr: int) -> PartyAnswer | None:
        """What :meth:`read_beteiligter` reads, as it came: it is looked into only where somebody asks what it says."""
        try:
            response = await self._connection.call("GET", wire.BETEILIGTER, {"betnr": betnr})
        except NotFound:
            return None
        return PartyAnswer(betnr, response)

    async def search_beteiligte(
        self,
        text: str,
        spoilt: list[SpoiltRow] | None = None,
        known: Mapping[int, Beteiligter] = MappingProxyType({}),
    ) -> list[Beteiligter]:
        """Parties whose name, vorname or bemerkung holds ``text``; callers check for themselves what they look for.

        Raises CapabilityMissing when the installation has no search (404, 405, 400). Found parties may come
        without children: read the one that matters. Rows that cannot be used go to ``spoilt``, else they raise.
        What an earlier search told and this one tells again is taken from ``known``.
        """
        where = f"GET {wire.BETEILIGTE.template}"
        if not self._search:
            raise CapabilityMissing(f"{where}: no search, as the probe found out")
        try:
            value = await self._json("GET", wire.BETEILIGTE, params={wire.QUERY_SEARCH: text})
        except (NotFound, Rejected) as error:
            raise CapabilityMissing(f"{where}: no search", status=error.status) from None
        return answers.as_records(Beteiligter, value, where, spoilt, known)

    async def create_beteiligter(self, values: Mapping[str, object]) -> Created[Beteiligter]:
        """Create a party from attribute names and values. Raises OutcomeUnknown when its number is not told."""
        return await self._create(Beteiligter, wire.BETEILIGTE, {}, values, key="bet_nr")

    async def replace_beteiligter(self, current: Beteiligter, changes: Mapping[str, object]) -> Beteiligter | None:
        """PUT the party as it was read with the changes laid over it; child lists stay out.

        None: the answer was not the record, read it back.
        """
        return await self._replace(wire.BETEILIGTER, {"betnr": current.bet_nr}, current, changes, key="bet_nr")

    # Children of a party

    async def create_kommunikation(self, betnr: int, values: Mapping[str, object]) -> Created[Kommunikation]:
        """Create an entry (``tlf``, ``bemerkung``, ``komm_kz``, ``online``)."""
        return await self._create(Kommunikation, wire.KOMMUNIKATIONEN, {"betnr": betnr}, values)

    async def update_kommunikation(
        self, betnr: int, current: Kommunikation, changes: Mapping[str, object]
    ) -> Kommunikation | None:
        """PUT an entry; ``komm_kz`` is silently ignored over there. None: read back."""
        return await self._replace(wire.KOMMUNIKATION, {"betnr": betnr, "key": current.id}, current, changes)

    async def list_adressen(self, betnr: int, spoilt: list[SpoiltRow] | None = None) -> list[Adresse]:
        """All addresses of a party. Raises NotFound for an unknown party, CapabilityMissing on 405.

        Rows that cannot be used go to ``spoilt``, else they raise.
        """
        return await self._list(Adresse, wire.ADRESSEN, {"betnr": betnr}, spoilt=spoilt)

    async def create_adresse(self, betnr: int, values: Mapping[str, object]) -> Created[Adresse]:
        """Create an address; every field takes effect."""
        return await self._create(Adresse, wire.ADRESSEN, {"betnr": betnr}, values)

    async def update_adresse(self, betnr: int, current: Adresse, changes: Mapping[str, object]) -> Adresse | None:
        """PUT an address; only ``strasse, plz, ort, anschrift`` take effect over there. None: read back."""
        return await self._replace(wire.ADRESSE, {"betnr": betnr, "key": current.id}, current, changes)

    async def list_bankverbindungen(self, betnr: int, spoilt: list[SpoiltRow] | None = None) -> list[Bankverbindung]:
        """All bank accounts of a party. Raises NotFound for an unknown party, CapabilityMissing on 405.

        Rows that cannot be used go to ``spoilt``, else they raise.
        """
        return await self._list(Bankverbindung, wire.BANKVERBINDUNGEN, {"betnr": betnr}, spoilt=spoilt)

    async def create_bankverbindung(self, betnr: int, values: Mapping[str, object]) -> Created[Bankverbindung]:
        """Create a bank account. It cannot be changed through the interface afterwards."""
        return await self._create(Bankverbindung, wire.BANKVERBINDUNGEN, {"betnr": betnr}, values)

    # Calendar

    async def list_mitarbeiter(self, spoilt: list[SpoiltRow] | None = None) -> list[Mitarbeiter]:
        """The active employees. Rows that cannot be used go to ``spoilt``, else they raise."""
        return await self._list(Mitarbeiter, wire.MITARBEITER, {}, {wire.QUERY_AKTIV: "true"}, spoilt)

    async def list_termine(
        self, kuerzel: str, start: datetime, end: datetime, spoilt: list[SpoiltRow] | None = None
    ) -> list[Termin]:
        """The employee's appointments that touch the window between two aware moments; complete, no paging.

        Rows that cannot be used go to ``spoilt``, else they raise.
        """
        zone = self._settings.timezone
        params = {
            wire.QUERY_KUERZEL: kuerzel,
            wire.QUERY_FROM: wire.local_text(start, zone),
            wire.QUERY_TO: wire.local_text(end, zone),
        }
        return await self._list(Termin, wire.TERMINE, {}, params, spoilt)

    async def read_termin(self, frnr: int) -> Termin | None:
        """One appointment; None when it is gone (404, or an empty list).

        The filter is known to be ignored silently, so the answer's number is checked: an answer that holds only
        other appointments raises UnexpectedAnswer.
        """
        where = f"GET {wire.TERMINE.template}"
        try:
            value = await self._json("GET", wire.TERMINE, params={wire.QUERY_FRNR: frnr})
        except NotFound:
            return None
        found = answers.as_records(Termin, value if isinstance(value, list) else [value], where)
        match = next((termin for termin in found if termin.fr_nr == frnr), None)
        if match is None and found:
            raise UnexpectedAnswer(f"{where}: answer holds other appointments only")
        return match

    async def create_termin(self, values: Mapping[str, object]) -> Created[Termin]:
        """Create an appointment. Raises WriteProtected while calendar writes are off."""
        self._check_protection("POST", wire.TERMINE.template)
        return await self._create(Termin, wire.TERMINE, {}, values, key="fr_nr")

    async def replace_termin(self, current: Termin, changes: Mapping[str, object]) -> Termin | None:
        """PUT the whole appointment as read, with the changes laid over it. None: read back."""
        self._check_protection("PUT", wire.TERMINE.template)
        params = {wire.QUERY_FRNR: current.fr_nr}
        return await self._replace(wire.TERMINE, {}, current, changes, key="fr_nr", params=params)

    async def delete_termin(self, frnr: int) -> bool:
        """Delete an appointment. False: it was gone already."""
        self._check_protection("DELETE", wire.TERMINE.template)
        try:
            await self._connection.call("DELETE", wire.TERMINE, {}, params={wire.QUERY_FRNR: frnr})
        except NotFound:
            return False
        return True

    # Everything else

    async def request(
        self,
        method: str,
        path: str,
        params: Mapping[str, object] | list[tuple[str, Any]] | None = None,
        json: Any = None,
    ) -> RawAnswer:
        """Any call, for the proxy: the answer as it came, whatever its status.

        ``path`` is relative to the API base, with or without the prefix ``api/v1/advonet/``; ValueError when it
        would leave that prefix. Same token and 401 handling as everywhere; reads are repeated on transient
        answers, writes are not. Raises Transient, OutcomeUnknown, ConnectorOffline, BadConfiguration, LoginFailed
        for what has no answer to pass on, WriteProtected for a write while writes are off.
        """
        method = method.upper()
        if method not in READS:
            self._check_protection(method, "(proxy)")
        return RawAnswer.of(await self._connection.raw(method, path, params=params, body=json))

    async def exchange(
        self, method: str, path: str, params: Mapping[str, object] | None = None, json: Any = None
    ) -> RawAnswer:
        """A call that tries what Advoware does: the answer as it came, whatever its status; nothing is repeated.

        Raises as :meth:`request` does. Appointments obey the write protection, parties do not.
        """
        if method not in READS and path == wire.TERMINE.path():
            self._check_protection(method, wire.TERMINE.template)
        return RawAnswer.of(await self._connection.raw(method, path, params=params, body=json))

    # How it is done

    def _check_protection(self, method: str, route: str) -> None:
        if self._settings.write_protection:
            raise WriteProtected(f"{method} {route}: calendar and proxy writes are switched off")

    async def _json(
        self, method: str, route: wire.Route, keys: Mapping[str, int] | None = None, *, params: Any = None
    ) -> Any:
        response = await self._connection.call(method, route, keys or {}, params=params)
        return answers.parse(response, f"{method} {route.template}")

    async def _list(
        self,
        kind: type[R],
        route: wire.Route,
        keys: Mapping[str, int],
        params: Any = None,
        spoilt: list[SpoiltRow] | None = None,
    ) -> list[R]:
        value = await self._json("GET", route, keys, params=params)
        return answers.as_records(kind, value, f"GET {route.template}", spoilt)

    async def _create(
        self, kind: type[R], route: wire.Route, keys: Mapping[str, int], values: Mapping[str, object], key: str = "id"
    ) -> Created[R]:
        where = f"POST {route.template}"
        response = await self._connection.call("POST", route, keys, body=json_object(kind, values))
        value = _written(response, where)
        number = answers.written_key(kind, value, key)
        if number is None:
            # It was created, but its key is not told: whoever asked must look for it before creating again.
            raise OutcomeUnknown(f"{where}: the answer names no key", status=response.status_code)
        return Created(key=number, record=answers.written_record(kind, value, where))

    async def _replace(
        self,
        route: wire.Route,
        keys: Mapping[str, int],
        current: R,
        changes: Mapping[str, object],
        *,
        key: str = "id",
        params: Any = None,
    ) -> R | None:
        where = f"PUT {route.template}"
        response = await self._connection.call("PUT", route, keys, params=params, body=overlay(current, changes))
        record = answers.written_record(type(current), _written(response, where), where)
        return record if record is not None and getattr(record, key) == getattr(current, key) else None


def _written(response: httpx.Response, where: str) -> Any:
    """The JSON of a successful write. Raises OutcomeUnknown: a relay may answer 200 with something of its own."""
    try:
        return answers.parse(response, where)
    except UnexpectedAnswer as error:
        raise OutcomeUnknown(f"{where}: unreadable answer", status=error.status) from None


@asynccontextmanager
async def open_advoware(
    settings: AdvowareSettings,
    *,
    token_cache: TokenCache,
    clock: Clock,
    observer: CallObserver | None = None,
    retry: RetryPolicy | None = None,
    circuits: CircuitStore | None = None,
    person: bool = False,
    search: bool = True,
) -> AsyncIterator[AdvowareClient]:
    """Make a client with connections and token source of its own; both are closed at the end.

    ``circuits`` holds the state of the login that all processes share; ``person`` tries a refused login before its
    pause is over (``systems.circuit``). ``search`` false: this installation is known to have none.
    """
    async with make_http(settings.api_timeout_seconds, settings.concurrency) as http:
        tokens = TokenSource(
            settings,
            http=http,
            cache=token_cache,
            clock=clock,
            observer=observer,
            circuits=circuits,
            person=person,
        )
        try:
            yield AdvowareClient(
                settings, tokens=tokens, http=http, clock=clock, observer=observer, retry=retry, search=search
            )
        finally:
            await tokens.aclose()
