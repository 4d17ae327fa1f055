"""``vmh-sync status``: on one screen, what works, what waits, what failed, and what a person does next."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

from rich.console import Console
from rich.table import Table

from vmh_sync.clock import SystemClock
from vmh_sync.commands.looking.gateway_lines import gateway_lines
from vmh_sync.commands.screens.output import firm_time, print_json
from vmh_sync.commands.screens.screen import print_some, screen
from vmh_sync.commands.screens.service_errors import HOUSE_TROUBLE, in_words
from vmh_sync.commands.screens.unreachable import explained
from vmh_sync.doctor.line import Level, Line, ok, problem
from vmh_sync.doctor.own_services import Known, check_database, check_redis, read_settings
from vmh_sync.engine.passes.opening import PassSettings, open_context, open_database
from vmh_sync.entities import BETEILIGTE, add_packages
from vmh_sync.orchestration.dagster_home import home_of
from vmh_sync.orchestration.next_ticks import DaemonState, NextTick, read_daemon
from vmh_sync.overview.health import Finding, is_healthy, judge
from vmh_sync.overview.house import EntityStatus, FailedRecord, HouseStatus, read_house
from vmh_sync.services.sole_process import let_go_at
from vmh_sync.settings import VmhSettings
from vmh_sync.store.errors import StoreError
from vmh_sync.store.history.metrics import PassSummary
from vmh_sync.sync.reporting.words_de import RESULTS, STATUSES, TRIGGERS, word
from vmh_sync.systems.errors import ForeignSystemError

ASK_SECONDS = 8.0
"""How long a foreign system may take to answer before the screen comes without it."""
SHOWN = 12
SHOWN_TICKS = 6
SICK = 1
_NOTHING_STARTS = "Bis dahin startet nichts von selbst."


@dataclass(frozen=True, slots=True)
class Report:
    """What is shown. ``house`` is None while our database cannot be read."""

    at: datetime
    systems: tuple[Line, ...]
    house: HouseStatus | None
    findings: tuple[Finding, ...]
    daemon: DaemonState

    @property
    def healthy(self) -> bool:
        """Whether nothing needs a person now."""
        broken = any(line.level is Level.PROBLEM for line in self.systems)
        return not broken and self.house is not None and is_healthy(self.findings)


def take(*, ask: bool = True) -> Report:
    """Look at everything; ``ask``: also ask EspoCRM and Advoware for a sign of life. Raises nothing foreseen."""
    clock = SystemClock()
    known, lines = read_settings()
    lines = [line for line in lines if line.level is not Level.OK]
    if known.house is None:
        return Report(clock.now(), tuple(lines), None, (), DaemonState(False, None, ()))
    add_packages(known.house.entities)
    database = check_database(known.house)
    redis = asyncio.run(check_redis(known.house, database_works=database.level is Level.OK))
    lines += [database, redis]
    daemon, line = _daemon(known.house, clock.now())
    lines += [line, *gateway_lines(known.house)]
    if database.level is not Level.OK:
        return Report(clock.now(), tuple(lines), None, (), daemon)
    house = _read(known.house)
    settings = _pass_settings(known)
    if ask and settings is not None and redis.level is Level.OK:
        lines += asyncio.run(_ask(settings))
    return Report(clock.now(), tuple(lines), house, judge(house, daemon.failing) if house else (), daemon)


def _read(settings: VmhSettings) -> HouseStatus | None:
    with open_database(settings) as store:
        try:
            return read_house(store, SystemClock())
        except StoreError:
            return None


def _pass_settings(known: Known) -> PassSettings | None:
    if known.house is None or known.sync is None or known.advoware is None or known.espocrm is None:
        return None
    return PassSettings(known.house, known.sync, known.advoware, known.espocrm)


def _daemon(house: VmhSettings, now: datetime) -> tuple[DaemonState, Line]:
    try:
        daemon = read_daemon(home_of(house), now, let_go_at(house.home / "up.lock"))
    except HOUSE_TROUBLE as trouble:
        return DaemonState(False, None, ()), problem("Dagster", in_words(trouble), _NOTHING_STARTS)
    return daemon, _daemon_line(daemon)


def _daemon_line(daemon: DaemonState) -> Line:
    if daemon.alive:
        return ok("Dagster", "Startet Abgleiche von selbst.")
    if daemon.last_sign is None:
        text = "Startet nichts von selbst: „vmh-sync up“ lief hier noch nie."
    else:
        text = f"Startet nichts mehr von selbst, letztes Lebenszeichen {firm_time(daemon.last_sign)}."
    return Line("Dagster", Level.HINT, text, "`vmh-sync up` starten, wenn von selbst abgeglichen werden soll.")


async def _ask(settings: PassSettings) -> list[Line]:
    async with open_context("status", settings) as context:

        async def advoware() -> None:
            with context.store.reading() as tx:
                some = tx.links.oldest_verified(BETEILIGTE.name, 1, context.clock.now() + timedelta(days=1))
            await context.advoware.read_beteiligter(some[0].betnr if some and some[0].betnr else 1)

        return [
            await _asked("EspoCRM", context.espo.app_user),
            await _asked("Advoware", advoware),
        ]


async def _asked(name: str, call: Any) -> Line:
    try:
        async with asyncio.timeout(ASK_SECONDS):
            await call()
    except TimeoutError:
        return problem(name, f"Keine Antwort innerhalb von {ASK_SECONDS:.0f} Sekunden.", "`vmh-sync doctor` ausführen.")
    except ForeignSystemError as error:
        return problem(name, await asyncio.to_thread(explained, error), "`vmh-sync doctor` sagt, was zu tun ist.")
    return ok(name, "Antwortet.")


def command(*, as_json: bool, ask: bool) -> None:
    """Print how everything stands; ends the process with 0 (healthy) or 1."""
    report = take(ask=ask)
    if as_json:
        print_json(to_json(report))
    else:
        show(screen(), report)
    sys.exit(0 if report.healthy else SICK)


# As plain data


def to_json(report: Report) -> dict[str, Any]:
    """Return the report as plain data; moments are ISO 8601, UTC."""
    house = report.house
    return {
        "ok": report.healthy,
        "version": version("vmh-sync"),
        "at": _iso(report.at),
        "systems": [line.to_json() for line in report.systems],
        "entities": [_entity_json(entity) for entity in house.entities] if house else [],
        "failures": [_plain(asdict(failure)) for failure in house.failures] if house else [],
        "problems": [
            {"level": str(one.level), "entity": one.entity, "what": one.what, "next_step": one.next_step}
            for one in report.findings
        ],
        "next": [{"name": tick.name, "at": _iso(tick.at)} for tick in report.daemon.ticks],
    }


def _entity_json(entity: EntityStatus) -> dict[str, Any]:
    return {name: _plain(value) for name, value in asdict(entity).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return _iso(value)
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return value


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


# For people


def show(console: Console, report: Report) -> None:
    """Print the screen; readable on 60 columns."""
    fine = "Läuft, mit offenen Punkten." if report.findings else "Alles in Ordnung."
    verdict = fine if report.healthy else "Hier ist etwas zu tun."
    console.print(f"vmh-sync {version('vmh-sync')}, {firm_time(report.at)}: {verdict}")
    console.print()
    for line in report.systems:
        console.print(f"{_MARKS[line.level]:<8} {line.name}: {line.text}")
        if line.remedy:
            console.print(f"         → {line.remedy}")
    if report.house is None:
        return
    console.print()
    console.print(_counts(report.house.entities))
    for entity in report.house.entities:
        if entity.last_pass is not None:
            console.print(f"{entity.label}, letzter Durchgang: {_pass(entity.last_pass)}")
    _show_findings(console, report.findings)
    _show_failures(console, report.house.failures)
    _show_ticks(console, report.daemon.ticks)


_MARKS = {Level.OK: "ok", Level.HINT: "Hinweis", Level.PROBLEM: "Problem"}


def _counts(entities: Sequence[EntityStatus]) -> Table:
    table = Table(box=None, padding=(0, 0, 0, 1), pad_edge=False, header_style="")
    table.add_column("Bereich", no_wrap=True)
    for heading in ("verkn.", "wartet", "läuft", "fehler", "versch.", "Aufg."):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in entities:
        numbers = (one.linked, one.waiting, one.in_work, one.failed + one.permanently_failed)
        apart = one.different + one.conflicts
        table.add_row(one.label, *(str(number) for number in (*numbers, apart, one.open_tasks)))
    return table


def _pass(done: PassSummary) -> str:
    at = firm_time(done.finished_at or done.started_at)
    counts = ", ".join(f"{n} {word(RESULTS, name)}" for name, n in done.counts.items() if n) or "nichts zu tun"
    return f"{at} ({word(TRIGGERS, done.trigger)}): {counts}"


def _show_findings(console: Console, findings: Sequence[Finding]) -> None:
    if not findings:
        return
    console.print()
    for one in findings:
        console.print(f"• {one.what}")
        console.print(f"  → {one.next_step}")


def _show_failures(console: Console, failures: Sequence[FailedRecord]) -> None:
    if not failures:
        return
    console.print()
    console.print("Nicht abgeglichen:")
    print_some(console, [_failure(one) for one in failures], SHOWN, "; alle mit --json.")


def _failure(one: FailedRecord) -> str:
    number = f" (betnr {one.betnr})" if one.betnr is not None else ""
    again = f" Nächster Versuch ab {firm_time(one.next_try)}." if one.next_try is not None else ""
    return f"{one.entity} {one.id}{number}, {word(STATUSES, one.status)}: {one.error}{again}"


def _show_ticks(console: Console, ticks: Sequence[NextTick]) -> None:
    if not ticks:
        return
    console.print()
    soon = ", ".join(f"{firm_time(tick.at)[11:]} {tick.name}" for tick in ticks[:SHOWN_TICKS])
    console.print(f"Als Nächstes: {soon}")
