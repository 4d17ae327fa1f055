"""What is checked of each entity by our own database, and how each check ended: the words that Dagster shows.

Pure but for the reading; ids, counts and German sentences, never values of records.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from vmh_sync.engine.installation.people_links import PeopleLinks
from vmh_sync.overview.health import NO_PASS_FOR, WAITS_TOO_LONG, WITH_PARTIES, span
from vmh_sync.overview.house import EntityStatus, FailedRecord, HouseStatus
from vmh_sync.store.history.tasks import ManualTask
from vmh_sync.store.store import Store
from vmh_sync.sync.reporting.words_de import TASKS, word

CURRENT, NO_FAILURES, TASKS_OPEN, QUEUE = "aktuell", "keine_fehler", "aufgaben", "warteschlange"
SAYS = {
    CURRENT: "Der letzte Durchgang ist nicht länger als eine Stunde her.",
    NO_FAILURES: "Kein Datensatz ist fehlerhaft. Hinweis: wird von selbst wiederholt; Fehler: nur ein Mensch hilft.",
    TASKS_OPEN: "Keine Aufgabe für Menschen ist offen.",
    QUEUE: "Nichts wartet länger als eine Viertelstunde.",
}
"""The checks of an entity and what they say."""

KOMMUNIKATION = "kommunikation"
_CHANNELS = ("email", "phone")
Row = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a check ended. ``grave``: only a person can help; otherwise it is known and being worked on."""

    check: str
    passed: bool
    text: str
    grave: bool = False
    numbers: Mapping[str, int | float] = field(default_factory=dict)
    rows: Sequence[Row] = ()


def verdicts(
    entity: EntityStatus,
    failures: Sequence[FailedRecord],
    tasks: Sequence[ManualTask],
    at: datetime,
    links: PeopleLinks,
) -> tuple[Verdict, ...]:
    """Judge one entity. ``failures`` and ``tasks`` are its own."""
    return (
        _current(entity, at),
        failing(failures, entity.permanently_failed, links),
        open_tasks(tasks, links),
        _queue(entity, at),
    )


def _current(entity: EntityStatus, at: datetime) -> Verdict:
    last = entity.last_pass.finished_at if entity.last_pass is not None else None
    if last is None:
        known = entity.linked > 0 and entity.name not in WITH_PARTIES
        text = "Noch kein Durchgang bekannt." + (" Prüfen, ob „vmh-sync up“ läuft." if known else "")
        return Verdict(CURRENT, passed=not known, text=text, grave=True)
    age = max(0.0, (at - last).total_seconds())
    passed = age <= NO_PASS_FOR.total_seconds()
    text = f"Letzter Durchgang vor {span(at - last)}." + ("" if passed else " Prüfen, ob „vmh-sync up“ läuft.")
    return Verdict(CURRENT, passed, text, grave=True, numbers={"Alter (s)": round(age)})


def failing(failures: Sequence[FailedRecord], for_good: int, links: PeopleLinks) -> Verdict:
    """Judge the failed records; ``for_good`` are those that nobody tries again by itself."""
    rows: list[Row] = [
        {
            "Datensatz": one.id,
            "betnr": one.betnr or 0,
            "Grund": one.error,
            "nächster Versuch": f"{one.next_try:%d.%m. %H:%M} UTC" if one.next_try else "",
            "Link": links.record(one.entity, one.id) or "",
        }
        for one in failures
    ]
    if not failures:
        return Verdict(NO_FAILURES, passed=True, text="Kein Datensatz ist fehlerhaft.", numbers={"fehlerhaft": 0})
    text = f"{len(failures)} fehlerhaft, davon {for_good} endgültig: Grund beheben, dann wiederholen."
    numbers = {"fehlerhaft": len(failures), "endgültig fehlerhaft": for_good}
    return Verdict(NO_FAILURES, passed=False, text=text, grave=for_good > 0, numbers=numbers, rows=rows)


def open_tasks(tasks: Sequence[ManualTask], links: PeopleLinks) -> Verdict:
    """Judge the tasks that people have not done yet."""
    rows: list[Row] = [
        {
            "Datensatz": task.espo_id,
            "betnr": task.betnr or 0,
            "Aufgabe": word(TASKS, task.kind),
            "Felder": ", ".join(task.fields),
            "seit": f"{task.created_at:%d.%m.%Y}",
            "Link": links.task(task.espo_task_id) or "",
        }
        for task in tasks
    ]
    text = f"{len(tasks)} Aufgaben sind in EspoCRM offen." if tasks else "Keine Aufgabe ist offen."
    return Verdict(TASKS_OPEN, passed=not tasks, text=text, numbers={"offene Aufgaben": len(tasks)}, rows=rows)


def _queue(entity: EntityStatus, at: datetime) -> Verdict:
    waits = at - entity.oldest_waiting if entity.oldest_waiting is not None else None
    numbers = {"warten": entity.waiting, "ältestes (s)": round(max(0.0, waits.total_seconds())) if waits else 0}
    if waits is None or waits <= WAITS_TOO_LONG:
        return Verdict(QUEUE, passed=True, text=f"{entity.waiting} warten.", numbers=numbers)
    text = f"{entity.waiting} warten, am längsten seit {span(waits)}. Prüfen, ob Dagster Läufe startet."
    return Verdict(QUEUE, passed=False, text=text, grave=True, numbers=numbers)


def read_verdicts(store: Store, house: HouseStatus, name: str, links: PeopleLinks) -> tuple[Verdict, ...]:
    """Judge an entity, or Kommunikation, which lives in its parties. Blocking. Raises ``StoreError``."""
    if name == KOMMUNIKATION:
        return kommunikation_verdicts(store, links)
    with store.reading() as tx:
        tasks = tx.tasks.waiting(name)
    own = [one for one in house.failures if one.entity == name]
    return verdicts(house.entity(name), own, tasks, house.at, links)


def kommunikation_verdicts(store: Store, links: PeopleLinks) -> tuple[Verdict, ...]:
    """Judge what of parties' failures and tasks is Kommunikation. Blocking. Raises ``StoreError``."""
    with store.reading() as tx:
        tasks = [task for task in tx.tasks.waiting("beteiligte") if is_kommunikation(task.fields)]
        records = [record for record in tx.records.failed("beteiligte") if record.part == KOMMUNIKATION]
    failures = [
        FailedRecord(one.entity, one.espo_id, None, one.status, one.error_text or "", one.updated_at, one.next_retry_at)
        for one in records
    ]
    for_good = sum(one.status == "permanently_failed" for one in failures)
    return failing(failures, for_good, links), open_tasks(tasks, links)


def is_kommunikation(fields: Sequence[str]) -> bool:
    """Whether a task about these fields is about a phone or an e-mail."""
    return any(name.partition("/")[0] in _CHANNELS for name in fields)
