"""The EspoCRM client: typed reads and writes (specification, espocrm.md B1-B10).

Lists are paged by key, never by offset, so that records which change or vanish while paging neither hide others nor
come twice. Reads are repeated with backoff, writes never blindly (see ``errors``), a 401 never at all.
"""

import urllib.parse
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from vmh_sync.clock import Clock
from vmh_sync.settings import EspoCrmSettings, SettingsError
from vmh_sync.systems.calls import CallObserver, NullObserver
from vmh_sync.systems.circuit import CircuitStore, LoginCircuit, MemoryCircuits
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.systems.espocrm import answers
from vmh_sync.systems.espocrm.auth import Login, basic_login, login_name, login_of
from vmh_sync.systems.espocrm.connection import Connection
from vmh_sync.systems.espocrm.days import DayFields
from vmh_sync.systems.espocrm.errors import (
    NotFound,
    OutcomeUnknown,
    PageTooLong,
    QueryTooLong,
    UnexpectedAnswer,
)
from vmh_sync.systems.espocrm.paging import by_key
from vmh_sync.systems.espocrm.query import LIST_LIMIT, ListLimits, Where, chunks, search_params
from vmh_sync.systems.espocrm.records import EspoRecord, Page, SpoiltRow, json_object
from vmh_sync.systems.espocrm.spoilt_lists import SetApart, Wanted, list_chunk
from vmh_sync.systems.espocrm.stamp_clock import StampClock
from vmh_sync.systems.http import HttpClient, make_http
from vmh_sync.systems.retry import RetryPolicy
from vmh_sync.systems.transport import RawAnswer

ALWAYS_SELECTED = ("id", "modifiedAt", "modifiedById", "versionNumber")
"""Unknown names in a select are ignored, so ``versionNumber`` does no harm where it is switched off."""


