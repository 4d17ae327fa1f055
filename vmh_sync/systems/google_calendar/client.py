"""Typed calls to Google Calendar: each one goes through quota, retry, observation and error classes.

Synchronous, since the official client is; run it in worker threads. Every method may raise the classes of
``errors.py``.
"""

import http.client
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import google.auth.exceptions
import httplib2
import httpx
from googleapiclient.errors import HttpError

from vmh_sync.clock import SystemClock
from vmh_sync.fence import require_writing
from vmh_sync.systems.calls import CallObserver, NullObserver
from vmh_sync.systems.circuit import LoginBeingTried, LoginHeldBack, MemoryCircuits, ThreadLoginCircuit, Ticket
from vmh_sync.systems.google_calendar.errors import (
    AlreadyDeletedError,
    Answer,
    ConnectError,
    DelegationRefusedError,
    DuplicateError,
    GoogleCalendarError,
    IncompleteReadError,
    InvalidCredentialsError,
    NotFoundError,
    ServerError,
    UnknownOutcomeError,
    UnreadableEventError,
    UpdatedMinTooLongAgoError,
    from_answer,
    reason_of,
)
from vmh_sync.systems.google_calendar.events import Event, EventContent, Json
from vmh_sync.systems.google_calendar.locks import CalendarLocks
from vmh_sync.systems.google_calendar.quota import PATCH, READ, WRITE, Quota
from vmh_sync.systems.google_calendar.retry import Replay, Retrier
from vmh_sync.systems.json_answers import UnreadableJson, flaw
from vmh_sync.systems.transport import RawAnswer, retry_after_seconds
from vmh_sync.watchdog import went_on

MAX_PAGES = 10_000
PAGE_SIZE = 2500
SILENT = {"sendUpdates": "none"}
UNAUTHORIZED = 401

_TRANSPORT_ERRORS = (
    OSError,
    http.client.HTTPException,
    httplib2.HttpLib2Error,
    google.auth.exceptions.GoogleAuthError,
)

_HELD_BACK: Mapping[str, type[GoogleCalendarError]] = {"DelegationRefusedError": DelegationRefusedError}

BuildRequest = Callable[[Any], Any]


class Services(Protocol):
    """Where a thread gets its service object from."""

    def service(self) -> Any:
        """Return this thread's calendar v3 service object."""
        ...


@dataclass(frozen=True, slots=True)
class Operation:
    """One API method: its name, its route template, its HTTP method, quota cost and whether it may be repeated."""

    name: str
    verb: str
    route: str
    cost: int = READ
    replay: Replay = Replay.SAFE


_EVENTS = "calendars/{calendarId}/events"
_EVENT = f"{_EVENTS}/{{eventId}}"
INSERT = Operation("events.insert", "POST", _EVENTS, WRITE)
GET = Operation("events.get", "GET", _EVENT)
UPDATE = Operation("events.update", "PUT", _EVENT, WRITE)
PATCH_EVENT = Operation("events.patch", "PATCH", _EVENT, PATCH)
DELETE = Operation("events.delete", "DELETE", _EVENT, WRITE)
MOVE = Operation("events.move", "POST", f"{_EVENT}/move", WRITE)
LIST = Operation("events.list", "GET", _EVENTS)
INSTANCES = Operation("events.instances", "GET", f"{_EVENT}/instances")


