"""The sensor that tells people of trouble: failed runs, checks that failed, and what our own services show.

What people were told stands in the sensor's cursor: Dagster keeps it through restarts, also while our own database is
what is broken. A tick that dies after a message left may send that message again; none is lost.
"""

import time
from collections.abc import Iterable, Mapping
from datetime import timedelta

import dagster as dg

from vmh_sync.alerts.ledger import AlertLedger, Look, Trouble
from vmh_sync.alerts.own_look import own_look
from vmh_sync.alerts.ways import MessageNotSent, Way, ways
from vmh_sync.clock import Clock, SystemClock
from vmh_sync.engine.installation.people_links import PeopleLinks
from vmh_sync.orchestration.finished_runs import finished_runs
from vmh_sync.overview.failing_jobs import failing_jobs
from vmh_sync.settings import AlertSettings, SettingsError, load

NAME = "meldungen"
TICK_SECONDS = 58
"""No multiple of 5: the sensor daemon ticks every 5 s and would miss one (dagster.md 0.4)."""
SENDING_SECONDS = 30.0
"""A tick is killed after 60 s; what is left is sent by the next one."""
RUNS, CHECKS = "lauf", "check"
LOOKED_AT_ELSEWHERE = frozenset({"aktuell", "keine_fehler", "aufgaben", "warteschlange", "sperren", "anmeldungen"})
"""Checks whose trouble is read from our own database every minute, not from their last evaluation."""


@dg.sensor(
    name=NAME,
    minimum_interval_seconds=TICK_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Meldet Störungen: eine Nachricht, wenn sie beginnt, eine, wenn sie vorbei ist (VMH_ALERT_…).",
)
def meldungen(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Look, and tell by the ways that are set up."""
    try:
        settings = load(AlertSettings)
        routes = ways(settings)
        if not routes:
            return dg.SkipReason("Kein Weg für Meldungen eingestellt (VMH_ALERT_…).")
        clock, links = SystemClock(), PeopleLinks.read()
        look = take_look(context.instance, context.repository_def, clock, links, warnings=settings.warnings)
    except SettingsError as problem:
        return dg.SkipReason(str(problem))
    ledger = AlertLedger.parse(context.cursor)
    ledger.note(look, timedelta(minutes=settings.quiet_minutes))
    said = send(ledger, routes)
    return dg.SensorResult(skip_reason=said, cursor=ledger.to_json())


def take_look(
    instance: dg.DagsterInstance,
    code: dg.RepositoryDefinition | None,
    clock: Clock,
    links: PeopleLinks,
    *,
    warnings: bool,
) -> Look:
    """Look at everything; ``code`` says which jobs and checks there are. Raises ``SettingsError``."""
    own, certain = own_look(clock, links, warnings=warnings)
    if code is None:
        return Look(clock.now(), own, frozenset(certain))
    runs, open_runs = failed_runs(instance, code.job_names, clock, links)
    checks, open_checks = failed_checks(instance, code.asset_graph.asset_check_keys, links, warnings=warnings)
    return Look(
        clock.now(), [*own, *runs, *checks], frozenset({*certain, RUNS, CHECKS}), frozenset(open_runs | open_checks)
    )


def send(ledger: AlertLedger, routes: Mapping[str, Way]) -> str:
    """Send what is due; returns what became of it, in one line for the list of ticks."""
    deadline, sent, failed = time.monotonic() + SENDING_SECONDS, 0, dict[str, str]()
    for message in ledger.messages(list(routes)):
        if message.way in failed or time.monotonic() > deadline:
            continue  # a way that is down costs its time-out once a tick
        try:
            ledger.told(message, routes[message.way](message))
            sent += 1
        except MessageNotSent as problem:
            failed[message.way] = str(problem)
    told = f"{sent} Meldungen verschickt." if sent else "Nichts zu melden."
    return " ".join([told, *(f"{way}: nicht verschickt, {why}." for way, why in failed.items())])


def failed_runs(
    instance: dg.DagsterInstance, jobs: Iterable[str], clock: Clock, links: PeopleLinks
) -> tuple[list[Trouble], set[str]]:
    """Return the jobs whose last run failed, and the keys of those of which is not known whether they do.

    A person who started a run sees it; and a failure that the next run may make good is not told yet.
    """
    jobs = list(jobs)
    failing, known = failing_jobs(finished_runs(instance, jobs), clock.now())
    found = []
    for one in failing:
        text = f"Der letzte Lauf von {one.job} ist gescheitert. {_sentence(instance, one.run_id)}".strip()
        found.append(Trouble(f"{RUNS}:{one.job}", f"Lauf {one.job} gescheitert", text, links.run(one.run_id)))
    return found, {f"{RUNS}:{job}" for job in jobs} - {f"{RUNS}:{job}" for job in known}


def _sentence(instance: dg.DagsterInstance, run_id: str) -> str:
    """Our own sentence about a failure; never another exception's words, which may hold a value of a record."""
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
        event = entry.dagster_event
        said = event.step_failure_data.user_failure_data if event is not None else None
        if said is not None and said.description:
            return said.description[:500]
    return "Der Grund steht im Lauf."


def failed_checks(
    instance: dg.DagsterInstance, keys: Iterable[dg.AssetCheckKey], links: PeopleLinks, *, warnings: bool
) -> tuple[list[Trouble], set[str]]:
    """Return the checks whose last evaluation failed, and the keys of those without one: under way, or its run died."""
    wanted = [key for key in keys if key.name not in LOOKED_AT_ELSEWHERE]
    newest = instance.event_log_storage.get_latest_asset_check_execution_by_key(wanted)
    found, doubtful = [], {_key(key) for key in wanted}
    for key, record in newest.items():
        event = record.event.dagster_event if record.event is not None else None
        if event is None or event.event_type is not dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            continue  # a run that died is told itself
        result = event.asset_check_evaluation_data
        doubtful.discard(_key(key))
        if not result.passed and (warnings or result.severity is dg.AssetCheckSeverity.ERROR):
            link = links.asset(key.asset_key.to_user_string())
            title = f"{key.asset_key.to_user_string()}: {key.name}"
            found.append(
                Trouble(_key(key), title, result.description or title, f"{link}?view=checks" if link else None)
            )
    return found, doubtful


def _key(key: dg.AssetCheckKey) -> str:
    return f"{CHECKS}:{key.asset_key.to_user_string()}:{key.name}"
