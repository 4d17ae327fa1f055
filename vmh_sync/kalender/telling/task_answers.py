"""Hears what people answer in EspoCRM to „vielleicht derselbe Termin“, before the next pass decides.

As with parties a closed task is an answer („nein, zwei verschiedene“), a deleted one is not: it is asked again. That it
is the same appointment is written behind „Antwort:“ in the task.
"""

import asyncio
import re
from collections.abc import Sequence

from vmh_sync.kalender.context import CalendarContext
from vmh_sync.kalender.state.decided import Edge, Said, store_said
from vmh_sync.kalender.state.lease_names import lease_name
from vmh_sync.kalender.state.pair_rows import ENTITY
from vmh_sync.kalender.telling.notices import EARLIER
from vmh_sync.store.history.tasks import ManualTask
from vmh_sync.store.store import Transaction
from vmh_sync.sync.planning.plan import TaskKind
from vmh_sync.tasks.manual_tasks import mark_of
from vmh_sync.tasks.posting import TASK_ENTITY
from vmh_sync.tasks.settled import is_settled
from vmh_sync.whole_number import whole_number

SAME = frozenset({"gleich", "derselbe", "dasselbe", "verknüpfen", "verknuepfen", "ja", "j", "same"})
DIFFERENT = frozenset({"verschieden", "neu", "nein", "n", "different"})

_ANSWER = re.compile(r"^antwort[^:\n]*:[ \t]*\r?\n?(.*)$", re.IGNORECASE | re.MULTILINE)


async def hear_answers(context: CalendarContext, kuerzel: str, rows: Sequence[ManualTask]) -> None:
    """Store what people have answered to one employee's open questions (:func:`asked_of`).

    Raises the errors of the client and of coordination. While a pass writes this calendar nothing is done: the answer
    stays in its task.
    """
    if context.desk is None:
        return
    async with context.leases.hold(lease_name(kuerzel)) as lease:
        if lease is None:
            return
        ids = sorted(str(row.espo_task_id) for row in rows)
        listed = context.desk.espo.list_ids_in(TASK_ENTITY, "id", ids, select=("id", "status", "description"))
        told = {task.id: task async for task in listed}
        for row in rows:
            task = told.get(str(row.espo_task_id)) or await context.desk.espo.read(TASK_ENTITY, str(row.espo_task_id))
            closed = task is None or await is_settled(context.desk, task)
            pairs = [(int(fr_nr), str(event_id)) for fr_nr, event_id in row.details["pairs"]]
            written = "" if task is None else str(task.attributes.get("description") or "")
            answer = None if task is None else understood(written, mark_of(row), pairs, closed=closed)
            if answer:
                said = [Said(kuerzel, edge, same) for edge, same in answer.items()]
                # A fault: it is settled already, or another task says otherwise; what is still open stays asked.
                if await asyncio.to_thread(store_said, context.store, said) and closed:
                    await context.store.write(_ask_again, row.id)
            elif closed:
                await context.store.write(_ask_again, row.id)


def asked_of(tx: Transaction, kuerzel: str) -> list[ManualTask]:
    """Return one employee's questions that stand in EspoCRM and are open."""
    return [
        row
        for row in tx.tasks.not_closed(ENTITY)
        if row.kind == TaskKind.CALENDAR_DOUBTFUL
        and row.espo_task_id is not None
        and row.details.get("pairs")
        and str(row.details.get("kuerzel", "")).upper() == kuerzel.upper()
    ]


def _ask_again(tx: Transaction, task_id: int) -> None:
    tx.tasks.close(task_id)


def understood(description: str, mark: str, pairs: Sequence[Edge], *, closed: bool) -> dict[Edge, bool] | None:
    """Return what a task says about the pairs it asks about; ``None`` if nothing (yet), or nothing that makes sense.

    ``gleich`` links the only pair, ``gleich 2`` (or just ``2``) the second of several; ``verschieden``, or closing the
    task without a word, keeps all of them apart. Without the ``mark`` of our row somebody has saved an older text over
    it, whose numbers mean other events.
    """
    text = description.partition(EARLIER)[0]
    found = _ANSWER.search(text)
    words = re.findall(r"\w+", found.group(1).casefold()) if found is not None else []
    if not words and closed:
        return dict.fromkeys(pairs, False)
    if mark not in text.splitlines():
        return None
    if len(words) == 1 and words[0] in DIFFERENT:
        return dict.fromkeys(pairs, False)
    if words and words[0] in SAME:
        words = words[1:] or (["1"] if len(pairs) == 1 else [])
    chosen = whole_number(words[0]) or 0 if len(words) == 1 else 0
    return {pairs[chosen - 1]: True} if 1 <= chosen <= len(pairs) else None
