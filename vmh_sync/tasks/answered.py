"""Which of our tasks people closed while both sides still differ: the record says so, and nobody counts it as open."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

from vmh_sync.engine.passes.pass_context import PassContext
from vmh_sync.store.history.tasks import ManualTask, TaskState
from vmh_sync.store.store import Transaction
from vmh_sync.systems.errors import ForeignSystemError
from vmh_sync.tasks.posting import TASK_ENTITY
from vmh_sync.tasks.settled import is_settled


async def note_answers(context: PassContext, all_rows: Iterable[list[ManualTask]]) -> None:
    """Bring the states of these rows up to date with their Tasks in EspoCRM, in place; one call per 100 of them.

    Where EspoCRM does not tell, they stay as they are: the next pass asks again.
    """
    lists = [rows for rows in all_rows if any(row.espo_task_id for row in rows)]
    ids = sorted({row.espo_task_id for rows in lists for row in rows if row.espo_task_id})
    if not ids:
        return
    with suppress(ForeignSystemError):
        listed = context.espo.list_ids_in(TASK_ENTITY, "id", ids, select=("id", "status"))
        waiting = {
            task.id async for task in listed if not await is_settled(context, task)
        }  # a deleted one is closed as well
        moved: list[ManualTask] = []
        for rows in lists:
            for place, row in enumerate(rows):
                state: TaskState = "open" if row.espo_task_id in waiting else "answered"
                if row.espo_task_id is not None and row.state != state:
                    rows[place] = replace(row, state=state)
                    moved.append(rows[place])
        if moved:
            await context.store.write(_store, moved)


def _store(tx: Transaction, moved: Iterable[ManualTask]) -> None:
    for row in moved:
        tx.tasks.set_state(row.id, row.state)


def all_answered(names: Iterable[str], rows: Iterable[ManualTask]) -> bool:
    """Whether people closed every task that tells of these fields, and each is told of by one."""
    wanted = set(names)
    telling = [row for row in rows if wanted & set(row.fields)]
    told = {name for row in telling for name in row.fields}
    return wanted <= told and all(row.state == "answered" for row in telling)
