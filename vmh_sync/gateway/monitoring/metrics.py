"""``/metrics`` for Prometheus: what the database and Redis know at this moment, and what this process measured.

No label carries an id or a value of a record.
"""

import asyncio
import hmac
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import CollectorRegistry, CounterMetricFamily, GaugeMetricFamily, Metric
from pydantic import SecretStr

from vmh_sync.coordination.errors import CoordinationUnavailable, translated
from vmh_sync.coordination.rate import units_spent
from vmh_sync.coordination.watch_sign import read_sign
from vmh_sync.engine.installation.held_logins import SYSTEMS, held_back_logins
from vmh_sync.entities import every, with_records
from vmh_sync.gateway.http.call_metrics import OWN
from vmh_sync.gateway.keys import NotAllowed
from vmh_sync.gateway.services import GatewayServices, services_of
from vmh_sync.store.errors import StoreError
from vmh_sync.store.history.metrics import CallKey, PassSummary
from vmh_sync.store.store import Transaction

_log = logging.getLogger(__name__)

LOOK_SECONDS = 4.0
"""For each of database and Redis: Prometheus waits 10 s for all of it, and then has not even what we measured."""
RECENT_PASSES = 20
MOST_LEASES = 10_000
_LEASES = "vmh:lease:*"
_GOOGLE_RATE = "google"
_GOOGLE_WINDOW = 60

router = APIRouter(tags=["health"])


@dataclass(slots=True)
class Snapshot:
    """What is known at one moment. Spans in seconds; None: nothing waits, or not known."""

    outcomes: dict[tuple[str, str], int] = field(default_factory=dict)
    calls: dict[CallKey, int] = field(default_factory=dict)
    statuses: dict[tuple[str, str], int] = field(default_factory=dict)
    different: dict[str, int] = field(default_factory=dict)
    inbox: dict[str, tuple[int, float]] = field(default_factory=dict)
    oldest_dirty: dict[str, float] = field(default_factory=dict)
    passes: dict[str, Sequence[PassSummary]] = field(default_factory=dict)
    retries: dict[str, int] = field(default_factory=dict)
    channels: int = 0
    leases: int | None = None
    google_spent: int | None = None
    held_back: dict[str, float] | None = None
    watch_up: bool = False
    database_up: bool = False
    redis_up: bool = False
    launched: int = 0
    launch_failures: int = 0


async def take(services: GatewayServices) -> Snapshot:
    """Read everything; what cannot be read stays empty and is shown as down."""
    snapshot = Snapshot()
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            await asyncio.to_thread(services.calls.store, services.store)
            await services.store.read(_read_store, services, snapshot)
        snapshot.database_up = True
    except (StoreError, TimeoutError) as problem:
        snapshot = Snapshot()  # a thread that still reads must not fill what is shown
        _log.warning("metrics: %r", problem)
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            await _read_redis(services, snapshot)
    except (CoordinationUnavailable, TimeoutError) as problem:
        _log.warning("metrics: %r", problem)
    snapshot.launched, snapshot.launch_failures = services.debouncer.launched, services.debouncer.failed
    return snapshot


def _read_store(tx: Transaction, services: GatewayServices, snapshot: Snapshot) -> None:
    now = services.clock.now()
    snapshot.outcomes = tx.passes.totals()
    snapshot.calls = tx.call_counts.read()
    snapshot.statuses = tx.records.counts()
    snapshot.different = tx.records.different()
    snapshot.channels = len(tx.calendar_channels.living())
    for entity in _record_entities():
        snapshot.inbox[entity] = (
            tx.inbox.pending_count(entity, now),
            _age(tx.inbox.oldest_pending(entity, now), now),
        )
        snapshot.oldest_dirty[entity] = _age(tx.records.oldest_dirty(entity), now)
    for entity in (known.name for known in every()):
        snapshot.passes[entity] = tx.passes.recent(entity, RECENT_PASSES)
        snapshot.retries[entity] = len(tx.records.due(entity, now, limit=1000))


def _record_entities() -> list[str]:
    return [entity.name for entity in with_records()]


async def _read_redis(services: GatewayServices, snapshot: Snapshot) -> None:
    if services.redis is None:
        return
    count = 0
    with translated():
        async for _key in services.redis.scan_iter(match=_LEASES, count=500):
            count += 1
            if count >= MOST_LEASES:
                break
    snapshot.google_spent = await units_spent(services.redis, _GOOGLE_RATE, _GOOGLE_WINDOW)
    snapshot.leases = count
    settings = services.settings
    held_back = await held_back_logins(services.redis, settings.advoware, settings.espocrm, services.clock)
    snapshot.held_back = {login.system: login.seconds for login in held_back}
    sign = await read_sign(services.redis)
    snapshot.watch_up = sign is not None and sign.paused is None
    snapshot.redis_up = True


