"""What people want to know in the morning, in one reading: lights, what to do, what differs, what was changed.

Ids, counts, field names and German sentences; values of records only in ``changes``, and nobody shows them unasked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from vmh_sync.clock import Clock
from vmh_sync.engine.counting.entity_numbers import read_numbers
from vmh_sync.overview.health import Finding, Level, judge
from vmh_sync.overview.house import EntityStatus, HouseStatus, read_house
from vmh_sync.store.audit import AuditQuery, Change
from vmh_sync.store.store import Store
from vmh_sync.store.tasks import ManualTask

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


@dataclass(frozen=True, slots=True)
class Morning:
    """Everything. ``changes``: what the machine did within the last day, newest first; ``more`` were left out."""

    house: HouseStatus
    entities: tuple[EntityMorning, ...]
    findings: tuple[Finding, ...]
    tasks: tuple[ManualTask, ...]
    changes: tuple[Change, ...]
    more: bool

    @property
    def light(self) -> Light:
        """The worst of all lights."""
        lights = {entity.light for entity in self.entities}
        return next(one for one in (Light.RED, Light.YELLOW, Light.GREEN) if one in lights or one is Light.GREEN)


def read_morning(store: Store, clock: Clock) -> Morning:
    """Read it. Blocking. Raises ``StoreError``."""
    house = read_house(store, clock)
    findings = judge(house)
    with store.reading() as tx:
        since = house.at - SINCE
        changes = tx.audit.find(AuditQuery(since=since, limit=MOST_CHANGES + 1))
        tasks = [task for entity in house.entities for task in tx.tasks.not_closed(entity.name)][:MOST_TASKS]
        in_step = {entity.name: read_numbers(tx, entity.name, house.at).in_step for entity in house.entities}
    return Morning(
        house,
        tuple(_entity(entity, findings, in_step[entity.name]) for entity in house.entities),
        findings,
        tuple(tasks),
        tuple(changes[:MOST_CHANGES]),
        len(changes) > MOST_CHANGES,
    )


def _entity(status: EntityStatus, findings: Sequence[Finding], in_step: int) -> EntityMorning:
    levels = {finding.level for finding in findings if finding.entity == status.name}
    light = Light.RED if Level.PROBLEM in levels else Light.YELLOW if levels or status.open_tasks else Light.GREEN
    return EntityMorning(status, light, in_step)


def last_pass(status: EntityStatus) -> datetime | None:
    """Return when the last pass of an entity ended."""
    return status.last_pass.finished_at if status.last_pass is not None else None