class GoogleCalendarClient:
    """Events of any calendar that the acting account may reach.

    ``services`` yields the service object, ``quota`` the firm's share, ``retrier`` the pauses,
    ``observer`` gets told of every request, ``circuit`` is the one of this login.
    """

    def __init__(
        self,
        services: Services,
        quota: Quota,
        *,
        retrier: Retrier | None = None,
        observer: CallObserver | None = None,
        circuit: ThreadLoginCircuit | None = None,
        person: bool = False,
    ) -> None:
        self._services = services
        self._person = person
        self._circuit = circuit or ThreadLoginCircuit("google", SystemClock(), MemoryCircuits())
        self._quota = quota
        self._retrier = retrier or Retrier()
        self._locks = CalendarLocks()
        self._observer = observer or NullObserver()

    def insert_event(self, calendar_id: str, event_id: str, content: EventContent) -> Event:
        """Create an event under our id and return it as Google stored it.

        Raises :class:`DuplicateError` when the id is taken, also by a deleted event; after a lost answer the
        event found under the id is returned instead, because it is ours.
        """
        body = content.to_insert(event_id)
        with self._locks.hold(calendar_id):
            try:
                answer = self.run(INSERT, lambda s: s.events().insert(calendarId=calendar_id, body=body, **SILENT))
            except DuplicateError as error:
                if not error.after_lost_answer:
                    raise
                found = self.get_event(calendar_id, event_id)
                if found.cancelled:
                    raise
                return found
        return _event(INSERT, answer)

    def get_event(self, calendar_id: str, event_id: str) -> Event:
        """Read one event; a deleted one comes back as cancelled.

        Raises :class:`NotFoundError` and :class:`UnreadableEventError`.
        """
        answer = self.run(GET, lambda s: s.events().get(calendarId=calendar_id, eventId=event_id))
        return _event(GET, answer)

    def update_event(self, calendar_id: str, current: Event, content: EventContent) -> Event:
        """Replace our part of the event ``current`` and return it as Google stored it.

        Costs one unit; three when it is patched: when the event carries guests, attachments or a conference, or when
        nothing but our own properties is written.
        Raises :class:`PreconditionFailedError` when the event changed since ``current`` was read, which after a
        lost answer may be our own change: read again, plan again.
        """
        ids = {"calendarId": calendar_id, "eventId": current.id}
        patch = current.needs_patch or content.only_properties

        def build(service: Any) -> Any:
            send = service.events().patch if patch else service.events().update
            body = content.to_patch(current) if patch else content.to_update(current)
            return _if_match(send(**ids, body=body, **SILENT, **_known_parts(body)), current.etag)

        with self._locks.hold(calendar_id):
            answer = self.run(PATCH_EVENT if patch else UPDATE, build)
        return _event(UPDATE, answer)

    def delete_event(self, calendar_id: str, event_id: str, etag: str | None = None) -> bool:
        """Delete an event; True when this call did it, False when it was gone already.

        With ``etag`` raises :class:`PreconditionFailedError` when the event changed since.
        """

        def build(service: Any) -> Any:
            return _if_match(service.events().delete(calendarId=calendar_id, eventId=event_id, **SILENT), etag)

        with self._locks.hold(calendar_id):
            try:
                self.run(DELETE, build)
            except (AlreadyDeletedError, NotFoundError):
                return False
        return True

    def move_event(self, calendar_id: str, event_id: str, to: str) -> Event:
        """Move an event to another calendar, a series with all that was changed of it; it keeps its id.

        Raises :class:`NotFoundError` or :class:`AlreadyDeletedError` when it is not there (any more), which after a
        lost answer may be our own doing, :class:`ForbiddenError` and :class:`InvalidRequestError` when Google does not
        let it go: only its organiser may move it, and only events of the usual kind.
        """
        ids = {"calendarId": calendar_id, "eventId": event_id, "destination": to}
        with self._locks.hold(calendar_id):
            return _event(MOVE, self.run(MOVE, lambda s: s.events().move(**ids, **SILENT)))

    def list_pages(self, calendar_id: str, params: Mapping[str, object]) -> Iterator[Json]:
        """Yield the pages of ``events.list`` with these query parameters (short and empty pages included)."""
        yield from self.pages(LIST, lambda s, page: s.events().list(calendarId=calendar_id, **params, **page))

    def instances(self, calendar_id: str, event_id: str, *, show_deleted: bool = False) -> list[Event]:
        """Return the occurrences of a series, cancelled ones only with ``show_deleted``.

        One that cannot be used comes without content; raises ValueError when not even its id can be read.
        """
        params = {"calendarId": calendar_id, "eventId": event_id, "showDeleted": show_deleted, "maxResults": PAGE_SIZE}
        pages = self.pages(INSTANCES, lambda s, page: s.events().instances(**params, **page))
        return [Event.as_told(item) for page in pages for item in page.get("items", ())]

    def changed_since(self, calendar_id: str, since: datetime | None) -> list[Event]:
        """Return the living events, series once, that were changed since an aware moment (``None``: all of them).

        All of them also where Google does not remember so far back.
        """
        if since is None:
            return self._living(calendar_id)
        try:
            return self._living(calendar_id, updatedMin=since.isoformat())
        except UpdatedMinTooLongAgoError:
            return self._living(calendar_id)

    def carrying(self, calendar_id: str, name: str, value: str) -> list[Event]:
        """Return the living events, series once, that carry this private property."""
        return self._living(calendar_id, privateExtendedProperty=f"{name}={value}")

    def _living(self, calendar_id: str, **params: str) -> list[Event]:
        params["calendarId"] = calendar_id
        pages = self.pages(LIST, lambda s, page: s.events().list(**params, maxResults=PAGE_SIZE, **page))
        items = [item for page in pages for item in page.get("items", ()) if item.get("id")]
        return [event for event in map(Event.as_told, items) if not event.cancelled]

    def pages(self, operation: Operation, build: Callable[[Any, Json], Any]) -> Iterator[Json]:
        """Yield every page of a list; ``build(service, page)`` gets ``{}`` or ``{"pageToken": …}``.

        Raises :class:`IncompleteReadError` when a page holds no list or the pages do not end.
        """
        page: Json = {}
        for _ in range(MAX_PAGES):
            answer = self.run(operation, lambda service, page=page: build(service, page))  # type: ignore[misc]
            if not isinstance(answer.get("items"), list):
                raise IncompleteReadError(operation.name, Answer(200, "noItems"))
            yield answer
            if not answer.get("nextPageToken"):
                return
            page = {"pageToken": answer["nextPageToken"]}
        raise IncompleteReadError(operation.name, Answer(200, "endlessPages"))

    def run(self, operation: Operation, build: BuildRequest) -> Json:
        """Carry out one operation and return the decoded answer ({} for an empty one).

        Takes the quota before every attempt, retries what may be retried and observes each attempt.
        """
        return self._retrier.call(lambda number: self._attempt(operation, build, number), operation.replay)

    def exchange(self, operation: Operation, build: BuildRequest) -> RawAnswer:
        """Carry out an operation that tries what Google does: the answer as it came, whatever its status, once."""
        self._quota(operation.cost)
        if operation.verb != "GET":
            require_writing()
        request = build(self._services.service())
        try:
            answer, content = request.http.request(
                request.uri, method=request.method, body=request.body, headers=request.headers
            )
        except _TRANSPORT_ERRORS as error:
            raise _from_transport(operation, error) from None
        if int(answer.status) == UNAUTHORIZED:
            raise self._from_http(operation, HttpError(answer, content))
        return RawAnswer.of(httpx.Response(int(answer.status), content=content))

    def _attempt(self, operation: Operation, build: BuildRequest, number: int) -> Json:
        self._quota(operation.cost)
        ticket = self._enter(operation)
        said = False
        try:
            answer = self._send(operation, build, number)
            said = True
            self._circuit.worked(ticket)
            return answer
        except InvalidCredentialsError as refusal:
            said = True
            refusal.retry_after = self._circuit.refused(
                ticket, type(refusal).__name__, f"{operation.name}: {refusal.reason}", refusal.status
            )
            raise
        except GoogleCalendarError as failure:
            if failure.status is not None and failure.status < 500:
                said = True
                self._circuit.worked(ticket)
            raise
        finally:
            if not said:
                self._circuit.give_back(ticket)

    def _enter(self, operation: Operation) -> Ticket:
        try:
            return self._circuit.enter(person=self._person)
        except LoginHeldBack as held:
            kind = _HELD_BACK.get(held.state.kind, InvalidCredentialsError)
            failure: GoogleCalendarError = kind(
                operation.name, Answer(held.state.status, "heldBack", retry_after=held.seconds)
            )
        except LoginBeingTried:
            failure = ConnectError(operation.name, Answer(None, "loginBeingTried"))
        failure.held_back = True
        raise failure

    def _send(self, operation: Operation, build: BuildRequest, number: int) -> Json:
        if operation.verb != "GET":
            require_writing()
        request = build(self._services.service())
        started = time.monotonic()
        status: int | None = None
        try:
            answer = request.execute(num_retries=0)
            status = 200
        except HttpError as error:
            failure = self._from_http(operation, error)
            status = failure.status
            raise failure from None
        except UnreadableJson:
            raise UnknownOutcomeError(operation.name, Answer(200, "unreadableBody")) from None
        except _TRANSPORT_ERRORS as error:
            raise _from_transport(operation, error) from None
        finally:
            if status is not None:
                went_on()
            self._observer.observe(
                system="google",
                method=operation.verb,
                route=operation.route,
                status=status,
                seconds=time.monotonic() - started,
                retry=number > 0,
            )
        if not isinstance(answer, dict) and operation.verb != "DELETE":
            # The library hands out a body that is no JSON as it is; taken for a list it would be an empty one.
            raise UnknownOutcomeError(operation.name, Answer(status, "unreadableBody"))
        return answer if isinstance(answer, dict) else {}

    def _from_http(self, operation: Operation, error: HttpError) -> GoogleCalendarError:
        response = error.resp
        wait = retry_after_seconds(response.get("retry-after"), self._retrier.clock.now())
        return from_answer(operation.name, Answer(int(response.status), reason_of(error.content), wait))