class EspoClient:
    """Typed calls to one EspoCRM. All methods raise subclasses of ``EspoError``."""

    def __init__(
        self,
        settings: EspoCrmSettings,
        *,
        http: HttpClient,
        clock: Clock,
        observer: CallObserver | None = None,
        retry: RetryPolicy | None = None,
        login: Login | None = None,
        circuits: CircuitStore | None = None,
        person: bool = False,
        stamp_clock: StampClock | None = None,
        limits: ListLimits | None = None,
    ) -> None:
        self._clock = stamp_clock or StampClock()
        limits = limits or ListLimits()
        self._longest_page = limits.page
        self._most_values = limits.values
        self._days = DayFields()
        self._connection = Connection(
            base_url=settings.api_base_url,
            login=login or login_of(settings),
            circuit=LoginCircuit(login_name(settings), clock, circuits or MemoryCircuits()),
            person=person,
            http=http,
            clock=clock,
            observer=observer or NullObserver(),
            retry=retry or RetryPolicy(),
            concurrency=settings.concurrency,
        )

    async def login_held_back(self) -> ForeignSystemError | None:
        """What any call would meet now because the login was refused before, None when calls may be made."""
        return await self._connection.login_held_back()

    # Reading

    async def read(self, entity: str, record_id: str) -> EspoRecord | None:
        """The full record, e-mail and phone lists included; None when EspoCRM says that it is gone."""
        route = f"{entity}/{{id}}"
        try:
            response = await self._connection.call("GET", f"{entity}/{_segment(record_id)}", route=route)
        except NotFound:
            return None
        record = answers.as_record(entity, response, f"GET {route}", self._clock)
        if record.id != record_id:
            raise UnexpectedAnswer(f"GET {route}: answer is another record")
        return record

    async def list_page(
        self,
        entity: str,
        *,
        where: Sequence[Where] = (),
        select: Sequence[str] | None = None,
        page_size: int = LIST_LIMIT,
        order_by: str = "id",
        descending: bool = False,
        count: bool = False,
    ) -> Page:
        """One list request. ``count`` asks for the exact total, which costs the CRM a second query."""
        names = None if select is None else list(dict.fromkeys((*ALWAYS_SELECTED, *select)))
        headers = {} if count else {"X-No-Total": "true"}
        while True:
            size = min(page_size, self._longest_page)
            params = search_params(where=where, select=names, order_by=order_by, descending=descending, max_size=size)
            try:
                response = await self._connection.call("GET", entity, route=entity, params=params, headers=headers)
            except PageTooLong as refusal:
                if not 1 <= refusal.limit < size:
                    raise
                # This installation's limit (recordListMaxSizeLimit), known from now on.
                self._longest_page = refusal.limit
            else:
                return answers.as_page(entity, response, f"GET {entity}", self._clock)

    def list_all(
        self,
        entity: str,
        *,
        where: Sequence[Where] = (),
        select: Sequence[str] | None = None,
        page_size: int = LIST_LIMIT,
        spoilt: list[SpoiltRow] | None = None,
    ) -> AsyncIterator[EspoRecord]:
        """All matching records by ascending id, page by page by key. Without ``select`` all attributes of a list.

        Rows that cannot be used are added to ``spoilt``; without it the first one raises ``UnexpectedAnswer``.
        """
        fetch = partial(self.list_page, entity, select=select, page_size=page_size)
        return by_key(fetch, where, f"GET {entity}", spoilt)

    async def list_ids_in(
        self,
        entity: str,
        attribute: str,
        values: Iterable[Any],
        *,
        select: Sequence[str] | None = None,
        spoilt: dict[str, UnexpectedAnswer] | None = None,
        spoilt_rows: dict[str, list[SpoiltRow]] | None = None,
    ) -> AsyncIterator[EspoRecord]:
        """All records whose ``attribute`` has one of ``values``: at most 100 values a request; repeated ones once.

        Where the web server refuses so long an address, fewer at once. ``spoilt`` learns which values (as text) the
        list says nothing reliable of, and why; the others are complete. ``spoilt_rows``: where it is given, a row that
        tells its id spoils only itself and stands here by its value. Without ``spoilt``, or when no list at all can be
        read, raises ``UnexpectedAnswer``.
        """
        apart = SetApart(spoilt, spoilt_rows) if spoilt is not None else None
        waiting = chunks(values, self._most_values)
        given: set[str] = set()
        while waiting:
            chunk = waiting.pop(0)
            if len(chunk) > self._most_values:
                middle = len(chunk) // 2
                waiting[:0] = [chunk[:middle], chunk[middle:]]
                continue
            try:
                async for record in list_chunk(self, Wanted(entity, attribute, select), chunk, apart):
                    if record.id not in given:
                        given.add(record.id)
                        yield record
            except QueryTooLong:
                if len(chunk) == 1:
                    raise
                self._most_values = len(chunk) // 2
                waiting.insert(0, chunk)

    async def metadata(self, key: str) -> Any:
        """Metadata under a key such as ``entityDefs.CBeteiligte.fields``; None when there is none."""
        response = await self._connection.call("GET", "Metadata", route="Metadata", params={"key": key})
        # EspoCRM answers a missing key with 200 and an empty body (specification, espocrm.md, 9.3 and 10.x).
        return answers.parse(response, "GET Metadata") if response.content.strip() else None

    async def app_user(self) -> dict[str, Any]:
        """Who we are and what we may: ``user``, ``acl``, settings."""
        answer = answers.parse(await self._connection.call("GET", "App/user", route="App/user"), "GET App/user")
        if not isinstance(answer, dict):
            raise UnexpectedAnswer(f"GET App/user: expected an object, got {type(answer).__name__}")
        return answer

    # Writing

    async def create(
        self, entity: str, values: Mapping[str, object], *, skip_duplicate_check: bool = False
    ) -> EspoRecord:
        """Create a record; the answer holds only attributes with a value.

        Raises DuplicateFound with the ids of the records that EspoCRM takes for the same (nothing was created
        then). The check is not atomic.
        """
        headers = {"X-Skip-Duplicate-Check": "true"} if skip_duplicate_check else {}
        where = f"POST {entity}"
        send = partial(self._connection.call, "POST", entity, route=entity, headers=headers)
        response = await self._days.save(entity, json_object(values), send)
        if response.status_code == 409:
            raise answers.refused_create(entity, response, where)
        try:
            return answers.as_written(entity, response, where, self._clock)
        except UnexpectedAnswer as error:
            # It was created, but its id is not told: whoever asked must look before creating again.
            raise OutcomeUnknown(f"{where}: the answer names no id", status=error.status) from None

    async def update(
        self, entity: str, record_id: str, values: Mapping[str, object], *, version: int | None = None
    ) -> EspoRecord:
        """Write some attributes of a record; the others stay.

        ``version`` is the one that the values were made from: VersionConflict when it is stale and a value
        differs. It is ignored where optimistic concurrency is off, and is no lock where it is on (B8). Raises
        NotFound for a deleted record.
        """
        route = f"{entity}/{{id}}"
        headers = {} if version is None else {"X-Version-Number": str(version)}
        path = f"{entity}/{_segment(record_id)}"
        send = partial(self._connection.call, "PUT", path, route=route, headers=headers)
        response = await self._days.save(entity, json_object(values), send)
        if response.status_code == 409:
            raise answers.conflict(response, f"PUT {route}")
        try:
            return answers.as_written(entity, response, f"PUT {route}", self._clock)
        except UnexpectedAnswer as error:
            raise OutcomeUnknown(f"PUT {route}: unreadable answer", status=error.status) from None

    async def delete(self, entity: str, record_id: str) -> bool:
        """Delete a record (softly). False: it was gone already."""
        route = f"DELETE {entity}/{{id}}"
        try:
            response = await self._connection.call(
                "DELETE", f"{entity}/{_segment(record_id)}", route=f"{entity}/{{id}}"
            )
        except NotFound:
            return False
        if response.status_code == 409:
            raise answers.conflict(response, route)
        try:
            answers.parse(response, route)
        except UnexpectedAnswer as error:
            raise OutcomeUnknown(f"{route}: unreadable answer", status=error.status) from None
        return True

    # Everything else

    async def call(
        self, method: str, path: str, *, params: Mapping[str, object] | None = None, body: Any = None
    ) -> Any:
        """Any call below ``/api/v1``, by a path without leading slash: the JSON of its success, or the typed error."""
        response = await self._connection.call(method, path, route="(other)", params=params, body=body)
        if response.status_code == 409:
            raise answers.conflict(response, f"{method} (other)")
        return answers.parse(response, f"{method} (other)")

    async def rows(self, entity: str, params: Mapping[str, object]) -> list[dict[str, Any]]:
        """The rows of a list of the system's own; empty where the answer is none."""
        answer = await self.call("GET", entity, params=params)
        rows = answer.get("list") if isinstance(answer, dict) else None
        return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []

    async def request(
        self,
        method: str,
        path: str,
        params: Mapping[str, object] | None = None,
        json: Any = None,
        headers: dict[str, str] | None = None,
    ) -> RawAnswer:
        """Any call, once: the answer as it came, whatever its status but 401 and a lock-out, which raise."""
        return RawAnswer.of(await self._connection.raw(method, path, params=params, body=json, headers=headers))


