"""A simulated Google on real HTTP, driven by the official client; each exchange is checked against its document."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vmh_sync.clock import ManualClock
from vmh_sync.sandbox.control import ControlledApp
from vmh_sync.sandbox.google import GoogleConfig, GoogleHooks, create_google
from vmh_sync.sandbox.google.api import ApiRequest, ApiResponse
from vmh_sync.sandbox.serving import LoopbackServer
from vmh_sync.settings import GoogleCalendarSettings
from vmh_sync.systems.google_calendar.client import GoogleCalendarClient
from vmh_sync.systems.google_calendar.events import Event, EventTime
from vmh_sync.systems.google_calendar.retry import Retrier, google_policy
from vmh_sync.systems.google_calendar.service import ServiceFactory
from vmh_sync_tests.contract.google.discovery_schema import DiscoverySchema
from vmh_sync_tests.fixtures.event_drafts import EventDraft

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CET = datetime.fromisoformat("2026-03-02T00:00:00+01:00").tzinfo
SUBJECT = "kanzlei@example.test"


@dataclass
class CountingQuota:
    """Counts units instead of waiting for them."""

    units: int = 0

    def __call__(self, cost: int) -> None:
        self.units += cost


@dataclass
class Google:
    """One test's Google: its address, its back door, clients for it, and what was exchanged."""

    url: str
    app: ControlledApp
    hooks: GoogleHooks
    clock: ManualClock
    slept: list[float] = field(default_factory=list)
    quota: CountingQuota = field(default_factory=CountingQuota)
    exchanges: list[tuple[ApiRequest, ApiResponse]] = field(default_factory=list)
    factories: dict[str, ServiceFactory] = field(default_factory=dict)

    def settings(self, **changes: Any) -> GoogleCalendarSettings:
        key = json.dumps(self.hooks.service_account_key(self.url))
        values = {"service_account_json": key, "api_endpoint": self.url, "_env_file": None, **changes}
        return GoogleCalendarSettings(**values)

    def services(self, subject: str | None = None, **changes: Any) -> ServiceFactory:
        """Return the services of an account, the same ones in the whole test: reading an RSA key takes a while."""
        wanted = f"{subject} {changes}"
        if wanted not in self.factories:
            self.factories[wanted] = ServiceFactory(self.settings(**changes), subject=subject)
        return self.factories[wanted]

    def client(self, subject: str | None = None, attempts: int = 4, **changes: Any) -> GoogleCalendarClient:
        retrier = Retrier(google_policy(attempts), sleep=self.sleep, clock=self.clock)
        return GoogleCalendarClient(self.services(subject, **changes), self.quota, retrier=retrier)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(timedelta(seconds=seconds))

    def calendar(self, name: str = "AW-SB", **values: Any) -> str:
        """Seed a calendar of the service account; return its id."""
        return str(self.hooks.seed({"calendars": [{"summary": name, **values}]})["calendars"][0])

    def fault(self, **rule: Any) -> None:
        self.app.faults.add({"times": 1, **rule})

    def calls(self, verb: str, ending: str) -> int:
        """Count the exchanges with this verb whose path ends so."""
        return sum(1 for request, _ in self.exchanges if request.method == verb and request.path.endswith(ending))


class _ServerThread:
    """The server in a thread of its own, so that the synchronous client can block."""

    def __init__(self, app: ControlledApp) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self.server = LoopbackServer(app)
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    def __enter__(self) -> str:
        self._thread.start()
        return self.server.url

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    async def _serve(self) -> None:
        async with self.server:
            await self._stop.wait()


@pytest.fixture(scope="session")
def google_server() -> Iterator[tuple[str, ControlledApp, GoogleHooks]]:
    app, hooks = create_google(GoogleConfig(delegation_subjects=(SUBJECT,)))
    controlled = ControlledApp(app, name="google", hooks=hooks)
    with _ServerThread(controlled) as url:
        yield url, controlled, hooks


@pytest.fixture(scope="session")
def discovery_schema() -> DiscoverySchema:
    return DiscoverySchema()


@pytest.fixture
def google(
    google_server: tuple[str, ControlledApp, GoogleHooks], discovery_schema: DiscoverySchema
) -> Iterator[Google]:
    url, app, hooks = google_server
    clock = ManualClock(NOON)
    hooks.config.clock = clock
    app.faults.clear()
    hooks.reset({})
    one = Google(url, app, hooks, clock)
    hooks.api.handle = _recording(hooks.api.handle, one)  # type: ignore[assignment, method-assign]
    yield one
    for factory in one.factories.values():
        factory.close()
    problems = [text for exchange in one.exchanges for text in _problems(discovery_schema, *exchange)]
    assert not problems


def _recording(handle: Callable[[ApiRequest], ApiResponse], one: Google) -> Callable[[ApiRequest], ApiResponse]:
    def recorded(request: ApiRequest) -> ApiResponse:
        response = handle(request)
        one.exchanges.append((request, response))
        return response

    return recorded


def _problems(schema: DiscoverySchema, request: ApiRequest, response: ApiResponse) -> list[str]:
    found = schema.response_problems(request.method, request.path, response.status, response.body)
    if response.status == 400:
        return found  # the request was meant to be wrong
    return found + schema.request_problems(request.method, request.path, request.query, request.body)


def find_events(client: GoogleCalendarClient, calendar_id: str, **private: str) -> list[Event]:
    """Return the living events whose private extended properties have all these values (masters, no instances)."""
    wanted = [f"{key}={value}" for key, value in private.items()]
    pages = client.list_pages(calendar_id, {"privateExtendedProperty": wanted, "singleEvents": False})
    return [Event.from_wire(item) for page in pages for item in page["items"]]


@pytest.fixture
def draft() -> EventDraft:
    """The first vector of kalender.md 3."""
    return EventDraft(
        start=EventTime(at=datetime(2026, 3, 2, 10, 30, tzinfo=CET), time_zone="Europe/Berlin"),
        end=EventTime(at=datetime(2026, 3, 2, 11, 30, tzinfo=CET), time_zone="Europe/Berlin"),
        summary="Verhandlung",
        description="Saal 3\r\nAkte mitbringen",
        location="Düsseldorf",
        private_properties={"vmhFrNr": "4711"},
    )