def _event(operation: Operation, answer: Any) -> Event:
    with suppress(ValueError, TypeError, AttributeError, OverflowError):
        if flaw(answer) is None:
            return Event.from_wire(answer)
    raise UnreadableEventError(operation.name, Answer(200, "unreadableEvent"))


def _known_parts(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what makes Google take a conference or attachments from us: it ignores them where nobody says so."""
    known = {"conferenceData": ("conferenceDataVersion", 1), "attachments": ("supportsAttachments", True)}
    return dict(said for part, said in known.items() if part in body)


def _if_match(request: Any, etag: str | None) -> Any:
    if etag:
        request.headers["If-Match"] = etag
    return request


def _from_transport(operation: Operation, error: Exception) -> GoogleCalendarError:
    """No HTTP answer: tell "never sent" from "sent, outcome unknown"."""
    reason = Answer(None, type(error).__name__)
    if isinstance(error, google.auth.exceptions.RefreshError):
        # The token service answered; a 5xx of it is worth another attempt, a refusal is final.
        refused = DelegationRefusedError if "unauthorized_client" in str(error) else InvalidCredentialsError
        return (ServerError if error.retryable else refused)(operation.name, reason)
    if isinstance(error, google.auth.exceptions.TransportError):
        return ConnectError(operation.name, reason)
    if isinstance(error, google.auth.exceptions.GoogleAuthError):
        return InvalidCredentialsError(operation.name, reason)
    if isinstance(error, ConnectionRefusedError | httplib2.ServerNotFoundError):
        return ConnectError(operation.name, reason)
    return UnknownOutcomeError(operation.name, reason)