def _segment(record_id: str) -> str:
    if record_id in ("", ".", ".."):  # the path would name the whole list, and a signature another path
        raise ValueError("this is no record id")
    return urllib.parse.quote(record_id, safe="")


@asynccontextmanager
async def open_espocrm(
    settings: EspoCrmSettings,
    *,
    clock: Clock,
    observer: CallObserver | None = None,
    retry: RetryPolicy | None = None,
    circuits: CircuitStore | None = None,
    person: bool = False,
    stamp_clock: StampClock | None = None,
    limits: ListLimits | None = None,
) -> AsyncIterator[EspoClient]:
    """Make a client with connections of its own, closed at the end.

    ``circuits`` holds the state of the login that all processes share; ``person`` tries a refused login before its
    pause is over (``systems.circuit``); ``stamp_clock`` is what is known of EspoCRM's clock, and learns more;
    ``limits`` are those of this installation where they are known.
    """
    async with make_http(settings.api_timeout_seconds, settings.concurrency) as http:
        yield EspoClient(
            settings,
            http=http,
            clock=clock,
            observer=observer,
            retry=retry,
            circuits=circuits,
            person=person,
            stamp_clock=stamp_clock,
            limits=limits,
        )


@asynccontextmanager
async def open_espocrm_admin(
    settings: EspoCrmSettings,
    *,
    clock: Clock,
    retry: RetryPolicy | None = None,
) -> AsyncIterator[EspoClient]:
    """The same for the administrator that the settings name. Raises ``SettingsError`` where they name none."""
    user, password = settings.admin_user, settings.admin_password
    if user is None or password is None:
        raise SettingsError(
            "ESPOCRM_ADMIN_USER oder ESPOCRM_ADMIN_PASSWORD fehlt: Anmeldung eines Administrators, nur für crm setup"
        )
    async with make_http(settings.api_timeout_seconds, settings.concurrency) as http:
        login = basic_login(user, password.get_secret_value())
        yield EspoClient(settings, http=http, clock=clock, retry=retry, login=login)
