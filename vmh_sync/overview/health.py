"""Whether what stands in our database is healthy, and what a person does when it is not. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from vmh_sync.entities import ADRESSEN, BANKVERBINDUNGEN, BETEILIGTE, KALENDER, job_of
from vmh_sync.overview.failing_jobs import FailingJob
from vmh_sync.overview.house import EntityStatus, HouseStatus, StoppedPass

WAITS_TOO_LONG = timedelta(minutes=15)
"""Sensors look every few seconds and the sweep every quarter of an hour: what waits longer is not being worked on."""
NO_PASS_FOR = timedelta(hours=1)
"""The sweep makes a pass every quarter of an hour, also when there is nothing to do."""
WITH_PARTIES = frozenset({ADRESSEN.name, BANKVERBINDUNGEN.name})
"""They are synced with their parties, so a pass of their own may be long ago."""


class Level(StrEnum):
    """How bad something is."""

    WARNING = "warning"  # known and being worked on: somebody has a task
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a person should know: German sentences, without values of records."""

    level: Level
    entity: str
    what: str
    next_step: str
    run_id: str | None = None
    """The run that says more."""


def judge(house: HouseStatus, failing: Iterable[FailingJob] = ()) -> tuple[Finding, ...]:
    """Return what is not as it should be, problems first; ``failing`` are the jobs whose runs fail."""
    found = [_stopped(one, house) for one in house.stopped]
    jobs = {one.job: one for one in failing}
    found += [_red(entity, jobs[job], house.at) for entity in house.entities if (job := job_of(entity.name)) in jobs]
    found += [finding for entity in house.entities for finding in _of_entity(entity, house.at)]
    return tuple(sorted(found, key=lambda finding: finding.level is not Level.PROBLEM))


def is_healthy(findings: tuple[Finding, ...]) -> bool:
    """Whether nothing is a problem; differences with an open task are none."""
    return not any(finding.level is Level.PROBLEM for finding in findings)


def _stopped(one: StoppedPass, house: HouseStatus) -> Finding:
    label = house.entity(one.entity).label
    what = f"{label}: Ein Durchgang wurde angehalten, er hätte viel auf einmal geändert ({one.records} Datensätze)."
    plan = one.plan_id
    next_step = f"Ansehen: vmh-sync plan show {plan}; dann vmh-sync plan apply {plan} oder vmh-sync plan reject {plan}"
    return Finding(Level.PROBLEM, one.entity, what, next_step)


def _red(entity: EntityStatus, job: FailingJob, now: datetime) -> Finding:
    length = span(now - job.since)
    if job.runs == 1:
        what = f"{entity.label}: Der letzte Lauf ist gescheitert, vor {length}."
    else:
        nothing = "" if entity.name in WITH_PARTIES else ", abgeglichen wird nichts"
        what = f"{entity.label}: Seit {length} scheitert jeder Lauf{nothing}."
    next_step = f"Den Grund nennt der Lauf {job.run_id[:8]} in Dagster; ist er behoben, geht es von selbst weiter."
    return Finding(Level.PROBLEM, entity.name, what, next_step, job.run_id)


def _of_entity(entity: EntityStatus, now: datetime) -> Iterator[Finding]:
    yield from _failures(entity)
    yield from _late(entity, now)
    apart = entity.different + entity.conflicts
    if apart:
        what = f"{entity.label}: {apart} auf beiden Seiten verschieden, eine Aufgabe in EspoCRM sagt, was zu tun ist."
        yield Finding(Level.WARNING, entity.name, what, "Die offenen Aufgaben in EspoCRM erledigen.")
    elif entity.open_tasks:
        open_now = "1 Aufgabe ist" if entity.open_tasks == 1 else f"{entity.open_tasks} Aufgaben sind"
        what = f"{entity.label}: {open_now} in EspoCRM offen."
        yield Finding(Level.WARNING, entity.name, what, "Öffnen und entscheiden, was darin steht; dann schließen.")


def _failures(entity: EntityStatus) -> Iterator[Finding]:
    if entity.name == KALENDER.name:
        if entity.failed:
            what = f"{entity.label}: {entity.failed} Kalender nicht abgeglichen."
            yield Finding(Level.PROBLEM, entity.name, what, "Den Grund beheben; der nächste Lauf versucht es wieder.")
        return
    if entity.failed:
        what = f"{entity.label}: {entity.failed} fehlerhaft, weitere Versuche folgen von selbst."
        next_step = f"Den Grund ansehen; sofort wiederholen: vmh-sync sync {entity.name} --failed"
        yield Finding(Level.PROBLEM, entity.name, what, next_step)
    if entity.permanently_failed:
        what = f"{entity.label}: {entity.permanently_failed} endgültig fehlerhaft."
        next_step = f"Den Grund beheben, dann: vmh-sync sync {entity.name} --failed"
        yield Finding(Level.PROBLEM, entity.name, what, next_step)


def _late(entity: EntityStatus, now: datetime) -> Iterator[Finding]:
    if entity.oldest_waiting is not None and now - entity.oldest_waiting > WAITS_TOO_LONG:
        what = f"{entity.label}: {entity.waiting} warten, am längsten seit {span(now - entity.oldest_waiting)}."
        yield Finding(Level.PROBLEM, entity.name, what, "Prüfen, ob „vmh-sync up“ läuft und Dagster Läufe startet.")
    if entity.name in WITH_PARTIES:
        return
    last = entity.last_pass.finished_at if entity.last_pass is not None else None
    if last is not None and last - now > NO_PASS_FOR:
        what = f"{entity.label}: Der letzte Durchgang liegt in der Zukunft; eine Uhr geht oder ging falsch."
        yield Finding(Level.WARNING, entity.name, what, "Die Uhr dieses Rechners prüfen (NTP).")
    elif last is not None and now - last > NO_PASS_FOR:
        what = f"{entity.label}: Seit {span(now - last)} kein Durchgang."
        yield Finding(Level.PROBLEM, entity.name, what, "Prüfen, ob „vmh-sync up“ läuft.")
    elif last is None and entity.linked and entity.name == BETEILIGTE.name:
        what = f"{entity.label}: {entity.linked} verknüpft, aber kein Durchgang bekannt."
        yield Finding(Level.PROBLEM, entity.name, what, "Prüfen, ob „vmh-sync up“ läuft.")


def span(length: timedelta) -> str:
    """Return a time span in words: ``12 Minuten``, ``3 Stunden``, ``2 Tagen``."""
    minutes = max(0, round(length.total_seconds() / 60))
    if minutes == 0:
        return "weniger als einer Minute"
    for unit, one, many in ((60 * 48, "", "Tagen"), (60, "einer Stunde", "Stunden")):
        size = 60 * 24 if many == "Tagen" else 60
        if minutes >= unit:
            number = minutes // size
            return one if number == 1 else f"{number} {many}"
    return "einer Minute" if minutes == 1 else f"{minutes} Minuten"