def _age(moment: datetime | None, now: datetime) -> float:
    return max(0.0, (now - moment).total_seconds()) if moment is not None else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class SnapshotCollector:
    """Shows one snapshot in Prometheus's terms. ``quota`` is Google's units a minute."""

    snapshot: Snapshot
    quota: int

    def collect(self) -> Iterator[Metric]:
        """Yield every family."""
        yield from self._counters()
        yield from self._records()
        yield from self._passes()
        yield from self._services()

    def _counters(self) -> Iterator[Metric]:
        outcomes = CounterMetricFamily(
            "vmh_records", "Records by outcome since the database exists.", labels=["entity", "outcome"]
        )
        for (entity, outcome), count in sorted(self.snapshot.outcomes.items()):
            outcomes.add_metric([entity, outcome], count)
        calls = CounterMetricFamily(
            "vmh_foreign_calls",
            "Calls to foreign systems since the database exists.",
            labels=["system", "method", "route", "status"],
        )
        for key, count in sorted(self.snapshot.calls.items()):
            calls.add_metric(list(key), count)
        launches = CounterMetricFamily("vmh_launches", "Runs launched by webhook in this process.", labels=["result"])
        launches.add_metric(["launched"], self.snapshot.launched)
        launches.add_metric(["failed"], self.snapshot.launch_failures)
        yield from (outcomes, calls, launches)

    def _records(self) -> Iterator[Metric]:
        statuses = GaugeMetricFamily("vmh_record_status", "Records by status.", labels=["entity", "status"])
        for (entity, status), count in sorted(self.snapshot.statuses.items()):
            statuses.add_metric([entity, status], count)
        different = GaugeMetricFamily(
            "vmh_records_different", "Records whose sides stay apart, a task open for each.", labels=["entity"]
        )
        for entity in _record_entities() if self.snapshot.database_up else ():
            different.add_metric([entity], self.snapshot.different.get(entity, 0))
        waiting = GaugeMetricFamily("vmh_inbox_waiting", "Events that no run has claimed.", labels=["entity"])
        age = GaugeMetricFamily("vmh_inbox_oldest_seconds", "Age of the oldest such event.", labels=["entity"])
        for entity, (count, seconds) in self.snapshot.inbox.items():
            waiting.add_metric([entity], count)
            age.add_metric([entity], seconds)
        dirty = GaugeMetricFamily(
            "vmh_oldest_dirty_seconds", "Since when the longest waiting record waits for a sync.", labels=["entity"]
        )
        for entity, seconds in self.snapshot.oldest_dirty.items():
            dirty.add_metric([entity], seconds)
        retries = GaugeMetricFamily(
            "vmh_retries_due", "Failed records that are due again, counted up to 1,000.", labels=["entity"]
        )
        for entity, count in self.snapshot.retries.items():
            retries.add_metric([entity], count)
        yield from (statuses, different, waiting, age, dirty, retries)

    def _passes(self) -> Iterator[Metric]:
        mean = GaugeMetricFamily(
            "vmh_pass_seconds_mean", f"Duration over the last {RECENT_PASSES} passes.", labels=["entity"]
        )
        longest = GaugeMetricFamily("vmh_pass_seconds_max", "The longest of them.", labels=["entity"])
        last = GaugeMetricFamily("vmh_pass_last_timestamp_seconds", "When the last one ended.", labels=["entity"])
        for entity, passes in self.snapshot.passes.items():
            ended = [(p.finished_at, (p.finished_at - p.started_at).total_seconds()) for p in passes if p.finished_at]
            if ended:
                seconds = [span for _, span in ended]
                mean.add_metric([entity], sum(seconds) / len(seconds))
                longest.add_metric([entity], max(seconds))
                last.add_metric([entity], max(moment for moment, _ in ended).timestamp())
        yield from (mean, longest, last)

    def _services(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("vmh_up", "Whether a service answered just now.", labels=["service"])
        up.add_metric(["database"], float(self.snapshot.database_up))
        up.add_metric(["redis"], float(self.snapshot.redis_up))
        yield up
        yield GaugeMetricFamily(
            "vmh_calendar_channels", "Calendars whose changes Google tells us now.", value=self.snapshot.channels
        )
        if self.snapshot.leases is not None:
            yield GaugeMetricFamily("vmh_leases", "Leases that are held.", value=self.snapshot.leases)
        if self.snapshot.held_back is not None:
            held_back = GaugeMetricFamily(
                "vmh_login_held_back_seconds",
                "For how long nobody tries the login, because it was refused; 0 when it may be tried or works.",
                labels=["system"],
            )
            for system in SYSTEMS:
                held_back.add_metric([system], self.snapshot.held_back.get(system, 0.0))
            yield held_back
        watching = float(self.snapshot.watch_up)
        yield GaugeMetricFamily("vmh_watch_up", "Whether the watch over EspoCRM looks for changes.", value=watching)
        if self.snapshot.google_spent is not None:
            left = max(0, self.quota - self.snapshot.google_spent)
            yield GaugeMetricFamily(
                "vmh_google_quota_left", f"Quota less the units spent within {_GOOGLE_WINDOW} s.", value=left
            )


def require_key(key: SecretStr | None, authorization: str | None) -> None:
    """Raise ``NotAllowed`` unless ``authorization`` carries the key, or none is set."""
    if key is None:
        return
    given = (authorization or "").removeprefix("Bearer ").strip()
    if not hmac.compare_digest(given.encode(), key.get_secret_value().encode()):
        raise NotAllowed(401, "Authorization: Bearer with the key of VMH_METRICS_KEY is missing or wrong")


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses={200: {"content": {"text/plain": {}}, "description": "Prometheus text format"}},
)
async def metrics(request: Request, authorization: Annotated[str | None, Header()] = None) -> Response:
    """Show the numbers; with ``VMH_METRICS_KEY`` only to who sends it as ``Authorization: Bearer …``."""
    services = services_of(request)
    require_key(services.settings.house.metrics_key, authorization)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(SnapshotCollector(await take(services), services.google_quota))
    body = generate_latest(registry) + generate_latest(OWN)
    return Response(body, media_type=CONTENT_TYPE_LATEST)
