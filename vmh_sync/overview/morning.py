"""What people want to know in the morning, in one reading: lights, what to do, what differs, what was changed.

Phones and e-mails live in their parties, and have a light of their own, for people look for them by themselves.

Ids, counts, field names and German sentences; values of records only in ``changes``, and nobody shows them unasked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from vmh_sync.clock import Clock
from vmh_sync.engine.counting.entity_numbers import read_numbers
from vmh_sync.entities import BETEILIGTE
from vmh_sync.overview.changed_records import ChangedRecord, by_record
from vmh_sync.overview.failing_jobs import FailingJob
from vmh_sync.overview.health import Finding, Level, judge
from vmh_sync.overview.house import EntityStatus, HouseStatus, read_house
from vmh_sync.overview.verdicts import KOMMUNIKATION, is_kommunikation
from vmh_sync.store.history.audit import AuditQuery
from vmh_sync.store.history.tasks import ManualTask
from vmh_sync.store.store import Store, Transaction

SINCE = timedelta(hours=24)
MOST_CHANGES = 300
MOST_TASKS = 200


class Light(StrEnum):
    """How an entity stands, as a traffic light."""

    GREEN = "green"
    YELLOW = "yellow"  # known and being worked on
    RED = "red"  # a person is needed


@dataclass(frozen=True, slots=True)
class EntityMorning:
    """One entity: its light, how it stands, how many of it are equal on both sides."""

    status: EntityStatus
    light: Light
    in_step: int

    @property
    def own(self) -> bool:
        """Whether it has passes, and failures, of its own: those of Kommunikation are its parties'."""
        return self.status.name != KOMMUNIKATION


@dataclass(frozen=True, slots=True)
class Morning:
    """Everything. ``changed``: what the machine did within the last day, newest first; ``more``: some was left out.

    ``written``: how many values it wrote in that time, by side, all of them.
    """

    house: HouseStatus
    entities: tuple[EntityMorning, ...]
    findings: tuple[Finding, ...]
    tasks: tuple[ManualTask, ...]
    changed: tuple[ChangedRecord, ...]
    more: bool
    written: Mapping[str, int] = field(default_factory=dict)

    @property
    def light(self) -> Light:
        """The worst of all lights."""
        lights = {entity.light for entity in self.entities}
        return next(one for one in (Light.RED, Light.YELLOW, Light.GREEN) if one in lights or one is Light.GREEN)


def read_morning(store: Store, clock: Clock, failing: Sequence[FailingJob] = ()) -> Morning:
    """Read it; ``failing`` are the jobs whose runs fail. Blocking. Raises ``StoreError``."""
    house = read_house(store, clock)
    findings = judge(house, failing)
    with store.reading() as tx:
        since = house.at - SINCE
        changes = tx.audit.find(AuditQuery(since=since, limit=MOST_CHANGES + 1))
        tasks = [task for entity in house.entities for task in tx.tasks.waiting(entity.name)]
        entities = []
        for status in house.entities:
            entities.append(_entity(status, findings, read_numbers(tx, status.name, house.at).in_step))
            if status.name == BETEILIGTE.name:
                entities.append(_kommunikation(tx, tasks))
        written = tx.audit.written_since(since)
    return Morning(
        house,
        tuple(entities),
        findings,
        tuple(tasks[:MOST_TASKS]),
        by_record(changes[:MOST_CHANGES]),
        len(changes) > MOST_CHANGES,
        written,
    )


def _entity(status: EntityStatus, findings: Sequence[Finding], in_step: int) -> EntityMorning:
    levels = {finding.level for finding in findings if finding.entity == status.name}
    light = Light.RED if Level.PROBLEM in levels else Light.YELLOW if levels or status.open_tasks else Light.GREEN
    return EntityMorning(status, light, in_step)


def _kommunikation(tx: Transaction, tasks: Sequence[ManualTask]) -> EntityMorning:
    """Phones and e-mails: what of their parties' failures and tasks is theirs."""
    failed = [one.status for one in tx.records.failed(BETEILIGTE.name) if one.part == KOMMUNIKATION]
    own = {task.espo_task_id or task.id for task in tasks if is_kommunikation(task.fields)}
    status = EntityStatus(
        KOMMUNIKATION,
        "Telefon und E-Mail",
        linked=tx.links.count(KOMMUNIKATION, "active"),
        failed=failed.count("failed"),
        permanently_failed=failed.count("permanently_failed"),
        open_tasks=len(own),
    )
    light = Light.RED if failed else Light.YELLOW if own else Light.GREEN
    return EntityMorning(status, light, tx.links.in_step(KOMMUNIKATION))


def last_pass(status: EntityStatus) -> datetime | None:
    """Return when the last pass of an entity ended."""
    return status.last_pass.finished_at if status.last_pass is not None else None
