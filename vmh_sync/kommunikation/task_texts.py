"""Names and tasks for people: from the plan's own field names to what a secretary reads."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from vmh_sync.store.history.tasks import ManualTask
from vmh_sync.sync.base import Side
from vmh_sync.sync.planning.plan import TaskKind, TaskWanted

_CHANNELS = {"email": "E-Mail", "phone": "Telefon"}
_LISTS = {"email": "E-Mail-Adressen", "phone": "Telefonnummern"}


class EntryLabels(Mapping[str, str]):
    """German names of ``email/17``, ``phone/list``, ``email/primary`` and so on."""

    def __getitem__(self, name: str) -> str:
        channel, _, rest = name.partition("/")
        label = _CHANNELS[channel]
        number, _, flag = rest.partition("/")
        if number == "list" or not number:
            return _LISTS[channel]
        if number == "primary":
            return f"{label} (Haupteintrag)"
        # No number: the text names the value, by which people know the entry.
        return f"{label} (Kennzeichen online)" if flag else label

    def __iter__(self) -> Iterator[str]:
        return iter(_CHANNELS)

    def __len__(self) -> int:
        return len(_CHANNELS)


def is_entry(field: str) -> bool:
    """Whether a task's field belongs to Kommunikation."""
    return field.partition("/")[0] in _CHANNELS and "/" in field


def for_people(tasks: Iterable[TaskWanted]) -> tuple[TaskWanted, ...]:
    """Return the plan's tasks with the details that the German texts are made from, one per kind and fields."""
    told = [_refused(task) if task.kind is TaskKind.VALUE_REFUSED else _conflict(task) for task in tasks]
    return tuple({(task.kind, task.fields): task for task in told}.values())


def _refused(task: TaskWanted) -> TaskWanted:
    value = task.details.get("value", task.details.get("values"))
    # The plan names the side where the value stands; the text names the side that does not take it. For a list that
    # EspoCRM would not take back, both are EspoCRM.
    stands = Side(task.details["side"])
    refuses = Side.ESPOCRM if task.details.get("reason") == "list" else stands.other
    shown = ", ".join(map(str, value)) if isinstance(value, list) else value
    details: dict[str, Any] = {
        "wanted": shown,
        "standing": shown,
        "why": str(task.details["message"]).rstrip("."),
        "side": str(refuses),
    }
    return replace(task, fields=tuple(_distinct(name, shown) for name in task.fields), details=details)


def _distinct(name: str, value: Any) -> str:
    """Keep two values without entry apart: they have no id that tells them from each other."""
    if not name.endswith("/new"):
        return name
    return f"{name}-{hashlib.sha256(str(value).encode()).hexdigest()[:8]}"


def _conflict(task: TaskWanted) -> TaskWanted:
    (name,) = task.fields
    stands = task.details.get("stands")
    if stands is None:
        return replace(task, details={"held": True, **task.details})
    lost = str(Side(stands).other)
    details = {
        "decided": {name: {"stands": task.details[stands], "lost": task.details[lost]}},
        "who": [f"In EspoCRM stand „{task.details['espocrm']}“, in Advoware „{task.details['advoware']}“"],
    }
    return replace(task, details=details)


def closing(tasks: Iterable[ManualTask], wanted: Iterable[TaskWanted]) -> tuple[int, ...]:
    """Return the ids of open tasks of ours whose reason is gone; a decided conflict waits for a person."""
    stand = {(str(task.kind), tuple(sorted(task.fields))) for task in wanted}
    return tuple(
        task.id
        for task in tasks
        if task.fields
        and all(map(is_entry, task.fields))
        and (task.kind == TaskKind.VALUE_REFUSED or (task.kind == TaskKind.CONFLICT and task.details.get("held")))
        and (task.kind, task.fields) not in stand
    )
