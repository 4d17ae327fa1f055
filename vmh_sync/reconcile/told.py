"""What our open tasks already tell people."""

from dataclasses import dataclass, field

from vmh_sync.reconcile.difference import ANY_FIELD, Clue
from vmh_sync.store.store import Store
from vmh_sync.store.tasks import ManualTask
from vmh_sync.sync.plan import TaskKind

ENTITIES = ("beteiligte", "adressen", "bankverbindungen")
_ABSENT = frozenset(
    kind.value for kind in (TaskKind.MISSING_IN_ADVOWARE, TaskKind.CREATE_UNKNOWN, TaskKind.TWIN_SUSPECTED)
)
_DELETE = frozenset({TaskKind.ADDRESS_DELETE.value, TaskKind.BANK_DELETE.value})
DELETED_IN_ESPOCRM = "deleted_in_espocrm"


@dataclass(frozen=True, slots=True)
class Told:
    """``clues``: what differences are explained; ``absent``: EspoCRM ids of parties known to be missing in Advoware;
    ``deleted``: those known to be deleted in EspoCRM."""

    clues: set[Clue] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)


def read_told(store: Store) -> Told:
    """Read the tasks that are not closed. Blocking. Raises ``StoreError``."""
    told = Told()
    with store.reading() as tx:
        for entity in ENTITIES:
            tasks = tx.tasks.not_closed(entity)
            leaving = [task.espo_id for task in tasks if entity != "beteiligte" and task.kind in _DELETE]
            links = tx.links.get_many(entity, leaving) if leaving else {}
            told.clues.update(Clue(entity, str(link.advoware_id), in_advoware=True) for link in links.values())
            for task in tasks:
                _note(told, task)
    return told


def _note(told: Told, task: ManualTask) -> None:
    if task.kind == TaskKind.CONFLICT and not _keeps_apart(task):
        return
    if task.entity == "beteiligte" and task.kind in _ABSENT:
        told.absent.add(task.espo_id)
    if DELETED_IN_ESPOCRM in task.fields:
        told.deleted.add(task.espo_id)
    told.clues.update(Clue(task.entity, task.espo_id, name) for name in (ANY_FIELD, *task.fields))


def _keeps_apart(task: ManualTask) -> bool:
    """A conflict that was decided has left both sides alike; only an undecided one explains a difference."""
    return bool(task.details.get("held")) or ("stands" in task.details and task.details["stands"] is None)
