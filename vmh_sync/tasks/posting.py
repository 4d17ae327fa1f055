"""Posts a Task to EspoCRM without what it refuses of it."""

from collections.abc import Mapping
from typing import Any, Protocol

from vmh_sync.engine.installation.people_links import PeopleLinks
from vmh_sync.engine.passes.pass_context import WriteGate
from vmh_sync.engine.writing.create_once import CreateContext
from vmh_sync.sync.base import Side
from vmh_sync.systems.espocrm.errors import Forbidden, ValidationRejected
from vmh_sync.tasks.assignee import AssigneeContext, any_person, own_user

TASK_ENTITY = "Task"
_MOST_TRIES = 7
"""Without status, priority, parent, team; the default assignee instead, any person instead, our own user instead."""


class TaskContext(CreateContext, AssigneeContext, Protocol):
    """What writing a task needs of a pass."""


async def post_task(context: TaskContext, gate: WriteGate, values: dict[str, Any]) -> str:
    """Create the task, without what EspoCRM refuses of it: a parent, team or person that is gone keeps no task back.

    The installation's Task may not take this entity type as parent either (espocrm.md B12).
    """
    for _ in range(_MOST_TRIES):
        try:
            async with gate.sending(Side.ESPOCRM):
                return (await context.espo.create(TASK_ENTITY, values)).id
        except (Forbidden, ValidationRejected) as error:
            values = await _without_refused(context, values, error)
    async with gate.sending(Side.ESPOCRM):
        return (await context.espo.create(TASK_ENTITY, values)).id


async def _without_refused(
    context: TaskContext, values: dict[str, Any], error: Forbidden | ValidationRejected
) -> dict[str, Any]:
    """Return what to try next; raises ``error`` when nothing of the task could be the reason."""
    named = error.field if isinstance(error, ValidationRejected) else getattr(error, "link", None)
    if named in ("status", "priority") and named in values:
        # An administrator has other words: the one that a new Task has there will do.
        return {name: value for name, value in values.items() if name != named}
    if named in {"assignedUser", "assignedUserId"}:
        chain = [context.espo_settings.default_assignee_id, await any_person(context), await own_user(context)]
        others = list(dict.fromkeys(one for one in chain if one))
        tried = values.get("assignedUserId")
        # The one after the refused one; somebody else's choice comes before all of them.
        rest = others[others.index(tried) + 1 :] if tried in others else others
        if not rest:
            raise error
        return values | {"assignedUserId": rest[0]}
    if "teamsIds" in values and (named == "teams" or "parentId" not in values):
        return {name: value for name, value in values.items() if name != "teamsIds"}
    if "parentId" in values:
        return _told_in_the_text(values)
    raise error


def _told_in_the_text(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the task without its parent: whom it is about stands above its last paragraph, the mark."""
    record = f"{PeopleLinks.read().espocrm or ''}/#{values['parentType']}/view/{values['parentId']}"
    text, _, mark = str(values["description"]).rpartition("\n\n")
    told = {"description": f"{text}\n\nDatensatz in EspoCRM: {record}\n\n{mark}"}
    return {name: value for name, value in values.items() if name not in {"parentType", "parentId"}} | told
