"""What our open tasks already tell people."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from vmh_sync.entities import BETEILIGTE, with_records
from vmh_sync.reconcile.compare import new_entry
from vmh_sync.reconcile.difference import ANY_FIELD, Clue
from vmh_sync.reconcile.reasons import GONE_FROM_ESPOCRM, Reason, reason_of, says_itself
from vmh_sync.store.history.tasks import ManualTask
from vmh_sync.store.pairs.records import REFUSED
from vmh_sync.store.store import Store
from vmh_sync.sync.planning.plan import TaskKind

_ABSENT = frozenset(
    kind.value for kind in (TaskKind.MISSING_IN_ADVOWARE, TaskKind.CREATE_UNKNOWN, TaskKind.TWIN_SUSPECTED)
)
_DELETE = frozenset({TaskKind.ADDRESS_DELETE.value, TaskKind.BANK_DELETE.value, TaskKind.CHILD_DELETE.value})
DELETED_IN_ESPOCRM = "deleted_in_espocrm"


@dataclass(frozen=True, slots=True)
class Reported:
    """``clues``: what differences are explained; ``absent``: EspoCRM ids of parties known to be missing in Advoware;
    ``deleted``: those known to be deleted in EspoCRM. Each with what its task says, the newest if there are several.
    ``refused``: records of a party (entity, id) that say themselves why they are not synced."""

    clues: dict[Clue, Reason] = field(default_factory=dict)
    absent: dict[str, Reason] = field(default_factory=dict)
    deleted: dict[str, Reason] = field(default_factory=dict)
    refused: dict[tuple[str, str], Reason] = field(default_factory=dict)

    def reason(self, told_by: Iterable[Clue]) -> Reason | None:
        """Return what the open tasks say about any of these, ``None`` without one; the most exact clue speaks."""
        told_by = list(told_by)
        known = [clue for clue in told_by if clue in self.clues]
        known.sort(key=lambda clue: (not clue.in_advoware, clue.field == ANY_FIELD, clue.entity, clue.id, clue.field))
        themselves = (self.refused.get((clue.entity, clue.id)) for clue in told_by if not clue.in_advoware)
        return self.clues[known[0]] if known else next((reason for reason in themselves if reason is not None), None)


def read_reported(store: Store) -> Reported:
    """Read the tasks that are not closed and what records say of themselves. Blocking. Raises ``StoreError``."""
    reported = Reported()
    with store.reading() as tx:
        for entity in (known.name for known in with_records()):
            tasks = tx.tasks.not_closed(entity)
            leaving = {task.espo_id: task for task in tasks if entity != BETEILIGTE.name and task.kind in _DELETE}
            links = tx.links.get_many(entity, leaving) if leaving else {}
            for espo_id, link in links.items():
                task = leaving[espo_id]
                clue = Clue(entity, str(link.advoware_id), in_advoware=True)
                reported.clues[clue] = reason_of(task.kind, task.details)
            for task in tasks:
                _note(reported, task)
            for record in tx.records.failed(entity):
                if record.error_class == REFUSED and record.error_text:
                    reported.refused[entity, record.espo_id] = says_itself(record.error_text)
    return reported


def _note(reported: Reported, task: ManualTask) -> None:
    if task.kind == TaskKind.CONFLICT and not _keeps_apart(task):
        return
    reason = reason_of(task.kind, task.details)
    if task.entity == BETEILIGTE.name and task.kind in _ABSENT:
        reported.absent[task.espo_id] = reason
    if DELETED_IN_ESPOCRM in task.fields:
        reported.deleted[task.espo_id] = GONE_FROM_ESPOCRM
    names = [ANY_FIELD, *(_entry(name, task) for name in task.fields)]
    reported.clues.update((Clue(task.entity, task.espo_id, name), reason) for name in names)


def _entry(name: str, task: ManualTask) -> str:
    """Return the field's name; for a value without an entry in Advoware (``email/new-…``) what stands for it."""
    channel, _, entry = name.partition("/")
    return new_entry(channel, task.details.get("wanted")) if entry.startswith("new") else name


def _keeps_apart(task: ManualTask) -> bool:
    """A conflict that was decided has left both sides alike; only an undecided one explains a difference."""
    return bool(task.details.get("held")) or ("stands" in task.details and task.details["stands"] is None)
