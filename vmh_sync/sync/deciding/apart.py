"""What stays apart: values that one side does not take, so that both say different things and a task tells it. Pure.

Such a record is neither failed nor clean (specification, sync-semantics.md 4). What was refused with a reason is tried
again; what was dropped without a word is not, or it would be rewritten for ever (sync-semantics.md 3).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from vmh_sync.sync.base import Base, Fields, Side
from vmh_sync.sync.fields import FieldTable, is_foreign
from vmh_sync.sync.merge import Decision, Verdict
from vmh_sync.sync.planning.plan import TaskKind, TaskWanted
from vmh_sync.sync.values import alike, same

DROPPED = "EspoCRM hat den Wert nicht übernommen; fehlt ein Recht?"
"""The reason of a task about a value that was dropped without a word."""

STAYS_APART = frozenset({TaskKind.READONLY_FIELD, TaskKind.VALUE_REFUSED})
"""Tasks about values that stay on their side until both say the same."""


def apart_fields(table: FieldTable, base: Base, told: Collection[str]) -> list[str]:
    """Return the fields in which both sides last said different things.

    A word that only one side knows counts once a task (``told``) is about it: on first contact nobody typed it.
    """
    return [
        rule.name
        for rule in table.rules
        if rule.name in base.espocrm
        and rule.name in base.advoware
        and not alike(rule.kind, base.espocrm[rule.name], base.advoware[rule.name])
        and (rule.name in told or not (is_foreign(base.espocrm[rule.name]) or is_foreign(base.advoware[rule.name])))
    ]


def different_text(labels: Iterable[str], *, answered: bool = False) -> str:
    """Return the sentence that says in which fields both sides stay apart; field names only, never values.

    ``answered``: people closed the tasks about them.
    """
    names = ", ".join(dict.fromkeys(labels))
    if answered:
        return f"Aufgabe erledigt, Werte noch verschieden: {names}. Bitte auf beiden Seiten denselben Wert eintragen."
    return f"Verschieden, Aufgabe offen: {names}. Bitte die Aufgabe dazu erledigen."


class OpenTask(Protocol):
    """What is asked of a task that is open."""

    @property
    def kind(self) -> str: ...  # noqa: D102

    @property
    def fields(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def details(self) -> Mapping[str, Any]: ...  # noqa: D102


def superseded(task: OpenTask, table: FieldTable, stands: Mapping[Side, Fields]) -> bool:
    """Whether either side says something else by now than a task about a value that was not taken: typed since.

    ``stands`` is what both sides say. Sent once more, the value would overwrite what was typed.
    """
    side = task.details.get("side")
    if task.kind not in STAYS_APART or side not in set(Side):
        return False
    said = ((stands[Side(side)], "standing"), (stands[Side(side).other], "wanted"))
    return any(
        not same(table[name].kind, fields[name], task.details[then])
        for fields, then in said
        for name in task.fields
        if then in task.details and name in table and name in fields
    )


def refused_fields(tasks: Iterable[OpenTask], table: FieldTable, stands: Mapping[Side, Fields]) -> dict[str, Side]:
    """Return the fields whose value a side refused with a reason and still refuses, and which side."""
    told = ((task, refusing_side(task.kind, task.details)) for task in tasks if not superseded(task, table, stands))
    return {name: side for task, side in told if side is not None for name in task.fields}


def refusing_side(kind: str, details: Mapping[str, Any]) -> Side | None:
    """Return the side that refused the value a task is about, ``None`` for a task about anything else."""
    if kind != TaskKind.VALUE_REFUSED or details.get("why") == DROPPED or details.get("side") not in set(Side):
        return None
    return Side(details["side"])


def try_again(
    decisions: Iterable[Decision], table: FieldTable, refused: Mapping[str, Side], *, due: bool
) -> list[Decision]:
    """Let values that a side refused go to it once more, when it is time (``due``) or the record changed.

    ``refused`` maps fields to the side that refused. Fields that moved are decided already.
    """
    decided = list(decisions)
    # What is held waits for a person in every pass: it is no new change.
    if not due and all(decision.verdict in (Verdict.QUIET, Verdict.HOLD) for decision in decided):
        return decided
    return [_again(decision, table, refused.get(decision.field)) for decision in decided]


def _again(decision: Decision, table: FieldTable, side: Side | None) -> Decision:
    espo, advo = decision.value, decision.replaced
    if decision.verdict is not Verdict.QUIET or side is None or alike(table[decision.field].kind, espo, advo):
        return decision
    value, replaced = (espo, advo) if side is Side.ADVOWARE else (advo, espo)
    return replace(decision, verdict=Verdict.COPY, source=side.other, value=value, replaced=replaced, retry=True)


def news(
    tasks: Iterable[TaskWanted], told: Iterable[tuple[str, tuple[str, ...], Mapping[str, object]]]
) -> list[TaskWanted]:
    """Leave out the tasks that say what an open one (kind, fields, details) says: still refused is no news."""
    open_ones = [(kind, set(fields), details) for kind, fields, details in told]
    return [task for task in tasks if not any(_says_it(task, *one) for one in open_ones)]


def _says_it(task: TaskWanted, kind: str, fields: set[str], details: Mapping[str, object]) -> bool:
    return (
        task.kind == kind
        and set(task.fields) == fields
        and all(task.details.get(name) == details.get(name) for name in ("wanted", "standing", "side"))
    )
